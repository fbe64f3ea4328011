from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings

from pytest_avatar.core.events import Opener
from pytest_avatar.core.summary import (
    assertion_text,
    leak_text,
    summarise,
    totals_table,
    verdict_line,
    verdict_text,
)
from tests.reports import (
    Life,
    from_code,
    from_fixture,
    hostile_reports,
    keep_books,
    mixed_run,
    report_of,
)

if TYPE_CHECKING:
    from pytest_avatar.core.report import Report

SCREEN, WIDTH = 24, 80
"""Rows and columns of a small terminal."""


def text_of(report: Report, verbose: int = 0) -> str:
    summary = summarise(report, verbose=verbose)
    assert summary is not None
    return "\n".join(line.text for line in summary.lines)


def test_a_run_without_sessions_says_nothing() -> None:
    assert summarise(report_of(), verbose=2) is None


def test_a_clean_run_is_one_green_line_without_a_title() -> None:
    lives = [from_fixture(number, "gw0") for number in range(11)]
    summary = summarise(report_of(*lives, from_code("code", 1, "test_own")), verbose=0)
    assert summary is not None
    assert summary.title is None
    (line,) = summary.lines
    assert line.style == "green"
    assert line.text == summary.short
    assert line.text == (
        "avatar: 12 sessions, all ended (11 by their fixture, 1 by the code under test)"
    )


def test_a_run_with_findings_is_a_block_of_one_screen_with_the_worst_first() -> None:
    summary = summarise(mixed_run(), verbose=0)
    assert summary is not None
    assert summary.title == "avatar: 1 lost, 2 leaked, 1 unknown, 1 allowed of 207 sessions"
    assert [(line.style, line.text) for line in summary.lines] == [
        ("red", "1 session lost, opened at app/chat.py:77"),
        ("none", "  in tests/test_chat.py::test_slow"),
        (
            "none",
            (
                "  at 11:07:30 UTC; not ended after 1 attempt: 500 Internal server error "
                "(session-gw1-51)"
            ),
        ),
        ("red", "2 sessions leaked, opened at app/chat.py:41"),
        ("none", "  in tests/test_chat.py::test_error[0] and tests/test_chat.py::test_error[1]"),
        (
            "none",
            (
                "  at 11:07:20 UTC, open for 0.75 s; ended by pytest-avatar "
                "(session-gw0-40 and session-gw0-41)"
            ),
        ),
        ("yellow", "1 session unknown, opened at app/chat.py:41"),
        ("none", "  in tests/test_chat.py::test_busy"),
        (
            "none",
            (
                "  at 11:07:30 UTC; create was sent, no usable answer came: "
                "500 Internal server error (gw1-51)"
            ),
        ),
        ("yellow", "and 1 session opened at 1 other place"),
        ("yellow", "worker gw1 died before its time"),
        (
            "none",
            (
                "206 sessions opened: 200 by their fixture, 3 by pytest-avatar, 1 by the watchdog, "
                "1 already gone, 1 never ended; 2 may still cost money"
            ),
        ),
        ("none", "lost: end it with `pytest-avatar reap`; until it is over it may cost money"),
        (
            "none",
            (
                "leaked: end it where it is opened (`with`, or `try` and `finally`), "
                "or allow it with `@pytest.mark.avatar_allow_leaks(reason=…)`"
            ),
        ),
        (
            "none",
            (
                "unknown: nobody can name it, so nobody can end it: it may cost money until the "
                "service ends it"
            ),
        ),
    ]


def test_groups_beyond_the_screen_are_counted() -> None:
    lives = [from_code("leaked", line, f"test_{line}") for line in range(1, 41)]
    text = text_of(report_of(*lives))
    assert "and 36 sessions opened at 36 other places" in text


def test_where_nothing_is_billed_nobody_is_sent_to_end_what_costs_nothing() -> None:
    text = text_of(report_of(Life("unknown"), Life("lost"), mode="emulator"))
    assert "money" not in text
    assert "reap" not in text


@pytest.mark.parametrize(
    ("ends", "words"),
    [
        (["leaked"], "1 by pytest-avatar; none costs money any more"),
        (["leaked", "lost", "unknown"], "1 never ended; 2 may still cost money"),
    ],
)
def test_whether_a_session_still_costs_money_is_said(ends: list[str], words: str) -> None:
    assert words in text_of(report_of(*(Life(end) for end in ends)))


def test_verbose_lists_every_session_also_of_a_clean_run() -> None:
    summary = summarise(report_of(from_fixture(1, "gw0"), from_code("code", 1, "t")), verbose=1)
    assert summary is not None
    assert summary.title == "avatar sessions"
    assert [line.text for line in summary.lines[:-1]] == [
        (
            "clean   session-main-0  tests/test_greeting.py::test_greeting[1]  "
            "open for 0.50 s, ended by its fixture"
        ),
        (
            "clean   session-main-1  tests/test_chat.py::t  "
            "open for 0.50 s, ended by the code under test"
        ),
    ]


def test_a_run_that_may_have_opened_nothing_does_not_count_ends() -> None:
    text = text_of(report_of(Life("unknown")))
    assert "opened outside any test\n  in the run\n" in text
    assert "sessions opened" not in text


def test_the_verdict_of_a_run_without_sessions_says_so() -> None:
    assert verdict_line(report_of()) == "avatar: no session was used"


def test_a_warning_alone_is_shown_in_a_block() -> None:
    summary = summarise(report_of(Life("suspicious", calls=0)), verbose=0)
    assert summary is not None
    assert summary.title == "avatar: 1 session, all ended (1 already gone)"
    assert summary.lines[0].style == "yellow"


@pytest.mark.parametrize(
    ("opener", "words"),
    [
        (Opener(fixture="chat", file="a.py", line=1), "opened by fixture chat at a.py:1"),
        (Opener(file="a.py", line=7), "opened at a.py:7"),
        (Opener(test="t.py::test_x"), "opened in t.py::test_x"),
        (Opener(), "opened outside any test"),
    ],
)
def test_the_opener_is_named_by_fixture_line_or_test(opener: Opener, words: str) -> None:
    assert words in text_of(report_of(Life("leaked", opener)))


def test_the_failing_text_says_what_was_expected_and_ends_with_what_to_do() -> None:
    lines = verdict_text(mixed_run()).splitlines()
    assert lines[:2] == [
        "avatar: 1 lost, 2 leaked, 1 unknown, 1 allowed of 207 sessions",
        "Expected: every session has ended when its scope closes.",
    ]
    assert lines[2] == "1 session lost, opened at app/chat.py:77"
    assert lines[-1].startswith("unknown: nobody can name it")


def test_a_test_with_a_leak_fails_with_who_opened_it_and_what_to_do() -> None:
    ledger = keep_books(from_code("leaked", 41, "test_error"))
    assert leak_text(ledger.records).splitlines() == [
        "1 session left open",
        (
            "Expected: every session opened in this test has ended when its fixtures are "
            "torn down (avatar_no_leaks)."
        ),
        "Seen:",
        (
            "  session-main-0 opened at app/chat.py:41 with httpx, in call of "
            "tests/test_chat.py::test_error, at 11:06:40 UTC: open for 0.75 s, "
            "ended by pytest-avatar"
        ),
        (
            "What to do: end it where it is opened (`with`, or `try` and `finally`), "
            "or allow it with `@pytest.mark.avatar_allow_leaks(reason=…)`."
        ),
    ]


def test_what_may_be_open_is_listed_apart() -> None:
    ledger = keep_books(
        from_code("leaked", 41, "test_error"), from_code("unknown", 52, "test_error")
    )
    lines = leak_text(ledger.records).splitlines()
    assert lines[0] == "1 session left open, 1 session may be open"
    assert lines[3].startswith("  session-main-0 opened at app/chat.py:41 ")
    assert lines[4] == "Not known, since create got no answer:"
    assert lines[5].startswith("  main-2 opened at app/chat.py:52 ")
    assert lines[6].startswith("What to do: ")


def test_a_long_list_of_leaks_is_cut_and_counted() -> None:
    ledger = keep_books(*(from_code("open", 41, "test_error") for _ in range(30)))
    text = assertion_text(ledger.open_sessions, "no session is open now (by a helper)")
    assert text.startswith("30 sessions left open\nExpected: no session is open now (")
    assert text.count("never ended") == 20
    assert "\n  and 10 more\n" in text


def test_the_table_of_totals_holds_every_total() -> None:
    table = dict(totals_table(mixed_run()))
    assert table["opened"] == "206"
    assert table["ended by their fixture"] == "200"
    assert table["leaked"] == "2"
    assert table["open, added up"] == "10 min 52 s"


@settings(max_examples=50)
@given(hostile_reports())
def test_whatever_the_names_are_the_block_fits_a_screen(report: Report) -> None:
    summary = summarise(report, verbose=0)
    if summary is None:
        assert not report.sessions
        return
    lines = [summary.title or "", *(line.text for line in summary.lines)]
    assert sum(-(-len(line) // WIDTH) for line in lines) <= SCREEN
    assert all(line.isprintable() for line in lines)
    assert summary.short == verdict_line(replace(report))
