"""Measures us and our peers, side by side, and writes the tables of the documentation.

`python -m tests.benchmarks` measures everything three times over in about 25 minutes and rewrites
docs/explanation/performance.md; `--quick` prints rougher figures in about 3. `--gate` counts
instructions only, and fails if one of those figures is not met.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks import books, gateway, instructions, live, replay, sizes, start
from tests.benchmarks.figures import of_rounds
from tests.benchmarks.lean_service import lean_service
from tests.benchmarks.page import figure_lines, replay_lines, write_page
from tests.benchmarks.processes import why_no_callgrind
from tests.benchmarks.workshop import Workshop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.figures import Figure

MEASUREMENTS = (
    start.first_test,
    start.folder_is_not_walked,
    start.unused,
    sizes.flatness,
    sizes.loading,
    live.suite,
    live.watchdog,
    live.end_of_run,
    books.events,
    books.reports,
    gateway.measure,
)

ROUNDS = 3


@contextmanager
def workshop(*, quick: bool) -> Iterator[Workshop]:
    with tempfile.TemporaryDirectory() as folder, lean_service() as service:
        yield Workshop(Path(folder), service, 200 if quick else 1000, 1 if quick else 2)


def measure(shop: Workshop, rounds: int) -> list[str]:
    """Return the lines of all tables."""
    tables: list[replay.Table] = []
    taken: list[list[Figure]] = []
    for number in range(1, rounds + 1):
        print(f"round {number} of {rounds}", file=sys.stderr, flush=True)
        tables.append(replay.compare(shop))
        others = [figure for take in MEASUREMENTS for figure in take(shop)]
        taken.append(replay.judge(tables[-1]) + others)
    figures = [of_rounds(same) for same in zip(*taken, strict=True)]
    counted: dict[str, float] = {}
    if (reason := why_no_callgrind()) is None:
        counted = instructions.per_test(shop, *replay.SUBJECTS)
        figures += instructions.goals(shop)
    lines = [*replay_lines(replay.middle(tables), counted), "", *figure_lines(figures)]
    return lines if reason is None else [*lines, "", f"Instructions were not counted: {reason}."]


def guard(shop: Workshop) -> int:
    """Print what the gate counts; return 1 if anything is more than it may be."""
    if (reason := why_no_callgrind()) is not None:
        print(f"skipped: instructions cannot be counted, {reason}")
        return 0
    figures = instructions.guarded(shop)
    print(*figure_lines(figures), sep="\n")
    return 0 if all(figure.is_met for figure in figures) else 1


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--gate", action="store_true")
    chosen = parser.parse_args(arguments)
    rounds = 1 if chosen.quick else ROUNDS
    with workshop(quick=chosen.quick or chosen.gate) as shop:
        if chosen.gate:
            return guard(shop)
        lines = measure(shop, rounds)
    print(*lines, sep="\n")
    if not chosen.quick:
        write_page(lines, shop, rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
