"""HTTP as values: requests, answers, and the address that decides which of them are ours."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final
from urllib.parse import urlsplit

__all__ = ["BaseUrl", "Headers", "Request", "Response", "header"]

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, whole, whichever client sends it."""

    method: str
    url: str
    headers: Headers
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP answer, whole; `body` is decoded (no gzip, no chunks)."""

    status: int
    headers: Headers
    body: bytes = b""
    reason: str = ""


def header(headers: Headers, name: str) -> str | None:
    """Return the first header of that name, whatever its case; `None` if there is none."""
    wanted = name.lower()
    return next((value for key, value in headers if key.lower() == wanted), None)


class BaseUrl:
    """The address under which all operations live.

    Args:
        url: An absolute http or https URL without query, fragment or user.

    Raises:
        ValueError: The URL is not of that form; the text says what is wrong with it.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url.strip())
        if parts.scheme not in ("http", "https"):
            raise ValueError("it does not begin with https:// or http://")
        if not parts.hostname:
            raise ValueError("it names no host")
        if parts.username is not None or parts.password is not None:
            raise ValueError("it holds a user or a password")
        if parts.query or parts.fragment:
            raise ValueError("it has a query or a fragment")
        self.scheme: Final = parts.scheme
        self.host: Final = parts.hostname
        self.port: Final = parts.port or _DEFAULT_PORTS[parts.scheme]
        self.path: Final = parts.path.rstrip("/")
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _DEFAULT_PORTS[self.scheme] else f":{self.port}"
        self._text: Final = f"{self.scheme}://{host}{port}{self.path}"

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
        return (
            self.host == "localhost"
            or self.host.endswith(".localhost")
            or self.host == "::1"
            or (self.host.startswith("127.") and self.host.replace(".", "").isdigit())
        )

    def tail(self, url: str) -> str | None:
        """Return the path of a URL after the base, without its query; `None` for other places.

        The base owns what stands below it at a `/` boundary, so `…/avatar-session-2` is elsewhere.
        """
        if url.startswith(self._text):
            rest = url[len(self._text) :]
        elif self.host in url.lower():
            rest = self._tail_of_other_spelling(url)
        else:
            return None
        if rest and rest[0] not in "/?#":
            return None
        return rest.partition("?")[0].partition("#")[0]

    def _tail_of_other_spelling(self, url: str) -> str:
        """Cut off the base where a client spells it with a default port or in capitals."""
        try:
            parts = urlsplit(url)
            port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
        except ValueError:
            return "not ours"
        same = (parts.scheme, parts.hostname, port) == (self.scheme, self.host, self.port)
        if same and parts.path.startswith(self.path):
            return parts.path[len(self.path) :]
        return "not ours"
