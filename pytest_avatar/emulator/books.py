"""What the emulator saw: sessions opened, ended and spoken, requests refused, faults that struck.

The records hold no KS and no token, and name a session only by an id that the service gave out:
whatever else stands in a request's path may be a secret in the wrong place.
"""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_avatar.core.wire import Operation

__all__ = [
    "Books",
    "FaultRecord",
    "RefusalRecord",
    "SessionRecord",
    "SpokenAudio",
    "SpokenText",
    "Totals",
    "utc_now",
]


@dataclass(frozen=True, slots=True)
class SpokenText:
    """One say-text.

    Attributes:
        turn_id: Its turn; `None` if the request named none.
        text: What was said.
        is_final: `False` if more text of the same turn was announced.
    """

    turn_id: str | None
    text: str
    is_final: bool


@dataclass(frozen=True, slots=True)
class SpokenAudio:
    """One say-audio.

    Attributes:
        turn_id: Its turn; `None` if the request named none.
        duration: Length in seconds, as the request claims.
        media_type: The Content-Type of the audio part; `None` if it has none.
        length: Size in bytes.
        sha256: Digest of the bytes, in hexadecimal.
    """

    turn_id: str | None
    duration: float
    media_type: str | None
    length: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRecord:
    """One session that was opened.

    Attributes:
        session_id: Its id.
        avatar_id: Who appears.
        voice_id: Whose voice; `None` if the request named none.
        opened_at: When, in UTC.
        opened_by: User-Agent of the request that opened it; `None` if it had none.
        ended_at: When, in UTC; `None` while it is open.
        ended_by: User-Agent of the request that ended it; `None` while open, or if it had none.
        spoken: What was said, in order.
        calls: Requests that named this session, by operation, whatever came of them.
        late_calls: How many of these came after its end.
    """

    session_id: str
    avatar_id: str
    voice_id: str | None
    opened_at: datetime
    opened_by: str | None
    ended_at: datetime | None = None
    ended_by: str | None = None
    spoken: tuple[SpokenText | SpokenAudio, ...] = ()
    calls: Mapping[str, int] = field(default_factory=dict[str, int])
    late_calls: int = 0

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return self.ended_at is None


@dataclass(frozen=True, slots=True)
class RefusalRecord:
    """One request that the service refused.

    Attributes:
        at: When, in UTC.
        operation: What was asked; `None` if the service has no such route.
        session_id: The session it was asked of; `None` if the service never gave out such an id.
        status: The HTTP status of the answer.
        reason: Its error text.
    """

    at: datetime
    operation: str | None
    session_id: str | None
    status: int
    reason: str


@dataclass(frozen=True, slots=True)
class FaultRecord:
    """One request that a scripted fault struck.

    Attributes:
        at: When, in UTC.
        operation: What was asked.
        session_id: The session it was asked of; `None` for create and unknown ids.
        fault: The fault, as it is written on the command line.
    """

    at: datetime
    operation: str
    session_id: str | None
    fault: str


@dataclass(frozen=True, slots=True)
class Totals:
    """How many of everything; its text is one line.

    Attributes:
        opened: Sessions opened.
        ended: Sessions ended.
        open: Sessions open now.
        spoken: Texts and recordings said.
        refused: Requests refused by the service.
        faults: Requests struck by a scripted fault.
    """

    opened: int
    ended: int
    open: int
    spoken: int
    refused: int
    faults: int

    def __str__(self) -> str:
        return (
            f"sessions: {self.opened} opened, {self.ended} ended, {self.open} open; requests: "
            f"{self.spoken} spoken, {self.refused} refused, {self.faults} struck by a fault"
        )


def utc_now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)


class Books:
    """The records, in order of arrival. Safe to read and write from any thread.

    Args:
        clock: What tells the time, in UTC.
    """

    def __init__(self, clock: Callable[[], datetime] = utc_now) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._sessions: dict[str, SessionRecord] = {}
        self._refused: list[RefusalRecord] = []
        self._faults: list[FaultRecord] = []

    @property
    def sessions(self) -> tuple[SessionRecord, ...]:
        """All sessions, oldest first."""
        with self._lock:
            return tuple(self._sessions.values())

    @property
    def open_sessions(self) -> tuple[SessionRecord, ...]:
        """Those that have not ended."""
        return tuple(session for session in self.sessions if session.is_open)

    @property
    def refused(self) -> tuple[RefusalRecord, ...]:
        """All requests that the service refused."""
        with self._lock:
            return tuple(self._refused)

    @property
    def faults(self) -> tuple[FaultRecord, ...]:
        """All requests that a scripted fault struck."""
        with self._lock:
            return tuple(self._faults)

    @property
    def totals(self) -> Totals:
        """How many of everything."""
        sessions = self.sessions
        still_open = sum(session.is_open for session in sessions)
        return Totals(
            opened=len(sessions),
            ended=len(sessions) - still_open,
            open=still_open,
            spoken=sum(len(session.spoken) for session in sessions),
            refused=len(self.refused),
            faults=len(self.faults),
        )

    def as_data(self) -> dict[str, Any]:
        """Return the books as JSON types: `totals`, `sessions`, `refused`, `faults`.

        The keys of each record are the attributes of its class; times are ISO 8601.
        """
        return {
            "totals": asdict(self.totals),
            "sessions": [_as_json(session) for session in self.sessions],
            "refused": [_as_json(refusal) for refusal in self.refused],
            "faults": [_as_json(fault) for fault in self.faults],
        }

    def opened(
        self, session_id: str, *, avatar_id: str, voice_id: str | None, by: str | None
    ) -> None:
        """Record that a session was opened, `by` a client of that User-Agent."""
        record = SessionRecord(
            session_id=session_id,
            avatar_id=avatar_id,
            voice_id=voice_id,
            opened_at=self._clock(),
            opened_by=by,
        )
        with self._lock:
            self._sessions[session_id] = record

    def called(self, session_id: str | None, operation: Operation) -> None:
        """Record that a request named a session; ids that were never given out are not kept."""
        with self._lock:
            session = self._sessions.get(session_id or "")
            if session is not None:
                calls = {**session.calls, str(operation): session.calls.get(operation, 0) + 1}
                late = session.late_calls + (not session.is_open)
                self._sessions[session.session_id] = replace(session, calls=calls, late_calls=late)

    def spoke(self, session_id: str, speech: SpokenText | SpokenAudio) -> None:
        """Record what a session was made to say."""
        with self._lock:
            session = self._sessions[session_id]
            self._sessions[session_id] = replace(session, spoken=(*session.spoken, speech))

    def ended(self, session_id: str, *, by: str | None) -> None:
        """Record that a session has ended, `by` a client of that User-Agent."""
        with self._lock:
            session = self._sessions[session_id]
            self._sessions[session_id] = replace(session, ended_at=self._clock(), ended_by=by)

    def refuse(
        self, operation: Operation | None, session_id: str | None, *, status: int, reason: str
    ) -> None:
        """Record that the service refused a request."""
        name = None if operation is None else str(operation)
        with self._lock:
            known = session_id if session_id in self._sessions else None
            self._refused.append(RefusalRecord(self._clock(), name, known, status, reason))

    def struck(self, operation: Operation, session_id: str | None, *, fault: str) -> None:
        """Record that a scripted fault struck a request."""
        with self._lock:
            known = session_id if session_id in self._sessions else None
            self._faults.append(FaultRecord(self._clock(), str(operation), known, fault))


def _as_json(record: SessionRecord | RefusalRecord | FaultRecord) -> dict[str, Any]:
    return {key: _plain(value) for key, value in asdict(record).items()}


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds")
    return list(cast("tuple[object, ...]", value)) if isinstance(value, tuple) else value
