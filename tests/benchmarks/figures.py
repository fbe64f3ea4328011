"""What was measured, beside what it should be."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["Figure", "difference", "interleaved", "of_rounds", "ratio"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of a table.

    Attributes:
        what: What was measured.
        value: What came of it.
        unit: In what.
        limit: What it should be at most; at least, if `is_floor`.
        is_floor: Whether more is better.
        note: What the value is made of.
        rounds: The value of every round, if it was measured in several.
    """

    what: str
    value: float
    unit: str
    limit: float
    is_floor: bool = False
    note: str = ""
    rounds: tuple[float, ...] = ()

    @property
    def times_met(self) -> int:
        """In how many rounds the value was what it should be."""
        values = self.rounds or (self.value,)
        return sum(
            value >= self.limit if self.is_floor else value <= self.limit for value in values
        )

    @property
    def is_met(self) -> bool:
        """Whether the value was what it should be every time."""
        return self.times_met == (len(self.rounds) or 1)


def of_rounds(figures: Sequence[Figure]) -> Figure:
    """Return the middle one of the same figure in several rounds, which knows of the others."""
    ranked = sorted(figures, key=lambda figure: figure.value)
    values = tuple(figure.value for figure in figures)
    return replace(ranked[len(ranked) // 2], rounds=values if len(values) > 1 else ())


def ratio(what: str, mine: float, theirs: float, limit: float) -> Figure:
    """Return how many times as long something takes as something else; both in seconds."""
    note = f"{mine * 1000:.2f} against {theirs * 1000:.2f} ms"
    return Figure(what, mine / theirs, "times", limit, note=note)


def difference(more: Callable[[], float], less: Callable[[], float], pairs: int) -> float:
    """Return by how much a job takes longer than another: the median of pairs, done back to back.

    Which of the two comes first changes from pair to pair.
    """
    found = []
    for number in range(pairs):
        if number % 2:
            second, first = less(), more()
        else:
            first, second = more(), less()
        found.append(first - second)
    return statistics.median(found)


def interleaved(jobs: Mapping[str, Callable[[], float]], repeats: int) -> dict[str, float]:
    """Return the median of each job. All are done in turn, so that a busy moment meets them all."""
    values: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(repeats):
        for name, job in jobs.items():
            values[name].append(job())
    return {name: statistics.median(found) for name, found in values.items()}
