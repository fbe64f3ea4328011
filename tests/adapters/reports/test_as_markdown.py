from __future__ import annotations

from typing import TYPE_CHECKING

import html5lib
import pytest
from hypothesis import given, settings
from markdown_it import MarkdownIt

from pytest_avatar.adapters.reports import as_markdown
from pytest_avatar.core.events import Opener
from pytest_avatar.core.text import printable
from tests.reports import (
    FRAGMENTS,
    HOSTILE,
    Life,
    from_fixture,
    hostile_reports,
    mixed_run,
    report_of,
)

if TYPE_CHECKING:
    from xml.etree import ElementTree as ET

    from pytest_avatar.core.report import Report

OURS = {
    *("html", "head", "body", "h2", "p", "ul", "li", "strong", "code", "details", "summary"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
"""Every element that the report is made of."""


def rendered(report: Report) -> ET.Element:
    page = MarkdownIt("gfm-like", {"linkify": False}).render("".join(as_markdown.write(report)))
    tree: ET.Element = html5lib.parse(page, namespaceHTMLElements=False)
    return tree


def text_of(element: ET.Element) -> str:
    return "".join(element.itertext())


def rows_of(table: ET.Element) -> list[list[str]]:
    return [[text_of(cell) for cell in row.findall("td")] for row in table.findall("tbody/tr")]


def test_the_verdict_is_the_heading_and_the_findings_are_the_first_table() -> None:
    page = rendered(mixed_run())
    heading = page.find(".//h2")
    assert heading is not None
    assert text_of(heading) == ("❌ avatar: 1 lost, 2 leaked, 1 unknown, 1 allowed of 207 sessions")
    assert rows_of(page.findall(".//table")[0])[1] == [
        *("leaked", "2", "app/chat.py:41", "tests/test_chat.py::test_error[0] and 1 more"),
        *("0.75 s", "ended by pytest-avatar"),
    ]


def test_what_may_cost_money_and_what_was_allowed_is_said() -> None:
    page = rendered(mixed_run())
    paragraph = page.find(".//p")
    assert paragraph is not None
    assert text_of(paragraph) == "Of 207 sessions, 2 may still cost money."
    tables = [rows_of(table) for table in page.findall(".//table")]
    assert [["tests/test_chat.py::test_kept", "shown to a visitor", "1"]] in tables


@pytest.mark.parametrize(("end", "mark"), [("code", "✅"), ("unknown", "⚠️"), ("lost", "❌")])
def test_the_heading_is_marked_by_the_verdict(end: str, mark: str) -> None:
    assert "".join(as_markdown.write(report_of(Life(end)))).startswith(f"## {mark} avatar: ")


def test_what_there_is_nothing_of_has_no_table() -> None:
    page = rendered(report_of())
    assert len(page.findall(".//table")) == 1
    assert page.find(".//details") is None


def test_a_long_run_is_cut_and_what_is_cut_is_counted() -> None:
    lives = [from_fixture(number, "gw0") for number in range(5000)]
    text = "".join(as_markdown.write(report_of(*lives)))
    assert "… and 4,800 sessions more." in text
    assert len(text) < 50_000


def check_cell(name: str) -> None:
    page = rendered(report_of(Life("leaked", Opener(scope_id=name, file="a.py", line=1))))
    table = page.findall(".//table")[0]
    (row,) = rows_of(table)
    assert len(row) == 6
    assert row[3] == printable(name, 120)


@pytest.mark.parametrize("fragment", [text for text in FRAGMENTS if text.strip()])
def test_a_name_that_means_something_stays_one_cell_and_is_shown_as_it_is(fragment: str) -> None:
    check_cell(f"{fragment}x")
    check_cell(f"x{fragment}")


@settings(max_examples=50)
@given(HOSTILE)
def test_whatever_a_name_is_its_table_keeps_its_form(name: str) -> None:
    check_cell(f"x{name}x")


@settings(max_examples=50)
@given(hostile_reports())
def test_no_name_becomes_an_element(report: Report) -> None:
    page = rendered(report)
    assert {element.tag for element in page.iter()} <= OURS
    assert all(set(element.attrib) <= {"start"} for element in page.iter())
