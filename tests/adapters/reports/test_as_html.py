from __future__ import annotations

from typing import TYPE_CHECKING

import html5lib
import pytest
from hypothesis import given, settings

from pytest_avatar.adapters.reports import as_html
from pytest_avatar.core.events import Actor
from pytest_avatar.core.report import Allowance, Report, build_report
from pytest_avatar.core.text import printable
from pytest_avatar.core.wire import Ending
from tests.reports import (
    Life,
    from_code,
    from_fixture,
    hostile_reports,
    keep_books,
    mixed_run,
    report_of,
    run_facts,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from xml.etree import ElementTree as ET

ELEMENTS = {
    *("html", "head", "meta", "title", "body", "main", "section", "h1", "h2", "h3", "p", "br"),
    *("ul", "li", "details", "summary", "table", "thead", "tbody", "tr", "th", "td"),
    *("b", "samp", "wbr", "svg", "rect", "circle", "text"),
}
"""Every element that the page is made of: none runs, loads or styles anything."""

ATTRIBUTES = {
    *("lang", "charset", "name", "content", "dir", "scope", "role", "aria-label", "aria-hidden"),
    *("x", "y", "cx", "cy", "r", "rx", "width", "height", "fill", "stroke", "text-anchor"),
    *("font-family", "font-size", "font-weight"),
}


def page_of(report: Report) -> ET.Element:
    """Return the page, parsed as browsers do; what is no valid HTML raises."""
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    page: ET.Element = parser.parse("".join(as_html.write(report)))
    return page


def tag_of(element: ET.Element) -> str:
    return str(element.tag).removeprefix("{http://www.w3.org/2000/svg}")


def all_of(page: ET.Element, tag: str) -> list[ET.Element]:
    return [element for element in page.iter() if tag_of(element) == tag]


def text_of(element: ET.Element) -> str:
    return "".join(element.itertext()).replace("\xa0", "")


def cells_of(rows: Sequence[ET.Element]) -> list[list[str]]:
    return [[text_of(cell).strip() for cell in row.findall("td")] for row in rows]


def labels_of(page: ET.Element) -> list[str]:
    return [label for svg in all_of(page, "svg") if (label := svg.get("aria-label"))]


def test_the_verdict_is_the_title_and_what_the_banner_is_called() -> None:
    page = page_of(mixed_run())
    title = page.find("head/title")
    assert title is not None
    verdict = "avatar: 1 lost, 2 leaked, 1 unknown, 1 allowed of 207 sessions"
    assert text_of(title) == labels_of(page)[0] == verdict


@pytest.mark.parametrize(
    ("ends", "large", "small"),
    [
        (["code"], "All ended", "1 session; none costs money any more"),
        (["leaked", "unknown"], "1 leaked", "of 2 sessions; 1 may still cost money"),
        (["unknown", "allowed"], "1 unknown, 1 allowed", "of 2 sessions; 1 may still cost money"),
    ],
)
def test_the_banner_says_what_matters_most(ends: list[str], large: str, small: str) -> None:
    (heading,) = all_of(page_of(report_of(*(Life(end) for end in ends))), "h1")
    assert [text_of(text) for text in all_of(heading, "text")] == [large, small]


def test_the_numbers_are_named_for_who_cannot_see_them() -> None:
    assert labels_of(page_of(mixed_run()))[1:6] == [
        *("1 lost", "2 leaked", "1 unknown", "1 allowed", "202 clean"),
    ]


def test_each_finding_has_a_heading_and_details_with_its_sessions() -> None:
    page = page_of(mixed_run())
    headings = [text_of(heading).strip() for heading in all_of(page, "h3")]
    assert headings[:2] == [
        "1 session lost, opened at app/chat.py:77",
        "2 sessions leaked, opened at app/chat.py:41",
    ]
    assert cells_of(all_of(page, "details")[1].findall("table/tbody/tr"))[0] == [
        "leakedsession-gw0-401 say-text",
        "tests/test_chat.py::test_error[0]call, app/chat.py:41, httpx, gw0at 11:07:20 UTC",
        "ended by pytest-avatarafter 0.75 s",
    ]


def test_tries_to_end_a_session_are_listed_if_there_were_several() -> None:
    ledger = keep_books(Life("open"))
    (record,) = ledger.records
    for _ in range(7):
        ledger.end_tried(record.key, Ending.NOT_ENDED, Actor.FIXTURE, 503)
    ledger.end_tried(record.key, Ending.NOT_ENDED, Actor.PLUGIN, None, "no answer in 2 s")
    page = page_of(build_report(run_facts(), ledger.records))
    (cell,) = {cells[2] for cells in cells_of(all_of(page, "tr")) if len(cells) == 3}
    assert cell.startswith(
        "not ended after 8 attempts: no answer in 2 s11:06:41 UTC its fixture: 503"
    )
    assert cell.count("503 not ended") == 5
    assert cell.endswith("and 3 more attempts")


def test_sections_without_content_are_left_out() -> None:
    titles = [text_of(title) for title in all_of(page_of(report_of()), "h2")]
    assert titles == ["Totals", "Run"]


def test_allowances_are_listed_with_their_uses() -> None:
    allowance = Allowance(place="tests/t.py::test_x", reason="shown to a visitor", uses=2)
    page = page_of(Report(run_facts(exit_status=None), allowances=(allowance,)))
    rows = cells_of(all_of(page, "tr"))
    assert ["tests/t.py::test_x", "shown to a visitor", "2"] in rows
    assert ["exit status", "not known"] in rows


def test_five_thousand_sessions_make_a_bounded_page_that_says_what_it_leaves_out() -> None:
    lives = [from_fixture(number, "gw0") for number in range(4000)]
    lives += [from_code("leaked", line, f"test_{line}") for line in range(1000)]
    report = report_of(*lives, ended_at=run_facts().started_at + 9_000)
    text = "".join(as_html.write(report))
    page = page_of(report)
    assert len(text) < 1_500_000
    for words in ("950 groups", "4,500 sessions", "4,000 sessions"):
        assert f"And {words} more." in text_of(page)


@pytest.mark.parametrize("end", ["leaked", "lost", "unknown", "code"])
def test_a_name_of_any_length_can_be_broken_into_lines(end: str) -> None:
    page = page_of(report_of(Life(end, session_id="x" * 10_000, reason="y" * 10_000)))
    for samp in all_of(page, "samp"):
        pieces = [samp.text or "", *(piece.tail or "" for piece in samp)]
        assert all(len(word) <= 24 for piece in pieces for word in piece.split())


@settings(max_examples=50)
@given(hostile_reports())
def test_whatever_the_names_are_the_page_is_valid_and_holds_only_our_elements(
    report: Report,
) -> None:
    page = page_of(report)
    assert {tag_of(element) for element in page.iter()} <= ELEMENTS
    assert {name for element in page.iter() for name in element.attrib} <= ATTRIBUTES


@settings(max_examples=50)
@given(hostile_reports())
def test_whatever_the_names_are_they_are_shown_as_they_are(report: Report) -> None:
    shown = {text_of(samp) for samp in all_of(page_of(report), "samp")}
    assert {printable(session.name) for session in report.sessions} <= shown
