from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings

from pytest_avatar.adapters.reports.github import annotation_lines, append_summary
from pytest_avatar.core.events import Opener
from pytest_avatar.core.summary import verdict_line
from tests.reports import Life, from_code, hostile_reports, mixed_run, report_of

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_avatar.core.report import Report

COMMAND = re.compile(r"::(?P<name>[a-z]+) (?P<properties>[^\r\n]*?)::(?P<data>[^\r\n]*)")
"""A workflow command, as the runner reads it."""


def unescaped(text: str) -> str:
    for escape, char in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        text = text.replace(escape, char)
    return text


def read_command(line: str) -> tuple[str, dict[str, str], str]:
    match = COMMAND.fullmatch(line)
    assert match is not None, line
    pairs = [pair.partition("=") for pair in match["properties"].split(",")]
    properties = {name: unescaped(value) for name, _, value in pairs}
    return match["name"], properties, unescaped(match["data"])


def lines_of(report: Report, root: str = "/w/backend", workspace: str = "/w") -> list[str]:
    return annotation_lines(report, root=PurePosixPath(root), workspace=PurePosixPath(workspace))


def test_a_finding_is_annotated_at_the_line_that_opened_it() -> None:
    lines = lines_of(mixed_run())
    assert [read_command(line)[0] for line in lines] == ["error", "error", "warning"]
    assert read_command(lines[1]) == (
        "error",
        {
            "file": "backend/app/chat.py",
            "line": "41",
            "title": "avatar: 2 sessions leaked, opened at app/chat.py:41",
        },
        (
            "in tests/test_chat.py::test_error[0] and tests/test_chat.py::test_error[1]; "
            "at 11:07:20 UTC, open for 0.75 s; ended by pytest-avatar "
            "(session-gw0-40 and session-gw0-41)"
        ),
    )


def test_a_finding_of_a_fixture_is_annotated_in_the_file_of_the_test() -> None:
    opener = Opener(test="tests/test_a.py::test_x", fixture="chat")
    (line,) = lines_of(report_of(Life("leaked", opener)))
    assert read_command(line)[1]["file"] == "backend/tests/test_a.py"


def test_a_finding_outside_any_test_has_no_file() -> None:
    (line,) = lines_of(report_of(Life("leaked")))
    assert set(read_command(line)[1]) == {"title"}


@pytest.mark.parametrize(
    ("file", "root", "expected"),
    [
        ("app/chat.py", "/w", "app/chat.py"),
        ("app\\chat.py", "/w", "app/chat.py"),
        ("/w/lib/chat.py", "/w/backend", "lib/chat.py"),
        ("../lib/chat.py", "/w/backend", "lib/chat.py"),
        ("/elsewhere/chat.py", "/w/backend", None),
        ("chat.py", "/elsewhere", None),
    ],
)
def test_files_are_named_from_the_workspace_or_not_at_all(
    file: str, root: str, expected: str | None
) -> None:
    (line,) = lines_of(report_of(Life("leaked", Opener(file=file, line=3))), root)
    properties = read_command(line)[1]
    assert (properties.get("file"), properties.get("line")) == (expected, expected and "3")


def test_a_clean_run_and_allowed_leaks_are_not_annotated() -> None:
    assert lines_of(report_of(Life("code"), Life("allowed"))) == []


def test_the_tenth_annotation_counts_the_places_that_have_none() -> None:
    lives = [from_code("leaked", line, f"test_{line}") for line in range(1, 31)]
    lines = lines_of(report_of(*lives))
    assert len(lines) == 10
    assert lines[-1] == (
        "::error title=avatar::avatar: 30 leaked of 30 sessions: 21 more places, "
        "see the job summary"
    )


@settings(max_examples=50)
@given(hostile_reports())
def test_whatever_the_names_are_each_line_is_one_command_of_ours(report: Report) -> None:
    lines = lines_of(report)
    assert len(lines) <= 10
    for line in lines:
        assert line.isprintable()
        name, properties, _ = read_command(line)
        assert name in {"error", "warning"}
        assert set(properties) <= {"file", "line", "title"}


def test_the_summary_is_appended_to_what_others_wrote(tmp_path: Path) -> None:
    path = tmp_path / "summary"
    path.write_text("others")
    append_summary(mixed_run(), path)
    assert path.read_text("utf-8").startswith(f"others\n## ❌ {verdict_line(mixed_run())}\n")


def test_a_summary_without_room_is_short(tmp_path: Path) -> None:
    path = tmp_path / "summary"
    path.write_text("x" * 899_000)
    append_summary(mixed_run(), path)
    assert path.read_text("utf-8").endswith(f"x\n{verdict_line(mixed_run())}\n")


def test_a_full_summary_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "summary"
    path.write_text("x" * 899_990)
    append_summary(mixed_run(), path)
    assert path.stat().st_size == 899_990
