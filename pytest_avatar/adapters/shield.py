"""Calls that an interrupt cannot cut in two."""

from __future__ import annotations

import contextvars
import threading
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

__all__ = ["ShieldedCalls", "ShieldedThread"]

_T = TypeVar("_T")
_Tell: TypeAlias = "Callable[[], None]"


class ShieldedThread(threading.Thread):
    """Makes calls, one after the other; who hands one over does nothing but wait for it.

    Args:
        idle: Where it puts itself whenever it is free again.
    """

    def __init__(self, idle: list[ShieldedThread]) -> None:
        super().__init__(name="avatar-create", daemon=True)
        self._idle: Final = idle
        self._handed: Final = threading.Lock()
        self._handed.acquire()
        self._call: Callable[[], _Tell] | None = None

    def take(self, call: Callable[[], _Tell]) -> None:
        """Make a call, which raises nothing and returns what tells whoever waits for it."""
        self._call = call
        self._handed.release()

    def leave(self) -> None:
        """Make no more calls."""
        self._handed.release()

    def run(self) -> None:
        """Make every call that is handed over."""
        while self._handed.acquire() and self._call is not None:
            call, self._call = self._call, None
            tell = call()
            self._idle.append(self)  # whoever is told may have the next call
            tell()
            del call, tell  # neither is held until the next one comes


class ShieldedCalls:
    """Has calls made in another thread, and sees them through when whoever waits is interrupted.

    A create that is interrupted half way has opened a session that nobody knows. A second
    interrupt is obeyed at once. The thread is kept for the next call; while it is busy, because
    several callers wait at once or nobody does any more, there is another.
    """

    def __init__(self) -> None:
        self._idle: Final[list[ShieldedThread]] = []

    def make(self, call: Callable[[], _T], *, kept: Callable[[_T], object]) -> _T:
        """Make a call, and wait for what comes of it.

        Args:
            call: What to do. Its context variables are this thread's.
            kept: Given the result if this thread was interrupted before it could return it.

        Raises:
            BaseException: What the call raised; or the interrupt, once the call is over.
        """
        from concurrent.futures import Future  # noqa: PLC0415 - a replay makes no such calls

        result: Future[_T] = Future()
        context = contextvars.copy_context()

        def run() -> _Tell:
            if not result.set_running_or_notify_cancel():
                return lambda: None
            try:
                return partial(result.set_result, context.run(call))
            except BaseException as error:  # noqa: BLE001 - it is raised in the caller's thread
                return partial(result.set_exception, error)

        try:
            self._free_thread().take(run)
            return result.result()
        except BaseException:
            if not result.cancel() and result.exception() is None:
                kept(result.result())
            raise

    def close(self) -> None:
        """Let the threads go."""
        with suppress(IndexError):
            while True:
                self._idle.pop().leave()

    def _free_thread(self) -> ShieldedThread:
        """Return a thread that waits for a call. Those of a process that forked us are not here."""
        with suppress(IndexError):  # none is left, or another caller was faster
            while True:
                thread = self._idle.pop()
                if thread.is_alive():
                    return thread
        thread = ShieldedThread(self._idle)
        thread.start()
        return thread
