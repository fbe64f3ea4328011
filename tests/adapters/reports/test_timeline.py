from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings

from pytest_avatar.adapters.reports.timeline import COLOURS, draw
from pytest_avatar.core.events import Verdict
from tests.reports import (
    START,
    Life,
    from_code,
    from_fixture,
    hostile_reports,
    mixed_run,
    report_of,
)

if TYPE_CHECKING:
    from pytest_avatar.core.report import Report


def picture_of(report: Report) -> ET.Element:
    return ET.fromstring(draw(report))


def bars_of(picture: ET.Element) -> list[ET.Element]:
    return [rect for rect in picture.iter("rect") if rect.get("rx") == "2"]


def share(rect: ET.Element, name: str) -> float:
    return float((rect.get(name) or "").removesuffix("%"))


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour, as WCAG 2 defines it."""
    parts = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_without_sessions_there_is_no_picture() -> None:
    assert draw(report_of()) == ""


def test_every_session_is_a_bar_in_the_band_of_its_process() -> None:
    picture = picture_of(mixed_run())
    assert len(bars_of(picture)) == 207
    labels = [text.text for band in picture.findall("svg") for text in band.findall("text")]
    assert labels == ["gw0", "gw1"]


def test_a_bar_says_what_it_means_and_stands_where_its_session_lived() -> None:
    life = from_code("lost", 7, "test_slow")
    (bar,) = bars_of(picture_of(report_of(life, ended_at=START + 1)))
    title = bar.find("title")
    assert title is not None
    assert (
        title.text == "lost: session-main-0, not ended after 1 attempt: 500 Internal server error"
    )
    assert bar.get("fill") == COLOURS[Verdict.LOST]
    assert (share(bar, "x"), share(bar, "width")) == (25, 75)


def test_a_test_is_a_grey_band_behind_its_sessions() -> None:
    picture = picture_of(report_of(*(from_code("code", 1, "test_x") for _ in range(3))))
    (band,) = [rect for rect in picture.iter("rect") if rect.get("fill") == "#dfe4e7"]
    title = band.find("title")
    assert title is not None
    assert title.text == "tests/test_chat.py::test_x"


def test_sessions_that_overlap_stand_in_rows_of_their_own() -> None:
    bars = bars_of(picture_of(report_of(*(Life("open") for _ in range(3)))))
    assert len({bar.get("y") for bar in bars}) == 3


def test_in_a_crowd_rows_are_shared_and_the_band_stays_low() -> None:
    bars = bars_of(picture_of(report_of(*(Life("open") for _ in range(50)))))
    assert len(bars) == 50
    assert len({bar.get("y") for bar in bars}) == 12


def test_at_most_a_thousand_are_drawn_and_findings_come_first() -> None:
    lives = [from_fixture(number, "gw0") for number in range(1500)]
    bars = bars_of(picture_of(report_of(*lives, from_code("leaked", 1, "test_x"))))
    assert len(bars) == 1000
    assert COLOURS[Verdict.LEAKED] in {bar.get("fill") for bar in bars}


@pytest.mark.parametrize("colour", COLOURS.values())
def test_white_letters_can_be_read_on_every_colour(colour: str) -> None:
    assert 1.05 / (luminance(colour) + 0.05) >= 4.5


@settings(max_examples=50)
@given(hostile_reports())
def test_whatever_the_names_are_nothing_leaves_the_picture(report: Report) -> None:
    drawn = draw(report)
    if not drawn:
        return
    picture = ET.fromstring(drawn)
    for bar in bars_of(picture):
        assert 0 <= share(bar, "x") <= share(bar, "x") + share(bar, "width") <= 100.01
    assert re.fullmatch(r"\d+", picture.get("height") or "")
