"""What the watchdog does once its owner is dead."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pytest_avatar.adapters.journal import WATCHDOG, Journal, read_journal
from pytest_avatar.adapters.leftovers import Budget, Leftovers, end_all
from pytest_avatar.adapters.tokens import kept_tokens
from pytest_avatar.core.events import Actor

if TYPE_CHECKING:
    from pytest_avatar.adapters.journal import JournalContents

__all__ = ["Duty"]


class Duty:
    """Ends what a dead process left open, and keeps a journal of it beside the dead one's.

    Args:
        journal: The journal of the dead process.
        total: For how long to try, s.
        each: How long to wait for one answer, s.
        ca_file: The authorities to trust; `None` trusts the system's.
    """

    def __init__(self, journal: str, total: float, each: float, ca_file: str | None) -> None:
        self._path: Final = Path(journal)
        self._each: Final = each
        self._ca_file: Final = ca_file
        self._deadline: Final = time.monotonic() + total

    @property
    def seconds_left(self) -> float:
        """For how much longer to work, keeping the time for a last try."""
        return max(0.0, self._deadline - self._each - time.monotonic())

    def end_what_is_open(self) -> None:
        """End all that is open now."""
        if not self._path.exists() or not kept_tokens(self._path):
            return
        contents = read_journal(self._path)
        leftovers = Leftovers(contents)
        own = _open_own_journal(contents)
        if own is not None:
            leftovers.ledger.add_sink(own.write)
        from pytest_avatar.adapters.stdlib_http import StdlibSender  # noqa: PLC0415 - 27 ms

        budget = Budget(max(self._each, self._deadline - time.monotonic()), self._each)
        end_all([leftovers], StdlibSender(self._ca_file).send, Actor.WATCHDOG, budget)
        if own is not None:
            own.close(clean=False)


def _open_own_journal(contents: JournalContents) -> Journal | None:
    """Open the watchdog's journal; `None` if the disk does not let it, which must not stop it."""
    header = contents.header
    with suppress(OSError):
        return Journal.open(
            contents.path.parent,
            f"{contents.path.stem}.{WATCHDOG}",
            base_url=header.base_url if header else "",
            root=header.root if header else "",
        )
    return None
