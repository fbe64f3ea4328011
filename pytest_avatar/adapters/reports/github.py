"""What GitHub Actions shows: annotations at the lines that opened sessions, and a job summary."""

from __future__ import annotations

import os
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from pytest_avatar.adapters.reports import as_markdown
from pytest_avatar.core.events import Verdict
from pytest_avatar.core.summary import group_text, verdict_line
from pytest_avatar.core.text import count, printable

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_avatar.core.events import Opener
    from pytest_avatar.core.report import Group, Report

__all__ = ["annotation_lines", "append_summary"]

_MOST_ANNOTATIONS: Final = 10
"""GitHub shows no more for a step."""

_MOST_SUMMARY_BYTES: Final = 900_000
"""GitHub drops a summary over 1 MiB whole, and others write to it too."""

_LEVELS: Final = {Verdict.LOST: "error", Verdict.LEAKED: "error", Verdict.UNKNOWN: "warning"}


def annotation_lines(report: Report, *, root: PurePath, workspace: PurePath) -> list[str]:
    """Return the lines that make GitHub annotate what was found.

    Args:
        report: The run.
        root: pytest's root directory.
        workspace: What GitHub takes paths to be relative to; a file that is not below it has no
            line there, and what was opened in it is annotated without one.
    """
    found = [group for group in report.groups if group.verdict in _LEVELS]
    lines = [_annotation(group, root, workspace) for group in found]
    if len(lines) <= _MOST_ANNOTATIONS:
        return lines
    rest = count(len(lines) - _MOST_ANNOTATIONS + 1, "more place")
    last = f"::error title=avatar::{_data(f'{verdict_line(report)}: {rest}, see the job summary')}"
    return [*lines[: _MOST_ANNOTATIONS - 1], last]


def append_summary(report: Report, path: Path) -> None:
    """Append the report to a job summary, in short where the whole has no room, or not at all.

    Args:
        report: The run.
        path: The file that `GITHUB_STEP_SUMMARY` names.
    """
    room = _MOST_SUMMARY_BYTES - (path.stat().st_size if path.exists() else 0)
    for text in ("".join(as_markdown.write(report)), f"{verdict_line(report)}\n"):
        if len(text.encode()) < room:
            with path.open("a", encoding="utf-8", newline="\n") as file:
                file.write(f"\n{text}")
            return


def _annotation(group: Group, root: PurePath, workspace: PurePath) -> str:
    title, *texts = group_text(group)
    place = {**_place(group.sessions[0].opener, root, workspace), "title": f"avatar: {title}"}
    properties = ",".join(f"{name}={_property(value)}" for name, value in place.items())
    return f"::{_LEVELS[group.verdict]} {properties}::{_data('; '.join(texts))}"


def _place(opener: Opener, root: PurePath, workspace: PurePath) -> dict[str, str]:
    named = opener.file or (opener.test or "").partition("::")[0]
    file = PurePath(os.path.normpath(root / printable(named.replace("\\", "/"), 1000)))
    if not named or not file.is_relative_to(workspace):
        return {}
    place = {"file": file.relative_to(workspace).as_posix()}
    return {**place, "line": str(opener.line)} if opener.file and opener.line else place


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
