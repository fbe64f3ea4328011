"""What a watchdog costs: the best of many tries, as nobody else's work is to be measured."""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pytest_avatar.adapters.watchdog.launcher import Watchdog
from tests.crash.processes import children
from tests.crash.project import Project
from tests.crash.table import COST

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.downstream import EmulatorProcess

READY_WITHIN: Final = 0.015
MOST_KILOBYTES: Final = 12_000
MORE_THAN_WITHOUT: Final = 0.030
"""By how much a run with a watchdog may take longer: the time to be ready, and as much for noise."""

ONE_TEST: Final = "def test_it(avatar_session): avatar_session.say_text('Hello')"


def test_it_is_soon_ready_and_small_and_leaves_no_process(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    before, best, kilobytes = children(), 1.0, 0
    tries = itertools.count(1)
    while next(tries) <= 100 or (best > READY_WITHIN and next(tries) < 2000):
        started = time.perf_counter()
        watchdog = Watchdog.start(tmp_path / "main-1.jsonl")
        best = min(best, time.perf_counter() - started)
        assert isinstance(watchdog, Watchdog)
        status = Path(f"/proc/{watchdog.pid}/status").read_text("ascii")
        kilobytes = max(kilobytes, int(status.partition("VmHWM:")[2].split()[0]))
        watchdog.stop()
    assert children() == before
    record_property(COST, f"ready in {best * 1000:.1f} ms, {kilobytes / 1000:.1f} MB")
    assert best < READY_WITHIN
    assert kilobytes < MOST_KILOBYTES


def test_a_run_takes_no_longer_than_it_takes_to_be_ready(
    tmp_path: Path, service: EmulatorProcess, record_property: Callable[[str, object], None]
) -> None:
    project = Project(tmp_path, service)
    best = {"require": 60.0, "off": 60.0}
    for _ in range(20):
        for policy in ("require", "off"):
            started = time.perf_counter()
            with project.running(ONE_TEST, "-o", f"avatar_watchdog={policy}") as run:
                assert run.wait(60) == 0, project.output
            best[policy] = min(best[policy], time.perf_counter() - started)
        if best["require"] - best["off"] < MORE_THAN_WITHOUT:
            break
    record_property(COST, f"a run: {best['require']:.3f} s, without: {best['off']:.3f} s")
    assert best["require"] - best["off"] < MORE_THAN_WITHOUT
