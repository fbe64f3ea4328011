"""Which recorded answer a request gets.

Order within a session is kept: nothing of a session plays before its create, nothing that was
recorded before an end plays after it, and what one lane (thread or task) sent plays in its order:
whatever was left out is passed over and does not play any more. Lanes are free against each
other, and so are sessions.

Sessions that were created by equal requests are interchangeable: which of several threads opens
its session first is chance. A session is cast as one of the recorded ones, and cast anew when what
it sends next was recorded for another.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from pytest_avatar.core import wire
from pytest_avatar.core.placeholders import token_placeholder
from pytest_avatar.core.track import Entry, Track
from pytest_avatar.core.wire import Operation, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pytest_avatar.core.cassette import Ask, Interaction

__all__ = ["DEFAULT_MATCH_ON", "MATCH_ON", "Playback", "read_match_on"]

MATCH_ON: Final = ("operation", "session", "body", "turn")
"""What requests can be matched by; `operation` always is."""

DEFAULT_MATCH_ON: Final = ("operation", "session", "body")

# By a name of their own: Python 3.11 searches a class for a member of an enumeration.
_CREATE: Final = Operation.CREATE
_KEEP_ALIVE: Final = Operation.KEEP_ALIVE


def read_match_on(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names that requests are matched by, once each.

    Raises:
        ValueError: One of them is unknown, or `operation` is missing; the text says which.
    """
    unknown = [name for name in names if name not in MATCH_ON]
    if isinstance(names, str) or unknown or "operation" not in names:
        known = ", ".join(MATCH_ON)
        raise ValueError(f"match_on takes a list of {known}, operation among them; got {names!r}")
    return tuple(dict.fromkeys(names))


class Playback:
    """The state of one cassette that is being played.

    Args:
        interactions: What was recorded.
        asks: What each of them asks.
        match_on: Names of `MATCH_ON`.
        allow_repeats: Whether an interaction may play again once it has played.
    """

    def __init__(
        self,
        interactions: Sequence[Interaction],
        asks: Sequence[Ask],
        match_on: Sequence[str] = DEFAULT_MATCH_ON,
        *,
        allow_repeats: bool = False,
    ) -> None:
        self.interactions: Final = interactions
        self.asks: Final = asks
        self._match_on = frozenset(match_on)
        self._by_body = "body" in match_on
        self._repeats = allow_repeats
        self._turns: dict[str, str] = {}
        self._cast: dict[str, str] = {}
        self._actual: dict[str, str] = {}
        self._entries: list[Entry] = []
        self._sessions_with: dict[str, dict[str | None, None]] = defaultdict(dict)
        tracks: dict[str | None, list[Entry]] = defaultdict(list)
        for index, (ask, one) in enumerate(zip(asks, interactions, strict=True)):
            entry = Entry(index, self._key(ask), ask.operation, one.lane, ask.turn)
            self._entries.append(entry)
            self._sessions_with[entry.key][ask.session] = None
            tracks[ask.session].append(entry)
        self._opened = dict(self._find_opened())
        self._openers = {session: index for index, session in self._opened.items()}
        for session in self._openers:
            tracks.setdefault(session, [])
        self._tracks = {session: Track(entries) for session, entries in tracks.items()}
        self._foreign = [name for name in tracks if name and name.startswith("foreign-")]

    def knows(self, ask: Ask) -> bool:
        """Whether any interaction asks the same, of whichever session."""
        return self._key(ask) in self._sessions_with

    def play(self, ask: Ask) -> int | None:
        """Return the index of the interaction that answers a request; `None` if none does."""
        key = self._key(ask)
        if ask.session is None:
            return self._play_on(None, key, ask)
        session = self.recorded_session(ask.session)
        index = self._play_on(session, key, ask)
        if index is None and "session" not in self._match_on:
            found = (self._play_on(other, key, ask) for other in self._sessions_with.get(key, ()))
            index = next((other for other in found if other is not None), None)
        elif index is None and self._recast(session, key):
            index = self._play_on(self.recorded_session(ask.session), key, ask)
        return index

    def bind(self, session: str, recorded: str) -> None:
        """Have a session of this run stand for a recorded one."""
        self._cast[session] = recorded
        self._actual[recorded] = session

    def opened_by(self, index: int) -> str | None:
        """Return the session that an interaction opens; `None` if it opens none."""
        return self._opened.get(index)

    def is_played(self, index: int) -> bool:
        """Whether an interaction has played."""
        return self._tracks[self.asks[index].session].is_played(index)

    def unplayed(self) -> list[int]:
        """Return the indexes of the interactions that have not played, keep-alives aside."""
        return [
            index
            for index, ask in enumerate(self.asks)
            if not self._tracks[ask.session].is_played(index) and ask.operation is not _KEEP_ALIVE
        ]

    def why_not(self, ask: Ask) -> str | None:
        """Return why an interaction that is equal to a request does not play.

        Returns:
            `None` if no interaction is equal.
        """
        session = None if ask.session is None else self.recorded_session(ask.session)
        track, key = self._tracks.get(session), self._key(ask)
        if track is None or not track.has(key):
            return None
        if not self._is_open(session):
            return f"{session} has not been created yet"
        return track.why_not(key)

    def answer(self, index: int, ask: Ask) -> Response:
        """Return what an interaction answers, in terms of this run's sessions and turns."""
        response = self.interactions[index].response
        body, recorded = response.body, self.asks[index]
        session = recorded.session or self._opened.get(index)
        actual = session and self._actual.get(session, session)
        if session is not None and actual is not None and actual != session:
            body = _renamed(body, session, actual)
            body = body.replace(
                token_placeholder(session).encode(), token_placeholder(actual).encode()
            )
        if ask.turn is not None and recorded.turn is not None and recorded.turn.encode() in body:
            body = _renamed(body, recorded.turn, json.dumps(ask.turn)[1:-1])
        if body is response.body:
            return response
        return Response(response.status, response.headers, body, response.reason)

    def recorded_session(self, session: str) -> str:
        """Return the recorded session that a session of this run is cast as.

        One that was opened elsewhere is cast as the next one that was foreign when recorded.
        """
        if session in self._cast:
            return self._cast[session]
        if session in self._tracks and self._is_open(session):
            return session
        foreign = next((name for name in self._foreign if name not in self._actual), None)
        if foreign is None:
            return session
        self.bind(session, foreign)
        return foreign

    def _key(self, ask: Ask) -> str:
        return f"{ask.route}\0{ask.content}" if self._by_body else ask.route

    def _find_opened(self) -> Iterator[tuple[int, str]]:
        """Yield each interaction that opens a session, and the session."""
        for index, ask in enumerate(self.asks):
            if ask.operation is _CREATE:
                opened = wire.read_opened(wire.read_answer(self.interactions[index].response))
                if opened is not None:
                    yield index, opened.session_id

    def _is_open(self, session: str | None) -> bool:
        opener = self._openers.get(session) if session is not None else None
        return opener is None or self._tracks[None].is_played(opener)

    def _play_on(self, session: str | None, key: str, ask: Ask) -> int | None:
        track = self._tracks.get(session)
        if track is None or not self._is_open(session):
            return None
        keep_alive = ask.operation is _KEEP_ALIVE
        entry = track.find(key, self._allows(ask.turn), repeats=self._repeats or keep_alive)
        if entry is None:
            return None
        opened = self._opened.get(entry.place)
        if opened is not None and track.is_played(entry.place):
            self._tracks[opened] = self._tracks[opened].again()
        track.play(entry)
        if "turn" in self._match_on and ask.turn is not None and entry.turn is not None:
            self._turns[ask.turn] = entry.turn
        return entry.place

    def _allows(self, turn: str | None) -> Callable[[Entry], bool] | None:
        """Return what says whether an interaction may stand for a request of that turn."""
        if "turn" not in self._match_on:
            return None
        if turn is None or turn in self._turns:
            wanted = None if turn is None else self._turns[turn]
            return lambda entry: entry.turn == wanted
        taken = set(self._turns.values())
        return lambda entry: entry.turn is not None and entry.turn not in taken

    def _recast(self, session: str, key: str) -> bool:
        """Exchange a session with one whose record goes on with `key`, if nothing forbids it."""
        opener = self._openers.get(session)
        if opener is None or not self._is_open(session):
            return False
        for other in self._sessions_with.get(key, ()):
            other_opener = None if other is None else self._openers.get(other)
            if other is None or other_opener is None or other == session:
                continue
            if self._entries[opener].key == self._entries[other_opener].key and self._exchange(
                session, other, key
            ):
                return True
        return False

    def _exchange(self, session: str, other: str, key: str) -> bool:
        mine, theirs = self._tracks[session], self._tracks[other]
        my_new, their_new = theirs.after(mine.history), mine.after(theirs.history)
        if my_new is None or their_new is None or my_new.find(key) is None:
            return False
        actual, other_actual = (self._actual.get(name, name) for name in (session, other))
        self._tracks[session], self._tracks[other] = their_new, my_new
        self.bind(actual, other)
        self.bind(other_actual, session)
        self._tracks[None].exchange(self._openers[session], self._openers[other])
        return True


def _renamed(body: bytes, old: str, new: str) -> bytes:
    if old.encode() not in body:
        return body
    pattern = rb"(?<![\w-])" + re.escape(old.encode()) + rb"(?![\w-])"
    return re.sub(pattern, lambda _match: new.encode(), body)
