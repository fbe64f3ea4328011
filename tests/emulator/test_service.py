from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from pytest_avatar.core.multipart import Part, write_multipart
from pytest_avatar.core.wire import Operation, Request, Response
from pytest_avatar.emulator.books import SpokenAudio, SpokenText
from pytest_avatar.emulator.switches import Switches

if TYPE_CHECKING:
    from tests.emulator.conftest import Caller, Clock, MakeCaller

SESSION_OPERATIONS = [operation for operation in Operation if operation is not Operation.CREATE]
BODY = b'{"visualConfig":{"avatarId":"ada"}}'


def seen(response: Response) -> tuple[int, str | None]:
    return response.status, json.loads(response.body).get("error")


def claims(token: str) -> dict[str, int]:
    part = token.split(".")[1]
    data: dict[str, int] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return data


def test_create_answers_with_an_id_and_a_token(caller: Caller) -> None:
    response = caller.create()

    assert response.status == 200
    assert sorted(json.loads(response.body)) == ["sessionId", "success", "token"]


def test_a_token_is_a_jwt_that_expires_in_24_hours(caller: Caller, clock: Clock) -> None:
    token = caller.open().token

    assert token.count(".") == 2
    assert all(part.startswith("eyJ") for part in token.split(".")[:2])
    assert claims(token)["exp"] - clock.now.timestamp() == 24 * 3600


def test_ids_and_tokens_are_unique(caller: Caller) -> None:
    sessions = [caller.open() for _ in range(50)]

    assert len({session.session_id for session in sessions}) == 50
    assert len({session.token for session in sessions}) == 50


@pytest.mark.parametrize("authorization", ["KS any", "ks any", "Ks  any "])
def test_create_takes_any_ks_unless_one_is_named(caller: Caller, authorization: str) -> None:
    assert caller.send("", authorization, BODY).status == 200


@pytest.mark.parametrize("authorization", [None, "KS ", "KS other", "Bearer only", "Basic only"])
def test_create_refuses_any_ks_but_the_named_one(
    make_caller: MakeCaller, authorization: str | None
) -> None:
    caller = make_caller(ks="only")

    assert seen(caller.send("", authorization, BODY)) == (401, "Invalid Kaltura Session")
    assert caller.send("", "KS only", BODY).status == 200


def test_create_refuses_a_ks_that_may_not_create(make_caller: MakeCaller) -> None:
    caller = make_caller(unauthorised_ks=["user"])

    assert seen(caller.create("user")) == (403, "Kaltura Session not authorized")
    assert caller.create("admin").status == 200


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", "visualConfig.avatarId or visualConfig.id is required"),
        (b"not JSON", "visualConfig.avatarId or visualConfig.id is required"),
        (
            b'{"visualConfig":{"avatarId":7}}',
            "visualConfig.avatarId or visualConfig.id is required",
        ),
        (
            b'{"visualConfig":{"avatarId":""}}',
            "visualConfig.avatarId or visualConfig.id is required",
        ),
        (b'{"visualConfig":"ada"}', "visualConfig must be an object"),
        (
            b'{"visualConfig":{"id":"ada"},"voiceConfig":["x"]}',
            "voiceConfig must be an object",
        ),
    ],
)
def test_create_refuses_a_body_without_an_avatar(caller: Caller, body: bytes, error: str) -> None:
    assert seen(caller.send("", "KS any", body)) == (400, error)
    assert caller.service.books.totals.opened == 0


@pytest.mark.parametrize(
    ("switch", "bare", "slash_create"),
    [("bare", 200, 404), ("/create", 404, 200), ("both", 200, 200)],
)
def test_create_lives_where_the_switch_says(
    make_caller: MakeCaller, switch: str, bare: int, slash_create: int
) -> None:
    caller = make_caller(switches=Switches(create_path=switch))  # type: ignore[arg-type]

    assert caller.create(create_path="").status == bare
    assert caller.create(create_path="/create").status == slash_create


@pytest.mark.parametrize(
    ("switch", "avatar_id", "plain_id"),
    [("avatarId", 200, 400), ("id", 400, 200), ("either", 200, 200)],
)
def test_the_avatar_is_called_as_the_switch_says(
    make_caller: MakeCaller, switch: str, avatar_id: int, plain_id: int
) -> None:
    caller = make_caller(switches=Switches(avatar_field=switch))  # type: ignore[arg-type]

    assert caller.create(id_field="avatarId").status == avatar_id
    assert caller.create(id_field="id").status == plain_id


def test_create_answers_429_beyond_the_limit_of_open_sessions(make_caller: MakeCaller) -> None:
    caller = make_caller(switches=Switches(max_sessions=1))
    first = caller.open()

    assert seen(caller.create()) == (429, "Too many concurrent sessions")
    caller.ask(Operation.END, first)
    assert caller.create().status == 200


@pytest.mark.parametrize(
    "operation", [Operation.INTERRUPT, Operation.KEEP_ALIVE, Operation.END, Operation.INIT_CLIENT]
)
@pytest.mark.parametrize("body", [b"", b"{}", b'{"extra":1}'])
def test_operations_take_an_empty_body_or_an_object(
    caller: Caller, operation: Operation, body: bytes
) -> None:
    session = caller.open()

    response = caller.send(f"/{session.session_id}/{operation}", f"bearer {session.token}", body)

    assert (response.status, json.loads(response.body)["success"]) == (200, True)


@pytest.mark.parametrize("operation", SESSION_OPERATIONS)
def test_operations_refuse_a_body_that_is_no_object(caller: Caller, operation: Operation) -> None:
    session = caller.open()

    response = caller.send(f"/{session.session_id}/{operation}", f"Bearer {session.token}", b"[")

    assert seen(response) == (400, "Bad request")


def test_init_client_names_the_stream_and_the_turn_server(caller: Caller) -> None:
    data = json.loads(caller.ask(Operation.INIT_CLIENT, caller.open()).body)

    assert sorted(data) == ["success", "turn", "whepUrl"]
    assert sorted(data["turn"]) == ["credential", "url", "username"]
    assert data["whepUrl"].startswith("https://stream.avatar.example/whep/")


def test_say_text_is_written_into_the_books(caller: Caller) -> None:
    session = caller.open()

    caller.ask(Operation.SAY_TEXT, session, {"text": "Hi", "turnId": "t", "isFinal": False})
    caller.ask(Operation.SAY_TEXT, session, {"text": " you"})

    [record] = caller.service.books.sessions
    assert record.spoken == (SpokenText("t", "Hi", is_final=False), SpokenText(None, " you", True))


@pytest.mark.parametrize("payload", [{}, {"text": ""}, {"text": " \n"}, {"text": 7}])
def test_say_text_needs_a_text(caller: Caller, payload: dict[str, object]) -> None:
    session = caller.open()

    response = caller.ask(Operation.SAY_TEXT, session, payload)

    assert seen(response) == (400, "Text is required")
    assert caller.service.books.totals.spoken == 0


def test_say_text_answers_503_if_the_switch_says_so(make_caller: MakeCaller) -> None:
    caller = make_caller(switches=Switches(say_text=False))

    response = caller.ask(Operation.SAY_TEXT, caller.open(), {"text": "Hi"})

    assert seen(response) == (503, "Service temporarily unavailable")


def test_say_audio_is_written_into_the_books_by_its_digest(caller: Caller) -> None:
    response = caller.say_audio(caller.open(), duration=1.5, audio=b"abc")

    assert response.status == 200
    [record] = caller.service.books.sessions
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert record.spoken == (SpokenAudio("turn-1", 1.5, "audio/mpeg", 3, digest),)


@pytest.mark.parametrize("duration", [0.0, -1.0, float("nan"), float("inf")])
def test_say_audio_needs_a_duration_above_0(caller: Caller, duration: float) -> None:
    response = caller.say_audio(caller.open(), duration=duration)

    assert seen(response) == (400, "Duration must be a number of seconds greater than 0")


def test_say_audio_needs_an_audio_part(caller: Caller) -> None:
    session = caller.open()

    for response in (
        caller.say_audio(session, duration=1, audio=b""),
        caller.ask(Operation.SAY_AUDIO, session, {"duration": 1}),
    ):
        assert seen(response) == (400, "Audio is required")


@pytest.mark.parametrize("parts", [[], [Part("duration", b"soon")], [Part("duration", b"")]])
def test_a_duration_must_be_a_number(caller: Caller, parts: list[Part]) -> None:
    session = caller.open()
    form = write_multipart([*parts, Part("audio", b"ID3", "a.mp3")], "x")
    headers = (
        ("Authorization", f"Bearer {session.token}"),
        ("Content-Type", "multipart/form-data; boundary=x"),
    )
    url = f"{caller.service.base}/{session.session_id}/say-audio"

    response = caller.service.handle(Request("POST", url, headers, form))

    assert seen(response) == (400, "Duration must be a number of seconds greater than 0")


@pytest.mark.parametrize("operation", SESSION_OPERATIONS)
def test_only_the_token_of_that_very_session_is_taken(caller: Caller, operation: Operation) -> None:
    session, other = caller.open(), caller.open()
    path = f"/{session.session_id}/{operation}"

    for authorization in (
        None,
        "Bearer",
        f"KS {session.token}",
        f"Bearer {other.token}",
        f"Bearer {session.token}x",
        "Bearer é",
    ):
        assert seen(caller.send(path, authorization)) == (401, "Invalid or expired token")


def test_an_expired_token_is_refused(make_caller: MakeCaller, clock: Clock) -> None:
    caller = make_caller(switches=Switches(token_lifetime=60))
    session = caller.open()

    clock.advance(59)
    assert caller.ask(Operation.KEEP_ALIVE, session).status == 200
    clock.advance(1)
    assert seen(caller.ask(Operation.END, session)) == (401, "Invalid or expired token")


def test_a_token_in_the_body_authenticates_nobody(caller: Caller) -> None:
    """SEED's sendBeacon sample puts the header there."""
    session = caller.open()
    body = json.dumps({"headers": {"Authorization": f"Bearer {session.token}"}}).encode()

    response = caller.send(f"/{session.session_id}/end", None, body)

    assert seen(response) == (401, "Invalid or expired token")
    assert len(caller.service.books.open_sessions) == 1


@pytest.mark.parametrize("operation", SESSION_OPERATIONS)
def test_an_unknown_session_is_not_found(caller: Caller, operation: Operation) -> None:
    token = caller.open().token

    assert seen(caller.send(f"/nobody/{operation}", f"Bearer {token}")) == (
        404,
        "Session not found",
    )


@pytest.mark.parametrize("operation", SESSION_OPERATIONS)
def test_an_ended_session_is_gone(caller: Caller, operation: Operation) -> None:
    session = caller.open()
    caller.ask(Operation.END, session)

    assert seen(caller.ask(operation, session)) == (410, "Session ended")


def test_a_second_end_answers_404_if_the_switch_says_so(make_caller: MakeCaller) -> None:
    caller = make_caller(switches=Switches(second_end=404))
    session = caller.open()
    caller.ask(Operation.END, session)

    assert seen(caller.ask(Operation.END, session)) == (404, "Session not found")
    assert seen(caller.ask(Operation.KEEP_ALIVE, session)) == (410, "Session ended")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("GET", "/{id}"),
        ("DELETE", "/{id}"),
        ("GET", "/{id}/end"),
        ("POST", "/{id}"),
        ("POST", "/{id}/status"),
        ("POST", "/{id}/create"),
        ("POST", "/{id}/end/now"),
        ("POST", "-2"),
    ],
)
def test_there_is_no_other_route(caller: Caller, method: str, path: str) -> None:
    session = caller.open()

    response = caller.send(
        path.format(id=session.session_id), f"Bearer {session.token}", method=method
    )

    assert seen(response) == (404, "Not found")


def test_refusals_are_written_into_the_books(caller: Caller) -> None:
    session = caller.open()
    caller.ask(Operation.SAY_TEXT, session)
    caller.send("/eyJ.secret.x/end", "Bearer eyJ.secret.x")
    caller.send("/elsewhere")

    refused = [
        (one.operation, one.session_id, one.status, one.reason)
        for one in caller.service.books.refused
    ]
    assert refused == [
        ("say-text", session.session_id, 400, "Text is required"),
        ("end", None, 404, "Session not found"),
        (None, None, 404, "Not found"),
    ]


def test_calls_are_counted_also_after_the_end(caller: Caller) -> None:
    session = caller.open()
    for operation in (Operation.KEEP_ALIVE, Operation.KEEP_ALIVE, Operation.END, Operation.END):
        caller.ask(operation, session)

    [record] = caller.service.books.sessions
    assert record.calls == {"create": 1, "keep-alive": 2, "end": 2}
    assert record.late_calls == 1


def test_16_threads_open_and_end_200_sessions(caller: Caller) -> None:
    def live(_: int) -> int:
        session = caller.open()
        caller.ask(Operation.SAY_TEXT, session, {"text": "Hi"})
        return caller.ask(Operation.END, session).status

    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(live, range(200)))

    assert statuses == [200] * 200
    totals = caller.service.books.totals
    assert (totals.opened, totals.ended, totals.open, totals.spoken) == (200, 200, 0, 200)
