from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings

from pytest_avatar.core.totals import Totals
from tests.reports import ENDS, START, Life, hostile_reports, report_of

if TYPE_CHECKING:
    from pytest_avatar.core.report import Report


def test_each_end_is_counted_where_it_belongs() -> None:
    lives = [Life(end) for end in ENDS]
    totals = report_of(*lives, Life("unknown"), Life("refused"), ended_at=START).totals
    assert totals == Totals(
        created=9,
        ended_by_code=1,
        ended_by_fixture=1,
        ended_by_plugin=2,
        ended_by_watchdog=1,
        already_gone=2,
        still_open=2,
        leaked=1,
        lost=2,
        unknown=1,
        allowed=1,
        seconds_open=totals.seconds_open,
    )


def test_what_is_still_open_was_open_until_the_run_ended() -> None:
    assert report_of(Life("open"), ended_at=START + 60.5).totals.seconds_open == 60


def test_what_is_over_was_open_until_it_ended() -> None:
    assert report_of(Life("code", calls=3)).totals.seconds_open == 1


@settings(max_examples=50)
@given(hostile_reports())
def test_every_session_created_is_ended_already_gone_or_still_open(report: Report) -> None:
    totals = report.totals
    ended = totals.ended_by_code + totals.ended_by_fixture + totals.ended_by_plugin
    ended += totals.ended_by_watchdog
    assert totals.created == ended + totals.already_gone + totals.still_open
    assert len(report.sessions) == totals.created + totals.unknown
