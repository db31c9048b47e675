"""Dispute packets as ticket, JSON, CSV and page, in every language and with hostile names."""

from __future__ import annotations

import csv
import io
from html.parser import HTMLParser
from string import Formatter

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.codec.packets.language import TONGUES, Phrase, Tongue, language, plural_of
from pipeline.codec.packets.packet_files import NAMES, Form, packet_bytes
from pipeline.codec.packets.ticket import ATTACHMENTS, ticket_of
from pipeline.model.evidence import Heartbeat
from pipeline.model.instants import Period
from pipeline.rules.dispute.flags import FLAGS
from pipeline.rules.dispute.packet import Packet
from pipeline.rules.dispute.pseudonyms import with_pseudonyms
from tests.support.evidence.evidence_shorthand import heartbeat, instant
from tests.support.evidence.packet_shorthand import example, packet_of
from tests.support.evidence.schema_examples import DISPUTE, validator
from tests.support.laws import examples

FORMS: tuple[Form, ...] = tuple(NAMES)
EXAMPLE = example()
each_language = pytest.mark.parametrize("tongue", TONGUES)
names = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=30)


def text_of(packet: Packet, form: Form, tongue: Tongue = "en") -> str:
    return packet_bytes(packet, form, language(tongue)).decode()


def forms_of(text: Phrase) -> dict[str, str]:
    return {"": text} if isinstance(text, str) else {str(form): form_text for form, form_text in text.items()}


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


PLURALS = {"en": ("one", "other"), "fr": ("one", "other"), "cs": ("one", "few", "other")}
"""The plural forms that whole numbers take (Unicode CLDR)."""


@each_language
def test_every_text_exists_in_every_language_with_the_same_placeholders(tongue: Tongue) -> None:
    english, other = language("en"), language(tongue)
    assert list(other.texts) == list(english.texts)
    assert list(other.flags) == list(other.meanings) == list(FLAGS)
    for key, text in other.texts.items():
        expected = set().union(*(places(form) for form in forms_of(english.texts[key]).values()))
        for form in forms_of(text).values():
            assert places(form) == expected, key


@each_language
def test_every_counted_text_has_the_plural_forms_of_its_language(tongue: Tongue) -> None:
    for key, text in language(tongue).texts.items():
        assert isinstance(text, dict) == isinstance(language("en").texts[key], dict), key
        if isinstance(text, dict):
            assert tuple(text) == PLURALS[tongue], key


@given(n=st.integers(0, 10**9), tongue=st.sampled_from(TONGUES))
def test_every_counted_text_has_a_form_for_any_number(n: int, tongue: Tongue) -> None:
    words = language(tongue)
    for key, text in words.texts.items():
        if isinstance(text, dict):
            values = {name: "x" for form in text.values() for name in places(form) - {"n"}}
            assert words.number(n) in words.say(key, n, **values)


@pytest.mark.parametrize(
    ("tongue", "forms"),
    [
        ("en", "other one other other other other other other"),
        ("fr", "one one other other other other other other"),
        ("cs", "other one few few few other other other"),
    ],
)
def test_plurals_are_those_of_the_language(tongue: Tongue, forms: str) -> None:
    assert " ".join(plural_of(tongue, n) for n in (0, 1, 2, 3, 4, 5, 21, 102)) == forms


@pytest.mark.parametrize(
    ("tongue", "number", "money", "date", "first", "quarter"),
    [
        ("en", "12,345", "-1,234.50\u00a0EUR", "29 June 2022", "1 April 2022", "Q2 2022"),
        ("fr", "12\u202f345", "-1\u202f234,50\u00a0EUR", "29 juin 2022", "1er avril 2022", "T2 2022"),
        ("cs", "12\u00a0345", "-1\u00a0234,50\u00a0EUR", "29. června 2022", "1. dubna 2022", "2. čtvrtletí 2022"),
    ],
)
def test_numbers_money_and_dates_are_written_as_the_language_does(
    tongue: Tongue, number: str, money: str, date: str, first: str, quarter: str
) -> None:
    words = language(tongue)
    assert (words.number(12_345), words.money(-123_450, "EUR")) == (number, money)
    assert (words.date(instant("2022-06-29 23:59")), words.date(instant("2022-04-01 00:00"))) == (date, first)
    assert words.quarter(Period.parse("2022Q2").name) == quarter


def test_a_currency_without_decimals_has_none() -> None:
    assert language("fr").money(1_234_567, "JPY") == "1\u202f234\u202f567\u00a0JPY"


def test_the_ticket_contains_the_text_to_paste() -> None:
    assert text_of(EXAMPLE, "text").replace("\u00a0", " ") == (
        "Category: Invoice\n"
        "Sub-category: Goodwill request\n"
        "Subject: Invoice INV-2022-0815: goodwill request for quarterly term licences of MicroStation (MSTN), Q2 2022\n"
        "\n"
        "Dear Sir or Madam,\n"
        "\n"
        "With invoice INV-2022-0815 you charge us for use of MicroStation (MSTN) in CZ, Q2 2022 (1 April 2022 to "
        "30 June 2022). By our own metering 3 quarterly term licences are due for it, 2,880.00 EUR in all.\n"
        "\n"
        "We are entitled to 1 licence of it. This was exceeded on 1 day, in 3 slots of 10 minutes; at the most by 3, "
        "on 3 May 2022 at 15:10 UTC. 4 sessions count in these slots (3 users, 4 machines); all are listed in the "
        "evidence attached.\n"
        "\n"
        "Our reasons:\n"
        "- 1 session was opened by accident: its user's only one on that day, open for at most 30 minutes, with at "
        "most 5 minutes of activity. Without this use 2 licences are due, 960.00 EUR less.\n"
        "- 1 session was left open and forgotten: nobody operated the program in its last 2 hours. Without this use "
        "2 licences are due, 960.00 EUR less.\n"
        "- 2 sessions, of 1 user on 2 machines, are those of somebody who had the program open on another machine at "
        "the same time. Without this use 1 licence is due, 1,920.00 EUR less.\n"
        "- In all, 4 of 4 sessions are concerned. Without this use nothing is due, 2,880.00 EUR less.\n"
        "\n"
        "We therefore ask you, as a gesture of goodwill, to waive the term licences charged for this use and to "
        "credit us with 2,880.00 EUR.\n"
        "\n"
        "Attachments:\n"
        "- packet.html: the count of every slot as a chart, who used the product and when, and the line without the "
        "sessions named above\n"
        "- evidence.csv: the sessions that count in the slots concerned\n"
        "- packet.json: all of this for programs\n"
        "\n"
        "Kind regards,\n"
        "acme\n"
    )


@each_language
def test_the_form_fields_keep_the_vendors_words_and_the_subject_has_the_invoice(tongue: Tongue) -> None:
    ticket = ticket_of(EXAMPLE, language(tongue))
    assert ticket.category.startswith("Invoice")
    assert ticket.subcategory.startswith("Goodwill request")
    assert "INV-2022-0815" in ticket.subject
    assert ticket.attachments == tuple(ATTACHMENTS.values())
    assert {"packet.html", "evidence.csv", "packet.json"} == set(ticket.attachments) < set(NAMES.values())


@each_language
@pytest.mark.parametrize("price", [None, 96_000])
@pytest.mark.parametrize("entitled", [0, 1, 3])
def test_every_kind_of_packet_can_be_written_and_its_json_matches_the_schema(
    tongue: Tongue, price: int | None, entitled: int
) -> None:
    made = packet_of(_fleet("u", "m", "s"), entitled=entitled, unit_price=price, name="")
    for form in FORMS:
        assert text_of(made, form, tongue)
    assert validator(DISPUTE).is_valid(orjson.loads(packet_bytes(made, "json", language(tongue))))
    assert ("0.00" in text_of(made, "text", "en")) == (price is not None)


@settings(max_examples=examples(40))
@given(user=names, machine=names, session=names, account=names, product=names)
def test_no_name_can_add_a_script_or_an_external_resource_to_the_page(
    user: str, machine: str, session: str, account: str, product: str
) -> None:
    made = packet_of(_fleet(user, machine, session), account=account, name=product, invoice=user)
    plain = packet_of(_fleet("u", "m", "s"), account="a", name="MSTN", invoice="i")
    assert tags(text_of(made, "html")) == tags(text_of(plain, "html"))


HOSTILE = "<script src=//evil.example/x.js>alert(1)</script>\"'&amp;</title></svg><img onerror=alert(1)>"


def test_hostile_names_are_escaped() -> None:
    made = packet_of(_fleet(HOSTILE, HOSTILE, HOSTILE), account=HOSTILE, name=HOSTILE, invoice=HOSTILE)
    page = text_of(made, "html", "cs")
    assert "<script" not in page
    assert "<img" not in page
    assert "url(http" not in page
    assert {name for name, _ in tags(page)}.isdisjoint({"script", "img", "link", "iframe", "object", "a"})
    assert [value for _, attributes in tags(page) for name, value in attributes if name in {"src", "href"}] == []


@each_language
def test_the_page_is_accessible(tongue: Tongue) -> None:
    page = text_of(EXAMPLE, "html", tongue)
    page_tags = tags(page)
    assert page_tags[0] == ("html", (("lang", tongue),))
    ids = {value for _, attributes in page_tags for name, value in attributes if name == "id"}
    for name, attributes in page_tags:
        if name == "svg":
            assert set((dict(attributes)["aria-labelledby"] or "").split()) <= ids
        if name == "th":
            assert dict(attributes).get("scope") in {"col", "row"}
    assert {"title", "desc", "svg", "thead", "caption", "footer", "h1"} <= {name for name, _ in page_tags}


@given(text=st.sampled_from(["=1+1", "+1", "-1", "@SUM(A1)"]))
def test_no_cell_of_the_evidence_is_a_formula(text: str) -> None:
    rows = list(csv.DictReader(io.StringIO(text_of(packet_of(_fleet(text, text, text)), "csv"), newline="")))
    for row in rows:
        assert {row[name][:2] for name in ("user", "machine", "session")} == {f"'{text[0]}"}


def test_csv_and_json_contain_the_same_evidence() -> None:
    rows = list(csv.DictReader(io.StringIO(text_of(EXAMPLE, "csv"), newline="")))
    for row, record in zip(rows, orjson.loads(text_of(EXAMPLE, "json"))["evidence"], strict=True):
        expected = {name: " ".join(value) if isinstance(value, list) else str(value) for name, value in record.items()}
        assert row == expected


@each_language
@pytest.mark.parametrize("form", FORMS)
def test_a_packet_with_pseudonyms_contains_no_name(form: Form, tongue: Tongue) -> None:
    text = text_of(with_pseudonyms(EXAMPLE), form, tongue)
    assert not [name for row in EXAMPLE.evidence for name in row.session.key[4:] if name in text]
    assert ("user 1" in text) == (form != "text")


@settings(max_examples=examples(40))
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=8))
def test_pseudonyms_are_consistent_and_change_nothing_else(who: list[tuple[int, int]]) -> None:
    heartbeats = [
        heartbeat(
            instant("2022-05-03 15:00"), instant("2022-05-03 16:00"),
            user=f"someone-{user}", machine=f"somewhere-{machine}", session=f"sometime-{number}",
        )
        for number, (user, machine) in enumerate(who)
    ]  # fmt: skip
    made = packet_of(heartbeats, entitled=0)
    other = with_pseudonyms(made)
    assert other == with_pseudonyms(made)
    for place in (4, 5, 6):
        pairs = {
            (a.session.key[place], b.session.key[place]) for a, b in zip(made.evidence, other.evidence, strict=True)
        }
        assert len(pairs) == len({name for name, _ in pairs}) == len({alias for _, alias in pairs})
    assert [row.flags for row in other.evidence] == [row.flags for row in made.evidence]
    assert (other.line, other.days, other.together) == (made.line, made.days, made.together)
    assert other.evidence[0].session.key.machine == "machine 1"


def _fleet(user: str, machine: str, session: str) -> list[Heartbeat]:
    since, at = instant("2022-05-03 15:00"), instant("2022-05-03 16:00")
    return [heartbeat(since, at, user=f"{user}{n}", machine=f"{machine}{n}", session=f"{session}{n}") for n in range(4)]


Tag = tuple[str, tuple[tuple[str, str | None], ...]]


def tags(page: str) -> list[Tag]:
    """Every element that a page opens, with its attributes."""

    class Reader(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.tags: list[Tag] = []

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.tags.append((tag, tuple(attrs)))

    reader = Reader()
    reader.feed(page)
    return reader.tags
