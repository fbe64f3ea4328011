from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.crash.table import ROW, table
from tests.downstream import EmulatorProcess

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def service() -> Iterator[EmulatorProcess]:
    """The emulator in a process of its own, for one test: no run of another can disturb it."""
    with EmulatorProcess() as running:
        yield running


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what came of every situation, whether or not that was what had to come of it."""
    rows = [
        value
        for outcome in ("passed", "failed")
        for report in terminalreporter.getreports(outcome)
        for name, value in report.user_properties
        if name == ROW
    ]
    if rows:
        terminalreporter.section("what is open 5 s after the end of a run")
        for line in table(rows):
            terminalreporter.write_line(line)
