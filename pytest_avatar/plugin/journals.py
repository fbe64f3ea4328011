"""The journal of a process that opens sessions, and the watchdog that reads it if it dies."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pytest_avatar.adapters.journal import Journal
from pytest_avatar.adapters.state import find_state_dir
from pytest_avatar.core.errors import SettingError
from pytest_avatar.core.settings import WatchdogPolicy

if TYPE_CHECKING:
    from pytest_avatar.adapters.watchdog.launcher import Watchdog
    from pytest_avatar.core.events import Event
    from pytest_avatar.plugin.run import AvatarRun

__all__ = ["RunJournal", "make_run_dir"]

RUN_DIR: Final = "avatar_run_dir"
"""What pytest-xdist calls the run's directory in the input of its workers."""


class RunJournal:
    """Writes events down before anybody acts on them; opened with the first of them.

    Args:
        run: The run of this process.

    Attributes:
        problem: Why a killed run may leave sessions open; `None` if nothing speaks for it.
    """

    def __init__(self, run: AvatarRun) -> None:
        self._run: Final = run
        self._journal: Journal | None = None
        self._watchdog: Watchdog | None = None
        self.problem: str | None = None

    def write(self, event: Event) -> None:
        """Write down an event; before the first, see to it that somebody watches."""
        if self._journal is None and self.problem is None:
            self._open()
        if self._journal is not None:
            self._journal.write(event)

    def close(self) -> None:
        """Leave nothing behind, unless somebody else is going to read it."""
        if self._journal is None:
            return
        is_over = self._journal.close(clean=self._run.stage.worker is None)
        if self._watchdog is not None:
            if is_over:
                self._watchdog.stop()
            else:
                self._watchdog.leave()

    def _open(self) -> None:
        try:
            self._journal = Journal.open(
                self._run_dir(),
                self._run.stage.worker or "main",
                base_url=str(self._run.settings.base_url),
                root=str(self._run.config.rootpath),
                token_of=self._token_of if self._run.settings.mode.is_live else None,
            )
        except OSError as error:
            self.problem = f"no journal can be written ({error})"
            return
        if self._run.settings.mode.is_live:
            self._start_watchdog(self._journal)

    def _run_dir(self) -> Path:
        given = getattr(self._run.config, "workerinput", {}).get(RUN_DIR)
        return Path(given) if given else make_run_dir(is_live=True)

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

        started = Watchdog.start(journal.path, shell=ci_shell())
        if not isinstance(started, str):
            self._watchdog = started
            return
        self.problem = started
        if self._run.settings.watchdog is WatchdogPolicy.REQUIRE:
            raise SettingError(
                f"watchdog: it is required, but {started}; nothing was sent", setting="watchdog"
            )


def make_run_dir(*, is_live: bool) -> Path:
    """Make the directory that the processes of a run share.

    Args:
        is_live: Whether real sessions are opened, so that it must outlive a crash.

    Raises:
        OSError: It cannot be made.
    """
    if not is_live:
        return Path(tempfile.mkdtemp(prefix="pytest-avatar-"))
    run_id = f"{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}-{os.urandom(3).hex()}"
    return find_state_dir().make_run_dir(run_id)
