"""Forms of a report, read back as the programs read them that they are for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import html5lib
from markdown_it import MarkdownIt

from pytest_avatar.core.summary import totals_table

if TYPE_CHECKING:
    from pytest_avatar.core.report import Report

__all__ = ["check_agreement", "properties_of", "rows_of"]


def rows_of(page: str) -> dict[str, str]:
    """Return all rows of two cells of an HTML page."""
    tree: ET.Element = html5lib.parse(page, namespaceHTMLElements=False)
    rows = [
        ["".join(cell.itertext()).strip() for cell in row.findall("td")] for row in tree.iter("tr")
    ]
    return {row[0]: row[1] for row in rows if len(row) == 2}


def properties_of(xml: str) -> dict[str, str]:
    found = ET.fromstring(xml).iter("property")
    return {element.attrib["name"]: element.attrib["value"] for element in found}


def check_agreement(report: Report, texts: dict[str, str]) -> None:
    data, totals = json.loads(texts[".json"]), report.totals._asdict()
    assert data["totals"] == totals
    properties = properties_of(texts[".xml"])
    assert {name: properties[name] for name in totals} == {
        name: str(round(value, 3)) for name, value in totals.items()
    }
    words = dict(totals_table(report))
    for page in (MarkdownIt("gfm-like", {"linkify": False}).render(texts[".md"]), texts[".html"]):
        rows = rows_of(page)
        assert {name: rows[name] for name in words} == words
