"""The report for programs, as `report.schema.json` describes it: one line for each session."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from pytest_avatar.core.report_data import head_to_dict, session_to_dict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pytest_avatar.core.report import Report, SessionFacts

__all__ = ["write"]

_BATCH: Final = 100
"""Sessions that are encoded in one go: so few that the garbage collector hardly meets them."""


def write(report: Report) -> Iterator[str]:
    """Yield the report as JSON, in ASCII."""
    for name, value in head_to_dict(report).items():
        yield "{\n" if name == "version" else ",\n"
        yield f'"{name}": '
        listed = isinstance(value, list)
        yield from _list(map(json.dumps, value)) if listed else [json.dumps(value, indent=2)]
    yield ',\n"sessions": '
    yield from _list(_lines(report.sessions))
    yield "\n}\n"


def _lines(sessions: Sequence[SessionFacts]) -> Iterator[str]:
    """Yield sessions as lines, many at a time: to call the encoder for each takes a third more."""
    for start in range(0, len(sessions), _BATCH):
        batch = map(session_to_dict, sessions[start : start + _BATCH])
        text = json.dumps(list(batch))[1:-1]
        # Nothing else looks so: a text has its quotes escaped, a part of a session no key.
        yield text.replace('}, {"key": ', '},\n  {"key": ')


def _list(items: Iterable[str]) -> Iterator[str]:
    separator = "[\n"
    for item in items:
        yield f"{separator}  {item}"
        separator = ",\n"
    yield "\n]" if separator == ",\n" else "[]"
