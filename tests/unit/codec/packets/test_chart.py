"""The chart of a day: its steps, its dashed line and its hatching lie where the counts say."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.codec.packets.chart import BOTTOM, LEFT, RIGHT, SCALE_STEPS, TOP, Scale, chart_svg, step_path
from pipeline.codec.packets.language import language
from pipeline.model.instants import DAY_MS, HOUR_MS, MINUTE_MS
from pipeline.rules.dispute.packet import DaySeries
from tests.support.evidence.evidence_shorthand import instant

DAY = instant("2022-06-29 00:00") // DAY_MS
SVG = "{http://www.w3.org/2000/svg}"

series = st.builds(
    lambda entitled, counts: DaySeries(DAY, HOUR_MS, entitled, tuple(counts)),
    st.integers(0, 5_000),
    st.lists(st.integers(0, 5_000), min_size=24, max_size=24),
)


def points(path: str) -> list[tuple[float, float]]:
    """The corners of a path of M, H and V."""
    found, x, y = [], 0.0, 0.0
    for command, numbers in re.findall(r"([MHV])([\d.,]+)", path):
        if command == "M":
            x, y = map(float, numbers.split(","))
        else:
            x, y = (float(numbers), y) if command == "H" else (x, float(numbers))
        found.append((x, y))
    return found


def count_at(path: str, x: float) -> float:
    """The height of a step path over a place."""
    corners = points(path)
    return next(y for (left, y), (right, _) in pairwise(corners) if left <= x < right)


@given(series)
def test_every_slot_stands_at_its_count(one: DaySeries) -> None:
    scale, width = Scale.of(one), (RIGHT - LEFT) / 24
    path = step_path(one, scale)
    for hour, count in enumerate(one.counts):
        height = BOTTOM - (BOTTOM - TOP) * count / scale.top
        assert count_at(path, LEFT + (hour + 0.5) * width) == pytest.approx(height, abs=0.006)
    assert points(path)[0][0] == LEFT
    assert points(path)[-1][0] == RIGHT


@given(series)
def test_everything_lies_within_the_axes_and_the_scale_is_one_people_read(one: DaySeries) -> None:
    scale = Scale.of(one)
    assert max(*one.counts, one.entitled) <= scale.top
    assert scale.top // scale.step <= 6
    assert int(str(scale.step)[0]) in SCALE_STEPS
    assert set(str(scale.step)[1:]) <= {"0"}
    assert all(TOP <= y <= BOTTOM and LEFT <= x <= RIGHT for x, y in points(step_path(one, scale)))


@given(series)
def test_what_is_over_the_entitlement_and_nothing_else_is_hatched(one: DaySeries) -> None:
    scale = Scale.of(one)
    drawn = ET.fromstring(chart_svg(one, language("cs")))  # noqa: S314 -- our own text
    hatched = [path for path in drawn.iter(f"{SVG}path") if path.get("class") == "over"]
    width = (RIGHT - LEFT) / 24
    hours = set()
    for path in hatched:
        corners = points(path.get("d") or "")
        left, right = corners[0][0], corners[2][0]
        assert corners[0][1] == pytest.approx(float(scale.y(one.entitled)))
        found = range(round((left - LEFT) / width), round((right - LEFT) / width))
        assert {scale.y(one.counts[hour]) for hour in found} == {f"{corners[1][1]:.2f}".rstrip("0").rstrip(".")} or {
            float(scale.y(one.counts[hour])) for hour in found
        } == {corners[1][1]}
        hours |= set(found)
    assert hours == {hour for hour, count in enumerate(one.counts) if count > one.entitled}


def test_a_screen_reader_is_told_what_is_to_be_seen() -> None:
    counts = tuple(146 if slot in {60, 61} else 7 for slot in range(144))
    drawn = ET.fromstring(  # noqa: S314 -- our own text
        chart_svg(DaySeries(DAY, 10 * MINUTE_MS, 40, counts), language("en"))
    )
    assert drawn.get("role") == "img"
    assert drawn.findtext(f"{SVG}title") == "29 June 2022: licences in use, per 10 minutes"
    assert drawn.findtext(f"{SVG}desc") == (
        "Steps show how many counted in each slot of 29 June 2022, against 40 entitled. The highest count is 146, from "
        "10:00 UTC. Hatched: what is over."
    )
    assert [text.text for text in drawn.iter(f"{SVG}text")][4:13] == [f"{hour:02}:00" for hour in range(0, 25, 3)]
