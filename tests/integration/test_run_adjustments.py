"""The rows of RULES 7's table through the whole program: Q2 closed at 1,000.00, and adjustments on later quarters."""

from __future__ import annotations

from typing import Any, Final

import orjson
import pytest

from tests.integration.test_life import CONTRACT, MAY, Office, heartbeats

LATER: Final = MAY + 50 * 86_400_000


def by_one_user(lines: bytes) -> bytes:
    """The same evidence, all of the user of the void."""
    return b"".join(orjson.dumps(orjson.loads(line) | {"user": "late"}) + b"\n" for line in lines.splitlines())


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Evidence, closes and a void, in the order of the table."""
    office = Office(tmp_path_factory.mktemp("adjustments"))
    (office.folder / "one.yaml").write_text(CONTRACT)
    (office.folder / "may").write_bytes(heartbeats(MAY, 1, 11))
    (office.folder / "late").write_bytes(by_one_user(heartbeats(MAY, 12, 13)))
    (office.folder / "more").write_bytes(heartbeats(LATER, 1, 11) + by_one_user(heartbeats(LATER, 12, 14)))
    office.run("may", "2022Q2")
    void = ("void", "--user", "late", "--from", "2022-04-01", "--until", "2022-07-01", "--reason", "a test rig")
    return {
        "closed Q2": office.close("2022Q2", "--force").json,
        "late Q3": office.run("late", "2022Q3").json,
        "closed Q3": office.close("2022Q3", "--force").json,
        "more Q4": office.run("more", "2022Q4").json,
        "closed Q4": office.close("2022Q4", "--force").json,
        "void": office.say(*void),
        "void Q1": office.statement("2023Q1"),
        "Q2": office.statement("2022Q2"),
    }


def carried(statement: Any) -> list[tuple[str, str, str, str, str]]:
    names = ("period", "kind", "before", "after", "amount")
    assert all(
        (adjustment["product"], adjustment["country"], adjustment["model"]) == ("MSTN", "CZ", "pooled")
        for adjustment in statement["adjustments"]
    )
    return [tuple(adjustment[name] for name in names) for adjustment in statement["adjustments"]]


def test_late_evidence_is_an_adjustment_on_the_open_quarter(story: dict[str, Any]) -> None:
    assert story["closed Q2"]["total"] == "1000.00"
    assert carried(story["late Q3"]) == [("2022Q2", "late_evidence", "1000.00", "1200.00", "200.00")]


def test_adjustments_on_a_closed_quarter_are_not_repeated_on_the_next(story: dict[str, Any]) -> None:
    assert carried(story["closed Q3"]) == carried(story["late Q3"])
    assert carried(story["more Q4"]) == [("2022Q2", "late_evidence", "1200.00", "1300.00", "100.00")]


def test_a_void_is_a_negative_adjustment_of_closed_quarters(story: dict[str, Any]) -> None:
    assert story["void"].status == 0, story["void"].err
    assert carried(story["void Q1"]) == [("2022Q2", "void", "1300.00", "1000.00", "-300.00")]
    assert story["Q2"] == story["closed Q2"]
