"""What people read: the block at the end of the terminal, and the texts of failures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from pytest_avatar.core.events import Verdict
from pytest_avatar.core.report import FAILURES, FINDINGS, SessionFacts
from pytest_avatar.core.text import clock, count, duration, listed, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_avatar.core.events import Opener
    from pytest_avatar.core.ledger import SessionRecord
    from pytest_avatar.core.report import Group, Report

__all__ = [
    "Line",
    "Summary",
    "advice",
    "assertion_text",
    "cost_text",
    "ends_text",
    "group_text",
    "leak_text",
    "session_text",
    "summarise",
    "totals_table",
    "verdict_line",
    "verdict_text",
]

_ADVICE: Final = {
    Verdict.LEAKED: "end it where it is opened (`with`, or `try` and `finally`), or allow it with "
    "`@pytest.mark.avatar_allow_leaks(reason=…)`",
    Verdict.LOST: "end it with `pytest-avatar reap`; until it is over it may cost money",
    Verdict.UNKNOWN: "nobody can name it, so nobody can end it: it may cost money until the "
    "service ends it",
}
"""What to do about a finding."""

_BILLED: Final = (Verdict.LOST, Verdict.UNKNOWN)
"""What may still cost money, in the modes that cost any."""

_MOST_GROUPS: Final = 4
_MOST_WARNINGS: Final = 3
_MOST_SESSIONS: Final = 20

_COLUMNS: Final = 80
_ROWS: Final = 24
"""Of a small terminal: the block fits it."""


class Line(NamedTuple):
    """A line for the terminal.

    Attributes:
        text: The line, without its end.
        style: `green`, `red`, `yellow` or `none`, as pytest's markup calls them.
    """

    text: str
    style: str = "none"


class Summary(NamedTuple):
    """The block at the end of the terminal.

    Attributes:
        title: What stands between the rules; `None` if the only line needs no title.
        lines: What stands below.
        short: The verdict, on one line.
        listing: The sessions one by one, if they were asked for; the first of the lines.
    """

    title: str | None
    lines: tuple[Line, ...]
    short: str
    listing: tuple[Line, ...] = ()

    @property
    def without_findings(self) -> Summary:
        """The same for a reader who has just been told what was found."""
        return Summary(None, (*self.listing, Line(self.short, "red")), self.short, self.listing)


def summarise(report: Report, *, verbose: int) -> Summary | None:
    """Return what the terminal says of a run; `None` if it neither used nor was refused a session.

    Args:
        report: The run.
        verbose: How often `-v` was given; from 1 on, every session is listed.
    """
    if not report.sessions and not report.run.limited_at:
        return None
    short = verdict_line(report)
    listing = tuple(_session_line(session) for session in report.sessions if verbose > 0)
    if not report.groups and not report.warnings:
        lines = (*listing, Line(short, "green"))
        return Summary("avatar sessions" if listing else None, lines, short, listing)
    return Summary(short, (*listing, *_block(report)), short, listing)


def verdict_line(report: Report) -> str:
    """Return the run's verdict, on one line."""
    if not report.sessions:
        return "avatar: no session was used"
    sessions = count(len(report.sessions), "session")
    numbers = {verdict: report.totals.found(verdict) for verdict in FINDINGS}
    findings = [f"{number:,} {verdict}" for verdict, number in numbers.items() if number]
    if findings:
        return f"avatar: {', '.join(findings)} of {sessions}"
    return f"avatar: {sessions}, all ended ({ends_text(report)})"


def verdict_text(report: Report) -> str:
    """Return the text with which the run fails: what leaked, who opened it and what to do."""
    lines = [
        verdict_line(report),
        "Expected: every session has ended when its scope closes.",
        *(line.text for line in _block(report)),
    ]
    return "\n".join(lines)


def ends_text(report: Report) -> str:
    """Return who ended how many sessions."""
    totals = report.totals
    ends = [
        (totals.ended_by_fixture, "by their fixture"),
        (totals.ended_by_code, "by the code under test"),
        (totals.ended_by_plugin, "by pytest-avatar"),
        (totals.ended_by_watchdog, "by the watchdog"),
        (totals.already_gone, "already gone"),
        (totals.still_open, "never ended"),
    ]
    return ", ".join(f"{number:,} {how}" for number, how in ends if number)


def cost_text(report: Report) -> str:
    """Return whether a session still costs money; empty where none ever does."""
    if not report.run.is_billed:
        return ""
    number = sum(map(report.totals.found, _BILLED))
    return f"{number:,} may still cost money" if number else "none costs money any more"


def totals_table(report: Report) -> list[tuple[str, str]]:
    """Return the totals as rows of words and numbers."""
    totals = report.totals
    numbers = [
        ("opened", totals.created),
        ("ended by the code under test", totals.ended_by_code),
        ("ended by their fixture", totals.ended_by_fixture),
        ("ended by pytest-avatar", totals.ended_by_plugin),
        ("ended by the watchdog", totals.ended_by_watchdog),
        ("already gone", totals.already_gone),
        ("still open", totals.still_open),
        ("leaked", totals.leaked),
        ("lost", totals.lost),
        ("unknown", totals.unknown),
        ("allowed", totals.allowed),
    ]
    rows = [(words, f"{number:,}") for words, number in numbers]
    return [*rows, ("open, added up", duration(totals.seconds_open))]


def advice(report: Report) -> list[str]:
    """Return what to do about what was found, worst first."""
    verdicts = dict.fromkeys(group.verdict for group in report.groups)
    return [
        f"{verdict}: {_ADVICE[verdict]}"
        for verdict in verdicts
        if verdict in _ADVICE and (report.run.is_billed or verdict not in _BILLED)
    ]


def group_text(group: Group) -> list[str]:
    """Return a group in three lines: what and where, in which tests, when and how it ended."""
    first = group.sessions[0]
    names = _some([session.name for session in group.sessions])
    life = "" if group.lives is None else f", open for {_span(*group.lives)}"
    return [
        f"{count(len(group.sessions), 'session')} {group.verdict}, opened {_whence(first.opener)}",
        f"in {_some(group.owners)}",
        f"at {clock(first.created_at)}{life}; {_some(group.outcomes)} ({names})",
    ]


def leak_text(records: Sequence[SessionRecord]) -> str:
    """Return the text with which a test marked `avatar_no_leaks` fails.

    Args:
        records: What was left open, or may be; at least one.
    """
    expected = "every session opened in this test has ended when its fixtures are torn down"
    return _failure_text(records, f"{expected} (avatar_no_leaks).")


def session_text(record: SessionRecord) -> str:
    """Return how a session stands when the test that opened it is over, on one line."""
    session = SessionFacts.of(record)
    if record.is_open and record.judged is None and not record.end_attempts:
        return f"{printable(session.name)}: open when the test was over"
    fate = f"{_life(session)}{printable(session.outcome)}"
    return f"{printable(session.name)}: {session.verdict}, {fate}"


def assertion_text(records: Sequence[SessionRecord], expected: str) -> str:
    """Return the text with which a helper of `avatar_ledger` fails.

    Args:
        records: What was left open, or may be open; at least one.
        expected: What was expected, and by which helper.
    """
    return _failure_text(records, f"{expected}.")


def _failure_text(records: Sequence[SessionRecord], expected: str) -> str:
    sessions = [SessionFacts.of(record) for record in records]
    unknown = [session for session in sessions if session.verdict is Verdict.UNKNOWN]
    known = [session for session in sessions if session not in unknown]
    heads = [
        f"{count(len(some), 'session')} {what}"
        for some, what in ((known, "left open"), (unknown, "may be open"))
        if some
    ]
    return "\n".join(
        [
            ", ".join(heads),
            f"Expected: {expected}",
            "Seen:",
            *_sentences(known),
            *(["Not known, since create got no answer:"] if unknown else []),
            *_sentences(unknown),
            f"What to do: {_ADVICE[Verdict.LEAKED]}.",
        ]
    )


def _sentences(sessions: Sequence[SessionFacts]) -> Iterable[str]:
    yield from (f"  {_sentence(session)}" for session in sessions[:_MOST_SESSIONS])
    more = len(sessions) - _MOST_SESSIONS
    if more > 0:
        yield f"  and {more:,} more"


def _sentence(session: SessionFacts) -> str:
    opener = session.opener
    client = f" with {printable(opener.client)}" if opener.client else ""
    process = f" by {printable(opener.process)}" if opener.process else ""
    test = f", in {opener.phase or 'call'} of {printable(opener.test)}" if opener.test else ""
    return (
        f"{printable(session.name)} opened {_whence(opener)}{client}{process}{test}, "
        f"at {clock(session.created_at)}: {_life(session)}{printable(session.outcome)}"
    )


def _whence(opener: Opener) -> str:
    if opener.fixture is not None:
        return printable(f"by {opener.place}")
    if opener.file is not None:
        return printable(f"at {opener.place}")
    return printable(f"in {opener.test}" if opener.test else opener.place)


def _block(report: Report) -> list[Line]:
    """Return what was found and what to do, in so many groups as fit a screen; at least one."""
    tail = list(_tail(report))
    room = _ROWS - 3 - sum(map(_rows, tail))  # the title may take two rows, the others one
    groups: list[list[Line]] = []
    for group in report.groups[:_MOST_GROUPS]:
        lines = _group_lines(group)
        room -= sum(map(_rows, lines))
        if room < 0 and groups:
            break
        groups.append(lines)
    others = report.groups[len(groups) :]
    return [*(line for lines in groups for line in lines), *_others(others), *tail]


def _group_lines(group: Group) -> list[Line]:
    head, *rest = group_text(group)
    return [_cut(head, _style(group.verdict)), *(_cut(f"  {text}") for text in rest)]


def _others(groups: Sequence[Group]) -> Iterable[Line]:
    if groups:
        sessions = count(sum(len(group.sessions) for group in groups), "session")
        yield Line(f"and {sessions} opened at {count(len(groups), 'other place')}", "yellow")


def _tail(report: Report) -> Iterable[Line]:
    yield from (_cut(text, "yellow") for text in report.warnings[:_MOST_WARNINGS])
    if report.totals.created:
        ends = f"{count(report.totals.created, 'session')} opened: {ends_text(report)}"
        yield Line("; ".join(filter(None, [ends, cost_text(report)])))
    yield from (Line(text) for text in advice(report))


def _cut(text: str, style: str = "none") -> Line:
    """Return a line of at most two rows."""
    return Line(printable(text, 2 * _COLUMNS - 2), style)


def _rows(line: Line) -> int:
    return -(-len(line.text) // _COLUMNS)


def _session_line(session: SessionFacts) -> Line:
    return Line(
        f"{session.verdict:<7} {printable(session.name, 40)}  "
        f"{printable(session.opener.owner)}  "
        f"{_life(session)}{printable(session.outcome)}",
        _style(session.verdict),
    )


def _style(verdict: Verdict) -> str:
    if verdict is Verdict.CLEAN:
        return "green"
    return "red" if verdict in FAILURES else "yellow"


def _life(session: SessionFacts) -> str:
    seconds = session.seconds_open
    return "" if seconds is None else f"open for {duration(seconds)}, "


def _span(shortest: float, longest: float) -> str:
    texts = dict.fromkeys((duration(shortest), duration(longest)))
    return " to ".join(texts)


def _some(texts: Sequence[str], most: int = 2) -> str:
    shown = [printable(text, 100) for text in texts[:most]]
    more = len(texts) - len(shown)
    return listed([*shown, f"{more:,} more"] if more else shown)
