"""``seatbeat explain`` and ``usage`` through the whole pipeline: every model, open and closed quarters."""

from __future__ import annotations

from typing import Any, Final

import orjson
import pytest

from tests.integration.test_life import Office
from tests.support.evidence.evidence_shorthand import instant
from tests.support.evidence.schema_examples import LINE_EXPLANATION, validator
from tests.support.process.seatbeat_process import Ended

CONTRACT: Final = """\
account: acme
country: CZ
currency: EUR
products:
  MSTN: {name: MicroStation, term_license_price: "100.00", replaces: [V8I]}
  ACD: {name: AutoCAD}
entitlements:
  - {product: MSTN, model: pooled, policy: bentley-select, quantity: 1, from: 2022-01-01}
  - {product: MSTN, model: named, policy: bentley-select, quantity: 1, from: 2022-01-01}
  - {product: MSTN, model: practitioner, policy: bentley-select, quantity: 1, from: 2022-01-01}
  - {product: ACD, model: flex, policy: autodesk-flex, daily_rate: 7, from: 2022-01-01}
token_packs: [{id: P, tokens: 500, purchased_at: 2022-01-10}]
assignments: [{product: MSTN, user: jana, at: 2022-05-03T09:00:00Z}]
"""
CHANGED: Final = CONTRACT.replace(", replaces: [V8I]", "").replace("quantity: 1", "quantity: 3")
USE: Final = (
    ("2022-05-03", "08:03", "08:30", "jana", "pc1", "MSTN"),
    ("2022-05-03", "09:03", "10:00", "jana", "pc1", "MSTN"),
    ("2022-05-03", "09:03", "09:30", "petr", "pc2", "MSTN"),
    ("2022-05-03", "09:04", "09:30", "eva", "pc3", "V8I"),
    ("2022-05-03", "09:03", "09:30", "zoe", "pc4", "ACD"),
    ("2022-08-03", "09:03", "09:30", "eva", "pc3", "V8I"),
)
SLOT: Final = ("explain", "--product", "MSTN", "--slot", "2022-05-03T09:10:00Z")
LINE: Final = ("explain", "--period", "2022Q2", "--line")
Story = dict[str, Any]


def heartbeat(day: str, since: str, until: str, user: str, machine: str, product: str) -> bytes:
    opened_at, at = instant(f"{day} {since}"), instant(f"{day} {until}")
    return orjson.dumps(
        {
            "v": 1, "account": "acme", "product": product, "machine": machine, "user": user,
            "session": f"{day} {since}", "opened_at": opened_at, "since": opened_at, "at": at,
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Questions about an open quarter, repeated after its close, another contract and a void."""
    office = Office(tmp_path_factory.mktemp("explained"))
    (office.folder / "one.yaml").write_text(CONTRACT)
    (office.folder / "two.yaml").write_text(CHANGED)
    (office.folder / "use").write_bytes(b"\n".join(heartbeat(*use) for use in USE))
    steps: Story = {"statement": office.run("use", "2022Q2").json, "open": asked(office)}
    steps["tree"] = office.say(*LINE, "MSTN").out.decode()
    steps["charges"] = office.say(*LINE, "ACD").out.decode()
    steps["closed"] = office.close("2022Q2", "--by", "eva", "--force", "--id", "c1").status
    steps["applied"] = office.say("contract", "apply", str(office.folder / "two.yaml"), "--by", "eva").status
    void = ("void", "--machine", "pc2", "--from", "2022-05-03", "--until", "2022-05-04", "--reason", "a test")
    steps["voided"] = office.say(*void, "--by", "eva", "--id", "v1").status
    steps["after"] = asked(office)
    steps["footer"] = [office.say(*question).out.decode() for question in ((*LINE, "MSTN"), SLOT, ("usage",))]
    steps["versions"] = office.say("contract", "list", "--output", "json").json
    steps["as of now"] = office.say(*SLOT, "--as-of", steps["versions"][-1]["contract"], "--output", "json").json
    steps["as of c1"] = office.say(*SLOT, "--as-of", "c1", "--output", "json").json
    steps["other quarter"] = office.say(*SLOT[:-1], "2022-08-03T09:10:00Z", "--as-of", "c1")
    steps["no line"] = office.say(*LINE, "STAAD")
    return steps


def asked(office: Office) -> dict[str, Ended]:
    questions = {
        "slot": SLOT,
        "pool": (*LINE, "MSTN/CZ/pooled"),
        "all": (*LINE, "MSTN"),
        "flex": (*LINE, "ACD/CZ/flex"),
        "usage": ("usage", "--product", "MSTN"),
    }
    return {name: office.say(*question, "--output", "json") for name, question in questions.items()}


def test_a_product_is_explained_by_all_its_lines_and_the_json_matches_its_schema(story: Story) -> None:
    lines = {(line["product"], line["model"]): line for line in story["statement"]["lines"]}
    whole = story["open"]["all"].json
    assert [explanation["line"] for explanation in (whole, *whole["others"])] == [
        lines["MSTN", model] for model in ("pooled", "named", "practitioner")
    ]
    for name in ("pool", "all", "flex"):
        assert validator(LINE_EXPLANATION).is_valid(story["open"][name].json), name


def test_seats_are_explained_down_to_sessions_with_the_step_that_covers_them(story: Story) -> None:
    named, practitioner = story["open"]["all"].json["others"]
    uses = [
        (
            person["user"],
            person["holds_seat"],
            use["session"]["opened_at"][11:16],
            [(by["by"], by["count"]) for by in where],
        )
        for line in (practitioner, named)
        for person in line["people"]
        for use in person["sessions"]
        for where in (use["counted"],)
    ]
    jana = [("jana", True, "08:03", [("named", 3)]), ("jana", True, "09:03", [("practitioner", 6)])]
    left_over = [("eva", False, "09:04", [("pooled", 3)]), ("petr", False, "09:03", [("pooled", 3)])]
    assert uses == [*jana, *jana, *left_over]
    for sentence in (
        "MSTN in CZ, 2022Q2: 1 named seat, held by 1 user, 2 users found none left (bentley-select@2016-04-01)",
        "jana: covered from 2022-05-03 08:10 to 2022-07-01 00:00; took the seat by the use that counted at",
        "covered by the named seat in 3 slots, 2022-05-03 08:10 to 2022-05-03 08:30",
        "petr: found no named seat left in the quarter",
        "counted in the pool in 3 slots, 2022-05-03 09:10 to 2022-05-03 09:30",
        "assigned at 2022-05-03 09:00, locked until 2022-06-02 09:00",
        "MSTN in CZ, 2022Q2: 100.00 EUR",
    ):
        assert sentence in story["tree"], sentence


def test_charges_are_explained_down_to_the_stretches_of_each_window(story: Story) -> None:
    (charge,) = story["open"]["flex"].json["charges"]
    assert (charge["user"], charge["start"], charge["tokens"]) == ("zoe", "2022-05-03T09:03:00Z", 7)
    assert [stretch["active_until"] for stretch in charge["caused_by"]] == ["2022-05-03T09:30:00Z"]
    for sentence in (
        "ACD in CZ, 2022Q2: 7 tokens paid by packs (autodesk-flex@2021-09-24)",
        "1 window charged",
        "ACD zoe, 2022-05-03 09:03 to 2022-05-04 09:03: 7 tokens; 7 from P",
        "ACD 2022-05-03 09:03 on pc4, active 2022-05-03 09:03 to 2022-05-03 09:30",
    ):
        assert sentence in story["charges"], sentence


def test_a_closed_quarter_is_explained_under_its_own_contract_and_voids(story: Story) -> None:
    assert (story["closed"], story["applied"], story["voided"]) == (0, 0, 0)
    first, second = (version["contract"] for version in story["versions"])
    for name in ("slot", "pool", "all", "flex"):
        before, after = story["open"][name].json, story["after"][name].json
        assert (before["contract"], before["close"], after["contract"], after["close"]) == (first, None, first, "c1")
        assert closed(after) == closed(before), name
    assert (story["after"]["slot"].json["count"], story["after"]["slot"].json["entitled"]) == (2, 1)
    now = story["as of now"]
    assert (now["count"], now["entitled"], now["contract"], now["close"]) == (0, 3, second, None)
    assert story["as of c1"] == story["after"]["slot"].json


def closed(record: Any) -> Any:
    """An explanation without the close that it is of."""
    if isinstance(record, dict):
        return {name: closed(value) for name, value in record.items() if name != "close"}
    return [closed(part) for part in record] if isinstance(record, list) else record


def test_usage_lists_each_quarter_under_its_own_contract(story: Story) -> None:
    before, after = story["open"]["usage"].json, story["after"]["usage"].json
    assert [session["opened_at"][:10] for session in before] == ["2022-05-03"] * 4 + ["2022-08-03"]
    assert after == before[:4]
    assert "2022Q2 was closed by eva at" in story["after"]["usage"].err


def test_a_footer_names_the_contract_of_a_closed_quarter(story: Story) -> None:
    version = story["versions"][0]["contract"][:19]
    for text in story["footer"]:
        last = text.splitlines()[-1]
        assert last.startswith("2022Q2 was closed by eva at ")
        assert f"(id c1) and is told under what was known then: its contract {version}\N{HORIZONTAL ELLIPSIS}" in last


def test_a_missing_line_is_refused_with_the_lines_that_exist(story: Story) -> None:
    assert (story["no line"].status, story["no line"].out) == (2, b"")
    lines = "ACD/CZ/flex, MSTN/CZ/named, MSTN/CZ/pooled, MSTN/CZ/practitioner"
    assert f"--line STAAD: is no line of 2022Q2. Its lines: {lines}" in story["no line"].err
    assert story["other quarter"].status == 2
    assert "--as-of: c1 closed 2022Q2, not 2022Q3" in story["other quarter"].err
