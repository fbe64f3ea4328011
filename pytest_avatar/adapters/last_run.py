"""What earlier runs left behind, told once in the header of the next one."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_avatar.adapters.journal import forget_run, read_run
from pytest_avatar.adapters.tokens import kept_tokens
from pytest_avatar.core.events import Actor, Verdict
from pytest_avatar.core.ledger import Ledger

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_avatar.adapters.journal import JournalContents
    from pytest_avatar.adapters.state import StateDir

__all__ = ["last_run_note"]


@dataclass(slots=True)
class _Tally:
    ended: int = 0
    still_open: int = 0
    unknown: int = 0

    def add(self, journals: list[JournalContents]) -> None:
        ledger = Ledger()
        for journal in journals:
            ledger.fold_all(journal.events)
            self.still_open += len(kept_tokens(journal.path))
        self.ended += sum(record.ended_by is Actor.WATCHDOG for record in ledger.records)
        self.unknown += sum(record.verdict is Verdict.UNKNOWN for record in ledger.records)

    def __str__(self) -> str:
        parts = (
            (self.ended, "ended by the watchdog"),
            (self.still_open, "still open (`pytest-avatar reap` ends what can be ended)"),
            (self.unknown, "unknown, as create was never answered"),
        )
        return ", ".join(f"{count} {text}" for count, text in parts if count)


def last_run_note(state: StateDir) -> str | None:
    """Return what became of the sessions that earlier runs left open; `None` if there were none.

    Runs of which all is told are forgotten. Those that are still at work, or belong to somebody
    else, are passed over.
    """
    tally = _Tally()
    for run_dir in state.runs:
        with suppress(OSError):
            _take_in(run_dir, tally)
    return f"sessions left open by earlier runs: {tally}" if str(tally) else None


def _take_in(run_dir: Path, tally: _Tally) -> None:
    journals = read_run(run_dir)
    if not any(one.lives or one.is_awaited or one.is_foreign for one in journals):
        tally.add(journals)
        forget_run(run_dir)
