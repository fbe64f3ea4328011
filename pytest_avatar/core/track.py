"""What one session may still play."""

from __future__ import annotations

from collections import defaultdict
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

from pytest_avatar.core.wire import Operation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["Entry", "Track"]

# By a name of their own: Python 3.11 searches a class for a member of an enumeration.
_END: Final = Operation.END
_UNORDERED: Final = (Operation.CREATE, Operation.KEEP_ALIVE, None)


class Entry(NamedTuple):
    """One interaction, as far as order is concerned.

    Attributes:
        place: Where it stands in the cassette, from 0.
        key: What requests that match it have in common.
        operation: What it asks.
        lane: The thread or task that sent it.
        turn: Its `turnId`.
    """

    place: int
    key: str
    operation: Operation | None
    lane: int
    turn: str | None


class Track:
    """The interactions of one session, or of no session, and which of them have played."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = entries
        self._of_key: dict[str, list[Entry]] = defaultdict(list)
        for entry in entries:
            self._of_key[entry.key].append(entry)
        self._played: set[int] = set()
        self._played_before: frozenset[int] = frozenset()
        self._next: dict[str, int] = {}
        self._passed_in_lane: dict[int, int] = {}
        self._ended_at = -1
        self.history: list[str] = []

    def has(self, key: str) -> bool:
        """Whether anything with that key was recorded."""
        return key in self._of_key

    def is_played(self, index: int) -> bool:
        """Whether an interaction has played, also before the session was opened again."""
        return index in self._played or index in self._played_before

    def find(
        self,
        key: str,
        suits: Callable[[Entry], bool] | None = None,
        *,
        repeats: bool = False,
    ) -> Entry | None:
        """Return the interaction that comes next; `None` if there is none.

        Args:
            key: What it must have in common with the request.
            suits: What it must satisfy besides; `None` if nothing.
            repeats: Whether the last one may play again.
        """
        entries = self._of_key.get(key)
        if entries is None:
            return None
        first = self._next.get(key, 0)
        while first < len(entries) and self._is_over(entries[first]):
            first += 1
        self._next[key] = first
        for entry in islice(entries, first, None):
            if not self._is_over(entry) and (suits is None or suits(entry)):
                return entry
        return self._last_played(entries, suits) if repeats else None

    def play(self, entry: Entry) -> None:
        """Note that an interaction plays; what was left out before it does not play any more."""
        self._played.add(entry.place)
        self.history.append(entry.key)
        if entry.operation is _END:
            self._ended_at = max(self._ended_at, entry.place)
        elif _is_ordered(entry):
            self._passed_in_lane[entry.lane] = max(
                entry.place, self._passed_in_lane.get(entry.lane, -1)
            )

    def after(self, history: Iterable[str]) -> Track | None:
        """Return a fresh track on which the same has played; `None` if it cannot have."""
        track = Track(self._entries)
        for key in history:
            entry = track.find(key, repeats=True)
            if entry is None:
                return None
            track.play(entry)
        return track

    def again(self) -> Track:
        """Return a fresh track for the same session, opened once more."""
        track = Track(self._entries)
        track._played_before = self._played_before | self._played
        return track

    def exchange(self, one: int, other: int) -> None:
        """Have one interaction be as played as the other was."""
        played = {one: other in self._played, other: one in self._played}
        self._played = (self._played - {one, other}) | {
            index for index, was_played in played.items() if was_played
        }
        self._next.clear()

    def why_not(self, key: str) -> str:
        """Return why nothing with a key that was recorded plays."""
        entries = self._of_key[key]
        number = entries[-1].place + 1
        if all(entry.place in self._played for entry in entries):
            return f"interaction {number} has played already"
        if entries[-1].place < self._ended_at:
            return "it was recorded before the end of the session, which has played already"
        return f"interaction {number} is out of order: a later one has played already"

    def _is_over(self, entry: Entry) -> bool:
        """Whether an interaction has played, or what comes after it has."""
        place = entry.place
        if place in self._played or place < self._ended_at:
            return True
        return place < self._passed_in_lane.get(entry.lane, -1) and _is_ordered(entry)

    def _last_played(
        self, entries: Sequence[Entry], suits: Callable[[Entry], bool] | None
    ) -> Entry | None:
        for entry in reversed(entries):
            played = entry.place in self._played and entry.place >= self._ended_at
            if played and (suits is None or suits(entry)):
                return entry
        return None


def _is_ordered(entry: Entry) -> bool:
    """Whether an interaction plays only in the order of its lane."""
    return entry.operation not in _UNORDERED
