"""A create that another process sends, so that its answer is read whoever dies meanwhile.

The watchdog has a child for this, the relay, which keeps its connection between creates. A session
that opens is written down before its owner hears of it. The Kaltura Session travels through a
socket and is on no disk. Both sides run on the same Python, so `marshal` writes what they say.
"""

from __future__ import annotations

import marshal
import os
import select
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from pytest_avatar.adapters.tokens import token_path
from pytest_avatar.core.http import Request, Response

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping
    from pathlib import Path

    from pytest_avatar.adapters.watchdog.line import Address

__all__ = ["CreateRelay", "RelayError"]

_GRACE: Final = 5.0
"""For how much longer than a connection and an answer may take we wait for the relay, s."""


class RelayError(ConnectionError):
    """No whole answer came to a create.

    Attributes:
        kind: The name of httpx's exception for what happened; empty if the relay is of no use, and
            the create can be sent by other means.
        sent: `False` if not a byte of the request can have reached the service.
    """

    def __init__(self, message: str, *, kind: str = "", sent: bool = False) -> None:
        super().__init__(message)
        self.kind = kind
        self.sent = sent


class CreateRelay:
    """The owner's side. Forked children leave it alone.

    Args:
        channel: Leads to the relay.
        journal: The journal of this process, beside which the relay writes sessions down.
    """

    def __init__(self, channel: socket.socket, journal: Path) -> None:
        self._channel: Final = channel
        self._journal: Final = journal
        self._owner: Final = os.getpid()
        self._turn: Final = threading.Lock()
        self._received = b""
        self._owed = 0
        self._is_open = True

    @property
    def is_free(self) -> bool:
        """Whether it can take a create now, as far as can be told without asking."""
        if os.getpid() != self._owner or not self._turn.acquire(blocking=False):
            return False
        try:
            self._hear_of_late_answers()
            return self._is_open and not self._owed
        finally:
            self._turn.release()

    @property
    def is_busy(self) -> bool:
        """Whether it still waits for the answer to a create."""
        return self._is_open and not self.is_free

    def send(self, request: Request, *, key: str, base_url: str, timeout: float) -> Response:
        """Have a create sent, one at a time.

        Args:
            request: The create.
            key: The key of its session in the ledger.
            base_url: Where its session lives.
            timeout: Longest wait for a connection, and then for the whole answer, s.

        Returns:
            The answer as it travelled: its body is not decoded.

        Raises:
            RelayError: No whole answer came. If one comes later, the relay keeps its session,
                and the watchdog ends it when this process has gone.
        """
        message = {
            "key": key,
            "file": token_path(self._journal, key),
            "base_url": base_url,
            "timeout": timeout,
            "address": _address(request.url),
            "request": _as_sent(request),
        }
        with self._turn:
            self._hand_over(marshal.dumps(message))
            said = self._wait_for(key, time.monotonic() + 2 * timeout + _GRACE)
        if "kind" in said:
            raise RelayError(said["error"], kind=said["kind"], sent=said["sent"])
        status, reason, headers, body = said["answer"]
        return Response(status, tuple(headers), body, reason)

    def close(self) -> None:
        """Hang up: the relay leaves when it has the answer that it waits for."""
        self._is_open = False
        self._channel.close()

    def _hand_over(self, message: bytes) -> None:
        if os.getpid() != self._owner or not self._is_open:
            raise RelayError("the relay has been stopped, or serves another process")
        try:
            self._channel.settimeout(_GRACE)
            self._channel.sendall(len(message).to_bytes(4, "big") + message)
        except BaseException as error:
            self.close()  # what it has of the message will never be whole
            if isinstance(error, OSError):
                raise RelayError(f"the relay has gone: {error}") from error
            raise
        self._owed += 1

    def _wait_for(self, key: str, deadline: float) -> Mapping[str, Any]:
        """Return the answer to a create, or that it is late."""
        while True:
            try:
                answer = self._read(deadline)
            except TimeoutError as error:
                raise RelayError("the relay says nothing", kind="ReadTimeout", sent=True) from error
            except ConnectionResetError as error:  # it went without having read the message
                self.close()
                raise RelayError(f"the relay has gone: {error}") from error
            except OSError as error:
                self.close()
                raise RelayError(str(error), kind="ReadError", sent=True) from error
            if answer["key"] == key:
                return answer

    def _read(self, deadline: float) -> dict[str, Any]:
        """Read the next message, what was read of it before an interrupt included."""
        while len(self._received) < 4 + int.from_bytes(self._received[:4], "big"):
            self._channel.settimeout(max(0.001, deadline - time.monotonic()))
            piece = self._channel.recv(65536)
            if not piece:
                raise ConnectionError("the relay has gone")
            self._received += piece
        size = 4 + int.from_bytes(self._received[:4], "big")
        answer: dict[str, Any] = marshal.loads(self._received[4:size])  # noqa: S302 - it is ours
        self._received = self._received[size:]
        if not answer.get("more"):
            self._owed -= 1
        return answer

    def _hear_of_late_answers(self) -> None:
        with suppress(TimeoutError):
            while self._is_open and select.select([self._channel], [], [], 0)[0]:
                try:
                    self._read(time.monotonic())
                except ConnectionError:
                    self.close()


def _address(url: str) -> Address:
    parts = urlsplit(url)
    assert parts.hostname is not None
    return parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)


def _as_sent(request: Request) -> bytes:
    """Return a request as it travels."""
    parts = urlsplit(request.url)
    target = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
    given = {name.lower(): value for name, value in request.headers}
    headers = {"host": parts.netloc, "content-length": str(len(request.body)), **given}
    lines = [f"{request.method} {target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + request.body
