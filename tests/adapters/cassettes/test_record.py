"""What is recorded, and that no secret ever is."""

from __future__ import annotations

import base64
import gzip
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_avatar.adapters.cassettes.files import load_cassette
from pytest_avatar.core import wire
from pytest_avatar.core.errors import CassetteError
from pytest_avatar.core.events import Actor
from pytest_avatar.core.interception import acting_as
from pytest_avatar.core.redaction import Secrets
from pytest_avatar.core.wire import Operation, Request, Response, json_response
from pytest_avatar.emulator.service import Service
from pytest_avatar.emulator.switches import Switches
from tests.studio import KS, Client, Studio, live_client, some_base

if TYPE_CHECKING:
    from collections.abc import Callable


def visit(client: Client) -> None:
    """Code under test that does everything once."""
    talk = client.create()
    talk.call(Operation.INIT_CLIENT)
    talk.say("Hello")
    talk.play(b"ID3 not really audio")
    talk.call(Operation.INTERRUPT)
    talk.end()


def bodies(content: bytes) -> list[Any]:
    interactions = json.loads(content)["interactions"]
    return [json.loads(one["response"]["body"]["string"]) for one in interactions]


def test_recording_twice_gives_the_same_bytes(studio: Studio) -> None:
    """Other port, other ids, other day, other dialect."""
    first = studio.record(visit)
    base = some_base()
    tomorrow = lambda: datetime.now(UTC) + timedelta(days=1)  # noqa: E731
    service = Service(base, switches=Switches(create_path="/create"), clock=tomorrow)

    def visit_in_other_dialect(client: Client) -> None:
        request = wire.create_request(client.base, KS, avatar_id="65f9e3c9d1a2b3c4d5e6f708")
        assert client.send(request).status == 404
        talk = client.create(create_path="/create")
        talk.call(Operation.INIT_CLIENT)
        talk.say("Hello")
        talk.play(b"ID3 not really audio")
        talk.call(Operation.INTERRUPT)
        talk.end()

    assert studio.record(visit_in_other_dialect, service.handle, base=base) == first


def test_an_id_has_the_same_placeholder_everywhere(studio: Studio) -> None:
    content = studio.record(visit)
    interactions = load_cassette(studio.path).interactions
    assert bodies(content)[0]["sessionId"] == "session-1"
    assert [one.request.url.removeprefix(wire.DEFAULT_BASE_URL) for one in interactions] == [
        "",
        "/session-1/init-client",
        "/session-1/say-text",
        "/session-1/say-audio",
        "/session-1/interrupt",
        "/session-1/end",
    ]
    assert interactions[0].request.headers[0] == ("Authorization", "KS <ks>")
    assert interactions[1].request.headers[0] == ("Authorization", "Bearer <token of session-1>")


def test_audio_is_kept_as_its_digest_and_length(studio: Studio) -> None:
    content = studio.record(visit)
    assert b"not really audio" not in content
    assert re.search(rb"sha256:[0-9a-f]{64}, 20 bytes", content)


def test_headers_that_say_nothing_to_code_are_dropped(studio: Studio) -> None:
    def service(request: Request) -> Response:
        headers = (
            ("Date", "Tue, 24 Nov 2026 04:10:23 GMT"),
            ("Set-Cookie", "id=1"),
            ("server", "nginx"),
            ("content-type", "application/json"),
            ("Retry-After", "3"),
        )
        return Response(503, headers, b'{"success":false}')

    def code(client: Client) -> None:
        client.send(wire.create_request(client.base, KS, avatar_id="a"))

    studio.record(code, service)
    assert load_cassette(studio.path).interactions[0].response.headers == (
        ("Content-Type", "application/json"),
        ("Retry-After", "3"),
        ("Server", "nginx"),
    )


def test_what_differs_from_run_to_run_keeps_its_shape(studio: Studio) -> None:
    answer = {
        "createdAt": "2026-11-24T04:10:23.123+02:00",
        "expires_at": 1795493423,
        "timestamp": 1795493423123,
        "count": 1795493423,
        "requestId": "abc",
        "job": "9b2f7a52-55e2-4f0e-8f7a-0a60a4f1a0f3",
        "link": "9B2F7A52-55e2-4f0e-8f7a-0a60a4f1a0f4/0123456789abcdef0123456789abcdef",
        "text": "until 2026-11-24 04:10, then again",
    }
    content = studio.record(
        lambda client: client.send(Request("POST", f"{client.base}/x/status", ())),
        lambda _request: json_response(200, answer),
    )
    assert bodies(content) == [
        {
            "createdAt": "2030-01-01T00:00:00.000+02:00",
            "expires_at": 1893456000,
            "timestamp": 1893456000000,
            "count": 1795493423,
            "requestId": "request-id",
            "job": "00000000-0000-4000-8000-000000000001",
            "link": "00000000-0000-4000-8000-000000000002/00000000000000000000000000000001",
            "text": "until 2030-01-01 00:00, then again",
        }
    ]


def test_an_answer_in_which_nothing_differs_keeps_its_bytes(studio: Studio) -> None:
    body = b'{ "success" : true,\n "n": 1.50 }'
    studio.record(
        lambda client: client.send(Request("POST", f"{client.base}/x/status", ())),
        lambda _request: Response(200, (), body),
    )
    assert load_cassette(studio.path).interactions[0].response.body == body


def test_half_a_character_survives(studio: Studio) -> None:
    answer = rb'{"text":"\ud83d","at":1795493423}'

    def code(client: Client) -> None:
        client.send(Request("POST", f"{client.base}/foreign-session-1/end", (), answer))

    studio.record(code, lambda _request: Response(200, (), answer))
    interaction = load_cassette(studio.path).interactions[0]
    assert interaction.response.body == rb'{"text":"\ud83d","at":1893456000}'
    assert studio.replay(code).misses == ()


@pytest.mark.parametrize("body", [b"\xff\xfe\x00", b"<html>502</html>", b"", b"\x1f\x8b broken"])
def test_an_answer_of_any_kind_survives(studio: Studio, body: bytes) -> None:
    studio.record(
        lambda client: client.send(Request("POST", f"{client.base}/x/status", (), b"\xff")),
        lambda _request: Response(502, (), body),
    )
    assert load_cassette(studio.path).interactions[0].response.body == body


def test_the_avatar_of_the_settings_has_a_placeholder(studio: Studio) -> None:
    content = studio.record(visit, aliases={"65f9e3c9d1a2b3c4d5e6f708": "avatar-id"})
    assert b"65f9e3c9d1a2b3c4d5e6f708" not in content
    assert rb"\"avatarId\":\"avatar-id\"" in content


@pytest.mark.parametrize("actor", [Actor.PLUGIN, Actor.KEEPER])
def test_what_the_package_itself_sends_is_not_recorded(studio: Studio, actor: Actor) -> None:
    def code(client: Client) -> None:
        talk = client.create()
        with acting_as(actor):
            talk.end()

    assert len(bodies(studio.record(code))) == 1


def test_a_request_without_an_answer_is_not_recorded(studio: Studio) -> None:
    base = some_base()
    service, dropped = Service(base), iter([False, True, False])

    def drop(request: Request) -> Response:
        if next(dropped):
            raise ConnectionError
        return service.handle(request)

    def code(client: Client) -> None:
        talk = client.create()
        with pytest.raises(ConnectionError):
            talk.end()
        talk.end()

    assert len(bodies(studio.record(code, drop, base=base))) == 2


def test_equal_keep_alives_are_written_once(studio: Studio) -> None:
    def code(client: Client) -> None:
        talk = client.create()
        for _ in range(3):
            talk.call(Operation.KEEP_ALIVE)
        talk.end()

    assert len(bodies(studio.record(code))) == 3


def test_a_test_that_sends_nothing_any_more_has_no_cassette(studio: Studio) -> None:
    studio.record(visit)
    saved = studio.recorder().save()
    assert (saved.interactions, saved.changed) == (0, True)
    assert not studio.path.exists()


def test_what_was_written_is_told(studio: Studio) -> None:
    base, secrets = some_base(), Secrets()
    for changed in (True, False):
        tape = studio.recorder(base=base, secrets=secrets)
        visit(live_client(base, tape, Service(base).handle))
        saved = tape.save()
        assert (saved.path, saved.interactions, saved.changed) == (studio.path, 6, changed)


def test_a_discarded_recording_leaves_the_file_as_it_was(studio: Studio) -> None:
    content = studio.record(visit)
    base = some_base()
    tape = studio.recorder(base=base)
    live_client(base, tape, Service(base).handle).create()
    tape.discard()
    assert studio.path.read_bytes() == content


def test_a_session_of_a_fixture_is_named_after_it_in_the_tests_cassette(studio: Studio) -> None:
    base = some_base()
    service = Service(base)
    fixture = studio.recorder(
        base=base, label="module", path=studio.path.with_name("f@module.json")
    )
    talk = live_client(base, fixture, service.handle).create()
    test = studio.recorder(base=base)
    client = live_client(base, test, service.handle)
    replace(talk, client=client).say("Hello")
    client.create().end()
    test.save()
    talk.end()
    fixture.save()
    urls = [one.request.url for one in load_cassette(studio.path).interactions]
    assert [url.removeprefix(wire.DEFAULT_BASE_URL) for url in urls] == [
        "/module-session-1/say-text",
        "",
        "/session-1/end",
    ]
    assert b"module-session-1/end" in fixture.path.read_bytes()


def test_a_session_that_nobody_recorded_is_foreign(studio: Studio) -> None:
    base = some_base()
    service = Service(base)
    created = service.handle(wire.create_request(base, KS, avatar_id="a"))
    opened = wire.read_opened(wire.read_answer(created))
    assert opened is not None

    def code(client: Client) -> None:
        for operation in (Operation.INTERRUPT, Operation.END):
            assert opened.token is not None
            client.send(wire.session_request(base, operation, opened.session_id, opened.token))

    content = studio.record(code, service.handle, base=base)
    assert content.count(b"foreign-session-1/") == 2


def test_a_secret_in_a_form_that_cannot_be_replaced_stops_the_writing(studio: Studio) -> None:
    content = studio.record(visit)
    hidden = base64.b64encode(base64.b64encode(f"the ks is {KS}".encode())).decode()
    service = lambda _request: json_response(500, {"success": False, "error": hidden})  # noqa: E731

    def code(client: Client) -> None:
        client.send(wire.create_request(client.base, KS, avatar_id="a"))

    with pytest.raises(
        CassetteError, match=r"test_it\.json was not written: .* secret \(ks\)"
    ) as caught:
        studio.record(code, service)
    assert KS not in str(caught.value)
    assert studio.path.read_bytes() == content
    assert [file.name for file in studio.path.parent.iterdir()] == ["test_it.json"]


TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzaWQiOiJhYmMiLCJpYXQiOjE3fQ.c2lnbmF0dXJlLW9mLXRva2Vu"
WHEP = "https://media.example/whep/4f9c?sig=9b2f7a52"

FORMS: list[Callable[[str], str]] = [
    str,
    lambda value: quote(value, safe=""),
    lambda value: json.dumps(value)[1:-1].replace("/", "\\/"),
    lambda value: base64.b64encode(value.encode()).decode(),
    lambda value: base64.urlsafe_b64encode(b"a" + value.encode() + b"-").decode(),
    lambda value: base64.b64encode(b"ab" + value.encode()).decode(),
    lambda value: base64.b64encode(gzip.compress(value.encode())).decode(),
    lambda value: json.dumps({"inner": {"deep": value}}),
]

PLACES: dict[str, Callable[[str], Response]] = {
    "text": lambda hidden: Response(502, (), f"no {hidden} here".encode()),
    "error": lambda hidden: wire.refusal(500, f"not {hidden}."),
    "nested": lambda hidden: json_response(200, {"a": {"b": [{"c": f"it is {hidden}!"}]}}),
    "name": lambda hidden: json_response(200, {hidden: 1}),
    "keys": lambda hidden: json_response(200, {"ks": "short", "x": {"credential": hidden}}),
    "header": lambda hidden: Response(200, (("Server", hidden), ("Content-Type", hidden))),
    "reason": lambda hidden: Response(500, (), b"", hidden),
    "gzip": lambda hidden: Response(200, (), gzip.compress(hidden.encode())),
    "request": lambda _hidden: Response(200, ()),
}

plants = st.lists(
    st.tuples(
        st.sampled_from([KS, TOKEN, WHEP]), st.sampled_from(FORMS), st.sampled_from(sorted(PLACES))
    ),
    min_size=1,
    max_size=4,
)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(planted=plants)
def test_no_secret_is_ever_written(
    studio: Studio, planted: list[tuple[str, Callable[[str], str], str]]
) -> None:
    turn = {"url": "turn:t", "username": "kaltura", "credential": "avatar"}
    answers = [
        json_response(200, {"sessionId": "abc-123-def", "token": TOKEN}),
        json_response(200, {"whepUrl": WHEP, "turn": turn}),
        *(PLACES[place](form(secret)) for secret, form, place in planted),
    ]
    waiting = iter(answers)

    def code(client: Client) -> None:
        talk = client.create()
        talk.call(Operation.INIT_CLIENT)
        for secret, form, place in planted:
            talk.say(form(secret) if place == "request" else "Hello")

    content = studio.record(code, lambda _request: next(waiting))
    known = Secrets()
    for secret in (KS, TOKEN, WHEP):
        known.add(secret, "secret")
    assert known.find(content) == ()
    assert b"short" not in content
    assert b'\\"avatar\\"' not in content
