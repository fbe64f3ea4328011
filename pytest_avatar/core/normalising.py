"""Texts and JSON of a cassette, without what differs from run to run.

In answers: dates by shape (ISO 8601) and numbers of seconds or milliseconds by key, UUIDs and 32
hexadecimal digits by shape, request ids by key. In both directions: known ids and tokens by
value, secrets by value, shape and key, and the base URL.
"""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from typing import TYPE_CHECKING, Any, Final, NamedTuple

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

__all__ = [
    "DEFAULT_BASE",
    "PLACEHOLDERS",
    "Names",
    "Normaliser",
    "dump_json",
    "rebase",
    "secret_values",
    "volatile",
]

DEFAULT_BASE: Final = BaseUrl(wire.DEFAULT_BASE_URL)
"""The base URL of every cassette, whatever service recorded it."""

_GZIP: Final = b"\x1f\x8b"

# The patterns are left as text, which `re` compiles once when it is needed: a replay needs none, as
# long as code under test sends what was recorded.
_UUID: Final = r"(?i)(?<![0-9A-Za-z])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9A-Za-z])"
_HEX: Final = r"(?i)(?<![0-9A-Za-z])[0-9a-f]{32}(?![0-9A-Za-z])"
_ISO: Final = r"\b\d{4}-\d\d-\d\d([T ])\d\d:\d\d(:\d\d)?([.,]\d+)?(Z|[+-]\d\d:?\d\d)?(?![0-9])"
_TIME_KEY: Final = (
    r"(?:^|_)(?:at|date|exp|expires|expiry|iat|nbf|time|timestamp|ts|created|updated)$"
    r"|(?:At|Date|Expiry|Time|Timestamp|Expires)(?:Ms)?$"
)
_REQUEST_ID_KEY: Final = r"(?i)(?:request|trace|correlation)_?id"
_WHEP: Final = r'"whepUrl"\s*:\s*("(?:[^"\\]|\\.)*")'
_TURN: Final = r'"(username|credential)"\s*:\s*("(?:[^"\\]|\\.)*")'


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

    def whole(self, text: str) -> str:
        """Return what stands for a known value, and any other text as it is."""
        return self._whole.get(text, text)

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
        text = rebase(self._names(text), self._base, DEFAULT_BASE)
        return self._secrets.scrub(re.sub(_HEX, _digest_of_hex, text))

    def answer_text(self, text: str) -> str:
        """Return a text of an answer, without dates either."""
        return re.sub(_ISO, _fixed_date, self.text(text))

    def request_body(self, body: bytes) -> bytes:
        """Return the body of a request with every text in it rewritten; see `answer_body`."""
        return _BodyRewriter(self.text, is_answer=False).body(body)

    def answer_body(self, body: bytes, rewrite: Callable[[str], str]) -> bytes:
        """Return the body of an answer with every text, time and request id in it rewritten.

        A body in which nothing changes keeps its very bytes. What is neither text nor gzip is
        kept as it is.

        Args:
            body: The body.
            rewrite: `answer_text`, or what does more than that.
        """
        return _BodyRewriter(rewrite, is_answer=True).body(body)


class _BodyRewriter(NamedTuple):
    """Rewrites what a body holds.

    Attributes:
        text: Rewrites one text.
        is_answer: Whether times, request ids and TURN credentials are rewritten too.
    """

    text: Callable[[str], str]
    is_answer: bool

    def body(self, body: bytes) -> bytes:
        if body.startswith(_GZIP):
            return self._gzip(body)
        try:
            text = body.decode("utf-8")
        except UnicodeDecodeError:
            return body
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            return self.text(text).encode()
        fresh = self._value("", data)
        return body if fresh == data else dump_json(fresh)

    def _gzip(self, body: bytes) -> bytes:
        import gzip  # noqa: PLC0415 - few bodies are

        try:
            content = gzip.decompress(body)
        except (OSError, EOFError, zlib.error):
            return body
        return gzip.compress(self.body(content), mtime=0)

    def _value(self, key: str, value: Any) -> Any:  # noqa: ANN401 - JSON data
        if isinstance(value, dict):
            return self._object(value)
        if isinstance(value, list):
            return [self._value(key, inner) for inner in value]
        if isinstance(value, str):
            return self._string(key, value)
        return _fixed_time(key, value) if self.is_answer else value

    def _object(self, data: dict[str, Any]) -> dict[str, Any]:
        fresh = {self.text(key): self._value(key, value) for key, value in data.items()}
        if self.is_answer and _is_turn_server(data):
            fresh |= {key: f"turn-{key}" for key in _TURN_KEYS if isinstance(data.get(key), str)}
        return fresh

    def _string(self, key: str, value: str) -> str:
        if self.is_answer and re.fullmatch(_REQUEST_ID_KEY, key):
            return "request-id"
        return hide_under_key(key, self.text(value))


def dump_json(data: Any) -> bytes:  # noqa: ANN401 - JSON data
    """Return JSON without blanks, as UTF-8; with escapes if it holds half a character."""
    try:
        return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return json.dumps(data, separators=(",", ":")).encode()


_TURN_KEYS: Final = ("username", "credential")


def _is_turn_server(value: Mapping[str, Any]) -> bool:
    return "credential" in value and ("url" in value or "urls" in value or "username" in value)


def volatile(body: bytes) -> Iterator[tuple[str, str]]:
    """Yield kind and value of what in a body may differ from run to run, in its order."""
    text = body.decode("utf-8", "replace")
    found = [(match.start(), "uuid", match[0]) for match in re.finditer(_UUID, text)]
    found += [(match.start(), "hex", match[0]) for match in re.finditer(_HEX, text)]
    found += [(match.start(), "whep", _unquoted(match[1])) for match in re.finditer(_WHEP, text)]
    for _, kind, value in sorted(found):
        if not is_placeholder(value):
            yield kind, value


def secret_values(body: bytes) -> Iterator[tuple[str, str]]:
    """Yield name and value of what an answer gives that is secret wherever else it stands.

    TURN credentials are only if they are no ordinary words: some are `kaltura` and `avatar`.
    """
    text = body.decode("utf-8", "replace")
    yield from (("whep-url", _unquoted(match[1])) for match in re.finditer(_WHEP, text))
    if '"credential"' in text:
        for match in re.finditer(_TURN, text):
            if not (value := _unquoted(match[2])).isalpha():
                yield f"turn-{match[1]}", value


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


def _digest_of_hex(match: re.Match[str]) -> str:
    """Return 32 other hexadecimal digits, the same ones for the same: it may be an admin secret."""
    if is_placeholder(match[0]):
        return match[0]
    return hex_placeholder(int.from_bytes(hashlib.sha256(match[0].encode()).digest()[:6]))


def _fixed_date(match: re.Match[str]) -> str:
    separator, seconds, fraction, zone = match.groups()
    time = "00:00" + (":00" if seconds else "") + (".000" if fraction else "")
    return f"{DATE}{separator}{time}{zone or ''}"


def _fixed_time(key: str, value: Any) -> Any:  # noqa: ANN401 - JSON data
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not re.search(_TIME_KEY, key)
    ):
        return value
    if value >= 1e11:
        return type(value)(EPOCH_SECONDS * 1000)
    return type(value)(EPOCH_SECONDS) if value >= 1e9 else value
