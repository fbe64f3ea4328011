"""Secrets stay in, ordinary text stays as it is."""

from __future__ import annotations

import base64
import gzip
import json
import string
import time
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_avatar.core.placeholders import token_placeholder
from pytest_avatar.core.redaction import Secrets, is_secret_key

if TYPE_CHECKING:
    from collections.abc import Callable

KS = "djJ8MTIzNDU2fGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzaWQiOiJhYmMifQ.c2lnbmF0dXJl"
KS_V1 = base64.b64encode(
    b"0123456789abcdef0123456789abcdef01234567|1;1;1999999999;2;0.5;me;*"
).decode()
SHORTEST_KS_V1 = base64.b64encode(b"0123456789abcdef0123456789abcdef01234567|;;0;").decode()


def _base64_after(
    count: int, encode: Callable[[bytes], bytes] = base64.b64encode
) -> Callable[[str], str]:
    return lambda value: encode(b"." * count + value.encode() + b"..").decode()


FORMS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "url": lambda value: quote(value, safe=""),
    "url in lower case": lambda value: _lower_escapes(quote(value, safe="")),
    "form": quote_plus,
    "json": lambda value: json.dumps(value)[1:-1],
    "json with slashes": lambda value: json.dumps(value)[1:-1].replace("/", "\\/"),
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "base64 after 1": _base64_after(1),
    "base64 after 2": _base64_after(2),
    "base64 for URLs": _base64_after(1, base64.urlsafe_b64encode),
    "gzip in base64": lambda value: base64.b64encode(gzip.compress(value.encode())).decode(),
}

secret_values = st.text(
    st.sampled_from(string.ascii_letters + string.digits + '-_=+/|;%&"\\ é€'),
    min_size=8,
    max_size=60,
).filter(lambda value: value.strip() == value and len(set(value)) > 3)


def _lower_escapes(text: str) -> str:
    parts = text.split("%")
    return "%".join([parts[0], *(part[:2].lower() + part[2:] for part in parts[1:])])


@settings(max_examples=200, deadline=None)
@given(value=secret_values, form=st.sampled_from(sorted(FORMS)))
def test_a_known_secret_is_replaced_in_every_form(value: str, form: str) -> None:
    secrets = Secrets()
    secrets.add(value, "pass")
    text = f"before ({FORMS[form](value)}) after"
    assert secrets.find(text.encode()) == ("pass",)
    scrubbed = secrets.scrub(text)
    assert "<pass>" in scrubbed
    assert secrets.find(scrubbed.encode()) == ()
    assert scrubbed.startswith("before (")
    assert scrubbed.endswith(") after")


@settings(max_examples=60, deadline=None)
@given(value=secret_values, forms=st.lists(st.sampled_from(sorted(FORMS)), min_size=2, max_size=2))
def test_a_secret_is_found_in_encodings_inside_one_another(value: str, forms: list[str]) -> None:
    secrets = Secrets()
    secrets.add(value, "pass")
    text = value
    for form in forms:
        text = FORMS[form](text)
    assert secrets.find(f'"{text}"'.encode()) == ("pass",)


def test_a_secret_is_found_in_raw_gzip() -> None:
    assert Secrets().find(b"x" + gzip.compress(KS.encode())) == ("ks",)


def test_of_two_secrets_one_in_the_other_the_longer_is_replaced_first() -> None:
    secrets = Secrets()
    secrets.add("abcdefgh", "short")
    secrets.add("abcdefgh-ijklmn", "long")
    assert secrets.scrub("abcdefgh-ijklmn and abcdefgh") == "<long> and <short>"


@pytest.mark.parametrize("secret", [KS, JWT, KS_V1, SHORTEST_KS_V1])
def test_a_secret_that_nobody_made_known_is_replaced_by_its_shape(secret: str) -> None:
    scrubbed = Secrets().scrub(f"it was {secret}, they said")
    assert secret not in scrubbed
    assert Secrets().find(secret.encode())
    assert scrubbed in ("it was <ks>, they said", "it was <token>, they said")


@pytest.mark.parametrize("scheme", ["KS ", "Bearer "])
def test_code_that_names_a_scheme_without_a_secret_stays_as_it_is(scheme: str) -> None:
    line = f'headers={{"Authorization": "{scheme}" + ks}}'
    assert Secrets().scrub(line) == line


def test_an_admin_secret_is_found_by_its_shape() -> None:
    assert Secrets().find(b'"0123456789abcdef0123456789abcdef"') == ("admin secret",)


@pytest.mark.parametrize(
    "text",
    [
        '{"token": "kaltura"}',
        "{'ks': 'x'}",
        r'"{\"credential\":\"avatar\"}"',
        '{"adminSecret" : "a\\"b"}',
        '{"api_key":"k"}',
        '{"WhepUrl":"https://w.example/1"}',
        "Authorization: KS x",
        "('Authorization', 'Bearer y')",
        '{"authorization": "Bearer y"}',
        "b'authorization: ks x'",
        "AUTHORIZATION: BEARER y",
        "author\u0131zat\u0131on: \u212as x",
    ],
)
def test_a_short_secret_is_replaced_by_its_key(text: str) -> None:
    scrubbed = Secrets().scrub(text)
    assert "<" in scrubbed
    for value in (
        "kaltura",
        "'x'",
        "KS x",
        "s x",
        "Bearer y",
        "BEARER y",
        '"k"',
        "w.example",
        'a\\"b',
    ):
        assert value not in scrubbed


def test_a_short_value_does_not_spoil_ordinary_words() -> None:
    secrets = Secrets()
    secrets.add("x", "ks")
    secrets.add("kaltura", "ks")
    assert secrets.scrub("an example of kaltura") == "an example of kaltura"


def test_what_stands_for_a_secret_is_none() -> None:
    secrets = Secrets()
    placeholder = token_placeholder("session-1")
    secrets.add(placeholder, "token")
    assert secrets.scrub(placeholder) == placeholder
    assert secrets.find(placeholder.encode()) == ()


def test_a_token_that_only_looks_like_a_placeholder_is_a_secret() -> None:
    header, _, signature = token_placeholder("session-1").split(".")
    forged = f"{header}.eyJzZWNyZXQiOiJ4In0.{signature}"
    assert Secrets().scrub(forged) == "<token>"


ordinary = st.text(
    st.sampled_from(string.ascii_letters + string.digits + " .,:;!?-_/=+()[]{}'\"\\\n"),
    max_size=300,
)


@settings(max_examples=100, deadline=None)
@given(text=ordinary)
def test_ordinary_text_comes_back_as_it_is(text: str) -> None:
    secrets = Secrets()
    secrets.add(KS, "ks")
    secrets.add(JWT, "token")
    assert secrets.scrub(text) == text


@settings(max_examples=60, deadline=None)
@given(text=ordinary)
def test_scrubbing_twice_changes_nothing_more(text: str) -> None:
    secrets = Secrets()
    secrets.add(KS, "ks")
    once = secrets.scrub(f"{text}{KS}{text}")
    assert secrets.scrub(once) == once


def test_scrubbing_takes_time_linear_in_the_text() -> None:
    secrets = Secrets()
    for number in range(100):
        secrets.add(f"secret-number-{number:06}", "token")
    line = "E   assert 'tests/test_things.py' == \"token\": 'aGVsbG8gd29ybGQgaG93IGFyZSB5b3U' \n"

    def seconds(lines: int) -> float:
        started = time.thread_time()
        secrets.scrub(line * lines)
        return time.thread_time() - started

    seconds(10)
    assert min(seconds(8000) for _ in range(3)) < 60 * min(seconds(400) for _ in range(3))


@pytest.mark.parametrize(
    "text",
    ["eyJ" * 100_000, '"token": "' * 50_000, "a" * 500_000, "authorization:" + " " * 100_000],
    ids=["eyJ", "token", "a", "spaces"],
)
def test_no_text_takes_for_ever(text: str) -> None:
    started = time.thread_time()
    Secrets().scrub(text)
    assert time.thread_time() - started < 5


def test_what_stands_before_a_token_stays() -> None:
    assert Secrets().scrub(f"my_{JWT}") == "my_<token>"
    placeholder = f"my_{token_placeholder('session-1')}"
    assert Secrets().scrub(placeholder) == placeholder
    assert Secrets().find(placeholder.encode()) == ()


@pytest.mark.parametrize("key", ["token", "ks", "apiKey", "api_key", "ADMIN_SECRET", "whepUrl"])
def test_keys_of_secrets_are_known_in_any_spelling(key: str) -> None:
    assert is_secret_key(key)


@pytest.mark.parametrize("key", ["sessionId", "tokens", "url", "username", ""])
def test_other_keys_are_not(key: str) -> None:
    assert not is_secret_key(key)
