from __future__ import annotations

from typing import TYPE_CHECKING

import html5lib
import pytest
from hypothesis import given, settings

from pytest_avatar.adapters.reports import as_html
from pytest_avatar.core.report import Allowance, Report
from pytest_avatar.core.text import printable
from tests.reports import (
    Life,
    from_code,
    from_fixture,
    hostile_reports,
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
    *("samp", "wbr", "svg", "rect", "circle", "text"),
}
"""Every element that the page is made of: none runs, loads or styles anything."""

ATTRIBUTES = {
    *("lang", "charset", "name", "content", "dir", "scope", "role", "aria-label", "aria-hidden"),
    *("x", "y", "cx", "cy", "r", "rx", "width", "height", "fill", "text-anchor"),
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


def test_the_verdict_is_title_and_first_heading() -> None:
    page = page_of(mixed_run())
    (title, heading) = page.find("head/title"), page.find("body/main/h1")
    assert title is not None
    assert heading is not None
    verdict = "avatar: 1 lost, 2 leaked, 1 unknown, 1 allowed of 207 sessions"
    assert text_of(title) == text_of(heading) == verdict


def test_the_numbers_are_named_for_who_cannot_see_them() -> None:
    labels = [svg.get("aria-label") for svg in all_of(page_of(mixed_run()), "svg")]
    assert [label for label in labels if label][:5] == [
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
        "leakedsession-gw0-40",
        "tests/test_chat.py::test_error[0]at 11:07:20 UTC",
        "ended by pytest-avatarafter 0.75 s",
    ]


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
    for words in ("900 groups", "4,500 sessions", "4,000 sessions"):
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
