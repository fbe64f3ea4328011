"""A replayed test, next to the same test with each of our peers."""

from __future__ import annotations

import statistics
from functools import partial
from typing import TYPE_CHECKING, Final

from tests.benchmarks.figures import Figure, interleaved, ratio
from tests.benchmarks.subjects import (
    EMPTY,
    MOCK,
    OUR_FIXTURE,
    OUR_PLUGIN,
    OURS,
    PEERS,
    PYTEST_HTTPX,
    RECORDING,
    Variant,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.benchmarks.subjects import Subject
    from tests.benchmarks.workshop import Workshop

__all__ = ["COLUMNS", "SUBJECTS", "Table", "compare", "judge", "middle"]

SUBJECTS: Final = (EMPTY, *PEERS, OUR_FIXTURE, OURS)

_SHARED: Final = Variant(shares_tls=True)
COLUMNS: Final = {
    "a client in each test": (Variant(), ()),
    "TLS context shared": (_SHARED, ()),
    "async, context shared": (Variant(is_async=True, shares_tls=True), ()),
    "context shared, `-n 2`": (_SHARED, ("-p", "xdist", "-n2")),
}
"""How the tests are written and run, by the heading of the column."""

_SLOWER_BY: Final = 5
"""So many times fewer tests where each of them reads the CA bundle: they take long."""

Table = dict[str, dict[str, float]]


def compare(workshop: Workshop) -> Table:
    """Return the CPU time of a test in seconds, by column and subject."""
    return {heading: _column(workshop, heading) for heading in COLUMNS}


def _column(workshop: Workshop, heading: str) -> dict[str, float]:
    variant, options = COLUMNS[heading]

    def tests(subject: Subject) -> int:
        reads_bundle = subject.makes_clients and not variant.shares_tls
        is_slow = reads_bundle and OUR_PLUGIN not in subject.plugins and subject is not EMPTY
        return workshop.tests // _SLOWER_BY if is_slow else workshop.tests

    jobs = {
        subject.name: partial(workshop.per_test, subject, variant, *options, tests=tests(subject))
        for subject in SUBJECTS
    }
    return interleaved(jobs, workshop.repeats)


def middle(tables: Sequence[Table]) -> Table:
    """Return the table of the medians of several rounds."""
    return {
        heading: {
            name: statistics.median(table[heading][name] for table in tables) for name in column
        }
        for heading, column in tables[0].items()
    }


def judge(table: Table) -> list[Figure]:
    """Return what the table says of us."""
    figures: list[Figure] = []
    own, shared, coroutines, workers = table.values()
    for ours in (OUR_FIXTURE, OURS):

        def against(
            peer: Subject, column: dict[str, float], limit: float, how: str, name: str = ours.name
        ) -> Figure:
            what = f"{name} / {peer.name}, {how}"
            return ratio(what, column[name], column[peer.name], limit)

        figures += [
            against(MOCK, own, 1.3, "a client in each test"),
            against(RECORDING, own, 1 / 12, "a client in each test"),
            against(MOCK, shared, 1.3, "TLS context shared"),
            against(PYTEST_HTTPX, shared, 0.9, "TLS context shared"),
            against(RECORDING, shared, 0.33, "TLS context shared"),
            against(MOCK, coroutines, 1.4, "async"),
            against(MOCK, workers, 1.3, "`-n 2`"),
        ]
    return figures
