"""A project whose run comes to a bad end, and what is left of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from pytest_avatar.adapters.journal import read_run
from pytest_avatar.core.events import Actor, Verdict
from pytest_avatar.core.ledger import Ledger
from tests.crash.processes import processes_with
from tests.crash.situations import Outcome, in_test
from tests.downstream import AVATAR, KS, PLAIN, PREFIXES, EmulatorProcess, until

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from tests.crash.situations import Situation

__all__ = ["WATCHDOGS_CLIENT", "Project"]

WATCHDOGS_CLIENT: Final = f"Python-urllib/{sys.version_info.major}.{sys.version_info.minor}"
"""As whom the service sees the watchdog; our fixtures use httpx."""

_INI: Final = """[pytest]
asyncio_default_fixture_loop_scope = function
avatar_session_scope = session
"""

_LONGEST_RUN: Final = 60
_GRACE: Final = 5.0
"""How long after the end of the run a session may still be open, in seconds."""


@dataclass(frozen=True, slots=True)
class Project:
    """A folder with tests, and the service that they drive.

    Attributes:
        folder: The folder.
        emulator: The service; nobody else uses it.
    """

    folder: Path
    emulator: EmulatorProcess

    @property
    def state(self) -> Path:
        """Where its runs keep their journals."""
        return self.folder / "state"

    @property
    def output(self) -> str:
        """What its last run printed."""
        return (self.folder / "output").read_text("utf-8", "replace")

    def meet(self, situation: Situation) -> Outcome:
        """Run the tests of a situation to their end."""
        if situation.faults:
            self.emulator.add_faults(*situation.faults)
        tag = situation.ci_variable and f"{situation.ci_variable}=job-of-{self.folder.name}"
        with self.running(situation.source, *situation.options, tag=tag) as run:
            for strike in situation.strikes:
                until(partial(strike.when, self.emulator), _LONGEST_RUN)
                (os.killpg if strike.to_group else os.kill)(run.pid, strike.number)
            if tag:
                self._cancel(run, tag)
            return self._look_at(run.wait(_LONGEST_RUN))

    @contextmanager
    def running(
        self, source: str, *options: str, tag: str | None = None
    ) -> Generator[subprocess.Popen[bytes]]:
        """Run tests in a group of processes of their own, of which nothing survives the block.

        Args:
            source: The tests.
            options: Options of pytest.
            tag: The variable that marks the processes of a CI job, if the run is a step of one;
                then a shell stands between.
        """
        (self.folder / "pytest.ini").write_text(_INI, "utf-8")
        (self.folder / "test_it.py").write_text(source, "utf-8")
        pytest = [sys.executable, "-m", "pytest", *PLAIN, *self._live, *options]
        shell = ["sh", "-c", '"$@"; exit $?', "sh"] if tag else []
        with (self.folder / "output").open("wb") as output:
            run = subprocess.Popen(
                [*shell, *pytest],
                cwd=self.folder,
                env=self._environment(tag),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            yield run
        finally:
            with suppress(ProcessLookupError):
                os.killpg(run.pid, signal.SIGKILL)
            run.wait(10)

    @property
    def _live(self) -> tuple[str, ...]:
        return (
            f"--avatar-id={AVATAR}",
            f"--avatar-base-url={self.emulator.base_url}",
            "--avatar-mode=live",
            f"--avatar-report={self._report}",
        )

    @property
    def _report(self) -> Path:
        return self.folder / "report.json"

    def _environment(self, tag: str | None) -> dict[str, str]:
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(PREFIXES)
        }
        job = dict([tag.split("=", 1)]) if tag else {}
        if "RUNNER_TRACKING_ID" in job:
            job["GITHUB_ACTIONS"] = "true"
        elif job:
            job["JENKINS_URL"] = "http://jenkins.invalid"
        return {
            **inherited,
            **job,
            "AVATAR_KS": KS,
            "BOOKS": self.emulator.base_url.partition("/v1/")[0],
            "PYTEST_AVATAR_STATE_DIR": str(self.state),
        }

    def _cancel(self, shell: subprocess.Popen[bytes], tag: str) -> None:
        """Do what a CI system does: kill the shell, wait, kill what belongs to the job."""
        until(partial(in_test(), self.emulator), _LONGEST_RUN)
        shell.kill()
        shell.wait(10)
        with suppress(TimeoutError):
            until(lambda: not processes_with(tag), 2)
        for pid in processes_with(tag):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _look_at(self, status: int) -> Outcome:
        with suppress(TimeoutError):
            until(lambda: not self.emulator.open_sessions, _GRACE)
        sessions = self.emulator.sessions
        wrote_report = self._report.exists()
        left_journals = any(self.state.glob("runs/*/*.jsonl"))
        ended_by, unknown = self._from_the_journals() if left_journals else self._from_the_report()
        return Outcome(
            status=status,
            created=len(sessions),
            left_open=len(self.emulator.open_sessions),
            ended_by=ended_by,
            unknown=unknown,
            by_the_watchdog=sum(one["ended_by"] == WATCHDOGS_CLIENT for one in sessions),
            wrote_report=wrote_report,
        )

    def _from_the_report(self) -> tuple[dict[Actor, int], int]:
        """Return who ended how many sessions, and how many are unknown."""
        report: dict[str, Any] = json.loads(self._report.read_text("utf-8"))
        ended_by = Counter(
            Actor(one["ended_by"]) for one in report["sessions"] if one.get("ended_by")
        )
        return dict(ended_by), report["totals"]["unknown"]

    def _from_the_journals(self) -> tuple[dict[Actor, int], int]:
        """Return the same as the journals tell that a killed run leaves behind."""
        until(lambda: not list(self.state.rglob("*.token")))
        books = self.books()
        ended_by = Counter(one.ended_by for one in books.records if one.ended_by is not None)
        return dict(ended_by), sum(one.verdict is Verdict.UNKNOWN for one in books.records)

    def books(self) -> Ledger:
        """Return the books of the runs that left their journals behind."""
        books = Ledger()
        for run_dir in self.state.glob("runs/*"):
            for journal in read_run(run_dir):
                books.fold_all(journal.events)
        return books
