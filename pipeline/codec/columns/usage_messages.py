"""Messages on ``usage``: rows of session days, and which deliveries were counted, as Arrow streams or as JSON.

A message holds rows of any accounts of its partition. From ``ARROW_ROWS_MIN`` rows on it is version 2: two Arrow IPC
streams, usage rows and deliveries, and the header ``usage`` says ``2``. Fewer rows take less as JSON, version 1 of the
format, a message for each account (``codec/topics/usage_frames.py``). Both are read for ever.

Bytes after zstd and CPU for both forms: ``tests/bench/README.md``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.codec.columns.column_checks import Int64s
from pipeline.codec.columns.heartbeat_columns import HeartbeatColumns
from pipeline.codec.columns.usage_rows import (
    NO_DAY,
    USAGE_ROWS,
    bits,
    closes,
    folded,
    map_lengths,
    rows_of_days,
    session_days,
)
from pipeline.codec.topics.usage_frames import (
    STRETCHES_PER_ROW_MAX,
    USAGE_FRAME_BYTES_MAX,
    Delivery,
    UnreadableUsage,
    decode_frame,
    encode_facts,
)
from pipeline.model.instants import SLOTS_PER_DAY

ARROW_ROWS_MIN: Final = 50
ARROW_VERSION: Final = b"2"
DELIVERIES_MAX: Final = 8_000
"""Deliveries in a message."""
COMPRESSED_ROWS_MIN: Final = 500
"""From so many rows on each column is compressed by itself, which takes a fifth fewer bytes in Kafka than compressing
whole messages does, and is done where the message is made, not by the producer in the event loop. Of fewer rows it
takes as many bytes and twice the CPU."""
ROW_BYTES: Final = 120
"""Of a row in a message, without its names and stretches: an upper estimate."""
_WORDS: Final = pa.dictionary(pa.int32(), pa.string())
DELIVERIES: Final = pa.schema(
    {
        "account": _WORDS, "log": _WORDS, "topic": _WORDS, "partition": pa.int32(), "offset": pa.int64(),
        "heartbeats": pa.int32(),
    }
)  # fmt: skip
"""How many valid heartbeats of an account a message held (``usage_frames.Delivery``)."""


class UsageTables(NamedTuple):
    """Tables of usage rows (``USAGE_ROWS``) and deliveries (``DELIVERIES``)."""

    rows: pa.Table
    deliveries: pa.Table


class UsageMessage(NamedTuple):
    """A message for ``usage``. Version 1, which has no ``version``, is keyed by its account; version 2 by nothing."""

    account: str
    partition: int
    value: bytes
    version: bytes | None


def deliveries_of(
    columns: Sequence[HeartbeatColumns], accounts: Sequence[str], log: str, topic: str, places: tuple[Int64s, Int64s]
) -> pa.Table:
    """The valid heartbeats of each account in each source. ``places``: partitions and offsets, by source."""
    if not columns:
        return DELIVERIES.empty_table()
    pairs = np.concatenate([each.sources.astype(np.int64) * len(accounts) + each.accounts for each in columns])
    distinct, counts = np.unique(pairs, return_counts=True)
    sources, of_accounts = np.divmod(distinct, len(accounts))
    partitions, offsets = places
    same = np.zeros(len(distinct), np.int32)
    return pa.table(
        [
            pa.DictionaryArray.from_arrays(of_accounts.astype(np.int32), pa.array(accounts, pa.string())),
            pa.DictionaryArray.from_arrays(same, [log]), pa.DictionaryArray.from_arrays(same, [topic]),
            partitions[sources].astype(np.int32), offsets[sources], counts.astype(np.int32),
        ],
        schema=DELIVERIES,
    )  # fmt: skip


def encode_usage(
    usage: UsageTables, partition_of: Callable[[str], int], arrow_rows_min: int = ARROW_ROWS_MIN
) -> Iterator[UsageMessage]:
    """The messages of a checkpoint, each at most about 512 KiB. Deliveries come with the last rows, or after them."""
    rows, deliveries = (_by_partition(table, partition_of) for table in usage)
    for partition in sorted({*rows, *deliveries}):
        some = UsageTables(rows.get(partition, _NO_ROWS), deliveries.get(partition, _NO_DELIVERIES))
        encode = _as_arrow if some.rows.num_rows >= arrow_rows_min else _as_json
        yield from encode(some, partition)


def decode_usage(value: bytes, version: bytes | None) -> UsageTables:
    """Read a message; ``version`` is its header, ``None`` without one. Raises ``UnreadableUsage``."""
    if version is None:
        frame = decode_frame(value)
        return UsageTables(rows_of_days(frame.days, frame.closes), deliveries_table(frame.account, frame.deliveries))
    if version != ARROW_VERSION:
        raise UnreadableUsage(f"version {version!r} of the usage format is not one this program reads (1 and 2)")
    try:
        source = pa.BufferReader(value)
        usage = UsageTables(_read_table(source, USAGE_ROWS), _read_table(source, DELIVERIES))
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UnreadableUsage(f"not a usage message: {error}") from error
    _check(usage.rows)
    return usage


def _read_table(source: pa.NativeFile, schema: pa.Schema) -> pa.Table:
    with pa.ipc.open_stream(source) as stream:
        table = stream.read_all()
    if table.schema != schema:
        raise ValueError("its columns are not those of the format")
    table.validate(full=True)
    return table


def _check(rows: pa.Table) -> None:
    """What no meter writes would make the insert fail, and that again and again."""
    if any(column.null_count for column in rows.columns):
        raise UnreadableUsage("a usage row holds a null")
    words = np.concatenate([bits(chunk) for chunk in rows["used_slots"].chunks] or [np.zeros((0, 3), np.uint64)])
    if (words[:, -1] >> np.uint64(SLOTS_PER_DAY % 64)).any():
        raise UnreadableUsage(f"used_slots is no set of the {SLOTS_PER_DAY} slots of a day")
    days = pc.min_max(rows["day"]).as_py()
    if rows.num_rows and not NO_DAY <= days["min"] <= days["max"] < 2**16:
        raise UnreadableUsage("day is no day")


def _by_partition(table: pa.Table, partition_of: Callable[[str], int]) -> dict[int, pa.Table]:
    """The rows of each partition, those of an account together."""
    if not table.num_rows:
        return {}
    [batch] = table.unify_dictionaries().combine_chunks().to_batches()
    names = batch["account"].dictionary.to_pylist()
    codes = np.asarray(batch["account"].indices)
    is_used = np.bincount(codes, minlength=len(names)) > 0
    partitions = np.array([partition_of(name) if used else -1 for name, used in zip(names, is_used, strict=True)])
    order = np.lexsort((codes, partitions[codes]))
    ordered = pa.table(batch.take(pa.array(order)))
    of_rows = partitions[codes[order]]
    starts = np.flatnonzero(np.append(True, of_rows[1:] != of_rows[:-1]))
    ends = np.append(starts[1:], len(order))
    return {int(of_rows[start]): ordered.slice(start, end - start) for start, end in zip(starts, ends, strict=True)}


def _as_arrow(usage: UsageTables, partition: int) -> Iterator[UsageMessage]:
    rows = _with_short_maps(usage.rows)
    pieces = list(_pieces(rows)) or [rows]
    counted = [usage.deliveries.slice(at, DELIVERIES_MAX) for at in range(0, usage.deliveries.num_rows, DELIVERIES_MAX)]
    tables = [UsageTables(piece, _NO_DELIVERIES) for piece in pieces[:-1]]
    tables += [UsageTables(pieces[-1], counted[0] if counted else _NO_DELIVERIES)]
    tables += [UsageTables(_NO_ROWS, some) for some in counted[1:]]
    for some in tables:
        sink = pa.BufferOutputStream()
        for table in some:
            [*batches] = _compact(table).to_batches()
            options = _COMPRESSED if table.num_rows >= COMPRESSED_ROWS_MIN else _PLAIN
            with pa.ipc.new_stream(sink, table.schema, options=options) as stream:
                for batch in batches:
                    stream.write_batch(batch)
        yield UsageMessage("", partition, sink.getvalue().to_pybytes(), ARROW_VERSION)


def _compact(table: pa.Table) -> pa.Table:
    """A table whose dictionaries hold only what its rows name."""
    columns = []
    for column in table.columns:
        if column.type == _WORDS and len(column):
            array = column.combine_chunks()
            codes = np.asarray(array.indices)
            is_used = np.zeros(len(array.dictionary), np.bool_)
            is_used[codes] = True
            names = array.dictionary.take(pa.array(np.flatnonzero(is_used)))
            columns.append(pa.DictionaryArray.from_arrays((np.cumsum(is_used, dtype=np.int32) - 1)[codes], names))
        else:
            columns.append(column)
    return pa.table(columns, schema=table.schema)


def _pieces(rows: pa.Table) -> Iterator[pa.Table]:
    """Slices of rows that make a message of about ``USAGE_FRAME_BYTES_MAX`` at most."""
    sizes = np.full(rows.num_rows, ROW_BYTES)
    for name in ("machine", "user", "session"):
        sizes += np.asarray(pc.binary_length(rows[name]))
    sizes += 16 * map_lengths(rows["stretches"])
    ends = np.cumsum(sizes)
    start = 0
    while start < len(ends):
        before = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, before + USAGE_FRAME_BYTES_MAX, "right")))
        yield rows.slice(start, stop - start)
        start = stop


def _with_short_maps(rows: pa.Table) -> pa.Table:
    """The same with a row of very many stretches split into several, which merge to it."""
    lengths = map_lengths(rows["stretches"])
    if not len(lengths) or lengths.max() <= STRETCHES_PER_ROW_MAX:
        return rows
    parts: list[pa.Table] = []
    for row in np.split(np.arange(len(lengths)), np.flatnonzero(np.diff(lengths > STRETCHES_PER_ROW_MAX)) + 1):
        some = rows.slice(row[0], len(row))
        parts += [some] if lengths[row[0]] <= STRETCHES_PER_ROW_MAX else map(_split, some.to_batches(1))
    return pa.concat_tables(parts)


def _split(row: pa.RecordBatch) -> pa.Table:
    pairs = row["stretches"][0].as_py()
    maps = [pairs[start : start + STRETCHES_PER_ROW_MAX] for start in range(0, len(pairs), STRETCHES_PER_ROW_MAX)]
    rows = pa.table(row.take(pa.array([0] * len(maps))))
    place = USAGE_ROWS.get_field_index("stretches")
    return rows.set_column(place, USAGE_ROWS.field(place), pa.array(maps, USAGE_ROWS.types[place]))


def _as_json(usage: UsageTables, partition: int) -> Iterator[UsageMessage]:
    days, closed, counted = defaultdict(list), defaultdict(list), defaultdict(list)
    for day in session_days(usage.rows):
        fact = [
            day.opened_at, day.last_at, day.used_slots, day.stretches, day.version,
            day.received_min_at, day.received_max_at,
        ]  # fmt: skip
        days[day.session.account].append((day.session, day.day, fact))
    for close in closes(usage.rows):
        closed[close.session.account].append(close)
    for account, *place in zip(*usage.deliveries.to_pydict().values(), strict=True):
        counted[account].append(Delivery(*place))
    for account in sorted({*days, *closed, *counted}):
        for frame in encode_facts(account, days[account], closed[account], counted[account]):
            yield UsageMessage(account, partition, frame, None)


def deliveries_table(account: str, deliveries: Sequence[Delivery]) -> pa.Table:
    """Deliveries of an account as a table."""
    rows = [(account, *delivery) for delivery in deliveries]
    columns = list(zip(*rows, strict=True)) or [()] * len(DELIVERIES)
    return pa.table([pa.array(*pair) for pair in zip(columns, DELIVERIES.types, strict=True)], schema=DELIVERIES)


_COMPRESSED: Final = pa.ipc.IpcWriteOptions(compression=pa.Codec("zstd", 1), use_threads=False)
_PLAIN: Final = pa.ipc.IpcWriteOptions(use_threads=False)
_NO_ROWS: Final = USAGE_ROWS.empty_table()
_NO_DELIVERIES: Final = DELIVERIES.empty_table()
NO_USAGE: Final = UsageTables(_NO_ROWS, _NO_DELIVERIES)


def merged(usages: Sequence[UsageTables]) -> UsageTables:
    """What several messages say, rows folded by key, each delivery once."""
    if not usages:
        return NO_USAGE
    deliveries = pa.concat_tables([each.deliveries for each in usages]).unify_dictionaries().combine_chunks()
    return UsageTables(folded(pa.concat_tables([each.rows for each in usages])), deliveries)
