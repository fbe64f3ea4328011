"""A call that an interrupt cannot cut in two."""

from __future__ import annotations

import contextvars
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ShieldedCall", "shielded"]

_T = TypeVar("_T")


class ShieldedCall(threading.Thread):
    """The thread of a call; whoever made the call does nothing but wait for it."""


def shielded(call: Callable[[], _T], *, kept: Callable[[_T], object]) -> _T:
    """Make a call in a thread of its own, and see it through when this one is interrupted.

    A create that is interrupted half way has opened a session that nobody knows. A second
    interrupt is obeyed at once.

    Args:
        call: What to do. Its context variables are this thread's.
        kept: Given the result if this thread was interrupted before it could return it.

    Raises:
        BaseException: What the call raised; or the interrupt, once the call is over.
    """
    result: Future[_T] = Future()
    context = contextvars.copy_context()

    def run() -> None:
        if not result.set_running_or_notify_cancel():
            return
        try:
            result.set_result(context.run(call))
        except BaseException as error:  # noqa: BLE001 - it is raised in the caller's thread
            result.set_exception(error)

    thread = ShieldedCall(target=run, name="avatar-create", daemon=True)
    try:
        thread.start()
        return result.result()
    except BaseException:
        if not result.cancel() and result.exception() is None:
            kept(result.result())
        raise
