"""Texts without what differs from run to run."""

from __future__ import annotations

import gzip

import pytest

from pytest_avatar.core.http import BaseUrl
from pytest_avatar.core.normalising import (
    DEFAULT_BASE,
    Names,
    Normaliser,
    rebase,
    secret_values,
    volatile,
)
from pytest_avatar.core.redaction import Secrets

BASE = BaseUrl("http://127.0.0.1:8787/v1/avatar-session")


@pytest.fixture
def names() -> Names:
    names = Names()
    names.add("real-session", "session-1")
    names.add("s2", "session-2")
    return names


@pytest.fixture
def normaliser(names: Names) -> Normaliser:
    return Normaliser(names, Secrets(), BASE)


def test_a_known_id_is_replaced_wherever_it_stands(normaliser: Normaliser) -> None:
    assert normaliser.text("/real-session/end") == "/session-1/end"


def test_a_short_id_is_replaced_only_if_it_is_the_whole_text(normaliser: Normaliser) -> None:
    assert normaliser.text("s2") == "session-2"
    assert normaliser.text("css2 is no s2") == "css2 is no s2"


def test_the_whole_text_alone_is_replaced_if_it_is_asked_so(names: Names) -> None:
    assert names.whole("real-session") == "session-1"
    assert names.whole("/real-session/end") == "/real-session/end"


def test_the_base_url_becomes_the_default_one(normaliser: Normaliser) -> None:
    text = f"see {BASE}/x at 127.0.0.1:8787"
    assert normaliser.text(text) == f"see {DEFAULT_BASE}/x at {DEFAULT_BASE.host}"


def test_another_port_is_left_alone() -> None:
    assert rebase("http://127.0.0.1:99/x", BASE, DEFAULT_BASE) == "http://127.0.0.1:99/x"


def test_gzip_is_rewritten_inside(normaliser: Normaliser) -> None:
    body = gzip.compress(b'{"id":"real-session"}')
    fresh = normaliser.answer_body(body, normaliser.answer_text)
    assert gzip.decompress(fresh) == b'{"id":"session-1"}'
    assert fresh == normaliser.request_body(gzip.compress(b'{"id":"real-session"}', 1))


def test_a_turn_server_keeps_its_address_and_loses_its_credentials(normaliser: Normaliser) -> None:
    body = b'{"turn":{"url":"turn:t","username":"kaltura","credential":"avatar"}}'
    assert normaliser.answer_body(body, normaliser.answer_text) == (
        b'{"turn":{"url":"turn:t","username":"turn-username","credential":"turn-credential"}}'
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-24T04:10:23Z", "2030-01-01T00:00:00Z"),
        ("2026-11-24 04:10:23,5", "2030-01-01 00:00:00.000"),
        ("2026-11-24T04:10+0200", "2030-01-01T00:00+0200"),
        ("2026-11-24", "2026-11-24"),
        ("at 04:10:23", "at 04:10:23"),
    ],
)
def test_dates_keep_their_form(normaliser: Normaliser, text: str, expected: str) -> None:
    assert normaliser.answer_text(text) == expected
    assert normaliser.text(text) == text


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"createdAt":1795493423.5}', b'{"createdAt":1893456000.0}'),
        (b'{"expires_at":1795493423000}', b'{"expires_at":1893456000000}'),
        (b'{"iat":12}', b'{"iat":12}'),
        (b'{"at":true}', b'{"at":true}'),
        (b'{"format":1795493423}', b'{"format":1795493423}'),
        (b'{"traceId":"x","n":[1795493423]}', b'{"traceId":"request-id","n":[1795493423]}'),
    ],
)
def test_times_are_known_by_their_key(normaliser: Normaliser, body: bytes, expected: bytes) -> None:
    assert normaliser.answer_body(body, normaliser.answer_text) == expected
    assert normaliser.request_body(body) == body


def test_what_differs_is_listed_in_its_order() -> None:
    body = (
        b'{"whepUrl":"https:\\/\\/w.example\\/1","id":"9b2f7a52-55e2-4f0e-8f7a-0a60a4f1a0f3",'
        b'"hex":"0123456789abcdef0123456789abcdef","own":"00000000-0000-4000-8000-000000000001"}'
    )
    assert list(volatile(body)) == [
        ("whep", "https://w.example/1"),
        ("uuid", "9b2f7a52-55e2-4f0e-8f7a-0a60a4f1a0f3"),
        ("hex", "0123456789abcdef0123456789abcdef"),
    ]


def test_an_address_that_is_no_json_is_taken_as_it_is() -> None:
    assert list(volatile(b'"whepUrl": "\\x"')) == [("whep", "\\x")]


def test_what_an_answer_gives_is_secret_elsewhere_too_unless_it_is_an_ordinary_word() -> None:
    body = b'{"whepUrl": "https://w/1", "turn": {"username": "kaltura", "credential": "a\\/b=1"}}'
    assert list(secret_values(body)) == [
        ("whep-url", "https://w/1"),
        ("turn-credential", "a/b=1"),
    ]
    assert list(secret_values(b'{"username": "user-1"}')) == []
