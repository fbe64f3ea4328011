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
from pytest_avatar.core.report import FAILURES, FINDINGS
from pytest_avatar.core.summary import (
    advice,
    cost_text,
    group_text,
    totals_table,
    verdict_line,
)
from pytest_avatar.core.text import clock, count, duration, moment, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_avatar.core.events import Opener
    from pytest_avatar.core.report import Group, Report, SessionFacts

__all__ = ["write"]

_MOST_GROUPS: Final = 50
_MOST_IN_GROUP: Final = 20
_MOST_SESSIONS: Final = 500
_MOST_TRIES: Final = 5

_INK: Final = "#1f2933"
_LINE: Final = "#d5dbe0"
_QUIET: Final = "#5f6b73"
_FONT: Final = 'font-family="system-ui, sans-serif"'

_BREAKS: Final = re.compile(r"([/_.=-]|:(?!\d)|[^\s/_.=-]{12})")
"""Where a long name may go on in the next line."""


def write(report: Report) -> Iterator[str]:
    """Yield the report as an HTML page, whole: it is bounded."""
    yield f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light">
<title>{escape(verdict_line(report))}</title>
</head>
<body>
<main>
{_banner(report)}
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


def _banner(report: Report) -> str:
    """Say in large letters what matters most; whoever cannot see it hears the whole verdict."""
    numbers = _numbers(report)
    worst = [one for one in FAILURES if numbers[one]] or [one for one in FINDINGS if numbers[one]]
    large = ", ".join(f"{numbers[one]:,} {one}" for one in worst) or "All ended"
    sessions = count(len(report.sessions), "session")
    small = "; ".join(filter(None, [f"{'of ' if worst else ''}{sessions}", cost_text(report)]))
    fill = COLOURS[worst[0] if worst else Verdict.CLEAN]
    return (
        f'<h1><svg role="img" aria-label="{escape(verdict_line(report))}" width="100%" '
        f'height="92" {_FONT} fill="#ffffff"><rect width="100%" height="92" rx="10" '
        f'fill="{fill}"/><text x="20" y="42" font-size="27" font-weight="bold">{large}</text>'
        f'<text x="20" y="70" font-size="15" font-weight="normal">{small}</text></svg></h1>'
    )


def _numbers(report: Report) -> dict[Verdict, int]:
    numbers = {verdict: report.totals.found(verdict) for verdict in FINDINGS}
    return {**numbers, Verdict.CLEAN: len(report.sessions) - sum(numbers.values())}


def _tiles(report: Report) -> str:
    return "\n".join(_tile(verdict, number) for verdict, number in _numbers(report).items())


def _tile(verdict: Verdict, number: int) -> str:
    fill = COLOURS[verdict] if number else _QUIET
    return (
        f'<svg role="img" aria-label="{number} {verdict}" width="104" height="68" '
        f'{_FONT} text-anchor="middle"><rect x="1" y="1" width="98" height="62" rx="8" '
        f'fill="#ffffff" stroke="{fill if number else _LINE}"/>'
        f'<text x="50" y="33" font-size="24" font-weight="bold" fill="{fill}">{number:,}</text>'
        f'<text x="50" y="52" font-size="14" fill="{fill}">{verdict}</text></svg>'
    )


def _findings(report: Report) -> str:
    groups = [_group(group) for group in report.groups[:_MOST_GROUPS]]
    hints = [*map(_advised, advice(report)), *map(_text, report.warnings)]
    more = _more(len(report.groups) - _MOST_GROUPS, "group")
    todo = f"<ul>{''.join(f'<li>{hint}</li>' for hint in hints)}</ul>" if hints else ""
    return _section("What was found", "\n".join([*groups, more, todo])) if groups or hints else ""


def _advised(advice: str) -> str:
    """Return a piece of advice, in which what stands between backticks is to be typed."""
    pieces = enumerate(advice.split("`"))
    return "".join(f"<b>{_text(text)}</b>" if odd % 2 else _text(text) for odd, text in pieces)


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
    calls = ", ".join(f"{times:,} {name}" for name, times in session.calls.items())
    lives = "" if seconds is None else f"after {duration(seconds)}"
    opened = [opener.owner, _whereabouts(opener), f"at {clock(session.created_at)}"]
    return (
        f"{_dot(session.verdict)} {_lines([session.verdict, session.name, calls])}",
        _lines(opened),
        _lines([session.outcome, lives, *_tries(session)]),
    )


def _whereabouts(opener: Opener) -> str:
    """Return what is known of the opener besides its scope."""
    parts = [opener.phase, opener.place, opener.client, opener.process, opener.worker]
    return ", ".join(filter(None, parts))


def _tries(session: SessionFacts) -> Iterator[str]:
    """Yield every try to end a session that did not end at the first."""
    tries = session.end_attempts if len(session.end_attempts) > 1 else ()
    for one in tries[:_MOST_TRIES]:
        answer = one.reason or one.ending if one.status is None else f"{one.status} {one.ending}"
        yield f"{clock(one.at)} {one.actor}: {answer}"
    if len(tries) > _MOST_TRIES:
        yield f"and {count(len(tries) - _MOST_TRIES, 'more attempt')}"


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
    return f"""<section>
<h2><svg role="img" aria-label="{title}" width="100%" height="34" {_FONT}>\
<text y="22" font-size="20" font-weight="bold" fill="{_INK}">{title}</text>\
<rect y="32" width="100%" height="1" fill="{_LINE}"/></svg></h2>
{content}
</section>"""


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


def _lines(texts: Iterable[str]) -> str:
    return "<br>".join(map(_text, filter(None, texts)))


def _texts(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(map(_text, texts))


def _text(text: str) -> str:
    """Return a text that stays text, isolated from the direction around it, free to be broken."""
    parts = _BREAKS.split(printable(text))
    return f'<samp dir="auto">{"<wbr>".join(map(escape, filter(None, parts)))}</samp>'
