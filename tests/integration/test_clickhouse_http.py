"""The store over ClickHouse's HTTP interface: the production client, one engine for many processes, and its faults."""

from __future__ import annotations

import asyncio
import http.client
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Final, cast

import clickhouse_connect
import pytest

from pipeline.agents.sink import Batch
from pipeline.agents.store_calls import RetryingStore
from pipeline.store.client import Client, StoreRefused, StoreUnreachable, connect
from pipeline.store.migrations import migrate, pending_migrations
from tests.support.clickhouse.faults import KINDS, Kind
from tests.support.clickhouse.server import ClickhouseSeam
from tests.support.process.processes import ROOT
from tests.support.store.stored_fleet import batches, everything, prepare, rows, write

WITHOUT_EFFECT: Final = frozenset({"refused", "request-cut", "error-before", "disk-full"})
UNNOTICED: Final = frozenset({"slow", "head-cut"})
"""An insert that was carried out and whose answer says so: late, or with nothing after the status."""

_databases = count(1)


@pytest.fixture(scope="module")
def seam(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickhouseSeam]:
    with ClickhouseSeam(tmp_path_factory.mktemp("clickhouse") / "data") as running:
        yield running


@pytest.fixture
def dsn(seam: ClickhouseSeam) -> Iterator[str]:
    """The DSN of an empty database."""
    name = f"test_{next(_databases)}"
    with closing(connect(seam.dsn)) as client:
        client.command(f"CREATE DATABASE {name}")
    yield seam.dsn.replace("/default", f"/{name}")
    seam.clear()


@pytest.fixture
def client(dsn: str) -> Iterator[Client]:
    with closing(connect(dsn)) as opened:
        yield opened


@pytest.fixture
def store(client: Client) -> Client:
    """A store with tables, policies and a contract, and no evidence."""
    prepare(client)
    return client


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The embedded engine's answers for the same evidence."""
    dsn = f"chdb://{tmp_path_factory.mktemp('embedded') / 'data'}"
    in_a_process("write", dsn)
    return in_a_process("read", dsn)


def in_a_process(what: str, dsn: str, *share: str) -> str:
    command = [sys.executable, "-m", "tests.support.store.stored_fleet", what, dsn, *share]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_migrations_are_applied_once_over_http(client: Client) -> None:
    pending = pending_migrations(client)
    assert pending
    applied = migrate(client)
    assert applied == tuple(name for name in pending if name in applied)
    assert migrate(client) == ()
    assert pending_migrations(client) == ()


def test_a_statement_sessions_and_rows_over_http_equal_those_of_the_embedded_engine(
    store: Client, undisturbed: str
) -> None:
    write(store, batches())
    assert everything(store) == undisturbed
    assert "Session(" in undisturbed
    assert "dead_letters: " in undisturbed


def test_the_embedded_engine_reads_what_was_written_over_http(tmp_path: Path, undisturbed: str) -> None:
    with ClickhouseSeam(tmp_path / "data") as seam, closing(connect(seam.dsn)) as client:
        prepare(client)
        write(client, batches())
    assert in_a_process("read", f"chdb://{tmp_path / 'data'}") == undisturbed


def test_several_processes_write_to_one_store(dsn: str, undisturbed: str) -> None:
    with ThreadPoolExecutor() as threads:
        for writing in [threads.submit(in_a_process, "write", dsn, str(part), "3") for part in range(3)]:
            writing.result()
    assert in_a_process("read", dsn) == undisturbed


def test_evidence_written_before_the_store_is_killed_is_there_when_it_is_back(
    seam: ClickhouseSeam, store: Client, undisturbed: str
) -> None:
    write(store, batches())
    seam.kill()
    with pytest.raises(StoreUnreachable):
        connect(seam.dsn)
    seam.start()
    assert everything(store) == undisturbed


def test_the_longest_accepted_parameters_arrive_unchanged(client: Client) -> None:
    for text in ("", "it's", "back\\slash\ttab\nline", "žluťoučký", "ü" * 30_000):
        assert client.query("SELECT {text:String}", {"text": text}).result_rows[0][0] == text
        values = client.query("SELECT {texts:Array(String)}", {"texts": [text, text]}).result_rows[0][0]
        assert values == [text, text]


@pytest.mark.parametrize("compress", ["lz4", "zstd", "gzip", False])
def test_rows_survive_a_round_trip_in_each_compression(seam: ClickhouseSeam, dsn: str, compress: str | bool) -> None:
    database = dsn.rsplit("/", 1)[1]
    with closing(
        clickhouse_connect.get_client(host="127.0.0.1", port=seam.port, database=database, compress=compress)
    ) as client:
        client.command("CREATE TABLE texts (text String) ENGINE = MergeTree ORDER BY text")
        client.insert("texts", [[f"{number:06}" * 50] for number in range(5_000)])
        rows = client.query("SELECT text FROM texts ORDER BY text").result_rows
    assert rows == [(f"{number:06}" * 50,) for number in range(5_000)]


def test_settings_of_a_client_do_not_affect_another(seam: ClickhouseSeam, client: Client) -> None:
    with closing(clickhouse_connect.get_client(host="127.0.0.1", port=seam.port, settings={"max_threads": 3})) as other:
        assert other.query("SELECT getSetting('max_threads')").result_rows == [(3,)]
        assert client.query("SELECT getSetting('max_threads')").result_rows != [(3,)]


@pytest.mark.parametrize(
    ("sql", "status", "code", "name"),
    [
        ("SELECT * FROM nowhere", 404, 60, "UNKNOWN_TABLE"),
        ("SELEC 1", 400, 62, "SYNTAX_ERROR"),
        ("SELECT missing", 404, 47, "UNKNOWN_IDENTIFIER"),
        ("SELECT {missing:String}", 500, 456, "UNKNOWN_QUERY_PARAMETER"),
        ("SELECT throwIf(1)", 500, 395, "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO"),
    ],
)
def test_an_error_of_the_engine_is_returned_with_code_and_status(
    seam: ClickhouseSeam, client: Client, sql: str, status: int, code: int, name: str
) -> None:
    with pytest.raises(StoreRefused, match=rf"(?s)code: {code}\b.*\({name}\)"):
        client.query(sql)
    connection = http.client.HTTPConnection("127.0.0.1", seam.port, timeout=30)
    connection.request("POST", "/", sql.encode())
    answer = connection.getresponse()
    assert (answer.status, answer.headers["X-ClickHouse-Exception-Code"]) == (status, str(code))
    assert name in answer.read().decode()
    connection.close()


def test_a_get_request_cannot_write(seam: ClickhouseSeam, client: Client) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", seam.port, timeout=30)
    said = {}
    for path in ("/ping", "/?query=SELECT+6*7", "/?query=CREATE+TABLE+t+(x+Int8)+ENGINE=Memory"):
        connection.request("GET", path)
        answer = connection.getresponse()
        said[path] = (answer.status, answer.read())
    connection.close()
    (_, ping), (_, answered), (status, refused) = said.values()
    assert (ping, answered) == (b"Ok.\n", b"42\n")
    assert status == http.client.INTERNAL_SERVER_ERROR
    assert b"(READONLY)" in refused


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_has_its_effect_and_is_counted(seam: ClickhouseSeam, client: Client, kind: Kind) -> None:
    client.command("CREATE TABLE facts (number UInt32) ENGINE = MergeTree ORDER BY number")
    before = seam.counters()
    seam.fault(kind, table="facts", delay_ms=50)
    if kind in UNNOTICED:
        client.command("INSERT INTO facts SELECT 1")
    else:
        with pytest.raises(StoreRefused):
            client.command("INSERT INTO facts SELECT 1")
    after = seam.counters()
    assert after.injected[kind] - before.injected.get(kind, 0) == 1
    effects = 0 if kind in WITHOUT_EFFECT else 1
    assert after.inserts.get("facts", 0) - before.inserts.get("facts", 0) == effects
    assert client.query("SELECT count() FROM facts").result_rows == [(effects,)]


def test_a_fault_waits_for_its_table_and_its_turn(seam: ClickhouseSeam, client: Client) -> None:
    for table in ("facts", "others"):
        client.command(f"CREATE TABLE {table} (number UInt32) ENGINE = MergeTree ORDER BY number")
    seam.fault("error-before", table="facts", after=1, times=2)
    client.command("INSERT INTO others SELECT 1")
    client.command("INSERT INTO facts SELECT 1")
    for _ in range(2):
        with pytest.raises(StoreRefused, match="MEMORY_LIMIT_EXCEEDED"):
            client.command("INSERT INTO facts SELECT 2")
    client.command("INSERT INTO facts SELECT 3")
    assert client.query("SELECT number FROM facts ORDER BY number").result_rows == [(1,), (3,)]


def test_a_full_disk_has_the_error_of_clickhouse(seam: ClickhouseSeam, store: Client) -> None:
    seam.fault("disk-full", table="usage_days")
    with pytest.raises(StoreRefused, match=r"code: 243.*NOT_ENOUGH_SPACE"):
        batches()[0].write(store)


@pytest.mark.parametrize("rows_answered", [1, 100_000])
def test_a_query_whose_answer_is_cut_fails(seam: ClickhouseSeam, client: Client, rows_answered: int) -> None:
    seam.fault("answer-cut", on="query", table="numbers")
    with pytest.raises(StoreRefused):
        client.query("SELECT number FROM numbers({rows:UInt32})", {"rows": rows_answered})
    assert len(client.query("SELECT number FROM numbers({rows:UInt32})", {"rows": rows_answered}).result_rows) == (
        rows_answered
    )


@pytest.mark.parametrize(("kind", "ends"), [("head-cut", b"HTTP/1.1 200 OK\r\n"), ("answer-cut", b"\r\n")])
def test_a_cut_answer_ends_within_its_headers_or_its_body(
    seam: ClickhouseSeam, client: Client, kind: Kind, ends: bytes
) -> None:
    seam.fault(kind, on="query", table="numbers")
    connection = http.client.HTTPConnection("127.0.0.1", seam.port, timeout=30)
    connection.connect()
    connection.sock.sendall(b"GET /?query=SELECT+*+FROM+numbers(10) HTTP/1.1\r\nHost: seam\r\n\r\n")
    said = b"".join(iter(lambda: connection.sock.recv(65_536), b""))
    connection.close()
    head, blank, body = said.partition(b"\r\n\r\n")
    assert ends in said
    assert (blank == b"") == (kind == "head-cut")
    assert head.startswith(b"HTTP/1.1 200 OK")
    assert not body.endswith(b"0\r\n\r\n")


def test_an_answer_cut_in_its_headers_is_an_error(seam: ClickhouseSeam, client: Client) -> None:
    whole = "SELECT number FROM numbers(3) ORDER BY number"
    assert list(client.query(whole).result_rows) == [(0,), (1,), (2,)]
    seam.fault("head-cut", on="query", table="numbers", times=3)
    with pytest.raises(StoreRefused, match="broke off"):
        client.query(whole)
    seam.clear()
    assert list(client.query("SELECT number FROM numbers(3) WHERE number > 5").result_rows) == []


@pytest.mark.parametrize("rows_answered", [0, 1, 100_000])
@pytest.mark.parametrize("kind", ["head-cut", "answer-cut", "refused", "error-before"])
def test_an_arrow_answer_is_whole_or_an_error(
    seam: ClickhouseSeam, client: Client, kind: Kind, rows_answered: int
) -> None:
    """Also one without rows: Arrow's file format says where it ends."""
    query = "SELECT number FROM numbers({rows:UInt32})", {"rows": rows_answered}
    seam.fault(kind, on="query", table="numbers", times=3)
    with pytest.raises(StoreRefused):
        client.query_arrow(*query)
    seam.clear()
    assert client.query_arrow(*query).num_rows == rows_answered


@pytest.mark.parametrize("kind", KINDS)
def test_the_sink_writes_through_each_fault_and_stores_the_same_rows(
    seam: ClickhouseSeam, store: Client, kind: Kind, undisturbed: str
) -> None:
    before = seam.counters()
    for table in ("usage_days", "dead_letters", "deliveries"):
        seam.fault(kind, table=table, times=2, after=1, delay_ms=20)
    retried = _write_like_the_sink(store, batches())
    after = seam.counters()
    assert after.injected[kind] - before.injected.get(kind, 0) == 6
    assert len(retried) == (0 if kind in UNNOTICED else 6)
    assert everything(store) == undisturbed


def test_the_sink_survives_a_store_that_refuses_connections_for_a_while(
    seam: ClickhouseSeam, store: Client, undisturbed: str
) -> None:
    before = seam.counters()
    seam.down(for_ms=700)
    retried = _write_like_the_sink(store, batches())
    assert retried
    assert {error.kind for error in retried} == {"OperationalError"}
    assert seam.counters().injected["down"] - before.injected.get("down", 0) == 1
    assert everything(store) == undisturbed


def test_the_sink_survives_a_store_that_is_killed_and_started_again(
    seam: ClickhouseSeam, store: Client, undisturbed: str
) -> None:
    write(store, batches()[:2])
    seam.kill()
    starting = threading.Thread(target=seam.start)
    starting.start()
    retried = _write_like_the_sink(store, batches())
    starting.join()
    assert retried
    assert everything(store) == undisturbed


def test_rows_that_were_stored_without_an_answer_are_not_duplicated(seam: ClickhouseSeam, store: Client) -> None:
    batch = batches()[0]
    batch.write(store)
    once = rows(store, "usage_days")
    before = seam.counters().inserts["usage_days"]
    seam.fault("answer-lost", table="usage_days", times=3)
    assert len(_write_like_the_sink(store, [batch])) == 3
    assert seam.counters().inserts["usage_days"] - before == 4
    assert rows(store, "usage_days") == once
    counted = store.query("SELECT count() FROM usage_days FINAL").result_rows[0][0]
    assert cast(int, counted) == len(once) > 0


def _write_like_the_sink(client: Client, some: tuple[Batch, ...] | list[Batch]) -> list[StoreRefused]:
    """Store batches as the sink does and return the errors it retried."""
    retried: list[StoreRefused] = []
    with ThreadPoolExecutor(max_workers=1) as executor:
        call = RetryingStore(client, executor, 0.05, retried.append)

        async def work() -> None:
            for batch in some:
                await call(batch.write)

        asyncio.run(asyncio.wait_for(work(), 60))
    return retried
