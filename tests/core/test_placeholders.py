"""What stands for ids and secrets has their type and shape."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from uuid import UUID

import pytest

from pytest_avatar.core import placeholders


def test_the_token_is_a_jwt_that_does_not_expire() -> None:
    parts = placeholders.token_placeholder("session-1").split(".")
    claims = json.loads(urlsafe_b64decode(parts[1] + "=="))
    assert len(parts) == 3
    assert claims == {"exp": 4_102_444_800, "sub": "session-1"}


def test_each_session_has_its_own_token() -> None:
    tokens = {placeholders.token_placeholder(f"session-{number}") for number in range(20)}
    assert len(tokens) == 20


def test_a_uuid_stays_one() -> None:
    assert UUID(placeholders.uuid_placeholder(12)).version == 4


@pytest.mark.parametrize(
    "text",
    [
        placeholders.KS,
        placeholders.token_placeholder("module-session-12"),
        placeholders.uuid_placeholder(1),
        placeholders.hex_placeholder(1),
        placeholders.whep_url_placeholder(3),
        "turn-username",
        "turn-credential",
        "KS <ks>",
        "Bearer <token of session-1>",
    ],
)
def test_what_was_made_here_is_known(text: str) -> None:
    assert placeholders.is_placeholder(text)


@pytest.mark.parametrize(
    "text",
    ["", "session-1", "a.b.placeholder", "x.!!!.placeholder", "kaltura", "KS abc", "<ks> abc"],
)
def test_other_texts_are_no_placeholders(text: str) -> None:
    assert not placeholders.is_placeholder(text)
