"""The relay's own side: a process that makes creates for another one, one after the other.

A run's first create waits until it is ready, so it imports no more than it takes.
"""

from __future__ import annotations

import marshal
import select
import time

from pytest_avatar.adapters.token_file import write_token_file
from pytest_avatar.adapters.watchdog.child import read_frame, write_frame
from pytest_avatar.adapters.watchdog.line import BrokenAnswerError, Line, read_answer
from pytest_avatar.core.lean_json import read_json
from pytest_avatar.core.opening import named_session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["serve"]

_LATE = 60.0
"""For how much longer than its owner the relay waits for an answer, s: it names a session."""


def serve(channel: int, leash: int, ca_file: str | None, scheme: str) -> None:
    """Make creates until the owner, or the watchdog, has gone.

    Args:
        channel: Leads to the owner's `CreateRelay`.
        leash: Comes to an end when the watchdog has no more use for creates.
        ca_file: The authorities to trust; `None` trusts the system's.
        scheme: `https` loads them now, not with the first create.
    """
    line = Line(ca_file)
    if scheme == "https":
        line.prepare()
    while select.select([channel, leash], [], [])[0] == [channel]:
        frame = read_frame(channel)
        if frame is None:
            break
        _Errand(marshal.loads(frame), channel).run(line)  # noqa: S302 - our own owner wrote it
    line.close()


class _Errand:
    """One create."""

    def __init__(self, message: dict[str, Any], channel: int) -> None:
        self._message = message
        self._channel = channel
        self._deadline = 0.0
        self._is_late = False

    def run(self, line: Line) -> None:
        """Send it, and answer."""
        message, timeout = self._message, self._message["timeout"]
        try:
            line.connect(message["address"], timeout)
        except OSError as error:
            line.close()
            is_late = isinstance(error, TimeoutError)
            self._fail("ConnectTimeout" if is_late else "ConnectError", error, sent=False)
            return
        self._deadline = time.monotonic() + timeout
        try:
            line.send(message["request"], timeout + _LATE)
            answer, keeps = read_answer(lambda: self._receive(line))
        except OSError as error:
            line.close()
            is_end = isinstance(error, (BrokenAnswerError, ConnectionResetError))
            self._fail("RemoteProtocolError" if is_end else "ReadError", error, sent=True)
            return
        if not keeps:
            line.close()
        self._keep(answer[3])
        self._say(answer=answer)

    def _receive(self, line: Line) -> bytes:
        """Wait for a piece of the answer; when the time is up, tell the owner, and wait on."""
        while True:
            try:
                return line.receive(self._deadline - time.monotonic())
            except TimeoutError:
                if self._is_late:
                    raise
                self._is_late = True
                self._deadline += _LATE
                reason = f"no answer came within {self._message['timeout']:g} s"
                self._say(kind="ReadTimeout", error=reason, sent=True, more=True)

    def _keep(self, body: bytes) -> None:
        """Write down the session that an answer names, if it does."""
        try:
            data = read_json(body)
        except (ValueError, RecursionError):
            return
        named = named_session(data) if isinstance(data, dict) else None
        if named is None or named[1] is None:
            return
        key, base_url = self._message["key"], self._message["base_url"]
        session = {"key": key, "session_id": named[0], "base_url": base_url, "token": named[1]}
        try:
            write_token_file(self._message["file"], session)
        except OSError:  # a full disk must not keep the answer from its owner
            return

    def _fail(self, kind: str, error: OSError, *, sent: bool) -> None:
        self._say(kind=kind, error=f"{type(error).__name__}: {error}", sent=sent)

    def _say(self, **words: object) -> None:
        try:
            write_frame(self._channel, marshal.dumps({"key": self._message["key"], **words}))
        except OSError:  # the owner has died: what is written down is what counts
            return
