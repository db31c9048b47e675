"""The scenarios of ``records/disputes.txt``: the disputes that follow from a log of commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.model.orders import Command, Logged, MoveDispute, OpenDispute, Release
from pipeline.rules.dispute.dispute_log import NEXT_STATES, Dispute, disputes

Blocks = dict[str, list[str]]


def scenarios() -> dict[str, Blocks]:
    """Each scenario's blocks by its name."""
    by_name: dict[str, Blocks] = {}
    blocks: Blocks = {}
    block: list[str] = []
    for line in (Path(__file__).parent / "records" / "disputes.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("=== "):
            blocks = by_name.setdefault(line[4:], {})
        elif line.startswith("  "):
            block.append(line[2:])
        elif line.endswith(":") and not line.startswith("#"):
            block = blocks.setdefault(line[:-1], [])
    return by_name


def logged(row: str, at: int) -> Logged:
    id_, _, text = row.partition(": ")
    kind, what, *rest = text.split()
    options = dict(word.split("=", 1) for word in rest if "=" in word)
    comment = options.get("comment", "")
    order: OpenDispute | MoveDispute
    if kind == "dispute":
        period, _, product = what.partition("/")
        order = OpenDispute(period, product, "CZ", "pooled", "Invoice", None, comment)
    else:
        (state,) = (state for state in NEXT_STATES if state == rest[0])
        granted = int(options["granted"]) if "granted" in options else None
        order = MoveDispute(what, state, options.get("ticket", ""), comment, granted)
    return Logged(Command(id_, "acme", "eva", at, order), at)


def described(dispute: Dispute) -> str:
    comments = ",".join(f"{said.state}:{said.text}" for said in dispute.comments)
    granted = "-" if dispute.granted is None else dispute.granted
    return f"{dispute.id} {dispute.state} ticket={dispute.ticket} granted={granted} comments={comments}"


@pytest.mark.parametrize("blocks", scenarios().values(), ids=scenarios())
def test_disputes_match_the_tables(blocks: Blocks) -> None:
    made = disputes(logged(row, at) for at, row in enumerate(blocks["log"]))
    assert [described(dispute) for dispute in made.by_id.values()] == blocks["becomes"]
    assert [f"{refusal.id} {refusal.code}" for refusal in made.refused] == blocks.get("refused", [])
    assert all(refusal.sentence for refusal in made.refused)
    credit = {f"{period}/{product}": amount for (period, product, _, _), amount in made.credits.items()}
    assert [f"{line} {amount}" for line, amount in credit.items()] == blocks.get("credits", [])


@pytest.mark.parametrize("blocks", scenarios().values(), ids=scenarios())
def test_a_log_that_is_delivered_twice_gives_the_same_disputes(blocks: Blocks) -> None:
    log = [logged(row, at) for at, row in enumerate(blocks["log"])]
    assert disputes([*log, *log]) == disputes(log)


def test_other_orders_do_not_change_disputes() -> None:
    release = Logged(Command("r", "acme", "eva", 0, Release("MSTN", "CZ", "eva", 0)), 0)
    assert (disputes([release]).by_id, disputes([release]).refused) == ({}, ())
