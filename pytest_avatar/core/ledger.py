"""The books of a run: every session seen on the wire, from intent to end.

The ledger is a fold over events. Whoever needs the books elsewhere (a journal on disk, the
controller of pytest-xdist) takes the events and folds them again; nothing else is ever merged.
Tokens are kept beside the events, never in them.
"""

from __future__ import annotations

import itertools
import os
import threading
import time
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

from pytest_avatar.core.events import Actor, Event, Kind, Opener, Verdict
from pytest_avatar.core.model import Token

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pytest_avatar.core.wire import Ending, Operation

__all__ = ["EndAttempt", "Ledger", "SessionRecord", "State"]


class State(StrEnum):
    """Where a session stands."""

    CREATING = "creating"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    OPEN = "open"
    ENDED = "ended"


_PENDING: Final = frozenset({State.CREATING, State.OPEN})
_UNCERTAIN: Final = frozenset({State.CREATING, State.UNKNOWN})
_SETTLED: Final = frozenset({State.REFUSED, State.ENDED})


class EndAttempt(NamedTuple):
    """One try to end a session.

    Attributes:
        at: When the outcome was known, in seconds since the epoch.
        actor: Who tried.
        ending: What came of it.
        status: HTTP status; `None` if no answer came.
        reason: Why it failed, redacted; `None` if it did not.
        test: Node id of the test on whose behalf; `None` outside tests.
    """

    at: float
    actor: Actor
    ending: Ending
    status: int | None
    reason: str | None
    test: str | None = None


class Calls(dict["Operation", int]):
    """How often each operation was answered: 0 for one that was not. Cheap where there are none."""

    __slots__ = ()

    def __missing__(self, operation: Operation) -> int:
        return 0


@dataclass(slots=True, eq=False)
class SessionRecord:
    """What the books say of one session. Kept up to date by the ledger: read it, never write it.

    Attributes:
        key: Unique over all processes of the run.
        opener: Who opened it.
        created_at: When create was sent, in seconds since the epoch.
        session_id: The id that the service gave; `None` if none is known.
        status: HTTP status of the answer to create; `None` if none came.
        state: Where it stands.
        opened_at: When create was answered; `None` if it never was.
        ended_at: When it was known to be over; `None` if it is not.
        ended_by: Who ended it; `None` if it is not over.
        calls: How often each operation was answered, end apart.
        end_attempts: Every try to end it, oldest first.
        judged: `LEAKED` or `ALLOWED` if its scope closed while it was open.
        reason: Why it was refused, is unknown, or was judged so.
    """

    key: str
    opener: Opener
    created_at: float
    session_id: str | None = None
    status: int | None = None
    state: State = State.CREATING
    opened_at: float | None = None
    ended_at: float | None = None
    ended_by: Actor | None = None
    calls: Calls = field(default_factory=Calls)
    end_attempts: tuple[EndAttempt, ...] = ()
    judged: Verdict | None = None
    reason: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether the session is known to be open."""
        return self.state is State.OPEN

    @property
    def is_pending(self) -> bool:
        """Whether the session is open, or is being opened right now."""
        return self.state in _PENDING

    @property
    def verdict(self) -> Verdict:
        """What the session means for the run. A leak stays a leak after we have ended it."""
        if self.state in _UNCERTAIN:
            return Verdict.UNKNOWN
        if self.is_open and (self.end_attempts or self.judged is None):
            return Verdict.LOST
        return self.judged or Verdict.CLEAN

    @property
    def seconds_open(self) -> float | None:
        """How long it was open; `None` if it never was, or still is."""
        if self.opened_at is None or self.ended_at is None:
            return None
        return self.ended_at - self.opened_at

    @property
    def answered_before(self) -> bool:
        """Whether a 404 is no surprise: another call was answered, or an end was tried."""
        return bool(self.calls) or bool(self.end_attempts)


class Ledger:
    """The books of one process, or of a whole run once all events have been folded in.

    Args:
        name: What tells this process's sessions from those of the others (`main`, `gw0`).
        clock: Seconds since the epoch. The default never runs backwards.
    """

    def __init__(self, name: str = "main", *, clock: Callable[[], float] | None = None) -> None:
        self._name = name
        self._clock = clock or _steady_clock()
        self._numbers = itertools.count(1)
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._records: dict[str, SessionRecord] = {}
        self._unsettled: dict[str, SessionRecord] = {}
        self._keys: dict[str, str] = {}
        self._tokens: dict[str, Token] = {}
        self._sinks: list[Callable[[Event], None]] = []
        self._owner = os.getpid()

    def add_sink(self, sink: Callable[[Event], None]) -> None:
        """Have every further event given to `sink` before anybody acts on it."""
        self._sinks.append(sink)

    @property
    def is_ours(self) -> bool:
        """Whether this process opened the books; a forked child did not, and must not act."""
        return os.getpid() == self._owner

    @property
    def records(self) -> tuple[SessionRecord, ...]:
        """All sessions, and creates without one, in the order in which create was sent."""
        with self._lock:
            return tuple(self._records.values())

    @property
    def sessions(self) -> tuple[SessionRecord, ...]:
        """All sessions that were opened, or may have been; creates that were refused are none."""
        return tuple(record for record in self.records if record.state is not State.REFUSED)

    def newer_than(self, number: int) -> tuple[SessionRecord, ...]:
        """Return all records but the first `number`, newest first."""
        with self._lock:
            return tuple(islice(reversed(self._records.values()), len(self._records) - number))

    @property
    def open_sessions(self) -> tuple[SessionRecord, ...]:
        """The sessions that are open now, newest first."""
        return tuple(record for record in self.unsettled if record.is_open)

    @property
    def unsettled(self) -> tuple[SessionRecord, ...]:
        """The sessions that are open, or may be, newest first."""
        with self._lock:
            return tuple(reversed(self._unsettled.values()))

    def wait_for_ends(self, concern: Callable[[SessionRecord], bool], seconds: float) -> None:
        """Wait until no session is open or being opened, but no longer than some time.

        Args:
            concern: Which sessions are waited for, also of those that are opened meanwhile.
            seconds: How long at most.
        """

        def is_over() -> bool:
            return not any(one.is_pending and concern(one) for one in self._unsettled.values())

        with self._changed:
            self._changed.wait_for(is_over, seconds)

    def find(self, session_id: str) -> SessionRecord | None:
        """Return the session that the service calls so; `None` if it was never seen."""
        with self._lock:
            key = self._keys.get(session_id)
            return None if key is None else self._records[key]

    def token_of(self, record: SessionRecord) -> Token | None:
        """Return what authorises calls to a session; `None` if nobody here knows."""
        return self._tokens.get(record.key)

    def creating(self, opener: Opener) -> str:
        """Write down that a create is about to be sent; return the key of its session.

        Raises:
            Exception: What a sink raises: then it must not be sent, and is not in the books.
        """
        key = f"{self._name}-{next(self._numbers)}"
        try:
            self.fold(Event(Kind.CREATING, key, self._clock(), opener=opener))
        except Exception:
            with self._lock:
                del self._records[key], self._unsettled[key]
            raise
        return key

    def learn_token(self, key: str, token: str) -> None:
        """Keep what authorises calls to an open session, if nobody here knows it yet."""
        with self._lock:
            if self._records[key].is_open:
                self._tokens.setdefault(key, Token(token))

    def opened(self, key: str, session_id: str, token: str | None, status: int | None) -> None:
        """Write down that create was answered and a session is open.

        Args:
            key: What `creating` returned.
            session_id: The id that the service gave.
            token: What authorises calls to it; `None` if the answer held none.
            status: HTTP status of the answer; `None` if nobody saw one.
        """
        if token is not None:
            self._tokens[key] = Token(token)
        self.fold(Event(Kind.OPENED, key, self._clock(), session_id=session_id, status=status))

    def refused(self, key: str, status: int | None, reason: str) -> None:
        """Write down that a create opened nothing; `None` as status if it was never sent."""
        self.fold(Event(Kind.REFUSED, key, self._clock(), status=status, reason=reason))

    def unknown(self, key: str, status: int | None, reason: str) -> None:
        """Write down that nobody knows whether a create opened a session."""
        self.fold(Event(Kind.UNKNOWN, key, self._clock(), status=status, reason=reason))

    def called(self, key: str, operation: Operation, status: int) -> None:
        """Write down that a call to an open session was answered."""
        self.fold(Event(Kind.CALLED, key, self._clock(), operation=operation, status=status))

    def end_tried(
        self,
        key: str,
        ending: Ending,
        actor: Actor,
        status: int | None,
        reason: str | None = None,
        *,
        test: str | None = None,
    ) -> None:
        """Write down what came of a try to end a session.

        Args:
            key: Which session.
            ending: What came of it.
            actor: Who tried.
            status: HTTP status of the answer; `None` if none came.
            reason: Why it failed, redacted; `None` if it did not.
            test: Node id of the test on whose behalf; `None` outside tests.
        """
        self.fold(
            Event(
                Kind.END_TRIED,
                key,
                self._clock(),
                ending=ending,
                actor=actor,
                status=status,
                reason=reason,
                test=test,
            )
        )

    def judged(self, key: str, verdict: Verdict, reason: str) -> None:
        """Write down what it means that a session was open when its scope closed."""
        self.fold(Event(Kind.JUDGED, key, self._clock(), verdict=verdict, reason=reason))

    def fold(self, event: Event) -> None:
        """Take in one event. Events of sessions that were never begun are passed over."""
        with self._lock:
            if event.opener is not None and event.kind is Kind.CREATING:
                record = SessionRecord(event.key, event.opener, event.at)
                self._records[event.key] = self._unsettled[event.key] = record
            elif (known := self._records.get(event.key)) is not None:
                _FOLDS[event.kind](known, event)
                if event.session_id is not None:
                    self._keys[event.session_id] = event.key
                if known.state in _SETTLED:
                    self._settle(event.key)
                if not known.is_pending:
                    self._changed.notify_all()
        for sink in self._sinks:
            sink(event)

    def _settle(self, key: str) -> None:
        self._unsettled.pop(key, None)
        self._tokens.pop(key, None)

    def fold_all(self, events: Iterable[Event]) -> None:
        """Take in the events of another process."""
        for event in events:
            self.fold(event)


def _fold_opened(record: SessionRecord, event: Event) -> None:
    record.session_id = event.session_id
    record.status = event.status
    record.opened_at = event.at
    record.state = State.OPEN


def _fold_refused(record: SessionRecord, event: Event) -> None:
    record.state = State.REFUSED
    record.status = event.status
    record.reason = event.reason


def _fold_unknown(record: SessionRecord, event: Event) -> None:
    record.state = State.UNKNOWN
    record.status = event.status
    record.reason = event.reason


def _fold_called(record: SessionRecord, event: Event) -> None:
    if event.operation is not None:
        record.calls[event.operation] += 1


def _fold_end_tried(record: SessionRecord, event: Event) -> None:
    if event.ending is None or event.actor is None:
        return
    attempt = EndAttempt(
        event.at, event.actor, event.ending, event.status, event.reason, event.test
    )
    record.end_attempts = (*record.end_attempts, attempt)
    if event.ending.is_over and record.is_open:
        record.state = State.ENDED
        record.ended_at = event.at
        record.ended_by = event.actor


def _fold_judged(record: SessionRecord, event: Event) -> None:
    record.judged = event.verdict
    record.reason = event.reason


_FOLDS: Final[Mapping[Kind, Callable[[SessionRecord, Event], None]]] = {
    Kind.OPENED: _fold_opened,
    Kind.REFUSED: _fold_refused,
    Kind.UNKNOWN: _fold_unknown,
    Kind.CALLED: _fold_called,
    Kind.END_TRIED: _fold_end_tried,
    Kind.JUDGED: _fold_judged,
    Kind.CREATING: lambda _record, _event: None,
}


def _steady_clock() -> Callable[[], float]:
    """Return a clock with the wall's date and the monotonic clock's pace."""
    offset = time.time() - time.monotonic()
    return lambda: time.monotonic() + offset
