"""Whole processes, and what they cost: CPU time of all that they start, or instructions."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.downstream import PREFIXES

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "Cost",
    "FailedError",
    "count_instructions",
    "environment",
    "pytest_command",
    "run",
    "why_no_callgrind",
]

_OF_THE_MACHINE: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR", "_PROXY", "_proxy", "BYTECODE")
"""Ends of the names of settings that change what a client or an import costs: all go without."""


class FailedError(Exception):
    """A process that is measured failed, so its cost says nothing."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process cost.

    Attributes:
        cpu: User and system time, of its children too, in seconds.
        wall: Time from start to end, in seconds.
        peak: Most memory that it held, in MB.
    """

    cpu: float
    wall: float
    peak: float


def pytest_command(plugins: Sequence[str], *options: str) -> list[str]:
    """Return a command that runs pytest with these plugins and no others."""
    chosen = [word for plugin in plugins for word in ("-p", plugin)]
    return [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *chosen, *options]


def run(command: Sequence[str], folder: Path, **variables: str) -> Cost:
    """Run a command to its end.

    Args:
        command: The command.
        folder: Where it runs.
        variables: What it finds in its environment besides.

    Raises:
        FailedError: It failed; the text is the last of what it printed.
    """
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, env=environment(**variables), stdout=output, stderr=output
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            raise FailedError(output.read().decode("utf-8", "replace")[-2000:])
    return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024)


@cache
def why_no_callgrind() -> str | None:
    """Return why instructions cannot be counted here; `None` if they can."""
    missing = [name for name in ("valgrind", "setarch") if shutil.which(name) is None]
    return f"{' and '.join(missing)} not installed" if missing else None


def count_instructions(command: Sequence[str], folder: Path, **variables: str) -> int:
    """Return how many instructions a command takes: the same number every time.

    Raises:
        FailedError: It failed.
    """
    with tempfile.NamedTemporaryFile(suffix=".log") as log:
        valgrind = ["valgrind", "--tool=callgrind", f"--log-file={log.name}"]
        valgrind += ["--callgrind-out-file=/dev/null", "--"]
        counted = ["setarch", "-R", *valgrind, *command]
        run(counted, folder, PYTHONHASHSEED="0", **variables)
        found = re.search(r"Collected : (\d+)", Path(log.name).read_text("utf-8"))
    assert found is not None
    return int(found[1])


def environment(**variables: str) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(PREFIXES) and not name.endswith(_OF_THE_MACHINE)
    }
    state = {
        "PYTEST_AVATAR_STATE_DIR": str(Path(tempfile.gettempdir(), "pytest-avatar-benchmarks"))
    }
    return {**kept, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **state, **variables}
