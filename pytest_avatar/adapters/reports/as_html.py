"""The report as one page that carries everything it needs, and needs neither style nor script.

Jenkins forbids both in what builds publish. Colours and the timeline are SVG with presentation
attributes; everything else is what browsers make of plain HTML.
"""

from __future__ import annotations

import re
from html import escape
from itertools import islice
from typing import TYPE_CHECKING, Final

from pytest_avatar.adapters.reports.timeline import COLOURS, MOST_DRAWN, draw
from pytest_avatar.core.events import Verdict
from pytest_avatar.core.report import FINDINGS
from pytest_avatar.core.summary import advice, group_text, totals_table, verdict_line
from pytest_avatar.core.text import clock, count, duration, moment, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_avatar.core.report import Group, Report, SessionFacts

__all__ = ["write"]

_MOST_GROUPS: Final = 100
_MOST_IN_GROUP: Final = 50
_MOST_SESSIONS: Final = 500

_BREAKS: Final = re.compile(r"([/_.=-]|:(?!\d)|[^\s/_.=-]{12})")
"""Where a long name may go on in the next line."""


def write(report: Report) -> Iterator[str]:
    """Yield the report as an HTML page, whole: it is bounded."""
    verdict = verdict_line(report)
    yield f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light">
<title>{escape(verdict)}</title>
</head>
<body>
<main>
<h1>{_text(verdict)}</h1>
<p>{_tiles(report)}</p>
{_findings(report)}
{_timeline(report)}
{_section("Totals", _table(("Sessions", "Number"), map(_texts, totals_table(report))))}
{_sessions(report)}
{_allowances(report)}
{_run(report)}
</main>
</body>
</html>
"""


def _tiles(report: Report) -> str:
    numbers = {verdict: report.totals.found(verdict) for verdict in FINDINGS}
    numbers[Verdict.CLEAN] = len(report.sessions) - sum(numbers.values())
    return "\n".join(_tile(verdict, number) for verdict, number in numbers.items())


def _tile(verdict: Verdict, number: int) -> str:
    fill = COLOURS[verdict] if number or verdict is Verdict.CLEAN else "#5f6b73"
    return (
        f'<svg role="img" aria-label="{number} {verdict}" width="104" height="68" '
        f'font-family="system-ui, sans-serif" text-anchor="middle">'
        f'<rect width="100" height="64" rx="8" fill="{fill}"/>'
        f'<text x="50" y="33" font-size="26" font-weight="bold" fill="#ffffff">{number:,}</text>'
        f'<text x="50" y="53" font-size="14" fill="#ffffff">{verdict}</text></svg>'
    )


def _findings(report: Report) -> str:
    groups = [_group(group) for group in report.groups[:_MOST_GROUPS]]
    hints = [*advice(report), *report.warnings]
    more = _more(len(report.groups) - _MOST_GROUPS, "group")
    todo = f"<ul>{''.join(f'<li>{_text(hint)}</li>' for hint in hints)}</ul>" if hints else ""
    return _section("What was found", "\n".join([*groups, more, todo])) if groups or hints else ""


def _group(group: Group) -> str:
    title, *texts = group_text(group)
    table = _session_table(group.sessions[:_MOST_IN_GROUP])
    more = _more(len(group.sessions) - _MOST_IN_GROUP, "session")
    return f"""<h3>{_dot(group.verdict)} {_text(title)}</h3>
<p>{"<br>".join(map(_text, texts))}</p>
<details><summary>{_text(count(len(group.sessions), "session"))}</summary>{table}{more}</details>"""


def _timeline(report: Report) -> str:
    picture = draw(report)
    more = _more(len(report.sessions) - MOST_DRAWN, "session")
    legend = " ".join(f"{_dot(verdict)} {_text(verdict)}" for verdict in COLOURS)
    note = _text("Grey bands are tests. Point at anything to see its name.")
    words = f"<p>{legend}<br>{note} {more}</p>"
    return _section("Timeline", f"{picture}\n{words}") if picture else ""


def _sessions(report: Report) -> str:
    if not report.sessions:
        return ""
    table = _session_table(islice(report.worst_first, _MOST_SESSIONS))
    more = _more(len(report.sessions) - _MOST_SESSIONS, "session")
    words = _text(count(len(report.sessions), "session"))
    return _section("Sessions", f"<details><summary>{words}</summary>{table}{more}</details>")


def _session_table(sessions: Iterable[SessionFacts]) -> str:
    head = ("Session", "Opened in", "How it ended")
    return _table(head, (_session_row(session) for session in sessions))


def _session_row(session: SessionFacts) -> tuple[str, ...]:
    opener, seconds = session.opener, session.seconds_open
    life = "" if seconds is None else f"<br>{_text(f'after {duration(seconds)}')}"
    return (
        f"{_dot(session.verdict)} {_text(session.verdict)}<br>{_text(session.name)}",
        f"{_text(opener.test or opener.place)}<br>{_text(f'at {clock(session.created_at)}')}",
        f"{_text(session.outcome)}{life}",
    )


def _allowances(report: Report) -> str:
    rows = [
        (_text(one.place), _text(one.reason), _text(f"{one.uses:,}"))
        for one in report.allowances[:_MOST_GROUPS]
    ]
    table = _table(("May leave sessions open", "Reason", "Used"), rows)
    return _section("Allowances", table) if rows else ""


def _run(report: Report) -> str:
    run = report.run
    status = "not known" if run.exit_status is None else str(run.exit_status)
    facts = {"mode": run.mode, "base URL": run.base_url, "exit status": status, **run.versions}
    times = {"started": moment(run.started_at), "ended": moment(run.ended_at)}
    return _section("Run", _table(("Fact", "Value"), map(_texts, (facts | times).items())))


def _section(title: str, content: str) -> str:
    return f"<section>\n<h2>{_text(title)}</h2>\n{content}\n</section>"


def _table(head: tuple[str, ...], rows: Iterable[Iterable[str]]) -> str:
    titles = "".join(f'<th scope="col">{_text(title)}</th>' for title in head)
    lines = "\n".join(
        f"<tr>{''.join(f'<td>{cell}&nbsp;</td>' for cell in row)}</tr>" for row in rows
    )
    return f"<table>\n<thead><tr>{titles}</tr></thead>\n<tbody>\n{lines}\n</tbody>\n</table>"


def _more(number: int, noun: str) -> str:
    return _text(f"And {count(number, noun)} more.") if number > 0 else ""


def _dot(verdict: Verdict) -> str:
    return (
        '<svg aria-hidden="true" width="12" height="12">'
        f'<circle cx="6" cy="6" r="6" fill="{COLOURS[verdict]}"/></svg>'
    )


def _texts(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(map(_text, texts))


def _text(text: str) -> str:
    """Return a text that stays text, isolated from the direction around it, free to be broken."""
    parts = _BREAKS.split(printable(text))
    return f'<samp dir="auto">{"<wbr>".join(map(escape, filter(None, parts)))}</samp>'
