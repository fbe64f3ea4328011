"""What a process that died left open, and how it is ended: by its watchdog, or later by `reap`."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pytest_avatar.adapters.tokens import drop_token, kept_tokens, read_token
from pytest_avatar.core import wire
from pytest_avatar.core.events import Event, Kind, Opener
from pytest_avatar.core.http import BaseUrl
from pytest_avatar.core.ledger import Ledger
from pytest_avatar.core.redaction import Secrets
from pytest_avatar.core.wire import Ending, Operation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from pytest_avatar.adapters.journal import JournalContents
    from pytest_avatar.adapters.tokens import OpenSession
    from pytest_avatar.core.events import Actor
    from pytest_avatar.core.http import Request, Response

__all__ = ["Budget", "Leftovers", "end_all"]

_LONGEST_PAUSE: Final = 2.0


@dataclass(frozen=True, slots=True)
class Budget:
    """How long to try.

    Attributes:
        total: For all sessions together, s; they are ended in parallel.
        each: For one try, s.
    """

    total: float = 20.0
    each: float = 2.0


class Leftovers:
    """The sessions that one dead process left open, and its books.

    Args:
        contents: The journal of the dead process.
        watchdogs: Journals that tell what was tried since.

    Attributes:
        journal: The journal of the dead process.
        ledger: The books of that process; what comes of its sessions is added to them.
        sessions: The sessions to end.
        unreadable: Token files that were never written whole: nobody can end their sessions.
    """

    def __init__(self, contents: JournalContents, *watchdogs: JournalContents) -> None:
        self.journal: Final = contents.path
        self.ledger: Final = Ledger()
        for journal in (contents, *watchdogs):
            self.ledger.fold_all(journal.events)
        self._secrets = Secrets()
        found = {path: read_token(path) for path in kept_tokens(contents.path)}
        self.sessions: Final = tuple(item for item in found.values() if item is not None)
        self.unreadable: Final[tuple[Path, ...]] = tuple(
            path for path, item in found.items() if item is None
        )

    def end(
        self,
        session: OpenSession,
        send: Callable[[Request, float], Response],
        actor: Actor,
        patience: float,
        deadline: float,
    ) -> None:
        """Try to end a session until it is over, or nothing can be done, or time is up.

        Args:
            session: One of `sessions`.
            send: As for `end_all`.
            actor: Who does it.
            patience: Longest wait for one answer, s.
            deadline: When to give up, by the monotonic clock.
        """
        self._secrets.add(session.token, "token")
        self._learn_of(session)
        for left in _moments(deadline):
            ending = self._try_to_end(session, send, actor, min(patience, left))
            if ending.is_over:
                drop_token(self.journal, session.key)
            if ending is not Ending.NOT_ENDED:
                return

    def _try_to_end(
        self,
        session: OpenSession,
        send: Callable[[Request, float], Response],
        actor: Actor,
        patience: float,
    ) -> Ending:
        """Send one end and write down what came of it."""
        ending, status, reason = Ending.NOT_ENDED, None, None
        try:
            request = wire.session_request(
                BaseUrl(session.base_url), Operation.END, session.session_id, session.token
            )
            answer = wire.read_answer(send(request, patience))
        except (OSError, ValueError) as error:
            reason = f"{type(error).__name__}: {error}"
        else:
            record = self.ledger.find(session.session_id)
            before = record is not None and record.answered_before
            ending, status = wire.read_ending(answer, answered_before=before), answer.status
            reason = None if ending is Ending.ENDED else f"{status} {answer.error or ''}".strip()
        reason = reason and self._secrets.scrub(reason)
        self.ledger.end_tried(session.key, ending, actor, status, reason)
        return ending

    def _learn_of(self, session: OpenSession) -> None:
        """Write down a session that its process did not live to write down."""
        if self.ledger.find(session.session_id) is not None:
            return
        now = time.time()
        if session.key not in (record.key for record in self.ledger.records):
            self.ledger.fold(Event(kind=Kind.CREATING, key=session.key, at=now, opener=Opener()))
        self.ledger.opened(session.key, session.session_id, None, None)


def end_all(
    leftovers: Iterable[Leftovers],
    send: Callable[[Request, float], Response],
    actor: Actor,
    budget: Budget,
) -> None:
    """End all sessions, in parallel, and remove the token files of those that are over.

    Args:
        leftovers: What dead processes left.
        send: Sends a request, given the longest wait in seconds; raises `OSError` if no answer
            came.
        actor: Who does it.
        budget: How long to try.
    """
    deadline = time.monotonic() + budget.total
    threads = [
        threading.Thread(
            target=left.end, args=(session, send, actor, budget.each, deadline), daemon=True
        )
        for left in leftovers
        for session in left.sessions
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))


def _moments(deadline: float) -> Iterator[float]:
    """Yield the seconds that are left, with growing pauses in between, until none are."""
    pause = 0.25
    while (left := deadline - time.monotonic()) > 0:
        yield left
        with suppress(ValueError):
            time.sleep(min(pause, deadline - time.monotonic()))
        pause = min(2 * pause, _LONGEST_PAUSE)
