"""The report as Markdown, for job summaries and comments: bounded, and inert whatever names say."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Final

from pytest_avatar.core.summary import advice, cost_text, totals_table, verdict_line
from pytest_avatar.core.text import count, duration, moment, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_avatar.core.report import Group, Report, SessionFacts

__all__ = ["write"]

_MOST_GROUPS: Final = 50
_MOST_SESSIONS: Final = 200
_MOST_CHARACTERS: Final = 120

_ACTIVE: Final = re.compile(
    r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|(?<=www)\.|:(?=//)|[^\w /.,:=)\]-]", re.IGNORECASE
)
"""What could mean something to Markdown or HTML, or become a link."""


def write(report: Report) -> Iterator[str]:
    """Yield the report as Markdown, part by part."""
    mark = "❌" if report.failures else "⚠️" if report.groups or report.warnings else "✅"
    parts = [
        f"## {mark} {verdict_line(report)}",
        _cost(report),
        _table(
            ("Verdict", "Sessions", "Opened at", "In", "Open for", "How it ended"),
            (_group_row(group) for group in report.groups[:_MOST_GROUPS]),
        ),
        _more(len(report.groups) - _MOST_GROUPS, "group"),
        _bullets([*advice(report), *map(_escaped, report.warnings)]),
        _table(("Total", ""), totals_table(report)),
        _table(("May leave sessions open", "Reason", "Used"), _allowance_rows(report)),
        _details(report),
        _footer(report),
    ]
    yield from (f"{part}\n\n" for part in parts if part)


def _group_row(group: Group) -> Iterable[str]:
    lives = "" if group.lives is None else duration(group.lives[1])
    return (
        f"**{group.verdict}**",
        f"{len(group.sessions):,}",
        _code(group.place),
        _first(group.owners),
        lives,
        _first(group.outcomes),
    )


def _session_row(session: SessionFacts) -> Iterable[str]:
    seconds = session.seconds_open
    return (
        session.verdict,
        _code(session.name),
        _code(session.opener.owner),
        "" if seconds is None else duration(seconds),
        _escaped(session.outcome),
    )


def _cost(report: Report) -> str:
    cost = cost_text(report)
    return f"Of {count(len(report.sessions), 'session')}, {cost}." if cost else ""


def _allowance_rows(report: Report) -> Iterator[Iterable[str]]:
    for one in islice(report.allowances, _MOST_GROUPS):
        yield _code(one.place), _escaped(one.reason), f"{one.uses:,}"


def _details(report: Report) -> str:
    if not report.sessions:
        return ""
    table = _table(
        ("Verdict", "Session", "Opened in", "Open for", "How it ended"),
        map(_session_row, islice(report.worst_first, _MOST_SESSIONS)),
    )
    more = _more(len(report.sessions) - _MOST_SESSIONS, "session")
    return f"<details><summary>Sessions</summary>\n\n{table}\n\n{more}\n\n</details>"


def _footer(report: Report) -> str:
    run = report.run
    versions = ", ".join(f"{name} {version}" for name, version in run.versions.items())
    place = f"{_code(run.mode)}, {_code(run.base_url)}"
    return f"Mode {place}, {moment(run.ended_at)}, {_escaped(versions)}"


def _first(texts: tuple[str, ...]) -> str:
    more = f" and {len(texts) - 1:,} more" if len(texts) > 1 else ""
    return f"{_code(texts[0])}{more}" if texts else ""


def _more(number: int, noun: str) -> str:
    return f"… and {count(number, noun)} more." if number > 0 else ""


def _table(head: tuple[str, ...], rows: Iterable[Iterable[str]]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in rows]
    if not lines:
        return ""
    return "\n".join([f"| {' | '.join(head)} |", "|---" * len(head) + "|", *lines])


def _bullets(texts: Iterable[str]) -> str:
    return "\n".join(f"- {text}" for text in texts)


def _code(text: str) -> str:
    return f"<code>{_escaped(text)}</code>"


def _escaped(text: str) -> str:
    return _ACTIVE.sub(lambda match: f"&#{ord(match[0])};", printable(text, _MOST_CHARACTERS))
