from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pytest_avatar.adapters import reports
from pytest_avatar.adapters.reports import accepted_suffixes, check_suffix, write_report
from pytest_avatar.core.errors import SettingError
from tests.reports import mixed_run, report_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_avatar.core.report import Report

BEGINNINGS = {".json": "{", ".xml": "<?xml", ".md": "## ", ".html": "<!DOCTYPE html>"}


def test_the_four_forms_are_accepted() -> None:
    assert accepted_suffixes == (".json", ".xml", ".md", ".html")


@pytest.mark.parametrize("suffix", accepted_suffixes)
def test_the_suffix_picks_the_form(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / "made" / f"report{suffix.upper()}"
    write_report(mixed_run(), path)
    assert path.read_text("utf-8").startswith(BEGINNINGS[suffix])
    assert list(path.parent.iterdir()) == [path]


def test_another_suffix_is_refused_in_one_line_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(SettingError) as raised:
        write_report(report_of(), tmp_path / "made" / "report.txt")
    assert str(raised.value) == (
        f"report file {str(tmp_path / 'made' / 'report.txt')!r}: its suffix names no form of "
        "report; accepted: .json, .xml, .md, .html"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_path_without_a_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"accepted: \.json"):
        check_suffix(tmp_path / "json")


def test_a_report_that_cannot_be_written_whole_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        @staticmethod
        def write(report: Report) -> Iterator[str]:
            yield "half"
            raise RuntimeError(report.run.mode)

    path = tmp_path / "report.json"
    write_report(report_of(), path)
    before = path.read_bytes()
    monkeypatch.setattr(reports, "import_module", lambda _name: Broken)
    with pytest.raises(RuntimeError, match="live"):
        write_report(report_of(), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_an_old_report_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("old")
    write_report(report_of(), path)
    assert json.loads(path.read_bytes())["failures"] == 0
