"""A timeline of sessions over tests and processes, as SVG that needs neither style nor script.

Places and widths are shares of the picture's width, so it fits every screen and its letters keep
their size.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from html import escape
from itertools import islice
from typing import TYPE_CHECKING, Final

from pytest_avatar.core.events import Verdict
from pytest_avatar.core.text import clock, count, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_avatar.core.report import Report, SessionFacts

__all__ = ["COLOURS", "draw"]

COLOURS: Final = {
    Verdict.CLEAN: "#2e7d32",
    Verdict.LEAKED: "#c62828",
    Verdict.LOST: "#6a1b9a",
    Verdict.UNKNOWN: "#8a5300",
    Verdict.ALLOWED: "#1565c0",
}
"""Of verdicts: each has a contrast of at least 4.5 to white."""

MOST_DRAWN: Final = 1_000
"""Sessions in the picture; a run may have many more."""

_MOST_ROWS: Final = 12
_ROW: Final = 12
_LABEL: Final = 22
_AXIS: Final = 24


@dataclass(frozen=True, slots=True)
class _Scale:
    start: float
    seconds: float

    def x(self, at: float) -> float:
        """Return a time as a share of the width, in per cent."""
        return min(max((at - self.start) / self.seconds * 100, 0), 100)

    def span(self, since: float, until: float) -> str:
        """Return where a bar stands and how wide it is; none is too thin to be seen."""
        width = max(self.x(until) - self.x(since), 0.2)
        return f'x="{min(self.x(since), 100 - width):.2f}%" width="{width:.2f}%"'


def draw(report: Report) -> str:
    """Return the timeline of at most 1,000 sessions, findings first; empty if there is none."""
    drawn = sorted(islice(report.worst_first, MOST_DRAWN), key=lambda session: session.created_at)
    if not drawn:
        return ""
    end = max(report.run.ended_at, *(_until(session, 0) for session in drawn))
    start = min(report.run.started_at, drawn[0].created_at)
    scale = _Scale(start, max(end - start, 0.001))
    lanes: dict[str, list[SessionFacts]] = {}
    for session in drawn:
        lanes.setdefault(session.process, []).append(session)
    top, parts = 0, []
    for process in sorted(lanes):
        lane, height = _lane(process, lanes[process], scale, end)
        parts.append(f'<svg y="{top}" width="100%" height="{height}">{lane}</svg>')
        top += height
    parts.append(_axis(top, start, end))
    name = escape(f"Timeline of {count(len(drawn), 'session')}, one band for each process")
    head = (
        f'<svg role="img" aria-label="{name}" width="100%" height="{top + _AXIS}" '
        'font-family="system-ui, sans-serif" font-size="12">'
    )
    return "\n".join([head, *parts, "</svg>"])


def _lane(process: str, sessions: list[SessionFacts], scale: _Scale, end: float) -> tuple[str, int]:
    placed = list(_place(sessions, end))
    rows = max(row for _, row in placed) + 1
    height = _LABEL + rows * _ROW + 6
    label = f'<text x="2" y="15" fill="#333333">{escape(printable(process, 40))}</text>'
    bars = [_bar(session, row, scale, end) for session, row in placed]
    return "\n".join([label, *_tests(sessions, scale, end, height), *bars]), height


def _place(sessions: Iterable[SessionFacts], end: float) -> Iterator[tuple[SessionFacts, int]]:
    """Give each session the lowest row that is free; in a crowd, rows are shared."""
    free = list(range(_MOST_ROWS))
    busy: list[tuple[float, int]] = []
    for session in sessions:
        while busy and (busy[0][0] <= session.created_at or not free):
            heapq.heappush(free, heapq.heappop(busy)[1])
        row = heapq.heappop(free)
        heapq.heappush(busy, (_until(session, end), row))
        yield session, row


def _tests(
    sessions: Iterable[SessionFacts], scale: _Scale, end: float, height: int
) -> Iterator[str]:
    """Shade the time of every second test, from its first session's create to its last end."""
    spans: dict[str, tuple[float, float]] = {}
    for session in sessions:
        test, until = session.opener.test, _until(session, end)
        if test is not None:
            since, latest = spans.get(test, (session.created_at, until))
            spans[test] = since, max(latest, until)
    for number, (test, (since, until)) in enumerate(spans.items()):
        fill = "#eceff1" if number % 2 else "#dfe4e7"
        yield (
            f'<rect {scale.span(since, until)} y="{_LABEL - 2}" height="{height - _LABEL}" '
            f'fill="{fill}"><title>{escape(printable(test))}</title></rect>'
        )


def _bar(session: SessionFacts, row: int, scale: _Scale, end: float) -> str:
    words = f"{session.verdict}: {printable(session.name, 60)}, {printable(session.outcome)}"
    return (
        f"<rect {scale.span(session.created_at, _until(session, end))} "
        f'y="{_LABEL + row * _ROW}" height="{_ROW - 3}" rx="2" '
        f'fill="{COLOURS[session.verdict]}"><title>{escape(words)}</title></rect>'
    )


def _axis(top: int, start: float, end: float) -> str:
    ends = (("0%", "start", start), ("50%", "middle", (start + end) / 2), ("100%", "end", end))
    texts = "".join(
        f'<text x="{x}" y="{top + 18}" text-anchor="{anchor}" fill="#333333">{clock(at)}</text>'
        for x, anchor, at in ends
    )
    return f'<rect y="{top}" width="100%" height="1" fill="#777777"/>{texts}'


def _until(session: SessionFacts, end: float) -> float:
    if session.ended_at is not None:
        return session.ended_at
    return session.created_at if session.opened_at is None else end
