"""How many sessions may be open at once, over all processes of a run."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from filelock import FileLock, Timeout

from pytest_avatar.core.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

__all__ = ["Places"]

_LOOK_EVERY: Final = 0.05


class Places:
    """A fixed number of places, each a lock that its process loses when it dies.

    Args:
        folder: A folder that all processes of the run share; made if need be.
        most: How many places there are.
        longest_wait: How long to wait for a free one, in seconds.
    """

    def __init__(self, folder: Path, most: int, *, longest_wait: float) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder: Final = folder
        self._most: Final = most
        self._longest_wait: Final = longest_wait

    @contextmanager
    def taken(self, waited: Callable[[float], None]) -> Generator[Callable[[], None]]:
        """Hold a place; gives what lets go of it before the end.

        Args:
            waited: Told for how many seconds a place was waited for, if it was.

        Raises:
            SettingError: No place became free in time.
        """
        started = time.monotonic()
        lock = self._try_all()
        while lock is None:
            if time.monotonic() - started > self._longest_wait:
                raise SettingError(
                    f"most sessions at once: all {self._most} places of avatar_max_sessions stayed "
                    f"taken for {self._longest_wait:g} s; a test that opens more sessions than "
                    "that waits for itself",
                    setting="most sessions at once",
                )
            time.sleep(_LOOK_EVERY)
            lock = self._try_all()
            if lock is not None:
                waited(time.monotonic() - started)
        try:
            yield lock.release
        finally:
            lock.release()

    def _try_all(self) -> FileLock | None:
        for number in range(self._most):
            lock = FileLock(self._folder / f"{number}.lock", thread_local=False)
            try:
                lock.acquire(blocking=False)
            except Timeout:
                continue
            return lock
        return None
