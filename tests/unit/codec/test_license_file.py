"""FlexNet licence files: what they grant, in every form that vendors write, and nothing secret of them."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest

from pipeline.codec.license_file import Component, LicenseFile, Package, read_license_file
from pipeline.codec.license_increments import Increment
from pipeline.model.errors import InputError

WHOLE = """\
# a comment, with INCREMENT in it
SERVER license-server 0011aabbccdd 27000
VENDOR adskflex port=2080
USE_SERVER
PACKAGE 64300ACD_F adskflex 1.000 COMPONENTS="87545ACD_2022_0F \\
\t87393ACD_2021_0F:2.0 \\
  87084ACD_2019_0F:1.0:4" OPTIONS=SUITE SUPERSEDE ISSUED=23-jan-2022 \\
  SIGN="0123 SECRET"
INCREMENT 64300ACD_F adskflex 1.000 22-jan-2023 40 \\
  VENDOR_STRING=commercial:permanent SN=399-SECRET ISSUED=23-jan-2022 SIGN="0123 SECRET"
FEATURE f1 demo 1.0 permanent 4 SECRET
"""


def read(text: str | bytes) -> LicenseFile:
    return read_license_file("license.lic", text.encode() if isinstance(text, str) else text)


def only(text: str) -> Increment:
    [increment] = read(text).increments
    return increment


def test_names_dates_and_quantities_are_read_and_nothing_secret() -> None:
    granted = read(WHOLE)
    assert granted.increments == (
        Increment("64300ACD_F", "adskflex", 40, date(2022, 1, 23), date(2023, 1, 22), 9),
        Increment("f1", "demo", 4, None, None, 11),
    )
    components = (
        Component("87545ACD_2022_0F", 1),
        Component("87393ACD_2021_0F", 1),
        Component("87084ACD_2019_0F", 4),
    )
    assert granted.packages == (Package("64300ACD_F", components, is_suite=True, line=5),)
    assert granted.notes == ()
    assert "SECRET" not in repr(granted)
    assert "aabbcc" not in repr(granted)


@pytest.mark.parametrize(
    ("expiry", "last_day"),
    [
        ("permanent", None),
        ("PERMANENT", None),
        ("1-jan-0", None),
        ("01-Jan-0000", None),
        ("31-dec-2022", date(2022, 12, 31)),
        ("3-Feb-2022", date(2022, 2, 3)),
        ("1-jan-99", date(1999, 1, 1)),
        ("1-jan-31", date(2031, 1, 1)),
    ],
)
def test_every_form_of_expiry_is_read(expiry: str, last_day: date | None) -> None:
    assert only(f"INCREMENT f1 demo 1.0 {expiry} 4 SIGN=0").last_day == last_day


@pytest.mark.parametrize(
    ("count", "quantity"), [("4", 4), ("004", 4), ("uncounted", None), ("UNCOUNTED", None), ("0", None)]
)
def test_licences_that_are_not_counted_have_no_quantity(count: str, quantity: int | None) -> None:
    assert only(f"FEATURE f1 demo 1.0 permanent {count} SIGN=0").quantity == quantity


def test_licences_start_on_the_day_that_is_stated_else_on_that_of_issue() -> None:
    line = "INCREMENT f1 demo 1.0 permanent 4 ISSUED=1-mar-2022"
    assert only(line).first_day == date(2022, 3, 1)
    assert only(f'{line} START="15-mar-2022"').first_day == date(2022, 3, 15)


def test_increments_add_up_and_a_line_that_stands_twice_counts_once() -> None:
    text = "INCREMENT f1 demo 1.0 permanent 4 SIGN=A\nINCREMENT f1 demo 1.0 permanent 6 SIGN=B\n"
    again = "INCREMENT  f1 demo 1.0 permanent 4  \\\n SIGN=A\n"
    assert [increment.quantity for increment in read(text + again).increments] == [4, 6]


def test_of_several_feature_lines_a_server_reads_the_first() -> None:
    granted = read("FEATURE f1 demo 1.0 permanent 4 SIGN=A\nFEATURE f1 demo 2.0 permanent 6 SIGN=B\n")
    assert [increment.quantity for increment in granted.increments] == [4]
    assert granted.notes == ("line 2: FEATURE f1 is left out: a server reads only the first one of a name",)


def test_what_is_superseded_ends_the_day_before_the_line_that_supersedes_it() -> None:
    granted = read(
        "INCREMENT f1 demo 1.0 permanent 4 ISSUED=1-jan-2020\n"
        "INCREMENT f1 demo 1.0 permanent 5 \n"
        "INCREMENT f1 demo 1.0 permanent 6 ISSUED=1-mar-2022 SUPERSEDE\n"
        "INCREMENT f1 demo 1.0 permanent 7 ISSUED=1-mar-2022 SUPERSEDE\n"
        "INCREMENT f2 demo 1.0 permanent 8 ISSUED=1-jan-2020\n"
        'INCREMENT f3 demo 1.0 permanent 9 ISSUED=1-mar-2021 SUPERSEDE="f2 f4"\n'
    )
    assert [(increment.quantity, increment.last_day) for increment in granted.increments] == [
        (4, date(2022, 2, 28)),
        (5, date(2022, 2, 28)),
        (6, None),
        (7, None),
        (8, date(2021, 2, 28)),
        (9, None),
    ]


Granted = tuple[int | None, date | None, date | None, int]


def granted_by(*lines: str) -> list[Granted]:
    """Quantity, first and last day, and line of what lines grant together."""
    granted = read("\n".join(lines))
    return [(each.quantity, each.first_day, each.last_day, each.line) for each in granted.increments]


class TestUpgrades:
    def test_the_licences_that_an_upgrade_raises_have_its_dates(self) -> None:
        base = "INCREMENT f1 demo 1.0 31-dec-2022 5 ISSUED=1-jan-2022"
        upgrade = "UPGRADE f1 demo 1.0 2.0 31-dec-2023 2 ISSUED=1-jul-2022"
        assert granted_by(base, upgrade) == [
            (2, date(2022, 1, 1), date(2022, 6, 30), 1),
            (3, date(2022, 1, 1), date(2022, 12, 31), 1),
            (2, date(2022, 7, 1), date(2023, 12, 31), 2),
        ]

    def test_an_upgrade_without_a_day_of_its_own_holds_from_the_first_day_of_what_it_raises(self) -> None:
        base = "INCREMENT f1 demo 1.0 31-dec-2022 2 ISSUED=1-jan-2022"
        assert granted_by(base, "UPGRADE f1 demo 1.0 2.0 permanent 2") == [(2, date(2022, 1, 1), None, 2)]

    def test_it_raises_the_closest_line_before_it_of_a_version_in_its_range(self) -> None:
        lines = [
            "INCREMENT f1 demo 1.5 permanent 1",
            "INCREMENT f1 demo 1.10 permanent 2",
            "INCREMENT f1 demo 2.0 permanent 3",
            "INCREMENT f1 other 1.5 permanent 4",
            "INCREMENT f2 demo 1.5 permanent 5",
            "INCREMENT f1 demo 1.5 permanent uncounted",
        ]
        upgraded = granted_by(*lines, "UPGRADE f1 demo 1.2 2.0 1-jan-2030 1", "INCREMENT f1 demo 1.5 permanent 7")
        assert [(quantity, line) for quantity, _, _, line in upgraded] == [
            (2, 2), (3, 3), (4, 4), (5, 5), (None, 6), (1, 7), (7, 8),
        ]  # fmt: skip

    def test_upgrades_follow_one_another_and_the_number_stays(self) -> None:
        lines = ["INCREMENT f1 demo 1.0 permanent 9", "UPGRADE f1 demo 1.0 2.0 permanent 4 START=1-feb-2022"]
        lines.append("UPGRADE f1 demo 1.0 3.0 permanent 3 START=1-mar-2022")
        granted = granted_by(*lines)
        for day, by_line in (
            (date(2022, 1, 1), {1: 9}),
            (date(2022, 2, 1), {1: 5, 2: 4}),
            (date(2022, 3, 1), {1: 5, 2: 1, 3: 3}),
        ):
            on_day = Counter[int]()
            for quantity, first, last, line in granted:
                if (first is None or first <= day) and (last is None or day <= last):
                    on_day[line] += quantity or 0
            assert on_day == by_line

    def test_a_line_of_which_all_licences_were_raised_is_passed_over(self) -> None:
        lines = ["INCREMENT f1 demo 1.0 permanent 3", "INCREMENT f1 demo 1.0 permanent 2"]
        upgrades = ["UPGRADE f1 demo 1.0 2.0 permanent 2 SIGN=A", "UPGRADE f1 demo 1.0 2.0 permanent 2 SIGN=B"]
        assert [(each[0], each[3]) for each in granted_by(*lines, *upgrades)] == [(1, 1), (2, 3), (2, 4)]

    def test_an_upgrade_of_more_than_there_are_raises_what_there_is_and_says_so(self) -> None:
        granted = read("INCREMENT f1 demo 1.0 permanent 2\nUPGRADE f1 demo 1.0 2.0 permanent 4\n")
        assert [each.quantity for each in granted.increments] == [2]
        assert granted.notes == ("line 2: UPGRADE f1 raises 2 licences, not 4: there are no more",)

    def test_a_line_that_supersedes_still_does_when_all_its_licences_are_raised(self) -> None:
        lines = ["INCREMENT f1 demo 1.0 permanent 8 ISSUED=1-jan-2020"]
        lines.append("INCREMENT f1 demo 1.5 permanent 2 ISSUED=1-jan-2021 SUPERSEDE")
        granted = granted_by(*lines, "UPGRADE f1 demo 1.2 2.0 permanent 2 ISSUED=1-jan-2021")
        assert granted == [(8, date(2020, 1, 1), date(2020, 12, 31), 1), (2, date(2021, 1, 1), None, 3)]


@pytest.mark.parametrize(
    ("line", "note"),
    [
        ("INCREMENT f1 demo", "INCREMENT f1 is left out: it ends before its number of licences"),
        ("FEATURE f1 demo 1.0 SECRET 4", "FEATURE f1 is left out: its expiry date is none such as 31-jan-2023"),
        ("FEATURE f1 demo 1.0 31-feb-2022 4", "FEATURE f1 is left out: its expiry date is none such as 31-jan-2023"),
        ("FEATURE f1 demo 1.0 permanent SECRET", "FEATURE f1 is left out: its number of licences is not a number"),
        ("PACKAGE suite demo 1.0 SIGN=SECRET", "PACKAGE suite is left out: it names no COMPONENTS"),
        (
            "UPGRADE f1 demo 1.0 2.0 permanent 4 SIGN=SECRET",
            "UPGRADE f1 is left out: no line before it grants licences that it raises",
        ),
        ("UPGRADE f1 demo 1.0 2.0 permanent", "UPGRADE f1 is left out: it ends before its number of licences"),
        (
            "UPGRADE f1 demo one two permanent 4",
            "UPGRADE f1 is left out: no line before it grants licences that it raises",
        ),
        ("UPGRADE f1 demo 1.0 2.0 SECRET 4", "UPGRADE f1 is left out: its expiry date is none such as 31-jan-2023"),
    ],
)
def test_a_line_that_is_left_out_is_named_with_its_reason(line: str, note: str) -> None:
    granted = read(f"\n{line}\n")
    assert (granted.increments, granted.packages) == ((), ())
    assert granted.notes == (f"line 2: {note}",)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_file_is_read_in_any_encoding_and_with_any_line_ends(encoding: str) -> None:
    text = WHOLE.replace("a comment", "Lizenzen für Büro").replace("\n", "\r\n")
    assert read(text.encode(encoding)) == read(WHOLE)


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("account: acme\n", "“account: acme”"),
        ("\n 8:00:00 (lmgrd) Detecting other license server manager (lmgrd) processes...\n", "“8:00:00 (lmgrd)"),
        ("SERVER host 0011aabbccdd 27000\n", "“SERVER”"),
        ("", "it is empty"),
    ],
)
def test_a_file_that_is_no_licence_file_is_refused_with_its_first_line(text: str, quoted: str) -> None:
    with pytest.raises(InputError) as refusal:
        read(text)
    assert quoted in str(refusal.value)
    assert "aabbcc" not in str(refusal.value)
