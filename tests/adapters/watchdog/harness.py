"""What the tests of the watchdog share: owners in processes of their own, and patience."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_avatar.adapters.journal import read_run
from pytest_avatar.adapters.ownership import process_start
from pytest_avatar.core.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable

SCRIPT = Path(__file__).with_name("owner.py")


def until(condition: Callable[[], object], seconds: float = 15) -> bool:
    """Wait for something to become true; return whether it did."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def lives(pid: int) -> bool:
    return process_start(pid) is not None


class Owner:
    """A process that holds sessions, under a watchdog."""

    def __init__(
        self,
        run_dir: Path,
        base_url: str,
        *,
        sessions: int = 2,
        fate: str = "sleep",
        total: float = 10,
        prefix: tuple[str, ...] = (),
        env: dict[str, str] | None = None,
    ) -> None:
        command = [sys.executable, SCRIPT, run_dir, base_url, str(sessions), fate, str(total)]
        self.process = subprocess.Popen(
            [*prefix, *map(str, command)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            text=True,
            env={**os.environ, **(env or {})},
        )
        facts = self.read()
        self.watchdog: int = facts["watchdog"]
        self.child: int = facts["child"]

    def read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        facts: dict[str, Any] = json.loads(self.process.stdout.readline())
        return facts

    def wait(self) -> int:
        return self.process.wait(20)

    def kill(self) -> None:
        self.process.kill()
        self.wait()

    def clean_up(self) -> None:
        """Leave nothing behind, whatever the test did."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(20)
        assert self.process.stdout is not None
        self.process.stdout.close()


def books(run_dir: Path) -> Ledger:
    """The books of a run, as its journals tell them."""
    ledger = Ledger()
    for journal in read_run(run_dir):
        ledger.fold_all(journal.events)
    return ledger
