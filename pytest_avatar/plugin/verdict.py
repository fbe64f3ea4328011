"""The end of a run: the last judgement, the summary, the exit status."""

from __future__ import annotations

import platform
import time
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

import pytest

from pytest_avatar.core.report import Allowance, RunFacts, build_report
from pytest_avatar.core.settings import LeakPolicy
from pytest_avatar.core.summary import summarise, verdict_line, verdict_text
from pytest_avatar.plugin.judge import Judge
from pytest_avatar.plugin.publisher import Publisher

if TYPE_CHECKING:
    from collections.abc import Generator

    from pytest_avatar.core.report import Report
    from pytest_avatar.plugin.run import AvatarRun

__all__ = ["Verdict", "WorkerEnd"]


class Verdict:
    """Judges the run when all tests are over, and tells people and programs.

    Args:
        run: The run of this process.
    """

    def __init__(self, run: AvatarRun) -> None:
        self._run: Final = run
        self._judge: Final = Judge(run)
        self._report: Report | None = None
        self._is_told = False

    @classmethod
    def register(cls, run: AvatarRun) -> Verdict:
        """Have the last word over a run; return who has it. Twice is harmless."""
        plugins = run.config.pluginmanager
        verdict: Verdict | None = plugins.get_plugin("avatar-verdict")
        if verdict is None:
            verdict = cls(run)
            plugins.register(verdict, "avatar-verdict")
            plugins.register(Publisher(run, verdict.settle), "avatar-publisher")
        return verdict

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Let the run fail if a session leaked: by a test of its own, which no rerun mends.

        Only if the loop came to its end: else fixtures are torn down later, and the exit status
        says already that something is wrong.
        """
        result = yield
        self.conclude(session)
        return result

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None]:
        """Judge, after pytest has torn down what an interrupted loop left standing.

        A second Ctrl-C leaves some of it standing: then the judge ends it.
        """
        try:
            yield
        finally:
            if self._report is None or self._run.findings.refusals:
                self.conclude(session)
                if session.testsfailed and session.exitstatus == pytest.ExitCode.OK:
                    session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say how the sessions fared; nothing if there were none."""
        for note in dict.fromkeys(self._run.findings.notes):
            terminalreporter.write_line(f"avatar: {note}", yellow=True)
        summary = summarise(self.settle(), verbose=self._run.config.get_verbosity())
        if summary is None:
            return
        if self._is_told:
            summary = summary.without_findings
        if summary.title is not None:
            terminalreporter.section(summary.title)
        for line in summary.lines:
            markup = {} if line.style == "none" else {line.style: True}
            terminalreporter.write_line(line.text, **markup)

    def conclude(self, session: pytest.Session) -> None:
        """Judge what is still open, and report a failure if there is one."""
        report = self.settle()
        failures = list(dict.fromkeys(self._run.findings.refusals))
        self._run.findings.refusals.clear()
        if report.failures and not self._is_told and self._is_strict:
            failures.append(verdict_text(report))
        if failures:
            from pytest_avatar.plugin.verdict_item import fail_run  # noqa: PLC0415 - most runs are clean

            fail_run(session, verdict_line(report), "\n\n".join(failures))
            self._is_told = bool(report.failures)

    @property
    def _is_strict(self) -> bool:
        return self._run.settings.leaks is LeakPolicy.FAIL or self._run.findings.is_strict

    def settle(self) -> Report:
        """Judge what is still open, once, and return the report of the run."""
        if self._report is None:
            self._judge.after_run()
            self._run.findings.hear(self._run.dialect)
            self._report = self._build()
        return self._report

    def _build(self) -> Report:
        settings, findings = self._run.settings, self._run.findings
        facts = RunFacts(
            mode=settings.mode,
            base_url=str(settings.base_url),
            versions={
                "pytest-avatar": version("pytest-avatar"),
                "python": platform.python_version(),
                "pytest": pytest.__version__,
            },
            started_at=self._run.started_at,
            ended_at=time.time(),
            died=tuple(findings.died),
            missing=tuple(dict.fromkeys(findings.problems)),
        )
        return build_report(
            facts,
            self._run.ledger.records,
            allowances=[
                Allowance(place=place, reason=why) for place, why in findings.allowances.items()
            ],
            scrub=self._run.secrets.scrub,
        )


class WorkerEnd:
    """Judges the sessions of a pytest-xdist worker; the verdict is the controller's.

    Args:
        run: The run of this process.
    """

    def __init__(self, run: AvatarRun) -> None:
        self._run: Final = run

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None]:
        """Judge when every fixture is torn down, before pytest-xdist reports to the controller."""
        from pytest_avatar.plugin.controller import FINDINGS  # noqa: PLC0415 - workers only

        try:
            yield
        finally:
            Judge(self._run).after_run()
            self._run.findings.hear(self._run.dialect)
            output: dict[str, object] = session.config.workeroutput  # type: ignore[attr-defined] # xdist
            output[FINDINGS] = self._run.findings.to_dict()
