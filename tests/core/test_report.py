from __future__ import annotations

import pytest

from pytest_avatar.core.events import Actor, Opener, Verdict
from pytest_avatar.core.redaction import Secrets
from pytest_avatar.core.report import Allowance, Report, build_report
from pytest_avatar.core.wire import Ending
from tests.reports import Life, from_code, from_fixture, keep_books, mixed_run, report_of, run_facts


def allowance_uses(*allowances: Allowance, opened_in: str) -> list[int]:
    ledger = keep_books(Life("allowed", Opener(test=opened_in)))
    report = build_report(run_facts(), ledger.records, allowances=allowances)
    return [allowance.uses for allowance in report.allowances]


def test_a_run_without_sessions_has_a_report_without_findings() -> None:
    report = report_of()
    assert (report.sessions, report.groups, report.warnings, report.failures) == ((), (), (), 0)


def test_a_refused_create_opened_nothing_and_is_not_listed() -> None:
    assert report_of(Life("refused")).sessions == ()


def test_a_leak_stays_a_leak_after_we_ended_it_and_says_who_did() -> None:
    (session,) = report_of(from_code("leaked", 41, "test_error")).sessions
    assert session.verdict is Verdict.LEAKED
    assert session.outcome == "ended by pytest-avatar"


def test_a_session_that_could_not_be_ended_is_lost_and_says_how_often_it_was_tried() -> None:
    report = report_of(from_code("lost", 77, "test_slow"))
    (session,) = report.sessions
    assert session.verdict is Verdict.LOST
    assert session.outcome == "not ended after 1 attempt: 500 Internal server error"
    assert report.failures == 1


@pytest.mark.parametrize("end", ["open", "lost"])
def test_what_a_replay_leaves_open_is_leaked_not_lost(end: str) -> None:
    (session,) = report_of(Life(end), mode="replay").sessions
    assert session.verdict is Verdict.LEAKED


def test_an_unknown_session_is_no_failure_and_says_what_was_answered() -> None:
    report = report_of(Life("unknown", reason="503 busy"))
    assert report.failures == 0
    assert report.sessions[0].outcome == "create was sent, no usable answer came: 503 busy"


@pytest.mark.parametrize(
    ("opener", "ended_in", "expected"),
    [
        (Opener(scope_id="t::a", test="t::a"), "t::b", ", in another test: t::b"),
        (Opener(scope_id="t::a", test="t::a"), "t::a", ""),
        (Opener(scope_id="t::a", test="t::a"), None, ""),
        (Opener(scope_id="t", test="t::a", fixture="shared"), "t::b", ""),
        (Opener(), "t::b", ""),
    ],
)
def test_a_session_that_another_test_ended_says_which(
    opener: Opener, ended_in: str | None, expected: str
) -> None:
    ledger = keep_books(Life("open", opener))
    (record,) = ledger.records
    ledger.end_tried(record.key, Ending.ENDED, Actor.CODE, 200, test=ended_in)
    (session,) = build_report(run_facts(), ledger.records).sessions
    assert session.verdict is Verdict.CLEAN
    assert session.outcome == f"ended by the code under test{expected}"


def test_a_session_that_was_already_over_says_who_noticed() -> None:
    (session,) = report_of(Life("gone")).sessions
    assert session.outcome == "already ended when its fixture ended it"


def test_a_404_to_the_very_first_call_is_a_warning_about_the_base_url() -> None:
    report = report_of(Life("suspicious", calls=0))
    assert report.warnings == (
        (
            "1 session answered 404 to the very first call: "
            "a wrong base URL answers 404 too, and then the session is still open"
        ),
    )
    assert report.failures == 0


def test_what_died_and_what_is_missing_are_warnings() -> None:
    report = report_of(died=("worker gw1",), missing=("the journal of gw1: torn",))
    assert report.warnings == (
        "worker gw1 died before its time",
        "missing here: the journal of gw1: torn",
    )


def test_equal_findings_are_one_group_and_the_worst_stand_first() -> None:
    report = mixed_run()
    assert [(group.verdict, group.place, len(group.sessions)) for group in report.groups] == [
        (Verdict.LOST, "app/chat.py:77", 1),
        (Verdict.LEAKED, "app/chat.py:41", 2),
        (Verdict.UNKNOWN, "app/chat.py:41", 1),
        (Verdict.ALLOWED, "app/chat.py:99", 1),
    ]


def test_a_group_names_its_owners_and_outcomes_once_and_its_shortest_and_longest_life() -> None:
    short, long = (from_code("leaked", 41, "test_error") for _ in range(2))
    (group,) = report_of(short, Life("leaked", long.opener, calls=5)).groups
    assert group.owners == ("tests/test_chat.py::test_error",)
    assert group.outcomes == ("ended by pytest-avatar",)
    assert group.lives == (0.75, 1.75)


def test_findings_come_first_when_sessions_are_listed_worst_first() -> None:
    report = mixed_run()
    listed = list(report.worst_first)
    assert [session.verdict for session in listed[:3]] == ["lost", "leaked", "leaked"]
    assert sorted(session.key for session in listed) == sorted(one.key for one in report.sessions)


@pytest.mark.parametrize(
    ("places", "uses"),
    [
        (["tests/t.py::C::test_x[a]"], [1]),
        (["tests/t.py", "tests/t.py::C"], [0, 1]),
        (["tests/other.py"], [0, 1]),
        ([], [1]),
    ],
)
def test_an_allowed_leak_uses_the_nearest_allowance(places: list[str], uses: list[int]) -> None:
    allowances = [Allowance(place=place, reason="why") for place in places]
    assert allowance_uses(*allowances, opened_in="tests/t.py::C::test_x[a]") == uses


def test_an_allowance_that_only_a_session_tells_of_is_listed_with_its_reason() -> None:
    ledger = keep_books(Life("allowed", Opener(test="t.py::test_x"), reason="mended soon"))
    assert build_report(run_facts(), ledger.records).allowances == (
        Allowance(place="t.py::test_x", reason="mended soon", uses=1),
    )


def test_unused_allowances_are_a_warning_that_names_three() -> None:
    allowances = [Allowance(place=f"t.py::test_{number}", reason="why") for number in range(5)]
    report = build_report(run_facts(), (), allowances=allowances)
    assert report.warnings == (
        "avatar_allow_leaks without a leak: t.py::test_0, t.py::test_1, t.py::test_2 and 2 more",
    )


@pytest.mark.parametrize(
    ("mode", "billed"),
    [("live", True), ("replay", False), ("emulator", False), ("replay, live", True)],
)
def test_only_modes_that_reach_the_service_cost_money(mode: str, *, billed: bool) -> None:
    assert run_facts(mode=mode).is_billed is billed


def test_every_text_is_scrubbed_and_each_different_one_only_once() -> None:
    secrets, asked = Secrets(), []
    secrets.add("very-secret-value", "ks")

    def scrub(text: str) -> str:
        asked.append(text)
        return secrets.scrub(text)

    opener = Opener(test="t.py::test[very-secret-value]", fixture="very-secret-value", file="a.py")
    ledger = keep_books(
        Life("lost", opener, session_id="very-secret-value-1", reason="bad very-secret-value"),
        Life("unknown", opener, reason="bad very-secret-value"),
    )
    facts = run_facts(died=("very-secret-value",), versions={"pytest": "very-secret-value"})
    allowances = [Allowance(place="very-secret-value", reason="very-secret-value")]
    report = build_report(facts, ledger.records, allowances=allowances, scrub=scrub)
    assert "very-secret-value" not in repr(report)
    assert report.sessions[0].opener.test == "t.py::test[<ks>]"
    assert len(asked) == len(set(asked))


def test_a_report_is_equal_to_what_is_read_back_from_its_data() -> None:
    report = mixed_run()
    assert Report.from_dict(report.to_dict()) == report


def test_a_session_is_named_by_the_service_or_else_by_our_key() -> None:
    named, nameless = report_of(from_fixture(1, "gw0"), Life("unknown")).sessions
    assert (named.name, nameless.name) == ("session-main-0", "main-2")
    assert named.process == "main"
