"""Answers of http.client: from a socket that is none, and whole ones that can be read once more."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import socket
    from http.client import HTTPResponse, IncompleteRead

__all__ = ["AnswerSocket", "read_whole"]


class AnswerSocket:
    """Holds one answer, as it would come over the network.

    Args:
        wire: The answer, with its status line.
        before: The connection's own socket, which is closed with this one; `None` if it has none.
    """

    def __init__(self, wire: bytes, before: socket.socket | None) -> None:
        self.before = before
        self._wire = wire

    def makefile(self, *_args: object, **_options: object) -> io.BufferedReader:
        """Return the answer as a file, which is all that is ever read from a socket."""
        return _file(self._wire)

    def close(self) -> None:
        """Close the socket in whose place this one stands."""
        if self.before is not None:
            self.before.close()

    def settimeout(self, seconds: float | None) -> None:
        """Nothing here takes time."""

    def shutdown(self, how: int) -> None:
        """Nothing here is waiting."""


def read_whole(response: HTTPResponse) -> tuple[bytes, IncompleteRead | None]:
    """Read an answer to its end, and wind it back so that the client finds it as it came.

    Returns:
        The body without its chunks; and what the client will meet at its end if that came early.
    """
    from http.client import IncompleteRead  # noqa: PLC0415 - nothing is imported to install

    # http.client offers no way to put bytes back, so this uses what urllib3 also relies on.
    state: Any = response
    length, fault = state.length, None
    try:
        body = response.read()
    except IncompleteRead as error:
        body, fault = error.partial, error
    if state.chunked:
        chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
        state.fp, state.chunk_left = _file(chunk + (b"" if fault else b"0\r\n\r\n")), None
    else:
        state.fp, state.length = _file(body), length
    return body, fault


def _file(content: bytes) -> io.BufferedReader:
    return io.BufferedReader(io.BytesIO(content))
