"""``seatbeat run`` on a fleet that is charged in tokens: the ledger does not depend on the order of heartbeats."""

from __future__ import annotations

import random
from pathlib import Path

import orjson
import pytest

from pipeline.codec.contract.examination import read_contract
from pipeline.codec.topics.heartbeats import decode
from pipeline.model.instants import Period
from pipeline.policy.catalogue import metering_catalogue, token_catalogue
from pipeline.rules.evidence.merge import fold
from pipeline.rules.pool.reading import ContractReading
from pipeline.rules.tokens.drafts import draft, postings
from pipeline.rules.tokens.flex_lines import flex_lines, token_block
from pipeline.rules.tokens.ledger import Ledger
from pipeline.rules.tokens.rates import TokenReading
from pipeline.rules.tokens.token_evidence import TokenEvidence
from tests.integration.conftest import SideBySide
from tests.support.evidence.small_world import World

CONTRACT = """\
account: studio
country: CZ
currency: EUR
products:
  MSTN: {replaces: [MSTN-V8I]}
  STAAD: {}
entitlements:
  - {product: MSTN, model: flex, daily_rate: 7, from: 2022-01-01}
  - {product: STAAD, model: flex, daily_rate: 3, from: 2022-01-01}
token_packs:
  - {id: P1, tokens: 500, purchased_at: 2022-01-10}
  - {id: P2, tokens: 200, purchased_at: 2022-05-10}
"""


def charged(world: World, heartbeats: list[bytes]) -> tuple[list[dict[str, object]], dict[str, int]]:
    """The flex lines and the block, computed from the heartbeats by the rules alone."""
    contract = read_contract("flex", CONTRACT.encode())
    reading = TokenReading(ContractReading(contract, metering_catalogue()), token_catalogue())
    evidence, ledger = TokenEvidence(reading), Ledger("studio")
    days = fold(heartbeat for line in heartbeats for heartbeat in decode(line).heartbeats)
    for day in days:
        evidence.merge(day)
    last_at = max(day.last_at for day in days)
    entries = draft(ledger, contract, evidence, (), now=last_at * 2, hold_ms=0, complete_until=last_at)
    for posting in postings(ledger, entries):
        assert ledger.append(posting)
    period = Period.parse("2022Q2")
    block = token_block(ledger, period.end_at)
    lines: list[dict[str, object]] = [
        {"product": line.product, "charges": line.charges, "tokens": line.tokens, "uncovered": line.uncovered}
        for line in flex_lines(reading, ledger, period)
    ]
    return lines, {name: getattr(block, name) for name in ("granted", "debited", "expired", "balance")}


@pytest.fixture(scope="module")
def contract(world: World) -> Path:
    path = world.folder / "tokens.yaml"
    path.write_text(CONTRACT)
    return path


def test_flex_lines_and_tokens_do_not_depend_on_order_and_repetition(
    world: World, contract: Path, side_by_side: SideBySide
) -> None:
    heartbeats = [heartbeat for heartbeat in world.heartbeats if b'"studio"' in heartbeat]
    shuffled = [*heartbeats, *heartbeats[: len(heartbeats) // 3]]
    random.Random(1).shuffle(shuffled)  # noqa: S311 -- a repeatable shuffle
    for name, lines in (("in-order", heartbeats), ("shuffled", shuffled)):
        (world.folder / f"{name}.ndjson").write_bytes(b"\n".join(lines))
    runs = [
        side_by_side.start(
            lambda name=name: world.run(  # type: ignore[misc]  # mypy sees no type in a lambda's default
                world.folder / f"{name}.ndjson", contract=contract, options=("--output", "json")
            )
        )
        for name in ("in-order", "shuffled")
    ]
    statements = [orjson.loads(run.result().out) for run in runs]
    assert statements[0]["lines"] == statements[1]["lines"]
    assert statements[0]["tokens"] == statements[1]["tokens"]
    names = ("product", "charges", "tokens", "uncovered")
    flex = [{name: line[name] for name in names} for line in statements[0]["lines"] if line["model"] == "flex"]
    assert (flex, statements[0]["tokens"]) == charged(world, heartbeats)
    assert sum(line["charges"] for line in flex) > 100
