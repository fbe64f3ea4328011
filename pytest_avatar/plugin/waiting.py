"""Tests that wait for a place among the sessions that may be open at once, and say so."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from pytest_avatar.adapters.places import Places
from pytest_avatar.core.events import Kind
from pytest_avatar.core.text import count

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    import pytest

    from pytest_avatar.core.events import Event
    from pytest_avatar.plugin.run import AvatarRun

__all__ = ["WaitTeller", "Waiting"]

_LONGEST_WAIT: Final = 600.0
"""How long a test waits for a free place, in seconds."""

_SECTION: Final = "avatar place"
"""What a report's section is called that says how long a test waited."""


class Waiting:
    """Holds places for the sessions of this process.

    Args:
        run: The run of this process; its settings limit the number of sessions.
    """

    def __init__(self, run: AvatarRun) -> None:
        folder = run.run_dir / "places"
        self._most: Final = run.settings.max_sessions
        self._stage: Final = run.stage
        self._ledger: Final = run.ledger
        self._places: Final = Places(folder, self._most, longest_wait=_LONGEST_WAIT)
        self._holds: Final[dict[str, Callable[[], None]]] = {}
        run.ledger.add_sink(self._hear)
        if run.stage.worker is None:
            run.at_the_end(lambda: shutil.rmtree(folder, ignore_errors=True))

    @contextmanager
    def place(self) -> Generator[Callable[[str], None]]:
        """Hold a place; once told the id of the session, no longer than until that is over."""
        with self._places.taken(self._say_waited) as release:

            def hold_for(session_id: str) -> None:
                record = self._ledger.find(session_id)
                if record is not None:
                    self._holds[record.key] = release

            yield hold_for

    def _hear(self, event: Event) -> None:
        if event.kind is Kind.END_TRIED and event.ending is not None and event.ending.is_over:
            self._holds.pop(event.key, lambda: None)()

    def _say_waited(self, seconds: float) -> None:
        if self._stage.item is not None:
            text = f"waited {seconds:.1f} s for one of {count(self._most, 'session')}"
            self._stage.item.add_report_section(self._stage.phase or "setup", _SECTION, text)


class WaitTeller:
    """Says on the terminal which test waited, in the process that has one.

    Args:
        config: pytest's configuration.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config: Final = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Say it once: later reports of a test hold the sections of earlier ones."""
        terminal = self._config.pluginmanager.get_plugin("terminalreporter")
        for title, text in report.sections:
            if terminal is not None and title == f"Captured {_SECTION} {report.when}":
                terminal.ensure_newline()
                terminal.write_line(f"avatar: {report.nodeid} {text}")
