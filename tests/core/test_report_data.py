from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings

from pytest_avatar.core.report import Report
from pytest_avatar.core.report_data import head_to_dict, map_texts, session_to_dict
from tests.reports import Life, hostile_reports, mixed_run, report_of


@settings(max_examples=50)
@given(hostile_reports())
def test_every_report_comes_back_from_json_as_it_was(report: Report) -> None:
    data = json.loads(json.dumps(report.to_dict()))
    assert Report.from_dict(data) == report


def test_what_does_not_apply_is_left_out() -> None:
    (session,) = report_of(Life("unknown", reason="503")).sessions
    assert session_to_dict(session) == {
        "key": "main-1",
        "opener": {"scope_id": "", "attempt": 1},
        "verdict": "unknown",
        "created_at": session.created_at,
        "calls": {},
        "end_attempts": [],
        "reason": "503",
    }


def test_the_head_is_the_report_without_its_sessions() -> None:
    report = mixed_run()
    whole = report.to_dict()
    del whole["sessions"]
    assert head_to_dict(report) == whole


def test_derived_data_is_counted_anew_not_believed() -> None:
    data = mixed_run().to_dict() | {"failures": 0, "groups": []}
    assert Report.from_dict(data).failures == 3


def test_keys_of_later_versions_are_passed_over() -> None:
    data = mixed_run().to_dict()
    data["sessions"][0]["mood"] = "good"
    assert Report.from_dict(data | {"weather": "fine"}) == mixed_run()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "the top level: expected object, found list"),
        ({}, "the top level: `version` is missing"),
        ({"version": 2}, "version: 2, and this pytest-avatar reads 1"),
    ],
)
def test_what_is_no_report_is_refused_with_the_reason(data: Any, message: str) -> None:  # noqa: ANN401 - JSON data
    with pytest.raises(ValueError, match="^" + message.replace("`", ".")):
        Report.from_dict(data)


def test_texts_are_changed_everywhere_but_in_our_own_enumerations() -> None:
    before = mixed_run()
    after = map_texts(before, str.upper)
    assert after.sessions[0].opener.test == "TESTS/TEST_GREETING.PY::TEST_GREETING[0]"
    assert after.run.versions["pytest"] == "9.2.0"
    assert [one.verdict for one in after.sessions] == [one.verdict for one in before.sessions]


def test_a_report_without_a_text_to_change_is_not_copied() -> None:
    report = mixed_run()
    assert map_texts(report, str) is report
