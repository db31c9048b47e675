"""The scenarios of ``explained/*.txt``: explanations of lines of seats and of charges."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson
import pytest

from pipeline.application.account_view import AccountView
from pipeline.application.explain.explained_line import explain_line
from pipeline.application.quarter.quarter_grounds import quarter_grounds
from pipeline.application.tokens.token_settlement import settle_input
from pipeline.codec.reports.line_records import line_explanation_json, why_nowhere
from pipeline.model.evidence import SessionKey
from pipeline.model.instants import Period, iso
from pipeline.rules.evidence.merge import fold
from pipeline.rules.explain.flex_explanation import FlexLineExplanation
from pipeline.rules.explain.line_explanation import ExplainedLine
from pipeline.rules.explain.seat_explanation import Person, SeatLineExplanation
from pipeline.rules.explain.seat_use import CheckoutUse, SessionUse, SlotsByStep
from pipeline.rules.tokens.charge_explanation import Charge
from pipeline.rules.tokens.spans import Span
from pipeline.store.client import Client
from tests.golden.tables import Cells, Scenario, read_rows, read_scenarios
from tests.support.evidence.random_fleets import reading_of
from tests.support.evidence.schema_examples import LINE_EXPLANATION, validator
from tests.support.store.written_facts import write_session_days

SCENARIOS = [
    scenario for path in sorted(Path(__file__).parent.glob("explained/*.txt")) for scenario in read_scenarios(path)
]
PERIOD = Period.parse("2022Q2")
PARTS = {"pooled": "days", "flex": "charges"}
"""What a line's explanation must have, by its model; the others are about people."""
KNOWN = {"contract": "sha256:0", "close": None}

each_scenario = pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario.name for scenario in SCENARIOS])


def explained(scenario: Scenario, store: Client) -> dict[str, ExplainedLine]:
    """The explanation of every line by its identity, with duplicate evidence and all windows settled."""
    days, reading = fold(scenario.beats), reading_of(scenario.contract)
    for _ in range(2):
        write_session_days(store, days)
    end_at = max(beat.at for beat in scenario.heartbeats)
    view = AccountView.of(store, reading)
    settle_input(view, now=end_at, complete_until=end_at)
    grounds = quarter_grounds(view.refreshed().after(scenario.commands), PERIOD)
    return {
        f"{line.product}/{line.country}/{line.model}": explain_line(grounds, line) for line in grounds.statement.lines
    }


@each_scenario
def test_explanations_match_the_tables(scenario: Scenario, store: Client) -> None:
    lines = explained(scenario, store)
    tables = 0
    for title, rows in scenario.blocks.items():
        kind, _, name = title.partition(" ")
        if kind in {"explained", "charges", "free"}:
            expected, tables = [*read_rows(rows)], tables + 1
            header = [cell.strip() for cell in rows[0].split("|")]
            actual = [{column: row[column] for column in header} for row in cells(kind, lines[name])]
            assert actual == expected, title
    assert tables


@each_scenario
def test_explanations_match_the_schema(scenario: Scenario, store: Client) -> None:
    lines = [*explained(scenario, store).values()]
    accepted = validator(LINE_EXPLANATION)
    for explanation in lines:
        record = orjson.loads(line_explanation_json([explanation], KNOWN))
        assert accepted.is_valid(record)
        assert record.pop("others") == []
        assert record.pop(PARTS.get(explanation.line.model, "people")) is not None
        assert not accepted.is_valid(record)
    together = orjson.loads(line_explanation_json(lines, KNOWN))
    assert accepted.is_valid(together)
    assert len(together["others"]) == len(lines) - 1
    pooled = [explanation.line.product for explanation in lines if explanation.line.model == "pooled"]
    assert together["line"]["product"] == [*pooled, lines[0].line.product][0]


def cells(kind: str, explanation: ExplainedLine) -> Iterator[Cells]:
    if isinstance(explanation, SeatLineExplanation):
        for person in explanation.people:
            yield from _person(person)
    elif isinstance(explanation, FlexLineExplanation) and kind == "charges":
        assert explanation.waiting == ()
        assert sum(charge.debit.tokens for charge in explanation.charges if charge.debit) == explanation.line.tokens
        yield from map(_charge, explanation.charges)
    elif isinstance(explanation, FlexLineExplanation):
        for free in explanation.free:
            yield {
                "user": free.session.user, "from": _minute(free.from_at), "machine": free.session.machine,
                "reason": free.reason,
            }  # fmt: skip


def _person(person: Person) -> Iterator[Cells]:
    of_person = {
        "user": person.user,
        "covered": ", ".join(f"{_minute(start)} to {_minute(end)}" for start, end in person.covered) or "-",
        "assigned": ", ".join(_minute(held.from_at) for held in person.assigned) or "-",
        "locked": ", ".join(_minute(held.locked_until) for held in person.assigned) or "-",
        "taken": "-" if person.taken_at is None else _minute(person.taken_at),
        "shared": ", ".join(person.shared_with) or "-",
        "session": "-", "counts": "-", "because": "-",
    }  # fmt: skip
    uses: tuple[SessionUse | CheckoutUse, ...] = (*person.sessions, *person.checkouts)
    for use in uses:
        if isinstance(use, SessionUse):
            name = f"{use.session.key.machine} {_minute(use.session.opened_at)}"
            because = why_nowhere(use) or "-"
        else:
            name, because = f"checkout {use.taken.id}", "-"
        yield of_person | {"session": name, "counts": _counts(use.slots), "because": because}
    if not uses:
        yield of_person


def _counts(slots: SlotsByStep) -> str:
    return ", ".join(f"{place} {len(starts)}" for place, starts in slots.items()) or "-"


def _charge(charge: Charge) -> Cells:
    debit = charge.debit
    assert debit is not None
    return {
        "start": _minute(charge.window.start_at),
        "user": charge.window.user,
        "paid": ", ".join(f"{part.tokens} of {part.pack}" for part in debit.parts) or "-",
        "uncovered": str(debit.uncovered),
        "caused by": _causes(charge.causes),
    }


def _causes(causes: Sequence[tuple[SessionKey, Span]]) -> str:
    return (
        ", ".join(f"{key.machine} {_minute(span.from_at)} to {_minute(span.until_at)}" for key, span in causes) or "-"
    )


def _minute(at: int) -> str:
    return iso(at)[:16].replace("T", " ")
