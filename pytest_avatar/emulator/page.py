"""The page of books: one self-contained HTML page, its verdict first."""

from __future__ import annotations

from datetime import UTC
from html import escape
from typing import TYPE_CHECKING, Final

from pytest_avatar.core.text import count, printable
from pytest_avatar.emulator.books import SpokenText

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from pytest_avatar.emulator.books import Books, SessionRecord, SpokenAudio

__all__ = ["render"]

_MOST_ROWS: Final = 200
"""Rows shown of each table; the newest ones, so that the page stays readable."""

_MOST_CHARACTERS: Final = 1000
"""Characters shown of each text."""

_PAGE: Final = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{verdict} · avatar emulator</title>
<style>
:root {{ color-scheme: light dark; --line: color-mix(in srgb, currentColor 20%, transparent); }}
body {{ font: 1rem/1.5 system-ui, sans-serif; margin: 0; }}
main {{ margin: 2rem auto; max-width: 80rem; padding: 0 1rem; }}
div {{ overflow-x: auto; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; width: 100%; }}
th, td {{ border-bottom: 1px solid var(--line); padding: .4rem 1rem .4rem 0; }}
th, td {{ text-align: left; vertical-align: top; }}
th {{ font-size: .85rem; white-space: nowrap; }}
td {{ max-width: 24rem; min-width: 4rem; overflow-wrap: break-word; }}
</style>
</head>
<body>
<main>
<h1>{verdict}</h1>
<p>{totals}</p>
{tables}
</main>
</body>
</html>
"""


def render(books: Books) -> str:
    """Return the page. Whatever came from outside is escaped."""
    tables = [
        _table("Sessions", _SESSION_HEADS, _session_rows(books.sessions)),
        _table(
            "Refused requests",
            ("Time (UTC)", "Operation", "Session", "Status", "Reason"),
            [
                (_time(one.at), one.operation, one.session_id, one.status, one.reason)
                for one in books.refused
            ],
        ),
        _table(
            "Faults",
            ("Time (UTC)", "Operation", "Session", "Fault"),
            [(_time(one.at), one.operation, one.session_id, one.fault) for one in books.faults],
        ),
    ]
    totals = books.totals
    return _PAGE.format(verdict=_verdict(totals.open), totals=totals, tables="\n".join(tables))


_SESSION_HEADS: Final = (
    "Session", "Avatar", "Voice", "Opened (UTC)", "Ended (UTC)", "Calls", "Spoken",
)  # fmt: skip

_Row = tuple[object, ...]


def _verdict(still_open: int) -> str:
    verb = "is" if still_open == 1 else "are"
    return f"{count(still_open, 'session') if still_open else 'No sessions'} {verb} open"


def _session_rows(sessions: Iterable[SessionRecord]) -> list[_Row]:
    """Return a row for each session, the open ones last: the newest rows are shown first."""
    return [_session_row(one) for one in sorted(sessions, key=lambda one: one.is_open)]


def _session_row(session: SessionRecord) -> _Row:
    ended = _event(session.ended_at, session.ended_by) if session.ended_at else "open"
    calls = ", ".join(f"{times} {name}" for name, times in session.calls.items())
    late = f" ({session.late_calls} after the end)" if session.late_calls else ""
    return (
        session.session_id,
        session.avatar_id,
        session.voice_id,
        _event(session.opened_at, session.opened_by),
        ended,
        calls + late,
        " / ".join(_speech(speech) for speech in session.spoken),
    )


def _event(at: datetime, by: str | None) -> str:
    return f"{_time(at)} by {by}" if by else _time(at)


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _speech(speech: SpokenText | SpokenAudio) -> str:
    if isinstance(speech, SpokenText):
        return speech.text
    return f"[{speech.media_type or 'audio'}, {speech.duration:g} s, {speech.length} bytes]"


def _table(title: str, heads: Sequence[str], rows: Sequence[_Row]) -> str:
    """Return a table, newest row first; nothing if there are no rows."""
    if not rows:
        return ""
    shown = rows[-_MOST_ROWS:][::-1]
    left_out = f"<p>The newest {_MOST_ROWS} of {len(rows):,} are shown.</p>"
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    body = "\n".join(
        "<tr>" + "".join(f"<td>{_cell(value)}</td>" for value in row) + "</tr>" for row in shown
    )
    return (
        f"<h2>{title}</h2>\n{left_out if len(rows) > _MOST_ROWS else ''}"
        f"<div><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table></div>"
    )


def _cell(value: object) -> str:
    return "" if value is None else escape(printable(str(value), _MOST_CHARACTERS))
