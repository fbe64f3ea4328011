"""Events travel as JSON between processes and versions."""

# ruff: noqa: ANN401 - JSON of any form

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_avatar.core.events import Actor, Event, Kind, Opener, Verdict
from pytest_avatar.core.wire import Ending, Operation

maybe_text = st.none() | st.text()
openers = st.builds(
    Opener,
    scope_id=st.text(),
    test=maybe_text,
    phase=maybe_text,
    attempt=st.integers(1, 9),
    fixture=maybe_text,
    fixture_scope=maybe_text,
    file=maybe_text,
    line=st.none() | st.integers(1),
    worker=maybe_text,
    client=maybe_text,
)
events = st.builds(
    Event,
    kind=st.sampled_from(Kind),
    key=st.text(),
    at=st.floats(0, 4e9),
    session_id=maybe_text,
    opener=st.none() | openers,
    operation=st.none() | st.sampled_from(Operation),
    status=st.none() | st.integers(100, 599),
    ending=st.none() | st.sampled_from(Ending),
    actor=st.none() | st.sampled_from(Actor),
    verdict=st.none() | st.sampled_from(Verdict),
    reason=maybe_text,
)
unknown = st.dictionaries(st.text().map(lambda name: f"new {name}"), st.integers(), max_size=2)


@given(events)
def test_an_event_survives_json(event: Event) -> None:
    assert Event.from_dict(json.loads(json.dumps(event.to_dict()))) == event


@given(events, unknown, unknown)
def test_what_a_later_version_adds_is_passed_over(
    event: Event, more: dict[str, Any], more_of_the_opener: dict[str, Any]
) -> None:
    data = event.to_dict() | more
    if "opener" in data:
        data["opener"] = data["opener"] | more_of_the_opener
    assert Event.from_dict(data) == event


@given(events)
def test_what_does_not_apply_is_not_written(event: Event) -> None:
    data = event.to_dict()
    assert None not in data.values()
    assert None not in data.get("opener", {}).values()


@pytest.mark.parametrize(
    "data",
    [
        {},
        [],
        {"kind": "opened", "key": "main-1"},
        {"kind": "exploded", "key": "main-1", "at": 1.0},
        {"kind": [], "key": "main-1", "at": 1.0},
        {"kind": "opened", "key": "main-1", "at": 1.0, "opener": 7},
        {"kind": "end-tried", "key": "main-1", "at": 1.0, "actor": "nobody"},
    ],
)
def test_what_is_no_event_is_refused(data: Any) -> None:
    with pytest.raises(ValueError, match=r"not an event of the ledger|is not a valid"):
        Event.from_dict(data)


@pytest.mark.parametrize(
    ("opener", "place"),
    [
        (Opener(fixture="chat", file="a.py", line=3, test="t"), "fixture chat at a.py:3"),
        (Opener(fixture="avatar_session", test="t"), "fixture avatar_session"),
        (Opener(file="a.py", line=3, test="t"), "a.py:3"),
        (Opener(test="test_a.py::t"), "test_a.py::t"),
        (Opener(), "outside any test"),
    ],
)
def test_a_session_is_looked_for_where_it_was_opened(opener: Opener, place: str) -> None:
    assert opener.place == place


def test_the_keeper_the_plugin_and_the_watchdog_work_in_the_background() -> None:
    assert [actor for actor in Actor if not actor.is_background] == [Actor.CODE, Actor.FIXTURE]
