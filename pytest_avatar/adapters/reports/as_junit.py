"""The report as JUnit XML: a test case for each session, the totals as properties."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING, Final

from pytest_avatar.core.events import Verdict
from pytest_avatar.core.report import FAILURES
from pytest_avatar.core.summary import verdict_line
from pytest_avatar.core.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_avatar.core.report import Report, SessionFacts

__all__ = ["write"]

_MARKUP: Final = re.compile("[&<>\"']")
"""What `escape` escapes: it looks for each of them in turn, and hardly any name has one."""


def write(report: Report) -> Iterator[str]:
    """Yield the report as JUnit XML. What is unknown or allowed is a skipped case."""
    begun = datetime.fromtimestamp(report.run.started_at, UTC).isoformat(timespec="seconds")
    numbers = _attributes(
        tests=str(len(report.sessions)),
        failures=str(report.failures),
        errors="0",
        skipped=str(report.totals.unknown + report.totals.allowed),
        time=f"{report.run.ended_at - report.run.started_at:.3f}",
    )
    yield '<?xml version="1.0" encoding="utf-8"?>\n'
    yield f'<testsuites name="pytest-avatar"{numbers}>\n'
    yield f'<testsuite name="avatar sessions" timestamp="{begun}"{numbers}>\n'
    yield "<properties>\n"
    for name, value in _properties(report).items():
        yield f"<property{_attributes(name=name, value=value)}/>\n"
    yield "</properties>\n"
    yield from map(_case, report.sessions)
    yield f"<system-out>{_text(verdict_line(report))}</system-out>\n"
    yield "</testsuite>\n</testsuites>\n"


def _properties(report: Report) -> dict[str, str]:
    facts = {"mode": report.run.mode, "base_url": report.run.base_url}
    numbers = {name: str(round(value, 3)) for name, value in report.totals._asdict().items()}
    warnings = {f"warning_{number}": text for number, text in enumerate(report.warnings, 1)}
    return facts | numbers | warnings


def _case(session: SessionFacts) -> str:
    opener = session.opener
    attributes = _attributes(
        classname=opener.owner,
        name=session.name,
        time=f"{session.seconds_open or 0:.3f}",
        file=opener.file,
        line=None if opener.line is None else str(opener.line),
    )
    if session.verdict is Verdict.CLEAN:
        return f"<testcase{attributes}/>\n"
    message = f"{session.verdict}: opened at {opener.place}; {session.outcome}"
    tag = "failure" if session.verdict in FAILURES else "skipped"
    kind = _attributes(type=session.verdict, message=message)
    content = f"<{tag}{kind}>{_text(session.reason or '')}</{tag}>"
    return f"<testcase{attributes}>{content}</testcase>\n"


def _attributes(**values: str | None) -> str:
    return "".join(
        f' {name}="{_text(value)}"' for name, value in values.items() if value is not None
    )


def _text(text: str) -> str:
    shown = printable(text, 1000)
    return escape(shown) if _MARKUP.search(shown) else shown
