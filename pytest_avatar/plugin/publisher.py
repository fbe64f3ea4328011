"""Report files and annotations, when the exit status is final."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from pytest_avatar.plugin.header import remember_dialect

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from pytest_avatar.core.report import Report
    from pytest_avatar.plugin.run import AvatarRun

__all__ = ["Publisher"]


class Publisher:
    """Writes what programs and other people read.

    Args:
        run: The run of this process.
        settle: Returns the report of the run.
    """

    def __init__(self, run: AvatarRun, settle: Callable[[], Report]) -> None:
        self._run: Final = run
        self._settle: Final = settle

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None]:
        """Write the reports, after everybody else has had a say in the exit status."""
        yield
        report = self._settle()
        report = replace(report, run=replace(report.run, exit_status=int(session.exitstatus)))
        for path in self._run.settings.reports:
            self._write(report, self._run.config.rootpath / path)
        negotiated = self._run.findings.negotiated
        if negotiated is not None and self._run.settings.mode.is_live:
            remember_dialect(self._run.config, self._run.settings, negotiated)
        if report.sessions and os.environ.get("GITHUB_ACTIONS") == "true":
            self._tell_github(report)

    def _write(self, report: Report, path: Path) -> None:
        from pytest_avatar.adapters.reports import write_report  # noqa: PLC0415 - if asked for

        try:
            write_report(report, path)
        except OSError as error:
            self._say(f"avatar: {path} could not be written: {error.strerror}")

    def _tell_github(self, report: Report) -> None:
        from pytest_avatar.adapters.reports.github import (  # noqa: PLC0415 - only there
            annotation_lines,
            append_summary,
        )

        for line in annotation_lines(report, root=_root_in_workspace(self._run.config.rootpath)):
            self._say(line)
        summary = os.environ.get("GITHUB_STEP_SUMMARY")
        if summary:
            append_summary(report, Path(summary))

    def _say(self, line: str) -> None:
        reporter = self._run.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.ensure_newline()
            reporter.write_line(line)


def _root_in_workspace(root: Path) -> str:
    """Return the root directory relative to the workspace; empty if it is the workspace."""
    workspace = Path(os.environ.get("GITHUB_WORKSPACE") or root)
    return root.relative_to(workspace).as_posix() if root.is_relative_to(workspace) else ""
