"""Whether the service still answers as recorded."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_avatar.core import wire
from pytest_avatar.core.events import Actor
from pytest_avatar.core.interception import acting_as
from pytest_avatar.core.wire import Operation, Request, Response
from pytest_avatar.emulator.service import Service
from pytest_avatar.emulator.switches import Switches
from tests.studio import KS, Client, Studio, client_of, live_client, some_base

if TYPE_CHECKING:
    from collections.abc import Callable


def visit(client: Client) -> None:
    talk = client.create()
    talk.call(Operation.INIT_CLIENT)
    talk.say("Hello")
    talk.end()


@pytest.fixture
def recorded(studio: Studio) -> Studio:
    studio.record(visit)
    return studio


def changed(
    studio: Studio, change: Callable[[dict[str, Any]], object]
) -> Callable[[Request], Response]:
    """Return a service whose answers to init-client are changed."""
    service: list[Service] = []

    def answer(request: Request) -> Response:
        base = wire.BaseUrl(request.url.partition("/v1/")[0] + "/v1/avatar-session")
        service.append(service[0] if service else Service(base))
        response = service[0].handle(request)
        if not request.url.endswith("init-client"):
            return response
        data = json.loads(response.body)
        change(data)
        return response._replace(body=json.dumps(data).encode())

    return answer


def test_an_unchanged_service_gives_nothing_to_say(recorded: Studio) -> None:
    content = recorded.path.read_bytes()
    tape = recorded.verify(visit)
    assert tape.failures == ()
    assert tape.notes == ()
    assert tape.unplayed == ()
    assert recorded.path.read_bytes() == content


@pytest.mark.parametrize(
    ("change", "failure"),
    [
        (lambda data: data.pop("whepUrl"), "whepUrl is gone"),
        (lambda data: data["turn"].pop("url"), "turn.url is gone"),
        (lambda data: data.update(turn="x"), "turn is JSON string, recorded as JSON object"),
        (lambda data: data.update(success=1), "success is JSON number, recorded as JSON boolean"),
    ],
)
def test_a_changed_shape_is_a_failure(
    recorded: Studio, change: Callable[[dict[str, Any]], object], failure: str
) -> None:
    tape = recorded.verify(visit, changed(recorded, change))
    assert tape.failures == (
        f"{recorded.path}, interaction 2, init-client of session-1: {failure}",
    )
    assert tape.notes == ()


def test_an_added_field_is_a_note(recorded: Studio) -> None:
    tape = recorded.verify(visit, changed(recorded, lambda data: data["turn"].update(ttl=60)))
    assert tape.failures == ()
    assert [note.rpartition(": ")[2] for note in tape.notes] == ["turn.ttl is new"]


def test_a_changed_status_is_a_failure(recorded: Studio) -> None:
    def code(client: Client) -> None:
        client.send(wire.create_request(client.base, KS, avatar_id="65f9e3c9d1a2b3c4d5e6f708"))

    tape = recorded.verify(code, lambda _request: wire.refusal(429, "Too many sessions"))
    assert [failure.rpartition(": ")[2] for failure in tape.failures] == [
        "status 429, recorded 200"
    ]


def test_an_answer_that_is_no_json_any_more_is_a_failure(recorded: Studio) -> None:
    def code(client: Client) -> None:
        client.send(wire.create_request(client.base, KS, avatar_id="65f9e3c9d1a2b3c4d5e6f708"))

    tape = recorded.verify(code, lambda _request: Response(200, (), b"<html>"))
    assert tape.failures[0].endswith("the body is no JSON, recorded as JSON object")


def test_a_create_that_is_refused_in_every_dialect_is_a_failure(recorded: Studio) -> None:
    def code(client: Client) -> None:
        for path in wire.CREATE_PATHS:
            client.send(
                wire.create_request(
                    client.base, KS, avatar_id="65f9e3c9d1a2b3c4d5e6f708", create_path=path
                )
            )

    tape = recorded.verify(code, lambda _request: wire.refusal(404, "Not found"))
    assert [failure.rpartition(": ")[2] for failure in tape.failures] == [
        "status 404, recorded 200"
    ]


def test_negotiation_is_no_drift(recorded: Studio) -> None:
    tape = recorded.verifier()
    service = Service(tape.base, switches=Switches(create_path="/create"))
    client = client_of(tape, service.handle)
    client.send(wire.create_request(client.base, KS, avatar_id="65f9e3c9d1a2b3c4d5e6f708"))
    talk = client.create(create_path="/create")
    talk.call(Operation.INIT_CLIENT)
    talk.say("Hello")
    talk.end()
    assert tape.failures == ()
    assert tape.unplayed == ()


def test_a_request_that_was_not_recorded_is_a_failure(recorded: Studio) -> None:
    def code(client: Client) -> None:
        client.create().say("Something else")

    tape = recorded.verify(code)
    assert len(tape.failures) == 1
    assert "request:   say-text of session-1\n" in tape.failures[0]
    assert "nearest:   interaction 3 of 4, say-text of session-1\n" in tape.failures[0]
    assert "differs:   session" not in tape.failures[0]


def test_what_the_package_itself_sends_is_not_compared(recorded: Studio) -> None:
    def code(client: Client) -> None:
        with acting_as(Actor.KEEPER):
            client.create().call(Operation.KEEP_ALIVE)

    assert recorded.verify(code).failures == ()


def test_an_answer_that_never_came_is_not_compared(recorded: Studio) -> None:
    def drop(_request: Request) -> Response:
        raise ConnectionError

    def code(client: Client) -> None:
        with pytest.raises(ConnectionError):
            client.create()

    assert recorded.verify(code, drop).failures == ()


def test_a_session_of_a_fixture_is_known_in_the_test(studio: Studio) -> None:
    base = some_base()
    service = Service(base)
    fixture_path = studio.path.with_name("f@module.json")
    fixture = studio.recorder(base=base, label="module", path=fixture_path)
    talk = live_client(base, fixture, service.handle).create()
    test = studio.recorder(base=base)
    replace(talk, client=live_client(base, test, service.handle)).say("Hello")
    test.save()
    fixture.save()

    fixture_tape = Studio(fixture_path, identities=studio.identities).verifier(base=base)
    talk = client_of(fixture_tape, service.handle).create()
    test_tape = studio.verifier(base=base)
    replace(talk, client=client_of(test_tape, service.handle)).say("Hello")
    assert test_tape.failures == fixture_tape.failures == ()
