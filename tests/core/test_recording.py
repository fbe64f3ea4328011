"""What becomes of a request in a cassette; whole recordings are tested with the tape."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_avatar.core import wire
from pytest_avatar.core.http import BaseUrl, Request
from pytest_avatar.core.ordering import Step
from pytest_avatar.core.recording import Recorder, Take
from pytest_avatar.core.redaction import Secrets
from pytest_avatar.core.wire import json_response

if TYPE_CHECKING:
    from pytest_avatar.core.cassette import Interaction

BASE = BaseUrl("http://127.0.0.1:8787/v1/avatar-session")


def test_sessions_of_fixtures_are_told_apart_whoever_was_faster() -> None:
    requests = [
        wire.say_text_request(BASE, session, "t", text="x", turn_id="t", is_final=True)
        for session in ("one-of-a-fixture", "two-of-a-fixture")
    ]
    names = {"one-of-a-fixture": "module-session-1", "two-of-a-fixture": "class-session-1"}
    urls = set()
    for first, second in (requests, reversed(requests)):
        recorder = Recorder(BASE, Secrets(), {}, names.get)
        takes = [take(1, first), replace(take(2, second), step=Step(2, 2))]
        found = recorder.interactions(recorder.order(takes))
        urls.add(tuple(one.request.url for one in found))
    assert len(urls) == 1


def take(number: int, request: Request, status: int = 200, **answer: object) -> Take:
    call = wire.read_call(BASE, request)
    assert call is not None
    return Take(Step(number, 1), request, call, json_response(status, answer))


def record(*takes: Take) -> tuple[Interaction, ...]:
    recorder = Recorder(BASE, Secrets(), {})
    return recorder.interactions(recorder.order(takes))


def test_an_unknown_route_is_recorded_with_its_method_path_and_query() -> None:
    request = Request("get", f"{BASE}/x/status?at=127.0.0.1:8787", (("X-Any", "1"),))
    (interaction,) = record(take(1, request))
    assert interaction.request.method == "GET"
    assert interaction.request.url == (
        f"{wire.DEFAULT_BASE_URL}/x/status?at=api.avatar.us.kaltura.ai"
    )
    assert interaction.request.headers == ()


def test_an_empty_body_stays_empty() -> None:
    request = Request("POST", f"{BASE}/s-12345678/end", ())
    assert record(take(1, request))[0].request.body == b""


def test_a_create_that_was_refused_for_good_is_kept() -> None:
    request = wire.create_request(BASE, "a-ks-of-mine", avatar_id="a")
    assert [one.response.status for one in record(take(1, request, 400))] == [400]


def test_a_create_that_was_refused_in_one_dialect_is_left_out() -> None:
    first = wire.create_request(BASE, "a-ks-of-mine", avatar_id="a")
    second = wire.create_request(BASE, "a-ks-of-mine", avatar_id="a", id_field="id")
    interactions = record(
        take(1, first, 400), take(2, second, sessionId="the-session", token="the-token")
    )
    assert [one.response.status for one in interactions] == [200]


def test_a_turn_echoed_in_an_answer_has_the_same_placeholder() -> None:
    requests = [
        wire.say_text_request(BASE, "the-session", "t", text="x", turn_id=turn, is_final=True)
        for turn in ("a turn of mine", "t2")
    ]
    interactions = record(
        take(1, requests[0], echo="a turn of mine", text="of a turn of mine"),
        take(2, requests[1], echo="t2", text="not t2"),
    )
    assert [json.loads(one.request.body)["turnId"] for one in interactions] == ["turn-1", "turn-2"]
    assert [json.loads(one.response.body) for one in interactions] == [
        {"echo": "turn-1", "text": "of turn-1"},
        {"echo": "turn-2", "text": "not t2"},
    ]


def test_a_token_of_an_unknown_session_is_called_so() -> None:
    request = Request("POST", f"{BASE}/x/y/z", (("authorization", "bearer the-token"),))
    (interaction,) = record(take(1, request))
    assert interaction.request.headers == (
        ("Authorization", "Bearer <token of an unknown session>"),
    )
