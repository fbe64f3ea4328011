"""JSON for the courier of the watchdog, which begins with hardly a module.

`json` imports `re`, and takes longer to load than all else that the courier needs together. What is
read and written here is what `json` would read and write, by the functions in C that it calls too;
where they are not as expected, by `json` itself.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

__all__ = ["read_json", "write_texts"]

_SPACE = " \t\n\r"


class _AsUsual:
    """How `json.loads` has its scanner read."""

    strict = True
    array_hook = object_hook = object_pairs_hook = None
    parse_float = parse_constant = float
    parse_int = int


try:
    from _json import encode_basestring_ascii, make_scanner

    _usual: Any = _AsUsual
    _scan: Callable[[str, int], tuple[object, int]] = make_scanner(_usual)
except (ImportError, AttributeError, TypeError):
    from json.decoder import JSONDecoder
    from json.encoder import encode_basestring_ascii

    _scan = JSONDecoder().raw_decode


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
