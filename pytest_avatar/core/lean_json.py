"""JSON for the courier of the watchdog, which begins with hardly a module.

`json` imports `re`, and takes longer to load than all else that the courier needs together. What is
read and written here is what `json` would read and write.
"""

from __future__ import annotations

from _json import encode_basestring_ascii, make_scanner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = ["read_json", "write_texts"]

_SPACE = " \t\n\r"


class _AsUsual:
    """How `json.loads` has its scanner read."""

    strict = True
    array_hook = object_hook = object_pairs_hook = None
    parse_float = parse_constant = float
    parse_int = int


def read_json(data: bytes) -> object:
    """Return what JSON says.

    Raises:
        ValueError: It is none.
        RecursionError: It is nested too deeply.
    """
    try:
        text = data.decode().strip(_SPACE)
        found, end = _scan(text, 0)
        if end == len(text):
            return found
    except (ValueError, StopIteration):
        pass
    import json  # noqa: PLC0415 - it knows of other encodings, and of errors

    return json.loads(data)


def write_texts(texts: Mapping[str, str]) -> bytes:
    """Return texts by name as a JSON object."""
    quoted = encode_basestring_ascii
    members = [f"{quoted(name)}: {quoted(text)}" for name, text in texts.items()]
    return f"{{{', '.join(members)}}}".encode()


_usual: Any = _AsUsual
_scan = make_scanner(_usual)
