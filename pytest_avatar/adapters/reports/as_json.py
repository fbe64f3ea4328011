"""The report for programs, as `report.schema.json` describes it: one line for each session."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pytest_avatar.core.report_data import head_to_dict, session_to_dict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_avatar.core.report import Report

__all__ = ["write"]


def write(report: Report) -> Iterator[str]:
    """Yield the report as JSON, in ASCII."""
    for name, value in head_to_dict(report).items():
        yield "{\n" if name == "version" else ",\n"
        yield f'"{name}": '
        yield from _list(value) if isinstance(value, list) else [json.dumps(value, indent=2)]
    yield ',\n"sessions": '
    yield from _list(map(session_to_dict, report.sessions))
    yield "\n}\n"


def _list(items: Iterable[Any]) -> Iterator[str]:
    separator = "[\n"
    for item in items:
        yield f"{separator}  {json.dumps(item)}"
        separator = ",\n"
    yield "\n]" if separator == ",\n" else "[]"
