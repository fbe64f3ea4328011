"""What a person sees of the HTML page, in a real browser, under Jenkins' content policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_avatar.adapters.reports import as_html
from pytest_avatar.core.events import Opener
from tests.reports import (
    FRAGMENTS,
    START,
    Life,
    from_code,
    from_fixture,
    mixed_run,
    report_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_avatar.core.report import Report
    from tests.chromium import Chromium, Server

    Show = Callable[[Report, int], None]

WIDTHS = (1280, 400)


@pytest.fixture
def show(chromium: Chromium, server: Server) -> Show:
    def open_report(report: Report, width: int) -> None:
        chromium.messages.clear()
        server.page = "".join(as_html.write(report))
        chromium.open(server.url, width=width)

    return open_report


@pytest.mark.parametrize("width", WIDTHS)
def test_the_leak_is_seen_without_scrolling(chromium: Chromium, show: Show, width: int) -> None:
    show(mixed_run(), width)
    left, top, right, bottom = chromium.box_of("h3")
    assert 0 <= left < right <= width
    assert 0 < top < bottom < 600
    assert chromium.screenshot().startswith(b"\x89PNG")


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_must_be_scrolled_sideways_also_with_everything_open(
    chromium: Chromium, show: Show, width: int
) -> None:
    show(mixed_run(), width)
    assert chromium.content_width() <= width
    chromium.open_details()
    assert chromium.content_width() <= width
    assert chromium.messages == []


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("ends", [["code"], ["leaked", "unknown", "allowed"], []])
def test_nobody_is_kept_out(
    chromium: Chromium, server: Server, show: Show, axe: str, width: int, ends: list[str]
) -> None:
    server.policy = ""
    show(report_of(*(Life(end) for end in ends)) if ends else mixed_run(), width)
    chromium.open_details()
    chromium.evaluate(axe)
    found = chromium.evaluate("axe.run()")
    assert len(found["passes"]) > 10
    assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == []


def test_what_keeps_people_out_would_be_found(chromium: Chromium, server: Server, axe: str) -> None:
    server.policy, server.page = "", "<!DOCTYPE html><html><body><img src='x.png'></body></html>"
    chromium.open(server.url, width=1280)
    chromium.evaluate(axe)
    found = {one["id"] for one in chromium.evaluate("axe.run()")["violations"]}
    assert {"html-has-lang", "image-alt"} <= found


@pytest.mark.parametrize("width", WIDTHS)
def test_long_and_hostile_names_do_not_widen_the_page(
    chromium: Chromium, show: Show, width: int
) -> None:
    lives = [
        Life("leaked", Opener(test=text, file=text, line=1), session_id=text, reason=text)
        for text in FRAGMENTS
    ]
    show(report_of(*lives), width)
    chromium.open_details()
    assert chromium.content_width() <= width
    assert chromium.messages == []


def test_five_thousand_sessions_are_shown_at_once(chromium: Chromium, show: Show) -> None:
    lives = [from_fixture(number, f"gw{number % 4}") for number in range(4000)]
    lives += [from_code("leaked", line, f"test_{line}") for line in range(1000)]
    show(report_of(*lives, ended_at=START + 9_000), 400)
    chromium.open_details()
    assert chromium.content_width() <= 400
    assert chromium.messages == []


def test_the_page_can_be_printed(chromium: Chromium, show: Show) -> None:
    show(mixed_run(), 1280)
    assert chromium.printed().startswith(b"%PDF")


def test_the_policy_of_jenkins_has_nothing_to_refuse(chromium: Chromium, show: Show) -> None:
    show(mixed_run(), 1280)
    assert chromium.messages == []


def test_the_colours_are_seen_under_that_policy(chromium: Chromium, show: Show) -> None:
    show(report_of(from_fixture(1, "gw0")), 1280)
    plain = chromium.screenshot()
    show(report_of(Life("leaked")), 1280)
    assert chromium.screenshot() != plain
