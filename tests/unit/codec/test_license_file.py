"""FlexNet licence files: what they grant, in every form that vendors write, and nothing secret of them."""

from __future__ import annotations

from datetime import date

import pytest

from pipeline.codec.license_file import Component, Increment, LicenseFile, Package, read_license_file
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
            "UPGRADE f1 is left out: it changes the version of licences, not their number",
        ),
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
