"""What the system tells of running processes."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

__all__ = ["processes_with"]


def processes_with(variable: str) -> list[int]:
    """Return the processes whose environment holds a variable (`NAME=value`)."""
    found: list[int] = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if variable.encode() in path.read_bytes().split(b"\0"):
                found.append(int(path.parent.name))
    return found
