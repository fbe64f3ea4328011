"""Whether the service still answers as it did when a cassette was recorded: status and shape."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_avatar.core.text import json_type

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_avatar.core.wire import Response

__all__ = ["Drift", "compare"]


class Drift(NamedTuple):
    """One difference between an answer and the recorded one.

    Attributes:
        text: What differs; it names fields and types, never values.
        is_failure: Whether code that worked with the recorded answer may not work with this one.
    """

    text: str
    is_failure: bool


def compare(recorded: Response, live: Response) -> Iterator[Drift]:
    """Yield what differs in status and JSON shape; an added field is no failure."""
    if recorded.status != live.status:
        yield Drift(f"status {live.status}, recorded {recorded.status}", is_failure=True)
        return
    yield from _compare_values("", _read(recorded.body), _read(live.body))


def _read(body: bytes) -> Any:  # noqa: ANN401 - JSON data
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return ...


def _compare_values(path: str, recorded: Any, live: Any) -> Iterator[Drift]:  # noqa: ANN401 - JSON data
    name = path or "the body"
    if _type(recorded) != _type(live):
        text = f"{name} is {_type(live)}, recorded as {_type(recorded)}"
        yield Drift(text, is_failure=True)
    elif isinstance(recorded, dict):
        yield from _compare_objects(path, recorded, live)
    elif isinstance(recorded, list) and recorded and live:
        yield from _compare_values(f"{path}[0]", recorded[0], live[0])


def _type(value: object) -> str:
    return "no JSON" if value is ... else f"JSON {json_type(value)}"


def _compare_objects(path: str, recorded: dict[str, Any], live: dict[str, Any]) -> Iterator[Drift]:
    prefix = f"{path}." if path else ""
    for key, value in recorded.items():
        if key in live:
            yield from _compare_values(f"{prefix}{key}", value, live[key])
        else:
            yield Drift(f"{prefix}{key} is gone", is_failure=True)
    for key in live:
        if key not in recorded:
            yield Drift(f"{prefix}{key} is new", is_failure=False)
