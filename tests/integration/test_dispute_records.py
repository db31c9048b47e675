"""A dispute from the command line: opened, moved step by step, granted, and credited."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tests.integration.test_life import CONTRACT, MAY, Office, heartbeats
from tests.support.evidence.schema_examples import DISPUTES, validator

LINE: Final = ("--period", "2022Q2", "--product", "MSTN", "--by", "eva")


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A disputed line of 300.00, of which 100.00 are granted."""
    office = Office(tmp_path_factory.mktemp("disputes"))
    (office.folder / "one.yaml").write_text(CONTRACT)
    (office.folder / "may").write_bytes(heartbeats(MAY, 1, 4))
    office.run("may", "2022Q2")
    packet = office.folder / "packet"
    open_it = ("dispute", "open", *LINE, "--id", "d1", "--comment", "one launch too many")

    def move(state: str, *options: str) -> Any:
        return office.say("dispute", "move", "d1", "--state", state, "--by", "eva", "--id", f"m {state}", *options)

    return {
        "no line": office.say("dispute", "open", "--period", "2022Q2", "--product", "STAAD"),
        "open": office.say(*open_it, "--out", str(packet), "--output", "json"),
        "files": sorted(path.name for path in packet.iterdir()),
        "another": office.say("dispute", "open", *LINE),
        "same id": office.say(*open_it[:-1], "other words"),
        "too early": move("granted", "--granted", "100.00"),
        "no money": move("granted", "--granted", "100.001"),
        "submitted": move("submitted", "--ticket", "CS-7"),
        "answered": move("answered"),
        "granted": move("granted", "--granted", "100.00", "--comment", "as goodwill"),
        "unheard of": office.say("dispute", "move", "d9", "--state", "submitted"),
        "list": office.say("dispute", "list", "--output", "json").json,
        "table": office.say("dispute", "list").out.decode(),
        "commands": office.say("commands", "--output", "json").json,
        "closed": office.close("2022Q2", "--force"),
        "packet": office.say("dispute", *LINE[:-2], "--output", "json"),
        "after": office.statement("2022Q3"),
    }


def test_opening_a_dispute_claims_the_amount_of_its_packet_and_writes_the_packet(story: dict[str, Any]) -> None:
    opened = story["open"]
    assert (opened.status, opened.json["outcome"]) == (0, "accepted")
    assert opened.json["what"] == (
        "dispute period 2022Q2, product MSTN, country CZ, model pooled, category goodwill, amount 300.00 EUR, "
        "comment one launch too many"
    )
    assert story["files"] == ["evidence.csv", "packet.html", "packet.json", "ticket.txt"]


def test_an_impossible_step_is_refused_with_the_reason_and_not_posted(story: dict[str, Any]) -> None:
    said = {
        "no line": "STAAD in CZ: has no line in 2022Q2. Lines with over-use: MSTN in CZ (by 3)",
        "another": "already_open: the line is contested already, by dispute d1, which is draft",
        "same id": "conflict: the id d1 stands for another order already",
        "too early": "wrong_state: dispute d1 is draft and cannot become granted: from there it goes to submitted",
        "no money": "--granted: '100.001' is not an amount of EUR",
        "unheard of": "unknown_dispute: there is no dispute d9",
    }
    for name, sentence in said.items():
        assert (story[name].status, story[name].out) == (2, b""), name
        assert sentence in story[name].err, name
    assert [command["id"] for command in story["commands"]] == ["d1", "m submitted", "m answered", "m granted"]
    assert {command["outcome"] for command in story["commands"]} == {"accepted"}


def test_the_list_has_each_dispute_with_ticket_comments_and_granted_amount(story: dict[str, Any]) -> None:
    assert [story[name].status for name in ("submitted", "answered", "granted")] == [0, 0, 0]
    (dispute,) = story["list"]
    assert (dispute["id"], dispute["state"], dispute["ticket"], dispute["by"]) == ("d1", "granted", "CS-7", "eva")
    assert (dispute["amount"], dispute["granted"], dispute["currency"]) == ("300.00", "100.00", "EUR")
    assert [(said["state"], said["text"]) for said in dispute["comments"]] == [
        ("draft", "one launch too many"),
        ("granted", "as goodwill"),
    ]
    assert validator(DISPUTES).is_valid(story["list"])
    assert all(text in story["table"] for text in ("2022Q2 MSTN in CZ", "CS-7", "as goodwill", "1 dispute"))


def test_a_granted_amount_is_a_credit_after_the_close(story: dict[str, Any]) -> None:
    assert story["closed"].status == 0, story["closed"].err
    assert [(adjustment["kind"], adjustment["amount"]) for adjustment in story["after"]["adjustments"]] == [
        ("credit", "-100.00")
    ]


def test_the_packet_of_a_closed_quarter_agrees_with_the_closed_statement(
    story: dict[str, Any],
) -> None:
    assert story["packet"].status == 0, story["packet"].err
    assert story["packet"].json["line"] == story["closed"].json["lines"][0]
    assert story["packet"].json["statement"]["state"] == "closed"
