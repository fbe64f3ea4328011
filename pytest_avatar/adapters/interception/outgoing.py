"""A request that is written piece by piece through http.client, and when it is whole."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from pytest_avatar.core.http import Headers, Request, header

if TYPE_CHECKING:
    from pytest_avatar.core.interception import Exchange

__all__ = ["Outgoing", "unchunk"]

_END_OF_HEAD: Final = b"\r\n\r\n"
_FOLD: Final = re.compile(rb"\r\n[ \t]+")


class Outgoing:
    """One request on its way through a connection.

    Attributes:
        raw: All that was written so far.
        exchange: What becomes of it; `None` while it is not whole.
    """

    def __init__(self, method: str, url: str) -> None:
        self.raw: Final = bytearray()
        self.exchange: Exchange | None = None
        self._method = method
        self._url = url
        self._headers: Headers | None = None
        self._body_at = 0

    def write(self, data: Any) -> None:  # noqa: ANN401 - whatever `send` of http.client takes
        """Take bytes, a file or an iterable of bytes, and read it to its end."""
        self.raw.extend(_read(data))
        if self._headers is None and _END_OF_HEAD in self.raw:
            head, _, _ = bytes(self.raw).partition(_END_OF_HEAD)
            self._body_at = len(head) + len(_END_OF_HEAD)
            self._headers = _read_headers(head)

    @property
    def has_head(self) -> bool:
        """Whether its headers were written."""
        return self._headers is not None

    @property
    def is_whole(self) -> bool:
        """Whether all was written that the headers announce."""
        if self._headers is None:
            return False
        if self._is_chunked:
            return self.raw.endswith(b"0\r\n\r\n") and unchunk(self._body) is not None
        length = header(self._headers, "content-length") or ""
        return len(self.raw) - self._body_at >= (int(length) if length.isdecimal() else 0)

    def to_request(self) -> Request:
        """Return the request, as far as it was written."""
        body = unchunk(self._body) if self._is_chunked else None
        whole = self._body if body is None else body
        return Request(self._method, self._url, self._headers or (), whole)

    @property
    def _is_chunked(self) -> bool:
        return (header(self._headers or (), "transfer-encoding") or "").lower() == "chunked"

    @property
    def _body(self) -> bytes:
        return bytes(self.raw[self._body_at :])


def unchunk(framed: bytes) -> bytes | None:
    """Return what stands in the chunks of a body; `None` if it is not whole."""
    parts: list[bytes] = []
    at = 0
    while True:
        line, found, _ = framed[at : at + 64].partition(b"\r\n")
        size = line.partition(b";")[0].strip()
        if not found or not re.fullmatch(rb"[0-9A-Fa-f]+", size):
            return None
        start = at + len(line) + 2
        at = start + int(size, 16) + 2
        if at > len(framed):
            return None
        if not int(size, 16):
            return b"".join(parts)
        parts.append(framed[start : at - 2])


def _read(data: Any) -> bytes:  # noqa: ANN401 - see `Outgoing.write`
    if hasattr(data, "read"):
        data = data.read()
        return data.encode("iso-8859-1") if isinstance(data, str) else bytes(data)
    try:
        return bytes(memoryview(data))
    except TypeError:
        return b"".join(data)


def _read_headers(head: bytes) -> Headers:
    lines = _FOLD.sub(b" ", head).decode("latin-1").split("\r\n")[1:]
    pairs = (line.partition(":") for line in lines)
    return tuple((name, value.strip()) for name, _, value in pairs)
