"""What is said about a miss."""

from __future__ import annotations

import pytest

from pytest_avatar.core.cassette import Ask
from pytest_avatar.core.misses import (
    Place,
    describe,
    describe_miss,
    describe_unplayed,
    differences,
    distance,
)
from pytest_avatar.core.wire import Operation

PLACE = Place("test_it.py::test_it", "cassettes/test_it.json", "pytest --avatar-mode=record")


def ask(text: str = "Hello", session: str = "session-1", route: str = "say-text") -> Ask:
    return Ask.of(Operation(route), route, session, None, {"text": text, "isFinal": True})


@pytest.mark.parametrize(
    ("sent", "recorded", "expected"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": True}, [("a", 1, True)]),
        ({"a": {"b": [1, 2]}}, {"a": {"b": [1, 3]}}, [("a.b[1]", 2, 3)]),
        ({"a": 1}, {"b": 2}, [("b", ..., 2), ("a", 1, ...)]),
        ([1], [1, 2], [("", [1], [1, 2])]),
        ("x", "y", [("", "x", "y")]),
    ],
)
def test_differences_are_told_by_path(
    sent: object, recorded: object, expected: list[object]
) -> None:
    assert list(differences(sent, recorded)) == expected


def test_the_operation_counts_more_than_the_session_and_that_more_than_the_body() -> None:
    far = [ask(route="interrupt"), ask(session="session-2"), ask("Hullo"), ask()]
    assert [distance(ask(), other) for other in far] == [100, 10, 1, 0]


def test_a_request_without_a_session_is_its_route() -> None:
    assert describe(Ask.of(Operation.CREATE, "create", None, None, {})) == "create"


def test_an_empty_cassette_has_nothing_near() -> None:
    message = describe_miss(PLACE, ask(), None, None, 0)
    assert "  recorded:  nothing like it, in 0 interactions\n" in message


def test_operation_and_session_may_differ_too() -> None:
    other = ask(session="session-2", route="interrupt")
    message = describe_miss(PLACE, ask(), (0, other), None, 1)
    assert '  differs:   operation\n    recorded "interrupt"\n    sent     "say-text"\n' in message
    assert '  differs:   session\n    recorded "session-2"\n    sent     "session-1"\n' in message


def test_an_absent_field_is_called_so() -> None:
    other = Ask.of(Operation.SAY_TEXT, "say-text", "session-1", None, {"text": "Hello"})
    assert "    recorded (absent)\n    sent     true\n" in describe_miss(
        PLACE, ask(), (0, other), None, 1
    )


def test_of_many_unplayed_requests_ten_are_named() -> None:
    message = describe_unplayed(PLACE, [(index, ask()) for index in range(12)])
    assert message.startswith("The test did not send 12 recorded requests.\n")
    assert message.count("unplayed:") == 10
    assert "and 2 more" in message
