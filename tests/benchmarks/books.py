"""The ledger and the report files of many sessions.

`python -m tests.benchmarks.books SESSIONS FOLDER` keeps the books of so many and writes all reports.
"""

from __future__ import annotations

import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pytest_avatar.adapters.reports import write_report
from pytest_avatar.core.events import Actor, Opener
from pytest_avatar.core.ledger import Ledger
from pytest_avatar.core.redaction import Secrets
from pytest_avatar.core.report import RunFacts, build_report
from pytest_avatar.core.wire import Ending
from tests.benchmarks.figures import Figure, interleaved
from tests.benchmarks.processes import run

if TYPE_CHECKING:
    from tests.benchmarks.processes import Cost
    from tests.benchmarks.workshop import Workshop

__all__ = ["events", "reports"]

_EVENTS_EACH: Final = 3
_SESSIONS: Final = 100_000
_SUFFIXES: Final = (".json", ".xml", ".md", ".html")


def events(workshop: Workshop) -> list[Figure]:
    """Measure what an event costs in the books."""
    sessions = 10_000

    def keep() -> float:
        start = time.process_time()
        _keep_books(sessions)
        return (time.process_time() - start) / sessions / _EVENTS_EACH

    found = interleaved({"event": keep}, 3 * workshop.repeats)
    return [Figure("an event in the books", found["event"] * 1e6, "µs", 10)]


def reports(workshop: Workshop) -> list[Figure]:
    """Measure the books and all report files of many sessions, and of half as many."""
    costs: list[Cost] = []

    def process(sessions: int) -> float:
        command = [sys.executable, "-m", __name__, str(sessions), str(workshop.folder)]
        costs.append(run(command, Path.cwd()))
        return costs[-1].cpu

    jobs = {"all": partial(process, _SESSIONS), "half": partial(process, _SESSIONS // 2)}
    found = interleaved(jobs, workshop.repeats)
    what = f"{_SESSIONS:,} sessions in the ledger and in JSON, JUnit, Markdown and HTML"
    return [
        Figure(what, found["all"], "s", 3),
        Figure(f"{what}: memory", max(cost.peak for cost in costs), "MB", 300),
        Figure(f"{what} / half as many", found["all"] / found["half"], "times", 2.2),
    ]


def _keep_books(sessions: int) -> Ledger:
    ledger = Ledger()
    for number in range(sessions):
        test = f"tests/test_it.py::test_{number}"
        opener = Opener(
            scope_id=test, test=test, phase="call", file="tests/test_it.py", line=7, client="httpx"
        )
        key = ledger.creating(opener)
        ledger.opened(key, f"session-{number}", "a-token-of-some-length", 200)
        ledger.end_tried(key, Ending.ENDED, Actor.CODE, 200)
    return ledger


def _write_reports(sessions: int, folder: Path) -> None:
    ledger = _keep_books(sessions)
    facts = RunFacts(
        mode="replay",
        base_url="https://avatar.example/v1",
        versions={},
        started_at=time.time(),
        ended_at=time.time(),
    )
    report = build_report(facts, ledger.records, allowances=[], scrub=Secrets().scrub)
    for suffix in _SUFFIXES:
        write_report(report, folder / f"report{suffix}")


if __name__ == "__main__":
    _write_reports(int(sys.argv[1]), Path(sys.argv[2]))
