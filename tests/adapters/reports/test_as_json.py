from __future__ import annotations

import json

import jsonschema
from hypothesis import given, settings

from pytest_avatar.adapters.reports import as_json
from pytest_avatar.core.events import Opener
from pytest_avatar.core.report import Report
from pytest_avatar.core.schema import load_schema
from tests.reports import REPORT_BEGINS, Life, hostile_reports, mixed_run, report_of


def test_every_session_and_group_has_a_line_of_its_own() -> None:
    report = mixed_run()
    lines = "".join(as_json.write(report)).splitlines()
    sessions = [line for line in lines if line.startswith('  {"key"')]
    groups = [line for line in lines if line.startswith('  {"verdict"')]
    assert len(sessions) == len(report.sessions)
    assert len(groups) == len(report.groups)


def test_a_run_without_sessions_is_whole_json() -> None:
    assert json.loads("".join(as_json.write(report_of())))["sessions"] == []


@settings(max_examples=50)
@given(hostile_reports())
def test_whatever_the_names_are_it_is_ascii_that_fits_the_schema(report: Report) -> None:
    text = "".join(as_json.write(report))
    assert text.isascii()
    data = json.loads(text)
    jsonschema.validate(data, load_schema())
    assert Report.from_dict(data) == report


def test_a_name_that_looks_like_the_next_session_changes_nothing() -> None:
    report = report_of(*[Life("leaked", Opener(test='"}, {"key": "x"}, {"key": '))] * 201)
    lines = "".join(as_json.write(report)).splitlines()
    written = [json.loads(line.rstrip(",")) for line in lines if line.startswith('  {"key"')]
    assert written == report.to_dict()["sessions"]


def test_a_report_begins_as_the_suite_knows_it() -> None:
    assert "".join(as_json.write(report_of())).encode().startswith(REPORT_BEGINS)
