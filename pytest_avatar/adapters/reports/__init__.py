"""Leak-check reports as files, the form picked by the file's suffix."""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Final

from pytest_avatar.core.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pytest_avatar.core.report import Report

__all__ = ["accepted_suffixes", "check_suffix", "write_report"]

_WRITERS: Final = {".json": "as_json", ".xml": "as_junit", ".md": "as_markdown", ".html": "as_html"}
"""The module that writes a form: its `write` yields the file's text in pieces, to be joined."""

accepted_suffixes: Final = tuple(_WRITERS)


def write_report(report: Report, path: Path) -> None:
    """Write a report, whole or not at all; folders that are missing are made.

    Args:
        report: What to write.
        path: Where; its suffix names the form.

    Raises:
        SettingError: Its suffix names no form.
        OSError: It cannot be written there.
    """
    check_suffix(path)
    module = import_module(f"{__name__}.{_WRITERS[path.suffix.lower()]}")
    _replace(path, module.write(report))


def check_suffix(path: Path) -> None:
    """Refuse a path whose suffix names no form.

    Raises:
        SettingError: So it is.
    """
    if path.suffix.lower() not in _WRITERS:
        raise SettingError(
            f"report file {str(path)!r}: its suffix names no form of report; "
            f"accepted: {', '.join(accepted_suffixes)}",
            setting="report files",
        )


def _replace(path: Path, pieces: Iterable[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".avatar-report-{os.getpid()}.tmp")
    try:
        with temporary.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(pieces)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
