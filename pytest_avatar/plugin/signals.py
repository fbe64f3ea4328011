"""An orderly end when somebody asks the process to stop: fixtures run, reports are written."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from pytest_avatar.plugin.stage import Stage

__all__ = ["end_in_order"]

_STOPPING: Final = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)
)


def end_in_order(stage: Stage) -> Callable[[], None]:
    """Answer SIGTERM and SIGHUP, where nobody else does, by leaving the run.

    Left alone they kill at once: no fixture is torn down, no report is written.

    Args:
        stage: Tells which test runs.

    Returns:
        What puts the former answers back.
    """

    def leave(number: int, _frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        if stage.item is not None:
            stage.item.session.shouldstop = f"{name} was received"
        pytest.exit(f"{name} was received: sessions are ended and reports written")

    if threading.current_thread() is not threading.main_thread():
        return lambda: None
    unanswered = [number for number in _STOPPING if signal.getsignal(number) is signal.SIG_DFL]
    for number in unanswered:
        signal.signal(number, leave)

    def restore() -> None:
        for number in unanswered:
            if signal.getsignal(number) is leave:
                signal.signal(number, signal.SIG_DFL)

    return restore
