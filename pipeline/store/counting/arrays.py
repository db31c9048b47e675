"""Long arrays as query parameters: in several parts where a server would refuse the whole.

Over HTTP parameters travel in the address while they are short and as fields of a form beyond that, which the client
chooses. A server takes no field of more than 128 KiB (``http_max_field_value_size``), and any number of fields.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pipeline.store.client import Parameter

PART_BYTES_MAX: Final = 60_000
"""Half of what a field may have: quotes and line ends in texts are escaped on the way."""


def array_parameter(name: str, kind: str, rows: Iterable[tuple[object, ...]]) -> tuple[str, dict[str, Parameter]]:
    """The expression for an array of ``kind`` (``Tuple(String, Int64)``) in a query, and its parameters."""
    parts: list[list[tuple[object, ...]]] = [[]]
    size = 0
    for row in rows:
        row_bytes = len(repr(row).encode()) + 2
        if size + row_bytes > PART_BYTES_MAX and parts[-1]:
            parts.append([])
            size = 0
        parts[-1].append(row)
        size += row_bytes
    names = [name if number == 0 else f"{name}_{number}" for number in range(len(parts))]
    fields = [f"{{{part}:Array({kind})}}" for part in names]
    return fields[0] if len(fields) == 1 else f"arrayConcat({', '.join(fields)})", dict(zip(names, parts, strict=True))
