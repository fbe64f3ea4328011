"""What counts as drift."""

from __future__ import annotations

import pytest

from pytest_avatar.core.drift import Drift, compare
from pytest_avatar.core.wire import Response


def drift(recorded: bytes, live: bytes) -> list[Drift]:
    return list(compare(Response(200, (), recorded), Response(200, (), live)))


@pytest.mark.parametrize(
    ("recorded", "live"),
    [
        (b'{"a":1,"b":"x"}', b'{"b":"y","a":2.5}'),
        (b"[]", b"[1]"),
        (b"[1]", b"[]"),
        (b"<html>", b"text"),
        (b"", b""),
    ],
)
def test_other_values_of_the_same_shape_are_no_drift(recorded: bytes, live: bytes) -> None:
    assert drift(recorded, live) == []


@pytest.mark.parametrize(
    ("recorded", "live", "text"),
    [
        (b'{"a":[{"b":1}]}', b'{"a":[{}]}', "a[0].b is gone"),
        (b'{"a":null}', b'{"a":1}', "a is JSON number, recorded as JSON null"),
        (b"[1]", b'["x"]', "[0] is JSON string, recorded as JSON number"),
        (b"{}", b"", "the body is no JSON, recorded as JSON object"),
    ],
)
def test_a_removed_field_or_a_changed_type_is_a_failure(
    recorded: bytes, live: bytes, text: str
) -> None:
    assert drift(recorded, live) == [Drift(text, is_failure=True)]


def test_an_added_field_is_a_note() -> None:
    assert drift(b'{"a":{}}', b'{"a":{"b":1}}') == [Drift("a.b is new", is_failure=False)]


def test_a_changed_status_is_all_there_is_to_say() -> None:
    found = list(compare(Response(200, (), b"{}"), Response(500, (), b"")))
    assert found == [Drift("status 500, recorded 200", is_failure=True)]
