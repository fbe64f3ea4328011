from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from hypothesis import given, settings

from pytest_avatar.adapters.reports import as_junit
from pytest_avatar.core.text import printable
from tests.reports import from_code, hostile_reports, mixed_run, report_of

if TYPE_CHECKING:
    from pytest_avatar.core.report import Report


def suite_of(report: Report) -> ET.Element:
    suite = ET.fromstring("".join(as_junit.write(report))).find("testsuite")
    assert suite is not None
    return suite


def test_every_session_is_a_case_and_findings_fail_or_are_skipped() -> None:
    suite = suite_of(mixed_run())
    cases = suite.findall("testcase")
    assert suite.attrib == {
        "name": "avatar sessions",
        "timestamp": "2026-11-18T11:06:40+00:00",
        "tests": "207",
        "failures": "3",
        "errors": "0",
        "skipped": "2",
        "time": "600.000",
    }
    assert len(cases) == 207
    assert len(suite.findall("testcase/failure")) == 3
    assert len(suite.findall("testcase/skipped")) == 2


def test_a_leak_names_its_test_its_line_and_how_it_ended() -> None:
    (case,) = suite_of(report_of(from_code("leaked", 41, "test_error"))).findall("testcase")
    assert case.attrib == {
        "classname": "tests/test_chat.py::test_error",
        "name": "session-main-0",
        "time": "0.750",
        "file": "app/chat.py",
        "line": "41",
    }
    failure = case.find("failure")
    assert failure is not None
    assert failure.attrib == {
        "type": "leaked",
        "message": "leaked: opened at app/chat.py:41; ended by pytest-avatar",
    }
    assert failure.text == "500 Internal server error"


@settings(max_examples=50)
@given(hostile_reports())
def test_whatever_the_names_are_they_stay_names(report: Report) -> None:
    suite = suite_of(report)
    cases = suite.findall("testcase")
    assert [case.get("name") for case in cases] == [
        printable(session.name, 1000) for session in report.sessions
    ]
    assert {element.tag for element in suite.iter()} <= {
        *("testsuite", "properties", "property"),
        *("testcase", "failure", "skipped", "system-out"),
    }
