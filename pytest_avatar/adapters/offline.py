"""How a conversation is held in a replay: its requests go to the tape, through no HTTP client.

What they look like on the wire is nobody's business then, and whatever else listens to HTTP clients
(vcrpy, respx, pytest-httpx) does not hear of them.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, TypeVar

from pytest_avatar.core.conversation import Pause, drive, drive_async

if TYPE_CHECKING:
    from pytest_avatar.core.conversation import Outcome, Send, Steps
    from pytest_avatar.core.interception import Interceptor

__all__ = ["AsyncOfflineSender", "OfflineSender"]

_Result = TypeVar("_Result")

_CLIENT: Final = "httpx"
"""What sends the same requests where there is a service: the books do not depend on the mode."""


class OfflineSender:
    """Drives conversations with a tape that answers everything.

    Args:
        interceptor: Asks the tape in use, and keeps the books.
    """

    def __init__(self, interceptor: Interceptor) -> None:
        self._interceptor: Final = interceptor

    def perform(self, steps: Steps[_Result]) -> _Result:
        """Take every step of a conversation, and return what it returns."""
        __tracebackhide__ = True
        return drive(steps, self._take)

    def _take(self, step: Send | Pause) -> Outcome:
        __tracebackhide__ = True
        if isinstance(step, Pause):
            time.sleep(step.seconds)
            return None
        return self._interceptor.begin(step.request, _CLIENT).answer

    def close(self) -> None:
        """There are no connections."""


class AsyncOfflineSender:
    """The same for asyncio and trio.

    Args:
        interceptor: As for `OfflineSender`.
    """

    def __init__(self, interceptor: Interceptor) -> None:
        self._interceptor: Final = interceptor

    async def perform(self, steps: Steps[_Result]) -> _Result:
        """Take every step of a conversation, and return what it returns."""
        __tracebackhide__ = True
        return await drive_async(steps, self._take)

    async def _take(self, step: Send | Pause) -> Outcome:
        __tracebackhide__ = True
        if isinstance(step, Pause):
            import anyio  # noqa: PLC0415 - hardly any conversation pauses

            await anyio.sleep(step.seconds)
            return None
        return self._interceptor.begin(step.request, _CLIENT).answer
