"""The scenarios of ``explained/*.txt``: lines of seats and of charges taken apart are the tables'."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson
import pytest

from pipeline.application.account_view import AccountView
from pipeline.application.explained_line import explain_line
from pipeline.application.quarter_grounds import quarter_grounds
from pipeline.application.token_settlement import settle_input
from pipeline.codec.reports.line_records import line_explanation_json, why_nowhere
from pipeline.model.evidence import SessionKey
from pipeline.model.instants import Period, iso
from pipeline.rules.evidence.merge import fold
from pipeline.rules.explain.flex_explanation import FlexLineExplanation
from pipeline.rules.explain.line_explanation import ExplainedLine
from pipeline.rules.explain.seat_explanation import CheckoutUse, Person, SeatLineExplanation, SessionUse, Slots
from pipeline.rules.tokens.activity import Span
from pipeline.rules.tokens.charge_explanation import Charge
from pipeline.store.client import Client
from pipeline.store.facts import write_session_days
from tests.golden.tables import Cells, Scenario, read_rows, read_scenarios
from tests.support.evidence.random_fleets import reading_of
from tests.support.evidence.schema_examples import LINE_EXPLANATION, validator

SCENARIOS = [one for path in sorted(Path(__file__).parent.glob("explained/*.txt")) for one in read_scenarios(path)]
PERIOD = Period.parse("2022Q2")
PARTS = {"pooled": "days", "flex": "charges"}
"""What a line's explanation must have, by its model; the others are about people."""
KNOWN = {"contract": "sha256:0", "close": None}

each_scenario = pytest.mark.parametrize("scenario", SCENARIOS, ids=[one.name for one in SCENARIOS])


def explained(scenario: Scenario, store: Client) -> dict[str, ExplainedLine]:
    """Every line of the quarter taken apart, by its identity; the evidence told twice, all windows settled."""
    days, reading = fold(scenario.beaten), reading_of(scenario.contract)
    for _ in range(2):
        write_session_days(store, days)
    end_at = max(one.at for one in scenario.told)
    view = AccountView.of(store, reading)
    settle_input(view, now=end_at, complete_until=end_at)
    grounds = quarter_grounds(view.refreshed().after(scenario.commands), PERIOD)
    return {
        f"{line.product}/{line.country}/{line.model}": explain_line(grounds, line) for line in grounds.statement.lines
    }


@each_scenario
def test_lines_are_explained_as_the_tables_say(scenario: Scenario, store: Client) -> None:
    lines = explained(scenario, store)
    told = 0
    for title, rows in scenario.blocks.items():
        kind, _, name = title.partition(" ")
        if kind in {"explained", "charges", "free"}:
            expected, told = [*read_rows(rows)], told + 1
            header = [cell.strip() for cell in rows[0].split("|")]
            found = [{column: one[column] for column in header} for one in cells(kind, lines[name])]
            assert found == expected, title
    assert told


@each_scenario
def test_each_explanation_is_of_the_schema_alone_and_with_the_others(scenario: Scenario, store: Client) -> None:
    lines = [*explained(scenario, store).values()]
    accepted = validator(LINE_EXPLANATION)
    for one in lines:
        record = orjson.loads(line_explanation_json([one], KNOWN))
        assert accepted.is_valid(record)
        assert record.pop("others") == []
        assert record.pop(PARTS.get(one.line.model, "people")) is not None
        assert not accepted.is_valid(record)
    together = orjson.loads(line_explanation_json(lines, KNOWN))
    assert accepted.is_valid(together)
    assert len(together["others"]) == len(lines) - 1
    pooled = [one.line.product for one in lines if one.line.model == "pooled"]
    assert together["line"]["product"] == [*pooled, lines[0].line.product][0]


def cells(kind: str, one: ExplainedLine) -> Iterator[Cells]:
    if isinstance(one, SeatLineExplanation):
        for person in one.people:
            yield from _person(person)
    elif isinstance(one, FlexLineExplanation) and kind == "charges":
        assert one.waiting == ()
        assert sum(charge.debit.tokens for charge in one.charges if charge.debit) == one.line.tokens
        yield from map(_charge, one.charges)
    elif isinstance(one, FlexLineExplanation):
        for free in one.free:
            yield {
                "user": free.session.user, "from": _minute(free.from_at), "machine": free.session.machine,
                "reason": free.reason,
            }  # fmt: skip


def _person(one: Person) -> Iterator[Cells]:
    of_person = {
        "user": one.user,
        "covered": ", ".join(f"{_minute(from_at)} to {_minute(until_at)}" for from_at, until_at in one.covered) or "-",
        "assigned": ", ".join(_minute(held.from_at) for held in one.assigned) or "-",
        "locked": ", ".join(_minute(held.locked_until) for held in one.assigned) or "-",
        "taken": "-" if one.taken_at is None else _minute(one.taken_at),
        "shared": ", ".join(one.shared_with) or "-",
        "session": "-", "counts": "-", "because": "-",
    }  # fmt: skip
    uses: tuple[SessionUse | CheckoutUse, ...] = (*one.sessions, *one.checkouts)
    for use in uses:
        if isinstance(use, SessionUse):
            name = f"{use.session.key.machine} {_minute(use.session.opened_at)}"
            because = why_nowhere(use) or "-"
        else:
            name, because = f"checkout {use.taken.id}", "-"
        yield of_person | {"session": name, "counts": _counts(use.slots), "because": because}
    if not uses:
        yield of_person


def _counts(slots: Slots) -> str:
    return ", ".join(f"{place} {len(starts)}" for place, starts in slots.items()) or "-"


def _charge(one: Charge) -> Cells:
    debit = one.debit
    assert debit is not None
    return {
        "start": _minute(one.window.start_at),
        "user": one.window.user,
        "paid": ", ".join(f"{part.tokens} of {part.pack}" for part in debit.parts) or "-",
        "uncovered": str(debit.uncovered),
        "caused by": _causes(one.causes),
    }


def _causes(found: Sequence[tuple[SessionKey, Span]]) -> str:
    return ", ".join(f"{key.machine} {_minute(span.from_at)} to {_minute(span.until_at)}" for key, span in found) or "-"


def _minute(at: int) -> str:
    return iso(at)[:16].replace("T", " ")
