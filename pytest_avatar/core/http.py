"""HTTP as values: requests, answers, and the address that decides which of them are ours.

Here and elsewhere, a value that is made for every request is a named tuple: that takes less than
half as long as a frozen dataclass.
"""

from __future__ import annotations

import ipaddress
import re
from functools import cached_property
from typing import Final, NamedTuple
from urllib.parse import SplitResult, urlsplit

__all__ = ["BaseUrl", "Headers", "Request", "Response", "header"]

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}

_AFTER_THE_BASE: Final = ("", "/", "?", "#")

_AS_SENT: Final = re.compile(r"[!#-;=?-\[\]_a-z~]*")
"""What clients send as it is. All else they escape, each in its own way."""

Headers = tuple[tuple[str, str], ...]


class Request(NamedTuple):
    """One HTTP request, whole, whichever client sends it."""

    method: str
    url: str
    headers: Headers
    body: bytes = b""


class Response(NamedTuple):
    """One HTTP answer, whole; `body` is decoded (no gzip, no chunks)."""

    status: int
    headers: Headers
    body: bytes = b""
    reason: str = ""


def header(headers: Headers, name: str) -> str | None:
    """Return the first header of that name, whatever its case; `None` if there is none."""
    wanted, length = name.lower(), len(name)
    for key, value in headers:
        if len(key) == length and key.lower() == wanted:
            return value
    return None


class BaseUrl:
    """The address under which all operations live.

    Args:
        url: An absolute http or https URL in ASCII, without query, fragment or user.

    Raises:
        ValueError: The URL is not of that form; the text says what it does or lacks.
    """

    def __init__(self, url: str) -> None:
        parts = _split(url.strip())
        self.scheme: Final = parts.scheme
        self.host: Final = _host(parts)
        self.port: Final = _port(parts)
        self.path: Final = parts.path.rstrip("/")
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _DEFAULT_PORTS[self.scheme] else f":{self.port}"
        self.origin: Final = f"{self.scheme}://{host}{port}"
        self._text: Final = f"{self.origin}{self.path}"

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"BaseUrl({self._text!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BaseUrl) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    @cached_property
    def is_loopback(self) -> bool:
        """Whether the host is this machine."""
        if self.host == "localhost" or self.host.endswith(".localhost"):
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def tail(self, url: str) -> str | None:
        """Return the path of a URL after the base, without its query; `None` for other places.

        The base owns what stands below it at a `/` boundary, so `…/avatar-session-2` is elsewhere.
        """
        if not url.startswith(self._text):
            return self._tail_of_other_spelling(url)
        rest = url[len(self._text) :]
        if rest[:1] not in _AFTER_THE_BASE:
            return self._tail_of_other_spelling(url)
        return rest.partition("#")[0].partition("?")[0] if "?" in rest or "#" in rest else rest

    def _tail_of_other_spelling(self, url: str) -> str | None:
        """Cut off the base where a client spells it with a default port or in capitals."""
        if self.host not in url.lower():
            return None
        try:
            parts = urlsplit(url)
            address = (parts.scheme, _host(parts), _port(parts))
        except ValueError:
            return None
        if address != (self.scheme, self.host, self.port) or not parts.path.startswith(self.path):
            return None
        tail = parts.path[len(self.path) :]
        return tail if tail[:1] in ("", "/") else None


def _split(url: str) -> SplitResult:
    if not _AS_SENT.fullmatch(url):
        raise ValueError("holds white space or another character that a URL has to escape")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError("is no URL") from None
    if parts.scheme not in _DEFAULT_PORTS:
        raise ValueError("does not begin with https:// or http://")
    if not _host(parts):
        raise ValueError("names no host")
    if parts.username is not None or parts.password is not None:
        raise ValueError("holds a user or a password")
    if parts.query or parts.fragment:
        raise ValueError("has a query or a fragment")
    return parts


def _host(parts: SplitResult) -> str:
    """Return the host in one spelling: a dot at the end makes no other host of it."""
    return (parts.hostname or "").rstrip(".")


def _port(parts: SplitResult) -> int:
    try:
        port = _DEFAULT_PORTS[parts.scheme] if parts.port is None else parts.port
    except (KeyError, ValueError):
        port = 0
    if not port:
        raise ValueError("has a port that is no number from 1 to 65535")
    return port
