"""What the system tells of running processes, and of the files that they left."""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from pytest_avatar.adapters.watchdog import child

__all__ = ["adopt_orphans", "children", "places_of", "processes_with", "watchdogs_of"]

_PR_SET_CHILD_SUBREAPER: Final = 36


def processes_with(variable: str) -> list[int]:
    """Return the processes whose environment holds a variable (`NAME=value`)."""
    found: list[int] = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if variable.encode() in path.read_bytes().split(b"\0"):
                found.append(int(path.parent.name))
    return found


def watchdogs_of(folder: Path) -> list[int]:
    """Return the watchdogs, and their children, of journals below a folder."""
    found: list[int] = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            command = path.read_bytes()
            if os.fsencode(folder) in command and child.__name__.encode() in command:
                found.append(int(path.parent.name))
    return found


def places_of(secrets: tuple[bytes, ...], folder: Path, pids: list[int]) -> list[str]:
    """Return where secrets can be read: files below a folder, command lines, environments."""
    proc = [Path(f"/proc/{pid}/{name}") for pid in pids for name in ("cmdline", "environ")]
    found: list[str] = []
    for path in [*folder.rglob("*"), *proc]:
        with suppress(FileNotFoundError, IsADirectoryError, ProcessLookupError):
            data = path.read_bytes()
            found += [str(path) for secret in secrets if secret in data]
    return found


def adopt_orphans() -> None:
    """Become the parent of what the dead leave behind, as otherwise only init is."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


def children() -> list[int]:
    """Bury those children that are dead, and return the others."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass
    tasks = Path("/proc/self/task").glob("*/children")
    return [int(pid) for task in tasks for pid in task.read_text("ascii").split()]
