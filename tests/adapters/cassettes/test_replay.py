"""What is played, what is not, and what is said about it."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_avatar.adapters.cassettes.files import dump_cassette
from pytest_avatar.core import wire
from pytest_avatar.core.cassette import Cassette, Interaction
from pytest_avatar.core.errors import CassetteError
from pytest_avatar.core.events import Actor
from pytest_avatar.core.http import BaseUrl, Request, Response
from pytest_avatar.core.interception import acting_as
from pytest_avatar.core.wire import Operation, json_response
from pytest_avatar.emulator.service import Service
from tests.studio import KS, Client, Studio, client_of, live_client, some_base

if TYPE_CHECKING:
    from collections.abc import Callable


def visit(client: Client) -> None:
    talk = client.create()
    talk.say("Hello", "t1")
    talk.say("Bye", "t2")
    talk.end()


@pytest.fixture
def recorded(studio: Studio) -> Studio:
    studio.record(visit)
    return studio


def test_a_recording_replays_under_another_base_url(recorded: Studio) -> None:
    tape = recorded.replay(visit, base=BaseUrl("https://other.example/api"))
    assert tape.misses == ()
    assert tape.unplayed == ()
    assert len(tape.played) == 4


def test_links_to_the_service_name_the_base_url_of_the_run(studio: Studio) -> None:
    base = some_base()

    def code(client: Client) -> Response:
        return client.send(Request("POST", f"{client.base}/x/status", ()))

    studio.record(
        code, lambda _request: json_response(200, {"next": f"{base}/x/y", "at": "x"}), base=base
    )
    tape = studio.player()
    assert json.loads(code(client_of(tape)).body)["next"] == f"{tape.base}/x/y"


def test_what_the_code_itself_named_is_matched_though_the_service_repeats_it(
    studio: Studio,
) -> None:
    """An id of 32 digits has the shape of an admin secret, so it is written as another."""
    ids = {"client": "9b2f7a52-55e2-4f0e-8f7a-0a60a4f1a0f3", "voice": "0123456789abcdef" * 2}

    def code(client: Client) -> None:
        client.send(Request("POST", f"{client.base}/x/register", (), json.dumps(ids).encode()))

    content = studio.record(code, lambda request: Response(200, (), request.body))
    assert studio.replay(code).misses == ()
    assert ids["client"].encode() in content
    assert ids["voice"].encode() not in content


def test_a_turn_in_an_answer_is_that_of_the_request(studio: Studio) -> None:
    def echo(request: Request) -> Response:
        call = wire.read_call(base, request)
        assert call is not None
        turn = (call.payload or {}).get("turnId")
        return json_response(200, {"sessionId": "s-1234567", "token": "t" * 20, "turnId": turn})

    base = some_base()
    answers = []

    def code(client: Client) -> None:
        answers.append(client.create().say("Hello"))

    studio.record(code, echo, base=base)

    def code_with_its_own_turn(client: Client) -> None:
        answers.append(client.create().say("Hello", "my-own-turn"))

    studio.replay(code_with_its_own_turn)
    assert json.loads(answers[1].body)["turnId"] == "my-own-turn"


def test_either_dialect_replays(recorded: Studio) -> None:
    def code(client: Client) -> None:
        talk = client.create(create_path="/create", id_field="id")
        talk.say("Hello")
        talk.say("Bye")
        talk.end()

    assert recorded.replay(code).misses == ()


def test_the_avatar_of_the_settings_need_not_be_the_recorded_one(studio: Studio) -> None:
    studio.record(
        lambda client: client.create("avatar-at-home").end(),
        aliases={"avatar-at-home": "avatar-id"},
    )
    assert studio.replay(lambda client: client.create("avatar-id").end()).misses == ()
    other = studio.replay(
        lambda client: client.create("avatar-in-ci").end(), aliases={"avatar-in-ci": "avatar-id"}
    )
    assert other.misses == ()


def test_one_unknown_avatar_stands_for_the_one_that_the_settings_named(studio: Studio) -> None:
    """The code under test may hold the very id that the command line named while recording."""

    def two(client: Client, *avatars: str) -> None:
        for avatar in avatars:
            client.create(avatar).end()

    studio.record(lambda client: two(client, "ada", "bob", "ada"), aliases={"ada": "avatar-id"})
    assert studio.replay(lambda client: two(client, "ada", "bob", "ada")).misses == ()
    tape = studio.player()
    with pytest.raises(CassetteError, match='sent     "eve"'):
        two(client_of(tape), "ada", "bob", "eve")
    tape = studio.player(aliases={"carl": "avatar-id"})
    with pytest.raises(CassetteError, match='sent     "ada"'):
        two(client_of(tape), "ada")


def test_a_changed_text_is_a_miss(recorded: Studio) -> None:
    def code(client: Client) -> None:
        talk = client.create()
        with suppress(CassetteError):
            talk.say("Hullo")
        talk.say("Bye")
        talk.end()

    tape = recorded.replay(code, place=lambda: recorded.place("cassettes/test_it.json"))
    assert tape.misses[0].request == "say-text of session-1"
    assert tape.misses[0].message == (
        "The cassette holds no answer to this request, and replay sends nothing.\n"
        "  test:      tests/test_it.py::test_it\n"
        "  cassette:  cassettes/test_it.json\n"
        "  request:   say-text of session-1\n"
        '             {"text": "Hullo", "isFinal": true}\n'
        "  nearest:   interaction 2 of 4, say-text of session-1\n"
        "  differs:   text\n"
        '    recorded "Hello"\n'
        '    sent     "Hullo"\n'
        "Record it again: pytest --avatar-mode=record tests/test_it.py::test_it"
    )
    assert tape.unplayed_message == (
        "The test did not send 1 recorded request.\n"
        "  test:      tests/test_it.py::test_it\n"
        "  cassette:  cassettes/test_it.json\n"
        "  unplayed:  interaction 2, say-text of session-1\n"
        "A request that is sent no more may be a session that is ended no more. If it is meant, "
        "record again: pytest --avatar-mode=record tests/test_it.py::test_it"
    )


def test_an_end_that_is_no_longer_sent_is_unplayed(recorded: Studio) -> None:
    def code(client: Client) -> None:
        talk = client.create()
        talk.say("Hello")
        talk.say("Bye")

    assert [one.request.url[-4:] for one in recorded.replay(code).unplayed] == ["/end"]


def send_end(client: Client) -> None:
    client.send(wire.session_request(client.base, Operation.END, "session-1", "x"))


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (send_end, "session-1 has not been created yet"),
        (
            lambda client: [(talk := client.create()).end(), talk.say("Bye")],
            "it was recorded before the end of the session, which has played already",
        ),
        (
            lambda client: [(talk := client.create()).say("Bye"), talk.say("Hello")],
            "interaction 2 is out of order: a later one has played already",
        ),
        (
            lambda client: [(talk := client.create()).say("Hello"), talk.say("Hello")],
            "interaction 2 has played already",
        ),
    ],
)
def test_order_within_a_session_is_kept(
    recorded: Studio, code: Callable[[Client], object], reason: str
) -> None:
    with pytest.raises(CassetteError) as caught:
        recorded.replay(code)
    assert f"  but:       {reason}\n" in str(caught.value)


def test_an_interaction_may_play_again_if_repeats_are_allowed(recorded: Studio) -> None:
    def code(client: Client) -> None:
        talk = client.create()
        for _ in range(3):
            talk.say("Hello")
        talk.say("Bye")
        talk.end()
        with pytest.raises(CassetteError):
            talk.say("Bye")

    assert len(recorded.replay(code, allow_repeats=True).misses) == 1


def test_a_whole_session_may_play_again_if_repeats_are_allowed(recorded: Studio) -> None:
    def code(client: Client) -> None:
        visit(client)
        visit(client)

    tape = recorded.replay(code, allow_repeats=True)
    assert tape.misses == ()
    assert tape.unplayed == ()


def test_keep_alives_play_as_often_as_they_are_sent(studio: Studio) -> None:
    def code(times: int) -> Callable[[Client], None]:
        def visit(client: Client) -> None:
            talk = client.create()
            for _ in range(times):
                talk.call(Operation.KEEP_ALIVE)
            talk.end()

        return visit

    studio.record(code(2))
    for times in (0, 1, 5):
        tape = studio.replay(code(times))
        assert tape.misses == ()
        assert tape.unplayed == ()


def test_background_keep_alives_need_no_cassette(recorded: Studio) -> None:
    def code(client: Client) -> None:
        talk = client.create()
        with acting_as(Actor.KEEPER):
            assert talk.call(Operation.KEEP_ALIVE).status == 200
        talk.say("Hello")
        talk.say("Bye")
        talk.end()

    assert recorded.replay(code).misses == ()


def test_what_the_package_itself_misses_is_not_held_against_the_test(recorded: Studio) -> None:
    def code(client: Client) -> None:
        talk = client.create()
        with acting_as(Actor.PLUGIN), pytest.raises(CassetteError):
            talk.call(Operation.INTERRUPT)

    assert recorded.replay(code).misses == ()


def test_a_session_of_a_fixture_is_known_by_its_placeholder(studio: Studio) -> None:
    base = some_base()
    service = Service(base)
    fixture = studio.recorder(base=base, label="module", path=studio.path.with_name("f.json"))
    talk = live_client(base, fixture, service.handle).create()
    test = studio.recorder(base=base)
    replace(talk, client=live_client(base, test, service.handle)).say("Hello")
    test.save()
    talk.end()
    fixture.save()

    fixture_tape = Studio(fixture.path).player()
    talk = client_of(fixture_tape).create()
    assert talk.session_id == "module-session-1"
    test_tape = studio.player()
    replace(talk, client=client_of(test_tape)).say("Hello")
    talk.end()
    assert fixture_tape.unplayed == test_tape.unplayed == ()


def test_sessions_of_elsewhere_are_matched_in_the_order_of_their_appearance(studio: Studio) -> None:
    base = some_base()
    service = lambda _request: json_response(200, {"success": True})  # noqa: E731

    def code(*sessions: str) -> Callable[[Client], None]:
        def send(client: Client) -> None:
            for session in sessions:
                client.send(wire.session_request(client.base, Operation.END, session, "t" * 9))

        return send

    studio.record(code("recorded-1", "recorded-2"), service, base=base)
    tape = studio.replay(code("session-7", "session-3"))
    assert tape.unplayed == ()
    with pytest.raises(CassetteError, match="end of session-4"):
        studio.replay(code("session-7", "session-3", "session-4"))


def test_turns_are_matched_if_that_is_asked_for(studio: Studio) -> None:
    def code(*turns: str) -> Callable[[Client], None]:
        def say(client: Client) -> None:
            talk = client.create()
            for turn in turns:
                talk.say("Hello", turn)

        return say

    studio.record(code("a", "b", "a"))
    how = {"match_on": ("operation", "session", "body", "turn")}
    assert studio.replay(code("x", "y", "x"), **how).misses == ()
    with pytest.raises(CassetteError):
        studio.replay(code("x", "y", "y"), **how)


def test_bodies_and_sessions_need_not_match_if_that_is_asked_for(recorded: Studio) -> None:
    def code(client: Client) -> None:
        talk = client.create("another avatar")
        replace(talk, session_id="session-9").say("anything")
        talk.say("whatever")
        talk.end()

    assert recorded.replay(code, match_on=("operation",)).misses == ()


def test_a_missing_cassette_says_what_records_it(studio: Studio) -> None:
    tape = studio.player()
    with pytest.raises(CassetteError) as caught:
        client_of(tape).create()
    assert str(caught.value) == (
        "There is no cassette, and replay sends nothing.\n"
        "  test:      tests/test_it.py::test_it\n"
        f"  cassette:  {studio.path}\n"
        "Record it: pytest --avatar-mode=record tests/test_it.py::test_it"
    )
    assert len(tape.misses) == 1
    assert tape.unplayed == ()


def test_a_broken_cassette_says_so_in_one_line(studio: Studio) -> None:
    studio.path.parent.mkdir()
    studio.path.write_text('{\n"version": 1,')
    with pytest.raises(CassetteError) as caught:
        client_of(studio.player()).create()
    assert "\n" not in str(caught.value)
    assert "test_it.json:2: broken cassette" in str(caught.value)
    assert "; record it again: pytest --avatar-mode=record" in str(caught.value)


def test_a_miss_has_at_most_25_lines_and_no_secret(studio: Studio) -> None:
    fields = {f"field{number}": "x" * 500 for number in range(50)}

    def code(extra: dict[str, Any]) -> Callable[[Client], None]:
        def create(client: Client) -> None:
            client.send(wire.create_request(client.base, KS, avatar_id="a", extra=extra))

        return create

    studio.record(code(fields), lambda _request: json_response(401, {"success": False}))
    changed = {f"field{number}": f"{KS} {number}\n" for number in range(50)}
    with pytest.raises(CassetteError) as caught:
        studio.replay(code({**changed, "ks": "short"}))
    assert len(str(caught.value).splitlines()) <= 25
    assert KS not in str(caught.value)
    assert "short" not in str(caught.value)
    assert "and 46 more" in str(caught.value)


@pytest.mark.parametrize(
    "base",
    ["https://api.example/v1/avatar-session", "https://a.example/other", "http://[::1]:80/deep/er"],
)
def test_a_cassette_of_plain_vcrpy_is_recognised_under_any_base(studio: Studio, base: str) -> None:
    service, tape_base = Service(BaseUrl(base)), BaseUrl(base)
    created = wire.create_request(tape_base, KS, avatar_id="a")
    opened = wire.read_opened(wire.read_answer(first := service.handle(created)))
    assert opened is not None
    assert opened.token is not None
    end = wire.session_request(tape_base, Operation.END, opened.session_id, opened.token)
    elsewhere = Interaction(Request("GET", "https://else.example/", ()), Response(200, ()))
    interactions = (Interaction(created, first), elsewhere, Interaction(end, service.handle(end)))
    studio.path.parent.mkdir()
    studio.path.write_bytes(dump_cassette(Cassette(interactions)))
    tape = studio.replay(lambda client: client.create("a").end())
    assert tape.misses == ()
    assert tape.unplayed == ()
