"""One process of a run: what it holds while avatars are in use."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

import pytest

from pytest_avatar.core import placeholders
from pytest_avatar.core.dialect import Dialect
from pytest_avatar.core.ledger import Ledger
from pytest_avatar.core.model import Token
from pytest_avatar.core.redaction import Secrets
from pytest_avatar.core.settings import Mode
from pytest_avatar.plugin.findings import Findings
from pytest_avatar.plugin.signals import end_in_order
from pytest_avatar.plugin.stage import Stage
from pytest_avatar.plugin.verdict import Verdict, WorkerEnd
from pytest_avatar.plugin.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pytest_avatar.core.ledger import SessionRecord
    from pytest_avatar.core.settings import AvatarSettings
    from pytest_avatar.plugin.journals import RunJournal
    from pytest_avatar.plugin.sessions import Sessions
    from pytest_avatar.plugin.shield import Shield
    from pytest_avatar.plugin.tapes import Tapes

__all__ = ["AvatarRun"]

_watched_key: Final = pytest.StashKey[bool]()


class AvatarRun:
    """Holds the parts, and puts them in place when they are needed.

    Args:
        config: pytest's configuration.
        settings: The settings of the run.
        shield: What it has refused, it will refuse, and has to be told at the end.

    Attributes:
        config: pytest's configuration.
        settings: The settings of the run; in mode `emulator` with the base URL of that.
        started_at: When the run began, in seconds since the epoch.
        ledger: The books of this process.
        secrets: The secrets of the run.
        stage: Who is on stage.
        is_active: Whether somebody in this process uses avatars.
        findings: What else is to be said at the end.
        dialect: What is known of the form in which the service takes create.
    """

    def __init__(self, config: pytest.Config, settings: AvatarSettings, shield: Shield) -> None:
        worker = getattr(config, "workerinput", {}).get("workerid")
        self.config: Final = config
        self.settings: Final = replace(settings, base_url=shield.base_url)
        self.started_at: Final = time.time()
        self.ledger: Final = Ledger(worker or "main")
        self.secrets: Final = Secrets()
        self.stage: Final = Stage(config.rootpath, worker)
        self.is_active: bool = False
        self.findings: Final = Findings(shield.refusals)
        self.dialect: Final = Dialect(settings.create_path, settings.id_field)
        self._undo: Final[list[Callable[[], object]]] = []
        if settings.ks is not None:
            self.secrets.add(settings.ks, "ks")
        if shield.is_up:
            self._take_part_in_the_end()

    def activate(self) -> None:
        """Start watching, because somebody in this process uses avatars. Twice is harmless."""
        if self.is_active:
            return
        from pytest_avatar.adapters.strands import follow  # noqa: PLC0415 - only active runs need it

        self.is_active = True
        if self.journal is not None:
            self.ledger.add_sink(self.journal.write)
        self._undo.append(follow(self.stage))
        self._undo.append(self.tapes.install())
        self._undo.append(end_in_order(self.stage))
        self.config.pluginmanager.register(Watch(self), "avatar-watch")
        self._take_part_in_the_end()

    def watch(self, item: pytest.Item) -> None:
        """Watch a test from now on."""
        item.stash[_watched_key] = True
        if self.stage.item is item:
            self.tapes.watch_now(item)

    def is_watched(self, item: pytest.Item) -> bool:
        """Whether a test is watched: it uses a fixture or a marker of ours, or all tests are."""
        return self.settings.watch or _watched_key in item.stash

    @cached_property
    def ks(self) -> str:
        """What opens sessions: the KS of the settings, or a placeholder where nobody checks it."""
        if not self.settings.mode.is_live:
            return Token(placeholders.KS)
        if self.settings.ks is None:
            pytest.fail(
                f"Kaltura Session: mode {self.settings.mode} needs one, and none is set; give "
                "--avatar-ks=… or AVATAR_KS, or override the fixture avatar_ks",
                pytrace=False,
            )
        return self.settings.ks

    @property
    def cassette_folder(self) -> Path:
        """Where the cassettes are."""
        return self.config.rootpath / self.settings.cassette_dir

    def shown(self, path: Path) -> str:
        """Return a path as messages name it: from the root directory, if it is below it."""
        root = self.config.rootpath
        return str(path.relative_to(root) if path.is_relative_to(root) else path)

    def at_the_end(self, action: Callable[[], object]) -> None:
        """Do something when the run is closed, before all that is to be done so far."""
        self._undo.append(action)

    def close(self) -> None:
        """Put everything back, newest first."""
        while self._undo:
            self._undo.pop()()

    @cached_property
    def sessions(self) -> Sessions:
        """What opens the sessions of the fixtures, and ends those that others left open."""
        if self.settings.mode.is_live and self.journal is not None:
            self.journal.begin()  # what it starts makes ready while httpx is imported
        from pytest_avatar.plugin.sessions import Sessions  # noqa: PLC0415 - imports httpx

        sessions = Sessions(self, self._places())
        self._undo.append(sessions.close)
        return sessions

    @cached_property
    def tapes(self) -> Tapes:
        """What stands between every client and the service."""
        from pytest_avatar.plugin.tapes import Tapes  # noqa: PLC0415 - only active runs need it

        return Tapes(self)

    @cached_property
    def run_dir(self) -> Path:
        """The directory that all processes of this run share; made when it is first needed."""
        from pytest_avatar.plugin.controller import RUN_ID, make_run_id  # noqa: PLC0415 - live modes and workers
        from pytest_avatar.plugin.run_dir import run_dir  # noqa: PLC0415

        given: str | None = getattr(self.config, "workerinput", {}).get(RUN_ID)
        return run_dir(self.settings.mode, given or make_run_id())

    @cached_property
    def journal(self) -> RunJournal | None:
        """Where events are kept for other processes; `None` if there is nobody to read them."""
        if not self.settings.mode.is_live and self.stage.worker is None:
            return None
        from pytest_avatar.plugin.journals import RunJournal  # noqa: PLC0415 - as above

        journal = RunJournal(self)
        self._undo.append(journal.close)
        return journal

    def count_open(self) -> int:
        """Return how many sessions the run has open, over all workers as far as that is known."""
        if self.stage.worker is None:
            return len(self.ledger.open_sessions)
        from pytest_avatar.adapters.journal import read_run  # noqa: PLC0415 - with workers only

        of_all = Ledger()
        for journal in read_run(self.run_dir):
            of_all.fold_all(journal.events)
        return len(of_all.open_sessions)

    def holds(self, record: SessionRecord) -> bool:
        """Whether a fixture opened a session and pytest never came to tear it down."""
        return "sessions" in self.__dict__ and self.sessions.holds(record)

    def end_all(self, records: Sequence[SessionRecord]) -> None:
        """End sessions for those who left them open, where there is something to end."""
        if records and self.settings.mode is not Mode.REPLAY and self.ledger.is_ours:
            self.sessions.end_all(records)

    def _places(self) -> Callable[[], AbstractContextManager[Callable[[str], None]]]:
        """Return what holds a place for a session, if their number is limited."""
        if not self.settings.max_sessions or self.settings.mode is Mode.REPLAY:
            return lambda: nullcontext(lambda _session_id: None)
        from pytest_avatar.plugin.waiting import Waiting  # noqa: PLC0415 - only with a limit

        return Waiting(self).place

    def _take_part_in_the_end(self) -> None:
        """Judge when all tests are over, also if nothing but refusals happened. Idempotent."""
        if self.stage.worker is None:
            Verdict.register(self)
        elif not self.config.pluginmanager.has_plugin("avatar-worker"):
            self.config.pluginmanager.register(WorkerEnd(self), "avatar-worker")
