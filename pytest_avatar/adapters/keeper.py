"""A thread that keeps sessions alive, and ends those that have lived too long."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

from pytest_avatar.core.errors import AvatarError, SessionGoneError
from pytest_avatar.core.events import Actor
from pytest_avatar.core.interception import acting_as
from pytest_avatar.core.wire import Operation

if TYPE_CHECKING:
    from pytest_avatar.adapters.http import Sender
    from pytest_avatar.adapters.offline import OfflineSender
    from pytest_avatar.core.conversation import Conversation

__all__ = ["Keeper"]


class Keeper:
    """Looks after open sessions in one background thread, started with the first of them.

    A thread, not a task: it goes on while a test blocks, or closes, its event loop. It never sleeps
    for longer than until a session that came meanwhile could be due, so none has to wake it.

    Args:
        sender: How requests reach the service.
        interval: Seconds between two keep-alives; 0 sends none.
        longest_life: After how many seconds a session is ended; 0 lets it live.
    """

    def __init__(
        self, sender: Sender | OfflineSender, *, interval: float, longest_life: float
    ) -> None:
        self._sender: Final = sender
        self._interval: Final = interval or float("inf")
        self._longest_life: Final = longest_life or float("inf")
        self._longest_sleep: Final = min(self._interval, self._longest_life, threading.TIMEOUT_MAX)
        self._changed: Final = threading.Condition()
        self._kept: Final[dict[Conversation, _Times]] = {}
        self._thread: threading.Thread | None = None
        self._closed = False

    def add(self, conversation: Conversation) -> None:
        """Look after a session from now on."""
        now = time.monotonic()
        with self._changed:
            self._kept[conversation] = _Times(now + self._interval, now + self._longest_life)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="avatar-keeper", daemon=True)
                self._thread.start()

    def remove(self, conversation: Conversation) -> None:
        """Stop looking after a session."""
        with self._changed:
            self._kept.pop(conversation, None)

    def close(self) -> None:
        """Stop the thread; a request that it has under way is waited for."""
        with self._changed:
            self._closed = True
            self._kept.clear()
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while (conversation := self._wait_for_work()) is not None:
            self._look_after(conversation)

    def _wait_for_work(self) -> Conversation | None:
        """Return the session whose turn it is; `None` when there will be no more work."""
        with self._changed:
            while not self._closed:
                conversation = min(self._kept, key=lambda kept: self._kept[kept].next, default=None)
                sleep = self._longest_sleep
                if conversation is not None:
                    sleep = min(sleep, self._kept[conversation].next - time.monotonic())
                if sleep <= 0:
                    return conversation
                self._changed.wait(sleep)
        return None

    def _look_after(self, conversation: Conversation) -> None:
        with self._changed:
            times = self._kept.get(conversation)
        if times is None:
            return
        if time.monotonic() >= times.end_of_life:
            self.remove(conversation)
            self._end(conversation)
            return
        times.next_keep_alive = time.monotonic() + self._interval
        with acting_as(Actor.KEEPER):
            try:
                self._sender.perform(conversation.call(Operation.KEEP_ALIVE))
            except SessionGoneError:
                self.remove(conversation)
            except AvatarError:
                # It may pass until the next turn; if not, the test's own calls report it.
                return

    def _end(self, conversation: Conversation) -> None:
        conversation.outlived = (
            f"avatar session {conversation.session_id} was ended by pytest-avatar: "
            f"it had been open for {self._longest_life:g} s.\n"
            "Expected: a test ends its session sooner (avatar_max_session_duration in the ini)."
        )
        conversation.closing_words = f"it had been open for {self._longest_life:g} s"
        with acting_as(Actor.PLUGIN):
            try:
                self._sender.perform(conversation.end())
            except AvatarError:
                conversation.closing_words += ", and could not be ended"


class _Times:
    """When something is due for one session, on the monotonic clock."""

    __slots__ = ("end_of_life", "next_keep_alive")

    def __init__(self, next_keep_alive: float, end_of_life: float) -> None:
        self.next_keep_alive = next_keep_alive
        self.end_of_life = end_of_life

    @property
    def next(self) -> float:
        """When to look next."""
        return min(self.next_keep_alive, self.end_of_life)
