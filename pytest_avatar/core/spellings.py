"""The ways in which one value can be spelt in a text, and how to replace it in all of them."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SHORTEST", "Replacer"]

SHORTEST: Final = 8
"""Shorter values are never looked for inside a text: they could be part of any word."""

_FEW: Final = 200
"""So many spellings are tried one after another in less time than a text is cut into pieces."""

_ESCAPE: Final = re.compile(r"%[0-9A-F]{2}")


class _Needle(NamedTuple):
    """One spelling of a value.

    Attributes:
        text: What to look for.
        placeholder: What to put there.
        before: 1 if the character before it holds bits of the value too (base64), else 0.
        after: The same for the character after it.
    """

    text: str
    placeholder: str
    before: int = 0
    after: int = 0

    def replace(self, text: str) -> str:
        if not self.before and not self.after:
            return text.replace(self.text, self.placeholder)
        borders = (rf"[\w+/-]{{0,{count}}}" for count in (self.before, self.after))
        pattern = re.escape(self.text).join(borders)
        return re.sub(pattern, lambda _match: self.placeholder, text)


class Replacer:
    """Replaces known values, in every spelling, the longest first.

    Looked for are the value itself and its URL-encoded, JSON-escaped and base64 spellings, the
    last at each of the three places where a value can begin in a group, in both alphabets.
    """

    def __init__(self) -> None:
        self._placeholders: dict[str, str] = {}
        self._needles: list[_Needle] = []
        self._by_start: dict[str, list[_Needle]] = defaultdict(list)
        self._included = 0

    def add(self, value: str, placeholder: str) -> None:
        """Have `placeholder` stand for `value`; the first word on a value counts."""
        if len(value) >= SHORTEST:
            self._placeholders.setdefault(value, placeholder)

    def __call__(self, text: str) -> str:
        """Return a text in which no known value is left. Takes time linear in the text."""
        for needle in self._candidates(text):
            if needle.text in text:
                text = needle.replace(text)
        return text

    def escaped(self) -> Iterator[tuple[str, str]]:
        """Yield each known value in each escaped spelling, with what stands for it."""
        for value, placeholder in tuple(self._placeholders.items()):
            for spelling in _escaped(value):
                yield spelling, placeholder

    def _candidates(self, text: str) -> list[_Needle]:
        """Return what may stand in a text, the longest first, without trying many in turn."""
        needles = self._longest_first()
        if len(needles) <= _FEW:
            return needles
        starts = {text[place : place + SHORTEST] for place in range(len(text) - SHORTEST + 1)}
        found = [
            needle for start in starts & self._by_start.keys() for needle in self._by_start[start]
        ]
        return sorted(found, key=_length, reverse=True)

    def _longest_first(self) -> list[_Needle]:
        if self._included != len(self._placeholders):
            known = tuple(self._placeholders.items())
            fresh = [
                needle
                for value, placeholder in known[self._included :]
                for needle in _needles(value, placeholder)
            ]
            for needle in fresh:
                self._by_start[needle.text[:SHORTEST]].append(needle)
            self._needles = sorted([*self._needles, *fresh], key=_length, reverse=True)
            self._included = len(known)
        return self._needles


def _length(needle: _Needle) -> int:
    return len(needle.text)


def _needles(value: str, placeholder: str) -> Iterator[_Needle]:
    for spelling in _escaped(value):
        yield _Needle(spelling, placeholder)
    yield from _in_base64(value.encode("utf-8", "surrogatepass"), placeholder)


def _escaped(value: str) -> dict[str, None]:
    """Return the value and its escaped spellings, each once."""
    raw = value.encode("utf-8", "surrogatepass")
    quoted = [quote(raw, safe=""), quote(raw), quote_plus(raw)]
    quoted += [_ESCAPE.sub(lambda match: match[0].lower(), text) for text in quoted]
    in_json = [json.dumps(value, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)]
    in_json += [text.replace("/", "\\/") for text in in_json]
    return dict.fromkeys([value, *quoted, *in_json])


def _in_base64(raw: bytes, placeholder: str) -> Iterator[_Needle]:
    """Yield what is certain in base64 of any content that holds `raw`."""
    for offset in range(3):
        bits = 8 * (offset + len(raw))
        encoded = b64encode(bytes(offset) + raw).decode()
        core = encoded[-(-8 * offset // 6) : bits // 6]
        before, after = int(offset > 0), int(bits % 6 > 0)
        for text in dict.fromkeys((core, core.translate(_URL_SAFE))):
            yield _Needle(text, placeholder, before, after)


_URL_SAFE: Final = str.maketrans("+/", "-_")
