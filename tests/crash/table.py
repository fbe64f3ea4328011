"""The table of situations, as it is printed and as it stands in the docs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pytest_avatar.core.events import Actor

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tests.crash.situations import Outcome, Situation

__all__ = ["COST", "KILLED", "ROW", "row", "table"]

COST: Final = "crash-cost"
"""What a measured cost is called among the properties of a test's report."""

KILLED: Final = "crash-killed"
"""What one killed run is called there: the requests that it had sent, and the unknown creates."""

ROW: Final = "crash-row"
"""What a row is called among the properties of a test's report."""

_TITLES: Final = ("#", "Situation", "Created", "Open 5 s later", "Ended by")
_NAMES: Final[Mapping[Actor, str]] = {
    Actor.FIXTURE: "fixture",
    Actor.PLUGIN: "end of the run",
    Actor.WATCHDOG: "watchdog",
}


def row(situation: Situation, outcome: Outcome) -> list[str]:
    """Return one row of the table."""
    names = sorted((_NAMES[actor], count) for actor, count in outcome.ended_by.items())
    ended_by = ", ".join(
        name if count == outcome.created else f"{name} ({count})" for name, count in names
    )
    if outcome.unknown:
        ended_by = "nobody: reported as unknown"
    numbers = str(outcome.created), str(outcome.left_open)
    return [situation.number, situation.title, *numbers, ended_by]


def table(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a Markdown table, in the order of the situations."""
    yield _line(_TITLES)
    yield "|---" * len(_TITLES) + "|"
    yield from map(_line, sorted(rows, key=lambda cells: _order(cells[0])))


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _order(number: str) -> tuple[int, str]:
    digits = re.match(r"[0-9]+", number)
    assert digits is not None
    return int(digits[0]), number
