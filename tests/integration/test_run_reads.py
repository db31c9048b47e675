"""``statement``, ``usage`` and ``explain`` on the store of a run agree with the run."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from tests.support.auditors.recompute import usage_of
from tests.support.evidence.small_world import World


@pytest.fixture(scope="module")
def everything(kept: dict[str, Any], world: World) -> list[dict[str, Any]]:
    """Every stored session."""
    sessions: list[dict[str, Any]] = world.ask("usage", "kept", "--output", "json").json
    return sessions


@pytest.mark.parametrize("source", ["stored", "given"])
def test_the_statement_from_the_store_equals_that_of_the_run(source: str, kept: dict[str, Any], world: World) -> None:
    contract = ("--contract", world.contract) if source == "given" else ()
    ended = world.ask("statement", "kept", "--period", "2022Q2", "--output", "json", *contract)
    assert (ended.status, ended.err) == (0, "")
    assert ended.json == kept


def test_explain_and_statement_agree_on_counts(kept: dict[str, Any], world: World) -> None:
    for line in kept["lines"]:
        for slot in line["peak_slots"][:1]:
            explained = world.ask(
                "explain", "kept", "--product", line["product"], "--slot", slot, "--output", "json"
            ).json
            assert (explained["count"], explained["entitled"]) == (line["peak"], line["entitled"])
            assert explained["count"] == len({unit["machine"] for unit in explained["units"]})
        for slot in line["overuse_slots"][-1:]:
            explained = world.ask(
                "explain", "kept", "--product", line["product"], "--slot", slot, "--output", "json"
            ).json
            assert explained["overuse"] == line["overuse"]
    assert sum(bool(line["peak_slots"]) for line in kept["lines"]) == 2


def test_explain_accepts_any_instant_of_a_slot_and_gives_reasons(
    everything: list[dict[str, Any]], world: World
) -> None:
    session = next(record for record in everything if record["usage"] == "production" and record["open_s"] > 1200)
    ended = world.ask("explain", "kept", "--product", session["product"], "--slot", session["opened_at"])
    assert ended.status == 0
    assert f"{session['session']}: opened" in ended.out.decode()
    assert "was opened in this slot, and counting begins in the next one" in ended.out.decode()


def test_usage_lists_every_session_once(everything: list[dict[str, Any]], world: World) -> None:
    expected = {tuple(day.session) for day in usage_of(world.heartbeats)}
    sessions = [
        (
            "studio",
            session["reported_product"],
            "CZ",
            session["usage"],
            session["machine"],
            session["user"],
            session["session"],
        )
        for session in everything
    ]
    assert sorted(sessions) == sorted(expected)


def test_usage_is_filtered_by_product_user_machine_and_time(everything: list[dict[str, Any]], world: World) -> None:
    session = everything[len(everything) // 2]
    day = session["opened_at"][:10]
    filters = ("--product", session["product"], "--user", session["user"].upper(), "--machine", session["machine"])
    ended = world.ask("usage", "kept", *filters, "--from", day, "--until", f"{day}T23:59:59Z", "--output", "json")
    assert session in ended.json
    for name in ("product", "user", "machine"):
        assert {record[name] for record in ended.json} == {session[name]}
    assert all(record["opened_at"][:10] <= day <= record["last_at"][:10] for record in ended.json)
    rows = list(csv.DictReader(io.StringIO(world.ask("usage", "kept", *filters, "--output", "csv").out.decode())))
    same = [
        record for record in everything if all(record[name] == session[name] for name in ("product", "user", "machine"))
    ]
    assert [row["session"] for row in rows] == [record["session"] for record in same]


def test_usage_refuses_a_range_that_ends_before_it_begins(kept: dict[str, Any], world: World) -> None:
    ended = world.ask("usage", "kept", "--from", "2022-06-02", "--until", "2022-06-01")
    assert (ended.status, ended.out) == (2, b"")
    assert "--until: is not after --from" in ended.err


def test_tables_contain_every_line_and_the_total(kept: dict[str, Any], world: World) -> None:
    text = world.ask("statement", "kept", "--period", "2022Q2").out.decode()
    assert f"Total {kept['total']} EUR" in text
    for line in kept["lines"]:
        (row,) = (row for row in text.splitlines() if f" {line['product']} " in row)
        assert f" {line['peak']} " in row


def test_a_command_on_a_folder_without_a_store_creates_nothing(world: World) -> None:
    folder = world.folder / "photos"
    folder.mkdir()
    (folder / "data").touch()
    ended = world.ask("statement", "photos", "--period", "2022Q2")
    assert ended.status == 2
    assert "holds no store" in ended.err
    assert [path.name for path in folder.iterdir()] == ["data"]
