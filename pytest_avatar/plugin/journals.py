"""The journal of a process that opens sessions, and the watchdog that reads it if it dies."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Final

from pytest_avatar.adapters.journal import Journal
from pytest_avatar.core.errors import SettingError
from pytest_avatar.core.settings import WatchdogPolicy

if TYPE_CHECKING:
    from pytest_avatar.adapters.watchdog.launcher import Watchdog
    from pytest_avatar.core.events import Event
    from pytest_avatar.plugin.run import AvatarRun

__all__ = ["RunJournal"]


class RunJournal:
    """Writes events down before anybody acts on them; opened with the first of them.

    Args:
        run: The run of this process.
    """

    def __init__(self, run: AvatarRun) -> None:
        self._run: Final = run
        self._opening: Final = threading.Lock()
        self._journal: Journal | None = None
        self._watchdog: Watchdog | None = None
        self._gave_up = False

    def write(self, event: Event) -> None:
        """Write down an event; before the first, see to it that somebody watches."""
        with self._opening:
            if self._journal is None and not self._gave_up:
                self._open()
        if self._journal is not None:
            self._journal.write(event)

    def close(self) -> None:
        """Leave nothing behind, unless somebody else is going to read it."""
        if self._journal is None:
            return
        if self._journal.problem is not None:
            self._run.findings.problems.append(self._journal.problem)
        is_over = self._journal.close(clean=self._run.stage.worker is None)
        if self._watchdog is not None:
            if is_over:
                self._watchdog.stop()
            else:
                self._watchdog.leave()

    def _open(self) -> None:
        try:
            self._journal = Journal.open(
                self._run.run_dir,
                self._run.stage.worker or "main",
                base_url=str(self._run.settings.base_url),
                root=str(self._run.config.rootpath),
                token_of=self._token_of if self._run.settings.mode.is_live else None,
                reader=None if self._run.stage.worker is None else os.getppid(),
            )
        except OSError as error:
            self._gave_up = True
            self._complain(f"no journal could be written ({error})")
            return
        if self._run.settings.mode.is_live:
            self._start_watchdog(self._journal)

    def _token_of(self, session_id: str) -> str | None:
        record = self._run.ledger.find(session_id)
        return None if record is None else self._run.ledger.token_of(record)

    def _start_watchdog(self, journal: Journal) -> None:
        if self._run.settings.watchdog is WatchdogPolicy.OFF:
            return
        from pytest_avatar.adapters.watchdog.launcher import (  # noqa: PLC0415 - live modes only
            Watchdog,
            ci_shell,
        )

        is_worker = self._run.stage.worker is not None
        started = Watchdog.start(journal.path, shell=os.getppid() if is_worker else ci_shell())
        if not isinstance(started, str):
            self._watchdog = started
            return
        self._complain(started)
        if self._run.settings.watchdog is WatchdogPolicy.REQUIRE:
            raise SettingError(
                f"watchdog: it is required, but {started}; nothing was sent", setting="watchdog"
            )

    def _complain(self, problem: str) -> None:
        self._run.findings.problems.append(
            f"{problem}: had the run been killed, its sessions might have stayed open"
        )
