"""Orders without ``--data-dir`` go to Kafka, a worker stores them, and the command waits for the store."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.model.instants import iso
from tests.support.broker.brokers import BrokerKind
from tests.support.clickhouse.server import ClickhouseSeam
from tests.support.evidence.order_shorthand import AT
from tests.support.process.processes import end, spawn
from tests.support.process.seatbeat_process import Ended, seatbeat, surroundings

CONTRACT = "account: acme\ncountry: CZ\ncurrency: EUR\n"


@pytest.fixture
def environment(bootstrap: str, broker_kind: BrokerKind, tmp_path: Path) -> Iterator[dict[str, str]]:
    """A store, the topics and a worker with the sink; yields the ``SEATBEAT_*`` variables for them."""
    if broker_kind == "embedded":
        pytest.skip("the production producer is idempotent, and the embedded broker gives out no producer ids")
    with ClickhouseSeam(tmp_path / "store") as store:
        settings = {
            "SEATBEAT_KAFKA_BOOTSTRAP": bootstrap, "SEATBEAT_CLICKHOUSE_DSN": store.dsn, "SEATBEAT_TOPICS": "single",
            "SEATBEAT_APP_ID": f"orders-{tmp_path.name}",
        }  # fmt: skip
        migrated = seatbeat("migrate", temporary=tmp_path / "temporary", environment=settings)
        assert migrated.status == 0, migrated.err
        worker = {**settings, "SEATBEAT_HEALTH_ADDRESS": "", "SEATBEAT_SINK_CHECKPOINT_MS": "200"}
        process = spawn(
            [sys.executable, "-m", "pipeline.cli.main", "worker", "sink"],
            log=tmp_path / "worker.log",
            environment=surroundings(tmp_path / "temporary", worker),
        )
        try:
            yield settings
        finally:
            end(process)


def test_orders_are_in_the_store_before_their_outcome_is_printed(environment: dict[str, str], tmp_path: Path) -> None:
    def say(*arguments: str) -> Ended:
        return seatbeat(*arguments, temporary=tmp_path / "temporary", environment=environment)

    (tmp_path / "contract.yaml").write_text(CONTRACT)
    first, again = (say("contract", "apply", str(tmp_path / "contract.yaml")) for _ in range(2))
    assert (first.status, again.status) == (0, 0), first.err
    assert b"contract already" in again.out
    void = ("void", "--machine", "WS-9", "--from", iso(AT), "--until", iso(AT + 600_000), "--id", "v1")
    assert say(*void, "--reason", "training").status == 0
    assert b"known already" in say(*void, "--reason", "training").out
    other = say(*void, "--reason", "another")
    assert (other.status, "conflict" in other.err) == (2, True)
    listed = say("commands", "--output", "json").json
    assert [(command["id"], command["outcome"]) for command in listed] == [("v1", "accepted")]
    [shown] = say("statement", "--period", "2022Q2", "--output", "json").json["voids"]
    assert (shown["machine"], shown["reason"]) == ("ws-9", "training")
