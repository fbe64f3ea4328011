"""A run in numbers."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from pytest_avatar.core.events import Actor, Verdict
from pytest_avatar.core.wire import Ending

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_avatar.core.report import SessionFacts

__all__ = ["Totals", "count_sessions"]


class Totals(NamedTuple):
    """The run in numbers.

    Every session that was created is ended by somebody, already gone or still open; what it means
    for the run is counted apart from that.

    Attributes:
        created: Sessions that were opened.
        ended_by_code: Ended by the code under test.
        ended_by_fixture: Ended by their fixture.
        ended_by_plugin: Ended by pytest-avatar, because nobody else did.
        ended_by_watchdog: Ended by the watchdog, because their process died.
        already_gone: Over when somebody wanted to end them.
        still_open: Not known to be over.
        leaked: Open when their scope closed, and over now.
        lost: Could not be ended.
        unknown: Creates that were sent and got no usable answer; not among `created`.
        allowed: Left open with an allowance.
        seconds_open: Over all sessions; what is still open counts until the run ended.
    """

    created: int
    ended_by_code: int
    ended_by_fixture: int
    ended_by_plugin: int
    ended_by_watchdog: int
    already_gone: int
    still_open: int
    leaked: int
    lost: int
    unknown: int
    allowed: int
    seconds_open: float

    def found(self, verdict: Verdict) -> int:
        """Return how many sessions have a verdict other than clean."""
        number: int = getattr(self, verdict.value)
        return number


def count_sessions(sessions: Sequence[SessionFacts], until: float) -> Totals:
    """Return a run in numbers.

    Args:
        sessions: All of the run.
        until: When the run ended, in seconds since the epoch.
    """
    opened = [session for session in sessions if session.opened_at is not None]
    ends = Counter(_end_of(session) for session in opened)
    verdicts = Counter(session.verdict for session in sessions)
    return Totals(
        created=len(opened),
        ended_by_code=ends[Actor.CODE],
        ended_by_fixture=ends[Actor.FIXTURE],
        ended_by_plugin=ends[Actor.PLUGIN],
        ended_by_watchdog=ends[Actor.WATCHDOG],
        already_gone=ends["gone"],
        still_open=ends["open"],
        leaked=verdicts[Verdict.LEAKED],
        lost=verdicts[Verdict.LOST],
        unknown=verdicts[Verdict.UNKNOWN],
        allowed=verdicts[Verdict.ALLOWED],
        seconds_open=sum(
            (until if one.ended_at is None else one.ended_at) - (one.opened_at or 0)
            for one in opened
        ),
    )


def _end_of(session: SessionFacts) -> str:
    if session.ended_by is None:
        return "open"
    return session.ended_by if session.ending in (None, Ending.ENDED) else "gone"
