"""The chart of a day: the positions of its steps, its dashed line and its hatching."""

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
    drawn, x, y = [], 0.0, 0.0
    for command, numbers in re.findall(r"([MHV])([\d.,]+)", path):
        if command == "M":
            x, y = map(float, numbers.split(","))
        else:
            x, y = (float(numbers), y) if command == "H" else (x, float(numbers))
        drawn.append((x, y))
    return drawn


def count_at(path: str, x: float) -> float:
    """The y coordinate of a step path at an x coordinate."""
    corners = points(path)
    return next(y for (left, y), (right, _) in pairwise(corners) if left <= x < right)


@given(series)
def test_every_slot_is_drawn_at_the_height_of_its_count(day: DaySeries) -> None:
    scale, width = Scale.of(day), (RIGHT - LEFT) / 24
    path = step_path(day, scale)
    for hour, count in enumerate(day.counts):
        height = BOTTOM - (BOTTOM - TOP) * count / scale.top
        assert count_at(path, LEFT + (hour + 0.5) * width) == pytest.approx(height, abs=0.006)
    assert points(path)[0][0] == LEFT
    assert points(path)[-1][0] == RIGHT


@given(series)
def test_everything_is_drawn_within_the_axes_and_the_scale_has_round_numbers(day: DaySeries) -> None:
    scale = Scale.of(day)
    assert max(*day.counts, day.entitled) <= scale.top
    assert scale.top // scale.step <= 6
    assert int(str(scale.step)[0]) in SCALE_STEPS
    assert set(str(scale.step)[1:]) <= {"0"}
    assert all(TOP <= y <= BOTTOM and LEFT <= x <= RIGHT for x, y in points(step_path(day, scale)))


@given(series)
def test_exactly_the_area_over_the_entitlement_is_hatched(day: DaySeries) -> None:
    scale = Scale.of(day)
    drawn = ET.fromstring(chart_svg(day, language("cs")))  # noqa: S314 -- our own text
    hatched = [path for path in drawn.iter(f"{SVG}path") if path.get("class") == "over"]
    width = (RIGHT - LEFT) / 24
    hours = set()
    for path in hatched:
        corners = points(path.get("d") or "")
        left, right = corners[0][0], corners[2][0]
        assert corners[0][1] == pytest.approx(float(scale.y(day.entitled)))
        over = range(round((left - LEFT) / width), round((right - LEFT) / width))
        assert {scale.y(day.counts[hour]) for hour in over} == {f"{corners[1][1]:.2f}".rstrip("0").rstrip(".")} or {
            float(scale.y(day.counts[hour])) for hour in over
        } == {corners[1][1]}
        hours |= set(over)
    assert hours == {hour for hour, count in enumerate(day.counts) if count > day.entitled}


def test_the_chart_has_a_description_for_screen_readers() -> None:
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
