from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.crash.table import COST, KILLED, ROW, table
from tests.downstream import EmulatorProcess

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


@pytest.fixture
def service() -> Iterator[EmulatorProcess]:
    """The emulator in a process of its own, for one test: no run of another can disturb it."""
    with EmulatorProcess() as running:
        yield running


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what came of every situation, whether or not that was what had to come of it."""
    rows = _properties(terminalreporter, ROW)
    killed = _properties(terminalreporter, KILLED)
    costs = _properties(terminalreporter, COST)
    if costs:
        terminalreporter.section("what a watchdog costs")
        for cost in costs:
            terminalreporter.write_line(cost)
    if killed:
        requests = sorted(count for count, _ in killed)
        unknown = sum(count for _, count in killed)
        terminalreporter.section(f"{len(killed)} runs killed at a random moment")
        terminalreporter.write_line(f"requests sent before: {' '.join(map(str, requests))}")
        terminalreporter.write_line(f"open afterwards: 0; creates reported as unknown: {unknown}")
    if rows:
        terminalreporter.section("what is open 5 s after the end of a run")
        for line in table(rows):
            terminalreporter.write_line(line)


def _properties(terminalreporter: pytest.TerminalReporter, wanted: str) -> list[Any]:
    return [
        value
        for outcome in ("passed", "failed")
        for report in terminalreporter.getreports(outcome)
        for name, value in report.user_properties
        if name == wanted
    ]
