"""What the watchdog does once its owner is dead."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_avatar.adapters.journal import WATCHDOG, Journal, read_journal
from pytest_avatar.adapters.leftovers import Budget, Leftovers, end_all
from pytest_avatar.adapters.tokens import kept_tokens
from pytest_avatar.core.events import Actor

if TYPE_CHECKING:
    from pytest_avatar.adapters.journal import JournalContents

__all__ = ["end_what_is_open"]


def end_what_is_open(journal: str, total: float, each: float, ca_file: str | None) -> None:
    """End what a dead process left open, and keep a journal of it beside the dead one's.

    Args:
        journal: The journal of the dead process.
        total: For how long to try, s.
        each: How long to wait for one answer, s.
        ca_file: The authorities to trust; `None` trusts the system's.
    """
    path = Path(journal)
    if not path.exists() or not kept_tokens(path):
        return
    contents = read_journal(path)
    leftovers = Leftovers(contents)
    own = _open_own_journal(contents)
    if own is not None:
        leftovers.ledger.add_sink(own.write)
    from pytest_avatar.adapters.stdlib_http import StdlibSender  # noqa: PLC0415 - 27 ms

    end_all([leftovers], StdlibSender(ca_file).send, Actor.WATCHDOG, Budget(total, each))
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
