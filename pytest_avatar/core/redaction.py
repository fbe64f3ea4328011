"""What is secret, and how to keep it out of everything that leaves the process.

A secret is known by its value (what this run has seen), by its shape (what a KS or a token looks
like) or by its key (what stands under `token`, `credential`, …). Values shorter than
`spellings.SHORTEST` are only known by key and in Authorization headers: a TURN credential can be
an ordinary word.
"""

from __future__ import annotations

import binascii
import re
import zlib
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_to_bytes

from pytest_avatar.core.placeholders import is_placeholder
from pytest_avatar.core.spellings import SHORTEST, Replacer

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SECRET_KEYS", "Secrets", "hide_under_key", "is_secret_key"]

SECRET_KEYS: Final = (
    "token",
    "ks",
    "secret",
    "adminSecret",
    "password",
    "credential",
    "authorization",
    "apiKey",
    "whepUrl",
)
"""JSON keys whose text is secret, whatever its value. Case, `_` and `-` make no difference."""

_NORMAL_KEYS: Final = {key.lower(): key for key in SECRET_KEYS}

_KS_V2: Final = r"()djJ8[A-Za-z0-9_\-+/=]{16,}"
_WORD: Final = r"[A-Za-z0-9_\-]"
_JWT: Final = (
    # Tried once for each run of such characters: a text of `eyJeyJ…` must not take for ever.
    rf"(?<!{_WORD})(?=({_WORD}*?)eyJ){_WORD}*+\.eyJ{_WORD}++\.{_WORD}*+"
)
_OPEN_KS_V1: Final = r"()[0-9a-f]{40}\|[^;|\s]*;[^;|\s]*;[0-9]+;"
_HEX_32: Final = r"()(?<![0-9A-Za-z])(?!0{20})[0-9a-f]{32}(?![0-9A-Za-z])"

# Patterns here are left as text, which `re` compiles once when it is needed: in most runs none is,
# and to compile them all takes longer than a replayed test.

# In each shape, group 1 is what stands before the secret and is none. Before it stands what every
# match has in it: hardly any text has, and to look for that takes far less.
_SHAPES: Final = (("djJ8", _KS_V2, "ks"), (".eyJ", _JWT, "token"))
_RUN: Final = r"[A-Za-z0-9+/_\-]{16,}={0,2}"
_GZIPPED: Final = "H4sI"
"""How base64 of a gzip begins."""

_SHORTEST_KS_V1: Final = 56
"""Characters of base64, padding included, that a KS of version 1 takes at least."""

_BASE64: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
_IN_RUNS: Final = bytes.maketrans(_BASE64, b"x" * len(_BASE64))
_LONG_RUN: Final = b"x" * (_SHORTEST_KS_V1 - len("=="))
_SCANNED: Final = (
    (_KS_V2.encode(), "ks"),
    (_JWT.encode(), "token"),
    (_OPEN_KS_V1.encode(), "ks"),
    (_HEX_32.encode(), "admin secret"),
)
_SCANNED_RUN: Final = rb"[A-Za-z0-9+/_\-]{11,}"

_ANY_KEY: Final = "|".join(re.sub("[A-Z]", r"[_-]?\g<0>", key) for key in SECRET_KEYS)
_KEYED: Final = (
    rf"""(?is)(?P<head>(?P<q>\\?["'])(?P<key>{_ANY_KEY})(?P=q)\s*:\s*(?P<v>\\?["']))"""
    r"""(?P<value>(?:(?!(?P=v))(?:\\.|[^\\])){1,9000})(?P=v)"""
)
_AUTHORIZATION: Final = (
    r"""(?i)(authorization\\?["']?\s*[:=,]\s*[bB]?\\?["']?(?:KS|Bearer)\s+)([^\s"'\\,<>]+)"""
)

_DEEPEST: Final = 4
"""How many encodings inside one another are looked through."""

_LARGEST: Final = 4_000_000
"""Bytes that one gzip is unpacked to, at most."""


def is_secret_key(key: str) -> bool:
    """Whether what stands under a JSON key is secret by that alone."""
    return key.replace("_", "").replace("-", "").lower() in _NORMAL_KEYS


def hide_under_key(key: str, text: str) -> str:
    """Return the text of a JSON key, or what stands for it if the key says that it is secret."""
    if not text or not is_secret_key(key) or is_placeholder(text):
        return text
    return f"<{key.lower()}>"


class Secrets:
    """The secrets that this run has seen, by value; and every shape that a secret can have."""

    def __init__(self) -> None:
        self._replacer = Replacer()
        self._heard: set[str] = set()

    def add(self, value: str, name: str) -> None:
        """Make a secret known. The first word on a value counts: each request brings it again.

        Args:
            value: The secret. Short ones are passed over, and what stands for a secret is none.
            name: What stands in its place, in angle brackets (`ks`, `token`).
        """
        if value in self._heard:
            return
        self._heard.add(value)
        if len(value) >= SHORTEST and not is_placeholder(value):
            self._replacer.add(value, f"<{name}>")

    def scrub(self, text: str) -> str:
        """Return a text without any secret in it; an ordinary text comes back as it is."""
        if len(text) < SHORTEST:  # there is not even room for a key and its value
            return text
        text = self._replacer(text)
        for core, shape, name in _SHAPES:
            if core in text:
                text = re.sub(shape, partial(_scrub_shape, name), text)
        if "author" in text.lower():  # no more of it: `(?i)` takes other letters for an `i`
            text = re.sub(_AUTHORIZATION, r"\1<redacted>", text)
        if '"' in text or "'" in text:
            text = re.sub(_KEYED, _scrub_keyed, text)
        if _GZIPPED in text or _has_long_run(text):
            text = re.sub(_RUN, self._scrub_run, text)
        return text

    def find(self, data: bytes) -> tuple[str, ...]:
        """Return the names of the secrets that stand in some bytes, however encoded; sorted.

        Looked through are URL encoding, JSON escapes, base64 (both alphabets, wherever in a
        group it begins) and gzip, also inside one another.
        """
        known = [
            (spelling.encode("utf-8", "surrogatepass"), word[1:-1])
            for spelling, word in self._replacer.escaped()
        ]
        found: set[str] = set()
        for view in _views(data):
            found.update(name for value, name in known if value in view)
            found.update(
                name
                for shape, name in _SCANNED
                for match in re.finditer(shape, view)
                if not is_placeholder(match[0][len(match[1]) :].decode())
            )
        return tuple(sorted(found))

    def _scrub_run(self, match: re.Match[str]) -> str:
        """Replace a run of base64 that is a KS of version 1, or a gzip with a secret in it."""
        run = match[0]
        if _GZIPPED not in run and len(run) < _SHORTEST_KS_V1:
            return run
        pieces = [view for piece in _decoded(run.encode()) for view in (piece, *_unzipped(piece))]
        if any(re.search(_OPEN_KS_V1.encode(), piece) for piece in pieces):
            return "<ks>"
        if _GZIPPED in run and (found := self.find(run.encode())):
            return f"<{found[0]}>"
        return run


_SCHEMES: Final = frozenset({"bearer", "ks"})
"""What code that puts an Authorization header together shows in a traceback: no secret yet."""


def _scrub_shape(name: str, match: re.Match[str]) -> str:
    before = match[1]
    return match[0] if is_placeholder(match[0][len(before) :]) else f"{before}<{name}>"


def _has_long_run(text: str) -> bool:
    """Whether a run may be a KS of version 1. Takes far less than to look at every run."""
    return _LONG_RUN in text.encode("utf-8", "replace").translate(_IN_RUNS)


def _scrub_keyed(match: re.Match[str]) -> str:
    value = match["value"]
    if value.strip().lower() in _SCHEMES:
        return match[0]
    name = _NORMAL_KEYS[match["key"].replace("_", "").replace("-", "").lower()]
    word = value if is_placeholder(value) else f"<{name}>"
    return f"{match['head']}{word}{match['v']}"


def _views(data: bytes) -> Iterator[bytes]:
    """Yield some bytes as they are and in every decoding, each reading once."""
    seen: set[bytes] = set()
    waiting = [data]
    for _ in range(_DEEPEST):
        waiting = [view for view in dict.fromkeys(waiting) if view not in seen]
        seen.update(waiting)
        yield from waiting
        waiting = [inner for view in waiting for inner in _inner_views(view)]


def _inner_views(view: bytes) -> Iterator[bytes]:
    if b"%" in view:
        yield unquote_to_bytes(view)
        yield unquote_to_bytes(view.replace(b"+", b" "))
    if b"\\" in view:
        yield _unescape(view)
    yield from _unzipped(view)
    runs = re.findall(_SCANNED_RUN, view)
    for offset in range(4):
        pieces = [_decode(run[offset:]) for run in runs]
        yield from (inner for piece in pieces for inner in _unzipped(piece))
        if pieces:
            yield b"\0".join(pieces)


_JSON_ESCAPE: Final = rb'\\(?:u([0-9A-Fa-f]{4})|(["\\/nrt]))'
_JSON_CHARACTERS: Final = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}


def _unescape(view: bytes) -> bytes:
    def character(match: re.Match[bytes]) -> bytes:
        if match[1] is not None:
            return chr(int(match[1], 16)).encode("utf-8", "surrogatepass")
        return _JSON_CHARACTERS.get(match[2], match[2])

    return re.sub(_JSON_ESCAPE, character, view)


def _decoded(run: bytes) -> list[bytes]:
    return [_decode(run[offset:]) for offset in range(4)]


def _decode(run: bytes) -> bytes:
    """Decode base64 of either alphabet without its padding, as far as it goes."""
    run = run.rstrip(b"=").translate(_STANDARD)
    usable = run[: len(run) - (len(run) % 4 == 1)]
    return binascii.a2b_base64(usable + b"=" * (-len(usable) % 4))


_STANDARD: Final = bytes.maketrans(b"-_", b"+/")


def _unzipped(data: bytes) -> Iterator[bytes]:
    start = data.find(b"\x1f\x8b\x08")
    if start < 0:
        return
    try:
        yield zlib.decompressobj(wbits=31).decompress(data[start:], _LARGEST)
    except zlib.error:
        return
