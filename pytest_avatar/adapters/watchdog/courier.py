"""The relay's own side: a process that makes creates for another one, one after the other."""

from __future__ import annotations

import json
import select
import signal
import ssl
from contextlib import closing, contextmanager, suppress
from functools import cached_property
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from pytest_avatar.adapters.tokens import OpenSession, keep_token
from pytest_avatar.adapters.watchdog.child import read_frame, write_frame
from pytest_avatar.adapters.watchdog.relay import pack, pairs, unpack
from pytest_avatar.core import wire
from pytest_avatar.core.http import Request, Response

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

__all__ = ["Line", "serve"]

_LATE: Final = 60.0
"""For how much longer than its owner the relay waits for an answer, s: it names a session."""


def serve(channel: int, leash: int, journal: str, ca_file: str | None, scheme: str) -> None:
    """Make creates until the owner, or the watchdog, has gone.

    Args:
        channel: Leads to the owner's `CreateRelay`.
        leash: Comes to an end when the watchdog has no more use for creates.
        journal: The owner's journal.
        ca_file: The authorities to trust; `None` trusts the system's.
        scheme: `https` loads them now, not with the first create.
    """
    line = Line(ca_file)
    if scheme == "https":
        line.prepare()
    with closing(line):
        while select.select([channel, leash], [], [])[0] == [channel]:
            frame = read_frame(channel)
            if frame is None:
                return
            _Errand(json.loads(frame), channel, Path(journal)).run(line)


class Line:
    """The connection to the service, kept between creates.

    Args:
        ca_file: The authorities to trust; `None` trusts the system's.
    """

    def __init__(self, ca_file: str | None) -> None:
        self._ca_file = ca_file
        self._connection: HTTPConnection | None = None

    def prepare(self) -> None:
        """Load the authorities."""
        assert self._context

    @cached_property
    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self._ca_file)
        context.set_alpn_protocols(["http/1.1"])
        return context

    def connect(self, url: str, timeout: float) -> None:
        """See to it that there is a connection: that of last time if it still stands.

        Args:
            url: Where to.
            timeout: Longest wait, s.

        Raises:
            OSError: There is none.
        """
        if self._connection is not None and self._stands(self._connection):
            return
        self.close()
        parts = urlsplit(url)
        assert parts.hostname is not None
        if parts.scheme == "https":
            self._connection = HTTPSConnection(
                parts.hostname, parts.port, timeout=timeout, context=self._context
            )
        else:
            self._connection = HTTPConnection(parts.hostname, parts.port, timeout=timeout)
        self._connection.connect()

    def exchange(self, request: Request, timeout: float) -> Response:
        """Send a request and return the answer as it travelled.

        Args:
            request: What to send; where to, `connect` was told.
            timeout: Longest wait for each piece of the answer, s.

        Raises:
            OSError: No whole answer came.
            HTTPException: The same.
        """
        connection = self._connection
        assert connection is not None
        connection.sock.settimeout(timeout)
        parts = urlsplit(request.url)
        target = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        given = {name.lower(): value for name, value in request.headers}
        connection.putrequest(
            request.method, target, skip_host="host" in given, skip_accept_encoding=True
        )
        for name, value in {"content-length": str(len(request.body)), **given}.items():
            connection.putheader(name, value)
        connection.endheaders(request.body)
        with connection.getresponse() as answer:
            return Response(answer.status, tuple(answer.getheaders()), answer.read(), answer.reason)

    def close(self) -> None:
        """Hang up; it may be done already."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @staticmethod
    def _stands(connection: HTTPConnection) -> bool:
        """Whether nothing has come since the last answer: all that could come is its end."""
        return connection.sock is not None and not select.select([connection.sock], [], [], 0)[0]


class _Errand:
    """One create."""

    def __init__(self, message: Mapping[str, Any], channel: int, journal: Path) -> None:
        self._message = message
        self._channel = channel
        self._journal = journal

    def run(self, line: Line) -> None:
        """Send it, and answer."""
        message, timeout = self._message, self._message["timeout"]
        request = Request(
            message["method"], message["url"], pairs(message["headers"]), unpack(message["body"])
        )
        try:
            line.connect(request.url, timeout)
        except OSError as error:
            line.close()
            is_late = isinstance(error, TimeoutError)
            self._fail("ConnectTimeout" if is_late else "ConnectError", error, sent=False)
            return
        try:
            with self._said_to_be_late(timeout):
                response = line.exchange(request, timeout + _LATE)
                self._keep(response)
        except (OSError, HTTPException) as error:
            line.close()
            is_end = isinstance(error, (HTTPException, ConnectionResetError))
            self._fail("RemoteProtocolError" if is_end else "ReadError", error, sent=True)
            return
        self._say(
            status=response.status,
            headers=response.headers,
            body=pack(response.body),
            reason=response.reason,
        )

    @contextmanager
    def _said_to_be_late(self, seconds: float) -> Generator[None]:
        """Tell the owner when the time is up, and go on waiting."""

        def say(*_: object) -> None:
            reason = f"no answer came within {seconds:g} s"
            self._say(kind="ReadTimeout", error=reason, sent=True, more=True)

        signal.signal(signal.SIGALRM, say)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _keep(self, response: Response) -> None:
        opened = wire.read_opened(wire.read_answer(response))
        if opened is None or opened.token is None:
            return
        key, base_url = self._message["key"], self._message["base_url"]
        with suppress(OSError):  # a full disk must not keep the answer from its owner
            keep_token(self._journal, OpenSession(key, opened.session_id, base_url, opened.token))

    def _fail(self, kind: str, error: Exception, *, sent: bool) -> None:
        self._say(kind=kind, error=f"{type(error).__name__}: {error}", sent=sent)

    def _say(self, **answer: object) -> None:
        with suppress(OSError):  # the owner has died: what is written down is what counts
            write_frame(self._channel, json.dumps({"key": self._message["key"], **answer}).encode())
