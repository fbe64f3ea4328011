"""The journal of a process that opens sessions, and the watchdog that reads it if it dies."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Final

from pytest_avatar.adapters.journal import Journal
from pytest_avatar.core.errors import SettingError
from pytest_avatar.core.events import Kind
from pytest_avatar.core.settings import WatchdogPolicy

if TYPE_CHECKING:
    from pytest_avatar.adapters.watchdog.launcher import Watchdog
    from pytest_avatar.adapters.watchdog.relay import CreateRelay
    from pytest_avatar.core.events import Event
    from pytest_avatar.plugin.run import AvatarRun

__all__ = ["RunJournal"]


class RunJournal:
    """Writes events down before anybody acts on them; opened with the first of them, or before.

    Args:
        run: The run of this process.
    """

    def __init__(self, run: AvatarRun) -> None:
        self._run: Final = run
        self._opening: Final = threading.Lock()
        self._journal: Journal | None = None
        self._watchdog: Watchdog | None = None
        self._is_begun = False
        self._is_settled = False
        self._complaint: str | None = None
        self._refusal: SettingError | None = None

    def begin(self) -> str | None:
        """Have somebody watch, who makes ready meanwhile. Only the first call does anything.

        Returns:
            Why nobody will, and what that means; `None` if nothing of that kind is known.
        """
        with self._opening:
            if not self._is_begun:
                self._is_begun = True
                self._open()
        return self._complaint

    def _wait_for_the_watchdog(self) -> None:
        """Wait, once, until the watchdog is ready; take note if it will never be."""
        if self._is_settled:
            return
        self.begin()
        with self._opening:
            problem = None if self._watchdog is None else self._watchdog.why_not_ready()
            if problem is not None:
                self._watchdog = None
                self._refuse(problem)
            self._is_settled = True

    @property
    def relay(self) -> CreateRelay | None:
        """What has creates made by a process that outlives this one; `None` if there is none."""
        self._wait_for_the_watchdog()
        return None if self._watchdog is None else self._watchdog.relay

    def write(self, event: Event) -> None:
        """Write down an event.

        Raises:
            SettingError: A watchdog is required, and there is none: nothing must be created.
        """
        self._wait_for_the_watchdog()
        if self._refusal is not None and event.kind is Kind.CREATING:
            raise self._refusal
        if self._journal is not None:
            self._journal.write(event)
            if self._journal.problem is not None:
                self._complain(self._journal.problem)

    def close(self) -> None:
        """Leave nothing behind, unless somebody else is going to read it."""
        if self._journal is None:
            return
        watchdog = self._watchdog
        is_busy = watchdog is not None and watchdog.relay is not None and watchdog.relay.is_busy
        is_over = self._journal.close(clean=self._run.stage.worker is None and not is_busy)
        if watchdog is not None:
            if is_over and not is_busy:
                watchdog.stop()
            else:
                watchdog.leave()

    def _open(self) -> None:
        """Open the journal and start the watchdog; whatever goes wrong, no test notices."""
        try:
            self._journal = Journal.open(
                self._run.run_dir,
                self._run.stage.worker or "main",
                base_url=str(self._run.settings.base_url),
                root=str(self._run.config.rootpath),
                token_of=self._token_of if self._run.settings.mode.is_live else None,
                reader=None if self._run.stage.worker is None else os.getppid(),
            )
        except Exception as error:  # noqa: BLE001 - a home directory that nobody knows, say
            self._refuse(f"no journal could be written ({error})")
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
        started = Watchdog.start(
            journal.path,
            shell=os.getppid() if is_worker else ci_shell(),
            scheme=self._run.settings.base_url.scheme,
        )
        if isinstance(started, str):
            self._refuse(started)
        else:
            self._watchdog = started

    def _refuse(self, problem: str) -> None:
        """Take note that nobody watches, which may mean that nothing must be created."""
        settings = self._run.settings
        if settings.mode.is_live and settings.watchdog is WatchdogPolicy.REQUIRE:
            self._refusal = SettingError(
                f"watchdog: it is required, but {problem}; nothing was sent", setting="watchdog"
            )
        self._complain(problem)

    def _complain(self, problem: str) -> None:
        """Have the first problem told at the end; those that follow come of the same."""
        if self._complaint is None:
            self._complaint = f"{problem}: if the run is killed, its sessions may stay open"
            self._run.findings.problems.append(self._complaint)
