"""Explanations of a line: from its amount down to sessions, with the use that did not count."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

import orjson
import pytest
from rich.console import Console

from pipeline.application.account_view import AccountView
from pipeline.application.explain.explained_line import explain_pooled_line, named_lines
from pipeline.application.quarter.quarter_grounds import quarter_grounds
from pipeline.cli.tables.pooled_line_tree import pooled_line_tree
from pipeline.codec.reports.line_records import line_explanation_json
from pipeline.model.contracts import Contract, Entitlement, Product
from pipeline.model.errors import InputError
from pipeline.model.evidence import Heartbeat
from pipeline.model.instants import Period
from pipeline.model.statements import Statement
from pipeline.rules.evidence.merge import fold
from pipeline.rules.explain.line_explanation import LineExplanation
from pipeline.store.client import Client
from tests.support.evidence.evidence_shorthand import heartbeat, instant
from tests.support.evidence.random_fleets import reading_of
from tests.support.evidence.schema_examples import LINE_EXPLANATION, validator
from tests.support.store.empty_stores import new_account
from tests.support.store.written_facts import write_session_days

PERIOD = Period.parse("2022Q2")
FROM_AT = instant("2022-01-01 00:00")


def contract_of(account: str, *more: Entitlement) -> Contract:
    seat = Entitlement(("MSTN",), "CZ", "pooled", "bentley-select", 1, FROM_AT, None)
    products = {"MSTN": Product("MSTN", unit_price=96_000)}
    return Contract(account, "CZ", "EUR", "sha256:0", products=products, entitlements=(seat, *more))


def use(day: str, since: str, until: str, machine: str, *, user: str = "eva", usage: str = "production") -> Heartbeat:
    opened_at, at = instant(f"{day} {since}"), instant(f"{day} {until}")
    session = f"{machine}-{since}"
    return heartbeat(opened_at, at, machine=machine, session=session, user=user, usage=usage, active_at=opened_at)


def explained(store: Client, heartbeats: list[Heartbeat], *more: Entitlement) -> tuple[Statement, LineExplanation]:
    account = new_account()
    write_session_days(store, fold([beat._replace(account=account) for beat in heartbeats]))
    reading = reading_of(contract_of(account, *more))
    grounds = quarter_grounds(AccountView.of(store, reading), PERIOD)
    (line,) = grounds.statement.pooled
    return grounds.statement, explain_pooled_line(grounds, line)


def printed(explanation: LineExplanation) -> str:
    out = StringIO()
    Console(file=out, width=400, highlight=False).print(pooled_line_tree(explanation))
    return out.getvalue()


def test_an_explanation_goes_from_the_amount_of_a_line_down_to_sessions(store: Client) -> None:
    heartbeats = [
        use("2022-05-03", "15:01", "15:25", "pc1"),
        use("2022-05-03", "15:02", "15:35", "pc2"),
        use("2022-05-03", "15:03", "15:15", "pc3"),
        use("2022-05-03", "15:03", "15:08", "pc4"),
        use("2022-05-03", "15:03", "15:45", "pc5", usage="trial"),
        use("2022-05-03", "15:00", "15:09:59.999", "pc6"),
    ]
    _, explanation = explained(store, heartbeats)
    basis = {"contract": "sha256:0", "close": None}
    assert validator(LINE_EXPLANATION).is_valid(orjson.loads(line_explanation_json([explanation], basis)))
    assert (
        "\n".join(line.rstrip() for line in printed(replace(explanation, account="acme")).splitlines())
        == """\
MSTN in CZ, 2022Q2: 1920.00 EUR (bentley-select@2016-04-01)
├── 2 term licences at 960.00 EUR
│   └── over-use by 2 at most, on 1 day, in 2 slots; the peak is 3
│       └── 2022-05-03: 2 slots over, by 2 at most
│           ├── 15:10: 3 of 1, 2 over
│           ├── 15:20: 2 of 1, 1 over
│           └── MSTN in CZ, 2022-05-03 15:10 to 15:20 UTC: 3 of 1 entitled, 2 over (bentley-select@2016-04-01)
│               ├── 3 machines counted
│               │   ├── eva on pc1, MSTN pc1-15:01: opened 2022-05-03 15:01, last seen 2022-05-03 15:25 (00:24; 3 \
ten-minute slots, active 00:00)
│               │   ├── eva on pc2, MSTN pc2-15:02: opened 2022-05-03 15:02, last seen 2022-05-03 15:35 (00:33; 4 \
ten-minute slots, active 00:00)
│               │   └── eva on pc3, MSTN pc3-15:03: opened 2022-05-03 15:03, last seen 2022-05-03 15:15 (00:12; 2 \
ten-minute slots, active 00:00)
│               └── 1 sessions not counted
│                   └── eva on pc5, MSTN pc5-15:03: opened 2022-05-03 15:03, last seen 2022-05-03 15:45 (00:42; 5 \
ten-minute slots, active 00:00): is not production use, which alone counts
└── 3 sessions used on 2022-05-03 did not count
    ├── eva on pc6, MSTN pc6-15:00: opened 2022-05-03 15:00, last seen 2022-05-03 15:09 (00:09; 1 ten-minute slot, \
active 00:00): was in use for less than 10 minutes in all
    ├── eva on pc4, MSTN pc4-15:03: opened 2022-05-03 15:03, last seen 2022-05-03 15:08 (00:05; 1 ten-minute slot, \
active 00:00): was in use for less than 10 minutes in all
    └── eva on pc5, MSTN pc5-15:03: opened 2022-05-03 15:03, last seen 2022-05-03 15:45 (00:42; 5 ten-minute slots, \
active 00:00): is not production use, which alone counts"""
    )


def test_a_session_that_a_seat_covers_is_listed_as_not_counted(store: Client) -> None:
    seat = Entitlement(("MSTN",), "CZ", "named", "bentley-select", 1, FROM_AT, None)
    heartbeats = [
        use("2022-05-03", "14:00", "16:00", "pc1"),
        use("2022-05-03", "15:00", "16:00", "pc2", user="petr"),
        use("2022-05-03", "15:00", "16:00", "pc3", user="ota"),
    ]
    _, explanation = explained(store, heartbeats, seat)
    assert (explanation.line.peak, explanation.line.overuse) == (2, 1)
    assert [(each.uncounted.session.key.user, each.uncounted.covered_by) for each in explanation.uncounted] == [
        ("eva", "named")
    ]
    assert "is covered by the named seat of eva" in printed(explanation)


def test_the_peak_is_explained_where_there_is_no_overuse(store: Client) -> None:
    _, explanation = explained(
        store, [use("2022-05-03", "15:01", "15:25", "pc1"), use("2022-05-04", "09:00", "09:05", "pc1")]
    )
    assert "no over-use: the peak of 1 is within what is entitled" in printed(explanation)
    assert [(each.count, each.overuse) for each in explanation.apart] == [(1, 0)]
    _, none = explained(store, [use("2022-05-04", "09:00", "09:05", "pc1")])
    assert (none.apart, [each.uncounted.reason for each in none.uncounted]) == ((), ["under_min_use"])


def test_every_overused_day_is_listed_and_the_first_three_are_explained(store: Client) -> None:
    heartbeats = [use(f"2022-05-{day:02}", "15:01", "15:25", f"pc{n}-{day}") for day in range(1, 14) for n in range(2)]
    _, explanation = explained(store, heartbeats)
    assert len(explanation.overused) == explanation.line.overuse_days == 13
    assert [each.slot_at for each in explanation.apart] == [instant(f"2022-05-0{day} 15:10") for day in (1, 2, 3)]
    assert "and 3 days more; --output json has them all" in printed(explanation)


@pytest.mark.parametrize("text", ["STAAD", "MSTN/SK", "MSTN/CZ/flex"])
def test_a_missing_line_is_refused_with_the_list_of_lines(store: Client, text: str) -> None:
    seat = Entitlement(("MSTN",), "CZ", "named", "bentley-select", 1, FROM_AT, None)
    statement, _ = explained(store, [], seat)
    with pytest.raises(InputError, match="is no line of 2022Q2") as refused:
        named_lines(statement, text)
    assert "MSTN/CZ/named, MSTN/CZ/pooled" in refused.value.remedy


def test_a_product_selects_all_its_lines_and_a_model_selects_a_line(store: Client) -> None:
    seat = Entitlement(("MSTN",), "CZ", "named", "bentley-select", 1, FROM_AT, None)
    statement, _ = explained(store, [], seat)
    assert named_lines(statement, "MSTN") == named_lines(statement, "MSTN/CZ") == statement.lines
    assert named_lines(statement, "MSTN/CZ/pooled") == statement.pooled
