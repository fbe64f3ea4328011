"""HTTP/1.1 in the few lines that creates take.

`http.client` would do, but to load it with all that it needs takes five times as long as Python
takes to start, and every live run would wait for it.
"""

from __future__ import annotations

import select

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable
    from typing import Any
else:  # the module `socket` imports `enum` and `selectors`, which takes as long as Python's start
    import _socket as socket

__all__ = ["Address", "Answer", "BrokenAnswerError", "Line", "read_answer"]

Address = tuple[str, str, int]
"""Scheme, host and port."""

Answer = tuple[int, str, list[tuple[str, str]], bytes]
"""Status, reason, headers and body: chunks are put together, nothing else is decoded."""

_MOST_BYTES_AT_ONCE = 65536
_LONGEST_LINE = 65536
_MOST_HEADERS = 100
_WITHOUT_BODY = (204, 304)


class BrokenAnswerError(ConnectionError):
    """What came is no whole answer."""


class Line:
    """The connection to the service, kept between creates.

    Args:
        ca_file: The authorities to trust; `None` trusts the system's.
    """

    def __init__(self, ca_file: str | None) -> None:
        self._ca_file = ca_file
        self._tls: ssl.SSLContext | None = None
        self._address: Address | None = None
        self._socket: socket.socket | None = None

    def prepare(self) -> ssl.SSLContext:
        """Load the authorities, unless it is done already."""
        if self._tls is None:
            import ssl  # noqa: PLC0415 - a service on this machine needs none

            self._tls = ssl.create_default_context(cafile=self._ca_file)
            self._tls.set_alpn_protocols(["http/1.1"])
        return self._tls

    def connect(self, address: Address, timeout: float) -> None:
        """See to it that there is a connection: that of last time if it still stands.

        Args:
            address: Where to.
            timeout: Longest wait, s.

        Raises:
            OSError: There is none.
        """
        if self._address == address and self._stands():
            return
        self.close()
        scheme, host, port = address
        connection = _connected(host, port, timeout)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if scheme == "https":
                connection = self.prepare().wrap_socket(connection, server_hostname=host)
        except BaseException:
            connection.close()
            raise
        self._address, self._socket = address, connection

    def send(self, request: bytes, timeout: float) -> None:
        """Send a request.

        Raises:
            OSError: Not all of it could be sent.
        """
        assert self._socket is not None
        self._socket.settimeout(timeout)
        self._socket.sendall(request)

    def receive(self, timeout: float) -> bytes:
        """Wait for the next piece of an answer; it is empty if none will come.

        Raises:
            TimeoutError: It did not come in time.
            OSError: It will not come.
        """
        assert self._socket is not None
        self._socket.settimeout(max(0.001, timeout))
        return self._socket.recv(_MOST_BYTES_AT_ONCE)

    def close(self) -> None:
        """Hang up; it may be done already."""
        if self._socket is not None:
            self._socket.close()
            self._address, self._socket = None, None

    def _stands(self) -> bool:
        """Whether nothing has come since the last answer: all that could come is its end."""
        return self._socket is not None and not select.select([self._socket], [], [], 0)[0]


def _connected(host: str, port: int, timeout: float) -> socket.socket:
    """Return a connection to the first address of a host that takes one.

    Raises:
        OSError: None does.
    """
    as_bytes: Any = host.encode("ascii")  # text would load all that foreign names take
    failure = OSError("the host has no address")
    for family, kind, protocol, _, address in socket.getaddrinfo(
        as_bytes, port, 0, socket.SOCK_STREAM
    ):
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(timeout)
            connection.connect(address)
        except OSError as error:
            connection.close()
            failure = error
        else:
            return connection
    raise failure


def read_answer(receive: Callable[[], bytes]) -> tuple[Answer, bool]:
    """Read one answer, to a request that has a body to answer with.

    Args:
        receive: Returns the next piece of it; empty if none will come.

    Returns:
        The answer, and whether the connection is good for another.

    Raises:
        BrokenAnswerError: It is no HTTP, or has no end.
    """
    source = _Source(receive)
    while True:
        protocol, status, reason = _read_status(source.line())
        headers = _read_headers(source)
        if status >= 200:
            break
    found = {name.lower(): value.lower() for name, value in headers}
    length = found.get("content-length", "")
    keeps = protocol != "HTTP/1.0" and "close" not in found.get("connection", "")
    if status in _WITHOUT_BODY:
        body = b""
    elif "chunked" in found.get("transfer-encoding", ""):
        body = _read_chunks(source)
    elif length.isdecimal():
        body = source.exactly(int(length))
    else:
        body, keeps = source.rest(), False
    return (status, reason, headers, body), keeps


class _Source:
    """What has come of an answer and was not read yet."""

    def __init__(self, receive: Callable[[], bytes]) -> None:
        self._receive = receive
        self._data = b""

    def line(self) -> bytes:
        """Return the next line, without its end."""
        while (end := self._data.find(b"\n")) < 0:
            if len(self._data) > _LONGEST_LINE:
                raise BrokenAnswerError("the answer has a line without an end")
            self._go_on()
        return self._cut(end + 1).rstrip(b"\r\n")

    def exactly(self, size: int) -> bytes:
        """Return as many bytes."""
        while len(self._data) < size:
            self._go_on()
        return self._cut(size)

    def rest(self) -> bytes:
        """Return all that comes until the service hangs up."""
        while piece := self._receive():
            self._data += piece
        return self._cut(len(self._data))

    def _go_on(self) -> None:
        piece = self._receive()
        if not piece:
            raise BrokenAnswerError("the service hung up without a whole answer")
        self._data += piece

    def _cut(self, size: int) -> bytes:
        cut, self._data = self._data[:size], self._data[size:]
        return cut


def _read_status(line: bytes) -> tuple[str, int, str]:
    protocol, _, rest = line.decode("latin-1").partition(" ")
    status, _, reason = rest.partition(" ")
    if not protocol.startswith("HTTP/1.") or len(status) != 3 or not status.isdecimal():
        raise BrokenAnswerError("the answer is no HTTP")
    return protocol, int(status), reason.strip()


def _read_headers(source: _Source) -> list[tuple[str, str]]:
    headers: list[tuple[str, str]] = []
    while line := source.line().decode("latin-1"):
        if len(headers) > _MOST_HEADERS:
            raise BrokenAnswerError("the answer has too many headers")
        name, _, value = line.partition(":")
        if line[0] in " \t" and headers:
            name, value = headers[-1][0], f"{headers.pop()[1]} {line.strip()}"
        headers.append((name.strip(), value.strip()))
    return headers


def _read_chunks(source: _Source) -> bytes:
    body = b""
    while True:
        try:
            size = int(source.line().partition(b";")[0], 16)
        except ValueError:
            raise BrokenAnswerError("the answer has a chunk without a size") from None
        if size <= 0:
            _read_headers(source)
            return body
        body += source.exactly(size)
        source.line()
