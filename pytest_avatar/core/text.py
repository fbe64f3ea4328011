"""Values as text: names made visible, counts, durations and times, the same everywhere."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

__all__ = [
    "clock",
    "count",
    "decimal",
    "duration",
    "json_type",
    "listed",
    "moment",
    "printable",
    "read_json",
]

_ELLIPSIS = "…"


def printable(text: str, most: int = 200) -> str:
    r"""Return a text on one line, with nothing invisible in it.

    Control characters, line ends, marks that turn the direction of writing and lone surrogates
    become escapes (`\n`, `\u202e`).

    Args:
        text: Any text, also a hostile one.
        most: Characters to keep; a longer text loses its middle.
    """
    if len(text) > most:
        head = (most - 1) // 2
        text = text[:head] + _ELLIPSIS + text[len(text) - (most - 1 - head) :]
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def count(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where it must be."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def listed(texts: list[str]) -> str:
    """Return texts as a list in a sentence: `a, b and c`."""
    return " and ".join(filter(None, [", ".join(texts[:-1]), texts[-1]])) if texts else ""


def decimal(number: float) -> str:
    """Return every digit of a number, without an exponent."""
    return f"{Decimal(repr(number)):f}".removesuffix(".0")


def duration(seconds: float) -> str:
    """Return a length of time in the unit that people would use."""
    if seconds < 10:
        return f"{seconds:.2f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes:,} min {rest} s"


def clock(at: float) -> str:
    """Return the time of day, in UTC, of seconds since the epoch."""
    return f"{datetime.fromtimestamp(at, UTC):%H:%M:%S} UTC"


def moment(at: float) -> str:
    """Return date and time, in UTC, of seconds since the epoch."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"


_decode: Final = json.JSONDecoder().raw_decode


def read_json(body: bytes) -> Any:  # noqa: ANN401 - JSON data
    """Read JSON: UTF-8 without blanks around it at once, and only the rest by the longer way.

    Raises:
        ValueError: It is no JSON.
        RecursionError: It is nested too deeply.
    """
    try:
        text = body.decode("utf-8")
        data, end = _decode(text)
    except ValueError:
        return json.loads(body)
    return data if end == len(text) else json.loads(body)


def json_type(value: object) -> str:
    """Return what JSON calls the type of a value."""
    return _JSON_TYPES.get(type(value), "value")


_JSON_TYPES: Final = {
    dict: "object",
    list: "list",
    str: "string",
    int: "number",
    float: "number",
    bool: "boolean",
    type(None): "null",
}
