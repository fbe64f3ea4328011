"""What makes two requests the same."""

from __future__ import annotations

import json

import pytest

from pytest_avatar.core import wire
from pytest_avatar.core.cassette import (
    audio_summary,
    find_base,
    read_ask,
    read_recorded,
    text_or_summary,
)
from pytest_avatar.core.http import BaseUrl, Request
from pytest_avatar.core.multipart import Part, write_multipart
from pytest_avatar.core.wire import Operation

BASE = BaseUrl("https://a.example/v1/avatar-session")


def say_audio(boundary: str, audio: bytes = b"abc", turn: bytes = b"t") -> Request:
    parts = [Part("turnId", turn), Part("duration", b"2"), Part("audio", audio, "a.mp3")]
    headers = (("Content-Type", f"multipart/form-data; boundary={boundary}"),)
    return Request("POST", f"{BASE}/s/say-audio", headers, write_multipart(parts, boundary))


def test_create_is_the_same_in_either_dialect() -> None:
    first, second = (
        read_ask(
            BASE, wire.create_request(BASE, "ks", avatar_id="a", create_path=path, id_field=name)
        )
        for path, name in zip(wire.CREATE_PATHS, wire.ID_FIELDS, strict=True)
    )
    assert first == second
    assert first.content == second.content


def test_the_turn_stands_apart() -> None:
    ask = read_ask(
        BASE,
        wire.say_text_request(BASE, "s", "t", text="Hello", turn_id="x", is_final=True),
    )
    assert (ask.operation, ask.session, ask.turn) == (Operation.SAY_TEXT, "s", "x")
    assert ask.content == '{"isFinal":true,"text":"Hello"}'


def test_a_form_is_the_same_whatever_its_boundary() -> None:
    assert (
        read_ask(BASE, say_audio("one")).content
        == read_ask(BASE, say_audio("two", turn=b"u")).content
    )


def test_other_audio_is_another_request() -> None:
    assert read_ask(BASE, say_audio("b")).content != read_ask(BASE, say_audio("b", b"abd")).content


def test_the_summary_of_a_summary_is_itself() -> None:
    summary = audio_summary(b"abc")
    assert summary.endswith(", 3 bytes")
    assert audio_summary(summary.encode()) == summary


def test_a_body_that_is_no_text_is_summed_up() -> None:
    assert text_or_summary(b"\xff").startswith("sha256:")
    assert text_or_summary(b"abc") == "abc"


def test_a_route_that_nobody_knows_is_told_by_method_path_and_query() -> None:
    ask = read_ask(BASE, Request("get", f"{BASE}/s/status?x=1#f", ()))
    assert ask.route == "GET /s/status?x=1"
    assert (ask.operation, ask.session) == (None, None)


def test_texts_and_keys_are_cleaned_but_for_those_under_keys_of_secrets() -> None:
    body = {"a": ["x"], "b": {"x": 1}, "ks": "whatever", "n": None}
    ask = read_ask(BASE, Request("POST", f"{BASE}/s/end", (), json.dumps(body).encode()), str.upper)
    assert ask.data == {"A": ["X"], "B": {"X": 1}, "KS": "<ks>", "N": None}


def test_a_url_of_elsewhere_is_refused() -> None:
    with pytest.raises(ValueError, match="not a URL of the service"):
        read_ask(BASE, Request("GET", "https://b.example/", ()))


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("https://a.example/v1/avatar-session/s/end", str(BASE)),
        (
            "http://b.example:81/v2/avatar-session/s/end?x=1",
            "http://b.example:81/v2/avatar-session",
        ),
        ("http://b.example/avatar-session", "http://b.example/avatar-session"),
        ("http://b.example/api/s/keep-alive", "http://b.example/api"),
        ("http://b.example/create", "http://b.example"),
    ],
)
def test_the_base_url_of_a_recorded_request_is_found(url: str, base: str) -> None:
    assert find_base(Request("POST", url, ()), (BASE,)) == BaseUrl(base)


def test_a_recorded_request_is_read_under_the_base_that_it_was_sent_to() -> None:
    elsewhere = Request("POST", "https://other.example/v2/avatar-session/s/end", (), b"{}")
    for request in (Request("POST", f"{BASE}/s/end", (), b"{}"), elsewhere):
        assert read_recorded(request, (BASE,)) == read_ask(
            BASE, Request("POST", f"{BASE}/s/end", ())
        )
    assert read_recorded(Request("GET", "https://b.example/", ()), (BASE,)) is None


def test_a_bare_create_is_known_by_its_body() -> None:
    request = Request("POST", "http://b.example/api", (), b'{"visualConfig":{"id":"a"}}')
    assert find_base(request, (BASE,)) == BaseUrl("http://b.example/api")


@pytest.mark.parametrize(
    "url",
    [
        "https://b.example/",
        "https://b.example/avatar-sessions/x",
        "https://user:word@b.example/avatar-session/s/end",
        "https://b.example:port/create",
    ],
)
def test_other_traffic_has_no_base(url: str) -> None:
    assert find_base(Request("POST", url, ()), (BASE,)) is None


def test_what_several_cassettes_hold_alike_is_understood_once() -> None:
    headers = (("Content-Type", "application/json"),)
    one, other = (Request("POST", f"{BASE}/session-1/end", headers, b"{}") for _ in range(2))
    first = read_recorded(one, (BASE,))
    assert first is not None
    assert read_recorded(other, (BASE,)) is first
    assert read_recorded(other._replace(body=b'{"a": 1}'), (BASE,)) != first
    assert read_recorded(other, (BASE,), str.upper) != first
