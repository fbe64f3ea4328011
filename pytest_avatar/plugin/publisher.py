"""Report files and annotations, when the exit status is final."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from pytest_avatar.core.settings import GithubPolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from pytest_avatar.core.report import Report
    from pytest_avatar.plugin.run import AvatarRun
    from pytest_avatar.plugin.tracing import Tracing

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
        try:
            yield
        except BaseException:
            self._publish(None)
            raise
        self._publish(int(session.exitstatus))

    def _publish(self, exit_status: int | None) -> None:
        report = self._settle()
        report = replace(report, run=report.run._replace(exit_status=exit_status))
        for path in self._run.settings.reports:
            self._write(report, self._run.config.rootpath / path)
        negotiated = self._run.findings.negotiated
        if negotiated is not None and self._run.settings.mode.is_live:
            from pytest_avatar.plugin.header import remember_dialect  # noqa: PLC0415 - live modes only

            remember_dialect(self._run.config, self._run.settings, negotiated)
        if report.sessions and self._is_for_github:
            self._tell_github(report)
        tracing: Tracing | None = self._run.config.pluginmanager.get_plugin("avatar-tracing")
        if report.sessions and tracing is not None:
            for problem in tracing.export(report):
                self._say(f"avatar: {problem}")

    @property
    def _is_for_github(self) -> bool:
        policy = self._run.settings.github
        is_there = os.environ.get("GITHUB_ACTIONS") == "true"
        return policy is GithubPolicy.ON or (policy is GithubPolicy.AUTO and is_there)

    def _write(self, report: Report, path: Path) -> None:
        from pytest_avatar.adapters.reports import write_report  # noqa: PLC0415 - if asked for

        with self._complaining(self._run.shown(path)):
            write_report(report, path)

    def _tell_github(self, report: Report) -> None:
        from pytest_avatar.adapters.reports.github import (  # noqa: PLC0415 - only there
            annotation_lines,
            append_summary,
        )

        root = self._run.config.rootpath
        workspace = Path(os.environ.get("GITHUB_WORKSPACE") or root)
        for line in annotation_lines(report, root=root, workspace=workspace):
            self._say(line)
        summary = os.environ.get("GITHUB_STEP_SUMMARY")
        if summary:
            with self._complaining("the job summary"):
                append_summary(report, Path(summary))

    @contextmanager
    def _complaining(self, what: str) -> Generator[None]:
        """Say in a line that something could not be written, and go on."""
        try:
            yield
        except OSError as error:
            self._say(f"avatar: {what} could not be written: {error.strerror}")

    def _say(self, line: str) -> None:
        reporter = self._run.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.ensure_newline()
            reporter.write_line(line)
