"""The page of the documentation that shows the figures."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.benchmarks.replay import COLUMNS, SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.benchmarks.figures import Figure
    from tests.benchmarks.workshop import Workshop

__all__ = ["figure_lines", "replay_lines", "write_page"]

_PAGE: Final = Path("docs/explanation/performance.md")
_BEGIN, _END = "<!-- measured -->", "<!-- /measured -->"


def replay_lines(
    table: Mapping[str, Mapping[str, float]], instructions: Mapping[str, float]
) -> Iterator[str]:
    """Yield the table of replayed tests.

    Args:
        table: CPU time of a test in seconds, by column and subject.
        instructions: Instructions of a test in millions, by subject; empty if none were counted.
    """
    yield f"| CPU time of a test, ms | {' | '.join(COLUMNS)} | M instructions |"
    yield "|---|" + "--:|" * (len(COLUMNS) + 1)
    for name in (subject.name for subject in SUBJECTS):
        cells = [f"{table[column][name] * 1000:.2f}" for column in COLUMNS]
        counted = f"{instructions[name]:.1f}" if name in instructions else ""
        yield f"| {name} | {' | '.join(cells)} | {counted} |"


def figure_lines(figures: Sequence[Figure]) -> Iterator[str]:
    """Yield the table of figures."""
    yield "| Figure | Measured | Goal | |"
    yield "|---|---|---|---|"
    for one in figures:
        notes = [_spread(one), one.note] if one.rounds else [one.note]
        note = f" ({'; '.join(filter(None, notes))})" if any(notes) else ""
        sign = "≥" if one.is_floor else "≤"
        yield (
            f"| {one.what} | {one.value:.3g} {one.unit}{note} | {sign} {one.limit:.3g} "
            f"| {_verdict(one)} |"
        )


def _spread(figure: Figure) -> str:
    return f"{min(figure.rounds):.3g} to {max(figure.rounds):.3g}"


def _verdict(figure: Figure) -> str:
    if figure.is_met:
        return "met"
    if figure.times_met:
        return f"met in {figure.times_met} of {len(figure.rounds)} rounds"
    return "**not met**"


def write_page(lines: Sequence[str], workshop: Workshop, rounds: int) -> None:
    """Put the tables where the page has room for them, and say how they came about."""
    before, _, rest = _PAGE.read_text("utf-8").partition(_BEGIN)
    after = rest.partition(_END)[2]
    machine = (
        f"Measured with {platform.python_implementation()} {platform.python_version()} on "
        f"{platform.system()}, {platform.machine()}, {os.cpu_count()} cores: "
        f"{workshop.tests:,} tests, {rounds} rounds, every process run {workshop.repeats} times or "
        "more in each."
    )
    tables = "\n".join([_BEGIN, machine, "", *lines, _END])
    _PAGE.write_text(f"{before}{tables}{after}", "utf-8")
