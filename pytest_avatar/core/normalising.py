"""Texts and JSON of a cassette, without what differs from run to run.

In answers: dates by shape (ISO 8601) and numbers of seconds or milliseconds by key, UUIDs and 32
hexadecimal digits by shape, request ids by key. In both directions: known ids and tokens by
value, secrets by value, shape and key, and the base URL.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from typing import TYPE_CHECKING, Any, Final

from pytest_avatar.core import wire
from pytest_avatar.core.http import BaseUrl
from pytest_avatar.core.placeholders import (
    DATE,
    EPOCH_SECONDS,
    hex_placeholder,
    is_placeholder,
    uuid_placeholder,
    whep_url_placeholder,
)
from pytest_avatar.core.redaction import hide_under_key
from pytest_avatar.core.spellings import Replacer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pytest_avatar.core.redaction import Secrets

__all__ = ["DEFAULT_BASE", "PLACEHOLDERS", "Names", "Normaliser", "rebase", "volatile"]

DEFAULT_BASE: Final = BaseUrl(wire.DEFAULT_BASE_URL)
"""The base URL of every cassette, whatever service recorded it."""

_GZIP: Final = b"\x1f\x8b"

_UUID: Final = re.compile(
    r"(?<![0-9A-Za-z])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9A-Za-z])", re.IGNORECASE
)
_HEX: Final = re.compile(r"(?<![0-9A-Za-z])[0-9a-f]{32}(?![0-9A-Za-z])", re.IGNORECASE)
_ISO: Final = re.compile(
    r"\b\d{4}-\d\d-\d\d([T ])\d\d:\d\d(:\d\d)?([.,]\d+)?(Z|[+-]\d\d:?\d\d)?(?![0-9])"
)
_TIME_KEY: Final = re.compile(
    r"(?:^|_)(?:at|date|exp|expires|expiry|iat|nbf|time|timestamp|ts|created|updated)$"
    r"|(?:At|Date|Expiry|Time|Timestamp|Expires)(?:Ms)?$",
)
_REQUEST_ID_KEY: Final = re.compile(r"(?:request|trace|correlation)_?id", re.IGNORECASE)


class Names:
    """What stands for each id and token that differs from run to run."""

    def __init__(self) -> None:
        self._replacer = Replacer()
        self._whole: dict[str, str] = {}

    def add(self, value: str, placeholder: str) -> None:
        """Have `placeholder` stand for `value`; the first word on a value counts."""
        self._whole.setdefault(value, placeholder)
        self._replacer.add(value, placeholder)

    def __contains__(self, value: object) -> bool:
        return value in self._whole

    def __call__(self, text: str) -> str:
        """Return a text with what stands for each known value.

        A value too short to be told from a part of a word counts only if it is the whole text.
        """
        return self._whole.get(text) or self._replacer(text)


class Normaliser:
    """Makes the texts of one cassette independent of the run that recorded them.

    Args:
        names: What stands for ids and tokens.
        secrets: What must not be written.
        base: The base URL of the run.
    """

    def __init__(self, names: Names, secrets: Secrets, base: BaseUrl) -> None:
        self._names = names
        self._secrets = secrets
        self._base = base

    def text(self, text: str) -> str:
        """Return any text, without ids, tokens, secrets and the base URL of the run."""
        return self._secrets.scrub(rebase(self._names(text), self._base, DEFAULT_BASE))

    def answer_text(self, text: str) -> str:
        """Return a text of an answer, without dates either."""
        return _ISO.sub(_fixed_date, self.text(text))

    def body(self, body: bytes, rewrite: Callable[[str], str]) -> bytes:
        """Return a body with every text in it rewritten.

        A body in which nothing changes keeps its very bytes. What is neither text nor gzip is
        kept as it is.
        """
        if body.startswith(_GZIP):
            return self._gzip(body, rewrite)
        try:
            text = body.decode("utf-8")
        except UnicodeDecodeError:
            return body
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            return rewrite(text).encode("utf-8", "surrogatepass")
        fresh = self._value("", data, rewrite)
        if fresh == data:
            return body
        return json.dumps(fresh, ensure_ascii=False, separators=(",", ":")).encode(
            "utf-8", "surrogatepass"
        )

    def _gzip(self, body: bytes, rewrite: Callable[[str], str]) -> bytes:
        try:
            content = gzip.decompress(body)
        except (OSError, EOFError, zlib.error):
            return body
        return gzip.compress(self.body(content, rewrite), mtime=0)

    def _value(self, key: str, value: Any, rewrite: Callable[[str], str]) -> Any:  # noqa: ANN401 - JSON data
        if isinstance(value, dict):
            turn = _is_turn_server(value)
            return {
                rewrite(name): f"turn-{name}"
                if turn and name in _TURN_KEYS and isinstance(inner, str)
                else self._value(name, inner, rewrite)
                for name, inner in value.items()
            }
        if isinstance(value, list):
            return [self._value(key, inner, rewrite) for inner in value]
        if isinstance(value, str):
            return self._string(key, value, rewrite)
        return _fixed_time(key, value)

    def _string(self, key: str, value: str, rewrite: Callable[[str], str]) -> str:
        if _REQUEST_ID_KEY.fullmatch(key):
            return "request-id"
        return hide_under_key(key, rewrite(value))


_TURN_KEYS: Final = ("username", "credential")


def _is_turn_server(value: Mapping[str, Any]) -> bool:
    return "credential" in value and ("url" in value or "urls" in value or "username" in value)


def volatile(body: bytes) -> Iterator[tuple[str, str]]:
    """Yield kind and value of what an answer holds that differs from run to run, in its order."""
    text = body.decode("utf-8", "replace")
    found = [(match.start(), "uuid", match[0]) for match in _UUID.finditer(text)]
    found += [(match.start(), "hex", match[0]) for match in _HEX.finditer(text)]
    found += [(match.start(), "whep", _unquoted(match[1])) for match in _WHEP.finditer(text)]
    for _, kind, value in sorted(found):
        if not is_placeholder(value):
            yield kind, value


_WHEP: Final = re.compile(r'"whepUrl"\s*:\s*("(?:[^"\\]|\\.)*")')


def _unquoted(text: str) -> str:
    try:
        return str(json.loads(text))
    except ValueError:
        return text[1:-1]


PLACEHOLDERS: Final[Mapping[str, Callable[[int], str]]] = {
    "uuid": uuid_placeholder,
    "hex": hex_placeholder,
    "whep": whep_url_placeholder,
}
"""What stands for the nth value of each kind that `volatile` finds."""


def rebase(text: str, old: BaseUrl, new: BaseUrl) -> str:
    """Return a text in which one base URL and its address are another's."""
    if old == new or old.host not in text:
        return text
    text = text.replace(str(old), str(new))
    return text.replace(_address(old), _address(new))


def _address(base: BaseUrl) -> str:
    return str(base).removeprefix(f"{base.scheme}://").removesuffix(base.path)


def _fixed_date(match: re.Match[str]) -> str:
    separator, seconds, fraction, zone = match.groups()
    time = "00:00" + (":00" if seconds else "") + (".000" if fraction else "")
    return f"{DATE}{separator}{time}{zone or ''}"


def _fixed_time(key: str, value: Any) -> Any:  # noqa: ANN401 - JSON data
    if isinstance(value, bool) or not isinstance(value, int | float) or not _TIME_KEY.search(key):
        return value
    if value >= 1e11:
        return type(value)(EPOCH_SECONDS * 1000)
    return type(value)(EPOCH_SECONDS) if value >= 1e9 else value
