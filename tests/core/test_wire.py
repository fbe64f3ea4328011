"""Seven operations, written and read back; answers of any shape."""

# ruff: noqa: ANN401 - JSON, and options that are passed on

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_avatar.core import wire
from pytest_avatar.core.http import BaseUrl, Request, Response
from pytest_avatar.core.multipart import Part
from pytest_avatar.core.wire import Answer, Call, Credential, Ending, Operation

BASE = BaseUrl(wire.DEFAULT_BASE_URL)
TOKEN = "eyJh.eyJz.c2ln"
HOSTILE_IDS = ["a/b", "../x", "..", ".", "a?b#c", "é", "%2F", " ", "end", "create", "a%", "\u2028"]

session_ids = st.text(min_size=1) | st.sampled_from(HOSTILE_IDS)
turn_ids = st.text(min_size=1)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
json_objects = st.dictionaries(st.text(), json_values, max_size=4)


def call_of(request: Request) -> Call:
    call = wire.read_call(BASE, request)
    assert call is not None
    return call


def answer_of(body: bytes, status: int = 200) -> Answer:
    return wire.read_answer(Response(status, (), body))


def create_body(**options: Any) -> Any:
    return json.loads(wire.create_request(BASE, "ks", avatar_id="ada", **options).body)


@given(st.sampled_from(wire.CREATE_PATHS), st.sampled_from(wire.ID_FIELDS), st.text(min_size=1))
def test_a_create_reads_as_it_was_written(path: str, id_field: str, avatar_id: str) -> None:
    request = wire.create_request(
        BASE, "djJ8", avatar_id=avatar_id, create_path=path, id_field=id_field
    )
    payload = {"visualConfig": {id_field: avatar_id}}
    assert call_of(request) == Call(Operation.CREATE, None, Credential("ks", "djJ8"), payload)
    assert request.url == f"{BASE}{path}"


@given(
    st.sampled_from([operation for operation in Operation if operation is not Operation.CREATE]),
    session_ids,
    json_objects,
)
def test_a_call_reads_as_it_was_written_whatever_the_session_is_called(
    operation: Operation, session_id: str, payload: dict[str, Any]
) -> None:
    call = call_of(wire.session_request(BASE, operation, session_id, TOKEN, payload))
    assert call == Call(operation, session_id, Credential("bearer", TOKEN), payload)


@pytest.mark.parametrize("session_id", [*HOSTILE_IDS, "\ud800"])
def test_a_session_id_is_one_segment_of_the_path(session_id: str) -> None:
    url = wire.session_request(BASE, Operation.END, session_id, TOKEN).url
    segment, operation = url.removeprefix(f"{BASE}/").split("/")
    assert operation == "end"
    assert url.isascii()
    assert segment not in ("", ".", "..")


@given(session_ids, turn_ids, st.text(), st.booleans())
def test_say_text_reads_as_it_was_written(
    session_id: str, turn_id: str, text: str, is_final: bool
) -> None:
    request = wire.say_text_request(
        BASE, session_id, TOKEN, text=text, turn_id=turn_id, is_final=is_final
    )
    call = call_of(request)
    assert call.operation is Operation.SAY_TEXT
    assert call.session_id == session_id
    assert call.payload == {"text": text, "turnId": turn_id, "isFinal": is_final}


@given(
    session_ids,
    turn_ids,
    st.binary() | st.just(b"\r\n--avatar-1--\r\n"),
    st.floats(min_value=0, allow_nan=False, allow_infinity=False, exclude_min=True),
)
def test_say_audio_reads_as_it_was_written(
    session_id: str, turn_id: str, audio: bytes, duration: float
) -> None:
    part = Part("audio", audio, "a.mp3", "audio/mpeg")
    call = call_of(
        wire.say_audio_request(
            BASE, session_id, TOKEN, audio=part, turn_id=turn_id, duration=duration
        )
    )
    assert call.operation is Operation.SAY_AUDIO
    assert call.audio == part
    assert call.payload is not None
    assert call.payload["turnId"] == turn_id
    assert float(call.payload["duration"]) == duration


@pytest.mark.parametrize(
    ("duration", "written"),
    [(0.1, "0.1"), (1e-7, "0.0000001"), (100000.5, "100000.5"), (2.0, "2"), (3, "3")],
)
def test_a_duration_is_written_as_decimal_seconds(duration: float, written: str) -> None:
    request = wire.say_audio_request(
        BASE, "s", TOKEN, audio=Part("audio", b"", "a"), turn_id="1", duration=duration
    )
    payload = call_of(request).payload
    assert payload is not None
    assert payload["duration"] == written


def test_a_form_stays_well_formed_whatever_stands_in_its_fields() -> None:
    audio = Part("audio", b"--avatar-1\r\n\r\n--avatar-1--\r\n", "a", "audio/mpeg")
    request = wire.say_audio_request(BASE, "s", TOKEN, audio=audio, turn_id='é"\r\n;', duration=1)
    content_type = wire.header(request.headers, "content-type")
    assert content_type is not None
    assert content_type.isascii()
    call = call_of(request)
    assert call.payload == {"turnId": 'é"\r\n;', "duration": "1"}
    assert call.audio == audio


def test_a_voice_is_named_only_if_one_is_given() -> None:
    assert create_body() == {"visualConfig": {"avatarId": "ada"}}
    assert create_body(voice_id="v")["voiceConfig"] == {"id": "v"}
    assert create_body(voice_speed=0.0)["voiceConfig"] == {"speed": 0.0}


def test_extra_fields_are_merged_object_by_object_and_win() -> None:
    extra = {"voiceConfig": {"speed": 2, "language": "en"}, "clientId": "c", "visualConfig": None}
    assert create_body(voice_id="v", voice_speed=1.0, extra=extra) == {
        "visualConfig": None,
        "voiceConfig": {"id": "v", "speed": 2, "language": "en"},
        "clientId": "c",
    }
    assert extra["voiceConfig"] == {"speed": 2, "language": "en"}


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("GET", f"{BASE}"),
        ("POST", f"{BASE}/s"),
        ("POST", f"{BASE}//end"),
        ("POST", f"{BASE}/s/status"),
        ("POST", f"{BASE}/s/end/more"),
        ("POST", f"{BASE}/s/create"),
    ],
)
def test_a_route_that_the_service_does_not_have_is_no_operation(method: str, url: str) -> None:
    call = call_of(Request(method, url, ()))
    assert (call.operation, call.session_id) == (None, None)


@pytest.mark.parametrize("tail", ["", "/", "/create", "/create/", "?x=1"])
def test_create_is_known_at_both_paths(tail: str) -> None:
    assert call_of(Request("post", f"{BASE}{tail}", ())).operation is Operation.CREATE


def test_a_request_for_another_place_is_none_of_ours() -> None:
    assert wire.read_call(BASE, Request("POST", f"{BASE}-2", ())) is None


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("KS abc", Credential("ks", "abc")),
        ("ks  abc ", Credential("ks", "abc")),
        ("BEARER t", Credential("bearer", "t")),
        ("Basic dTpw", None),
        ("Bearer", None),
        ("KS ", None),
        ("", None),
    ],
)
def test_an_authorization_header_is_read_whatever_its_case(
    value: str, read: Credential | None
) -> None:
    request = Request("POST", str(BASE), (("AUTHORIZATION", value),))
    assert call_of(request).credential == read


@given(st.binary(), st.sampled_from(["", "application/json", "multipart/form-data; boundary=x"]))
def test_reading_a_request_never_raises(body: bytes, content_type: str) -> None:
    payload = call_of(Request("POST", str(BASE), (("Content-Type", content_type),), body)).payload
    assert payload is None or isinstance(payload, dict)


@pytest.mark.parametrize(
    ("body", "payload"),
    [(b"", {}), (b" \r\n", {}), (b"{}", {}), (b"[]", None), (b"{", None), (b"[" * 99_999, None)],
    ids=["empty", "blank", "object", "list", "broken", "deep"],
)
def test_the_payload_is_the_object_of_the_body(body: bytes, payload: object) -> None:
    assert call_of(Request("POST", str(BASE), (), body)).payload == payload


@given(st.binary() | json_values.map(lambda value: json.dumps(value).encode()))
def test_an_answer_of_any_bytes_is_read_without_raising(body: bytes) -> None:
    for status in (200, 404, 500):
        answer = answer_of(body, status)
        assert type(answer.ok) is bool
        assert answer.error is None or isinstance(answer.error, str)
        opened = wire.read_opened(answer)
        assert opened is None or isinstance(opened.session_id, str)
        assert isinstance(wire.read_ending(answer, answered_before=True), Ending)


@given(json_objects, st.integers(200, 599))
def test_unknown_fields_of_an_answer_are_kept(data: dict[str, Any], status: int) -> None:
    assert answer_of(json.dumps(data).encode(), status).data == data


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"<html>", "the body is not JSON"),
        (b"\xff", "the body is not JSON"),
        (b"[" * 99_999, "the body is not JSON"),
        (b"[]", "the body is a JSON list, not an object"),
        (b"null", "the body is a JSON null, not an object"),
        (b'{"success": "no"}', "`success` is a string, not a boolean"),
        (b'{"success": 1}', "`success` is a number, not a boolean"),
    ],
    ids=["html", "not UTF-8", "deep", "list", "null", "text", "number"],
)
def test_what_is_wrong_with_an_answer_is_said(body: bytes, problem: str) -> None:
    answer = answer_of(body)
    assert answer.problem == problem
    assert answer.ok is False


@pytest.mark.parametrize(
    ("status", "body", "ok"),
    [
        (200, b'{"success": true}', True),
        (200, b"{}", True),
        (204, b"", True),
        (200, b'{"success": false}', False),
        (302, b"", False),
        (404, b'{"success": true}', False),
    ],
)
def test_success_needs_the_status_and_no_word_against_it(
    status: int, body: bytes, ok: bool
) -> None:
    assert answer_of(body, status).ok is ok


@pytest.mark.parametrize("error", ["", None, 7, ["x"]])
def test_only_a_text_is_an_error_text(error: object) -> None:
    assert Answer(400, {"error": error}).error is None


def test_a_reply_opens_a_session_whatever_else_it_says() -> None:
    answer = answer_of(b'{"success": false, "sessionId": "s", "token": "t"}', 500)
    assert wire.read_opened(answer) == wire.Opened("s", "t")


@pytest.mark.parametrize("data", [{}, {"sessionId": ""}, {"sessionId": 7, "token": "t"}])
def test_a_reply_without_an_id_opens_nothing_that_can_be_named(data: dict[str, Any]) -> None:
    assert wire.read_opened(Answer(200, data)) is None


@pytest.mark.parametrize("token", [None, "", 7, "two words", "line\n", "é", "\x00"])
def test_a_token_that_no_header_can_hold_is_none(token: object) -> None:
    opened = wire.read_opened(Answer(200, {"sessionId": "s", "token": token}))
    assert opened == wire.Opened("s", None)


@pytest.mark.parametrize(
    ("status", "before", "ending", "is_over"),
    [
        (200, False, Ending.ENDED, True),
        (410, False, Ending.ALREADY_ENDED, True),
        (404, True, Ending.ALREADY_GONE, True),
        (404, False, Ending.SUSPICIOUS, True),
        (401, True, Ending.UNCONFIRMED, False),
        (403, True, Ending.UNCONFIRMED, False),
        (302, True, Ending.NOT_ENDED, False),
        (400, True, Ending.NOT_ENDED, False),
        (429, True, Ending.NOT_ENDED, False),
        (500, True, Ending.NOT_ENDED, False),
    ],
)
def test_the_answer_to_end_means(status: int, before: bool, ending: Ending, is_over: bool) -> None:
    assert wire.read_ending(Answer(status, {}), answered_before=before) is ending
    assert ending.is_over is is_over


def test_an_end_that_says_no_has_not_ended() -> None:
    refused = Answer(200, {"success": False})
    assert wire.read_ending(refused, answered_before=True) is Ending.NOT_ENDED


@given(st.text())
def test_a_refusal_reads_as_it_was_written(error: str) -> None:
    answer = wire.read_answer(wire.refusal(400, error))
    assert answer == Answer(400, {"success": False, "error": error})


def test_half_a_character_can_be_written() -> None:
    assert wire.json_response(200, {"text": "\ud83d"}).body == b'{"text":"\xed\xa0\xbd"}'


def test_a_recorded_request_is_authorised_by_nobody() -> None:
    request = wire.session_request(BASE, Operation.END, "s", "<token>")
    call = wire.read_call(BASE, request, is_recorded=True)
    assert call is not None
    assert (call.operation, call.session_id, call.credential) == (Operation.END, "s", None)


def test_secrets_are_not_in_any_repr() -> None:
    assert "t0ken" not in repr(Credential("bearer", "t0ken")) + repr(wire.Opened("s", "t0ken"))


def test_an_answer_that_comes_again_is_read_once() -> None:
    body = b'{"success": true, "sessionId": "s", "token": "t"}'
    first = wire.read_answer(Response(200, (), body))
    assert wire.read_answer(Response(200, (("Server", "b"),), bytes(bytearray(body)))) is first
    assert wire.read_answer(Response(201, (), body)).status == 201
