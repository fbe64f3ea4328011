"""Which process owns a file, and whether it still lives: by a record lock, and by process id."""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

__all__ = ["OwnerLock", "is_locked", "process_lives", "process_start", "user_id"]


class OwnerLock:
    """A lock that goes with this process, however it dies.

    It is a record lock, which a forked child does not inherit. The system drops it when the
    process closes any descriptor of the file: hence a file of its own that nobody reads.

    Args:
        path: The file to lock; made if need be.

    Raises:
        OSError: The file cannot be made. (A file system without locks is no error.)
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        _try_lock(self._file)

    def release(self) -> None:
        """Unlock and remove the file: its absence says that the owner had finished."""
        os.close(self._file)
        self._path.unlink(missing_ok=True)


def is_locked(path: Path) -> bool:
    """Whether another process holds the lock; a missing file is held by nobody.

    Never ask about a lock of this process: it would be lost.
    """
    try:
        file = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        return not _try_lock(file)
    finally:
        os.close(file)


def process_start(pid: int) -> str | None:
    """Return when a process started, in clock ticks since boot.

    Returns:
        The start; `None` if there is no such process any more, or the system does not tell.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in ("Z", "X") else fields[19]


def process_lives(pid: int, started: str | None) -> bool:
    """Whether a process still runs, and is not another one that was given the same number.

    Args:
        pid: Its number.
        started: What `process_start` said of it; `None` if the system did not tell, and then its
            lock alone can say whether it lives.
    """
    return started is not None and process_start(pid) == started


def user_id() -> str:
    """Return who runs this process: the number, or the name where users have none."""
    return getpass.getuser() if sys.platform == "win32" else str(os.getuid())


def _try_lock(file: int) -> bool:
    try:
        if sys.platform == "win32":
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
