"""Runs that are killed at a random moment: nothing stays open, nothing is left behind."""

from __future__ import annotations

import random
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import pytest

from pytest_avatar.core.events import Verdict
from tests.crash.processes import adopt_orphans, children, places_of, watchdogs_of
from tests.crash.project import Project
from tests.crash.table import KILLED
from tests.downstream import KS, until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.downstream import EmulatorProcess

BATCHES: Final = 10
RUNS: Final = 10
"""In each batch."""

SOURCE: Final = """
import pytest

@pytest.mark.parametrize("number", range(4))
def test_it(avatar_session, avatar_session_factory, number):
    session = avatar_session_factory()
    session.say_text("Hello")
    avatar_session.say_text("Hello")
"""

REQUESTS: Final = 18
"""How many requests such a run sends: 5 creates, 8 texts, 5 ends."""

SLOW: Final = tuple(f"{name}:delay=0.03,times=1000" for name in ("create", "say-text", "end"))
"""Requests take long enough that most kills strike while one is in flight."""

SECRETS: Final = (KS.encode(), b"eyJ")
"""The KS, and how every token begins."""


@pytest.mark.timeout(300)
@pytest.mark.parametrize("batch", range(BATCHES))
def test_a_run_killed_at_any_moment_leaves_nothing(
    batch: int,
    tmp_path: Path,
    service: EmulatorProcess,
    record_property: Callable[[str, object], None],
) -> None:
    moments = random.Random(batch)
    service.add_faults(*SLOW)
    adopt_orphans()
    for number in range(RUNS):
        folder = tmp_path / str(number)
        folder.mkdir()
        project = Project(folder, service)
        requests, unknown = _kill(project, moments)
        record_property(KILLED, (requests, unknown))
    until(lambda: children() == [service.pid], 20)
    assert places_of(SECRETS, tmp_path, []) == []
    assert service.open_sessions == []


def _kill(project: Project, moments: random.Random) -> tuple[int, int]:
    """Kill a run; return how many requests it had sent, and how many creates are unknown."""
    before = _requests(project)
    wanted, pause = moments.randrange(-3, REQUESTS), moments.uniform(0, 0.05)
    with project.running(SOURCE) as run:
        if wanted < 0:
            pause = moments.uniform(0, 0.5)
        else:
            with suppress(TimeoutError):
                until(lambda: _requests(project) - before > wanted or run.poll() is not None, 30)
            assert places_of(SECRETS[:1], project.folder, watchdogs_of(project.folder)) == []
        time.sleep(pause)  # it decides nothing: whatever the moment, the same has to hold
        run.kill()
        run.wait(10)
        until(lambda: not project.emulator.open_sessions, 20)
        until(lambda: not list(project.state.rglob("*.token")), 20)
    records = project.books().records
    assert {record.verdict for record in records[:-1]} <= {Verdict.CLEAN}
    unknown = sum(record.verdict is Verdict.UNKNOWN for record in records[-1:])
    return _requests(project) - before, unknown


def _requests(project: Project) -> int:
    return len(project.emulator.read("faults"))
