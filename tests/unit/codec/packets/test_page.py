"""Dispute packets as pages: accessible, without scripts, and safe with hostile names."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.codec.packets.language import Tongue
from tests.support.evidence.packet_shorthand import packet_of
from tests.support.evidence.packet_texts import EXAMPLE, each_language, four_sessions, text_of
from tests.support.laws import examples

names = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=30)
HOSTILE = "<script src=//evil.example/x.js>alert(1)</script>\"'&amp;</title></svg><img onerror=alert(1)>"
Tag = tuple[str, tuple[tuple[str, str | None], ...]]


@settings(max_examples=examples(40))
@given(user=names, machine=names, session=names, account=names, product=names)
def test_no_name_can_add_a_script_or_an_external_resource_to_the_page(
    user: str, machine: str, session: str, account: str, product: str
) -> None:
    made = packet_of(four_sessions(user, machine, session), account=account, name=product, invoice=user)
    plain = packet_of(four_sessions("u", "m", "s"), account="a", name="MSTN", invoice="i")
    assert tags(text_of(made, "html")) == tags(text_of(plain, "html"))


def test_hostile_names_are_escaped() -> None:
    made = packet_of(four_sessions(HOSTILE, HOSTILE, HOSTILE), account=HOSTILE, name=HOSTILE, invoice=HOSTILE)
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
