from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pytest_avatar.adapters.reports import write_report
from pytest_avatar.cli import main
from pytest_avatar.core.report import Report
from tests.reports import Life, mixed_run, report_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "report.json"
    write_report(mixed_run(), path)
    return path


def test_it_prints_the_summary_and_succeeds(
    saved: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(saved)]) == 0
    assert capsys.readouterr().out.splitlines()[:2] == [
        "avatar: 1 lost, 2 leaked, 1 unknown, 1 allowed of 207 sessions",
        "1 session lost, opened at app/chat.py:77",
    ]


@pytest.mark.parametrize(
    ("lives", "status", "line"),
    [
        ([Life("leaked")], 1, "avatar: 1 leaked of 1 session"),
        ([Life("lost")], 1, "avatar: 1 lost of 1 session"),
        ([Life("allowed")], 0, "avatar: 1 allowed of 1 session"),
        ([Life("code")], 0, "avatar: 1 session, all ended (1 by the code under test)"),
        ([], 0, "avatar: no session was used"),
    ],
)
def test_check_fails_if_a_session_leaked_or_was_lost(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    lives: list[Life],
    status: int,
    line: str,
) -> None:
    path = tmp_path / "report.json"
    write_report(report_of(*lives), path)
    assert main(["report", str(path), "--check"]) == status
    assert capsys.readouterr().out.splitlines()[0] == line


def test_it_writes_every_form_that_is_asked_for(saved: Path, tmp_path: Path) -> None:
    paths = [tmp_path / "out" / name for name in ("a.html", "b.md", "c.xml", "d.json")]
    arguments = ["--output", str(paths[0]), str(paths[1]), "--output", *map(str, paths[2:])]
    assert main(["report", str(saved), *arguments]) == 0
    assert all(path.stat().st_size > 0 for path in paths)
    assert paths[3].read_bytes() == saved.read_bytes()


def test_shards_are_merged(saved: Path, tmp_path: Path) -> None:
    merged = tmp_path / "merged.json"
    assert main(["report", str(saved), str(saved), "--output", str(merged)]) == 0
    assert Report.from_dict(json.loads(merged.read_bytes())).totals.created == 412


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        (b"\xff", "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
        (b"[" * 100_000, "maximum recursion depth exceeded while decoding a JSON array"),
        (b"[]", "the top level: expected object, found list"),
        (b'{"version": 9}', "version: 9, and this pytest-avatar reads 1"),
        (None, "No such file or directory"),
    ],
)
def test_what_is_no_report_is_misuse_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, reason: str
) -> None:
    path = tmp_path / "report.json"
    if content is not None:
        path.write_bytes(content)
    assert main(["report", str(path)]) == 2
    error = capsys.readouterr().err
    assert error.startswith(
        f"pytest-avatar report: {path} cannot be read as a JSON report of pytest-avatar: {reason}"
    )
    assert error.count("\n") == 1


def test_an_unknown_suffix_is_misuse_before_anything_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", "missing.json", "--output", str(tmp_path / "report.txt")]) == 2
    assert "its suffix names no form of report; accepted: .json," in capsys.readouterr().err


def test_a_path_that_cannot_be_written_is_misuse(
    saved: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = saved / "report.md"
    assert main(["report", str(saved), "--output", str(path)]) == 2
    assert capsys.readouterr().err == (
        f"pytest-avatar report: {path} cannot be written: File exists\n"
    )
