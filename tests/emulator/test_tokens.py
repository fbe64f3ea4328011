from __future__ import annotations

import base64
import hashlib
import hmac

from pytest_avatar.emulator.tokens import mint_token


def test_a_token_is_signed_and_hides_in_its_repr() -> None:
    token = mint_token({"exp": 7}, b"key")

    head, body, signature = token.split(".")
    digest = hmac.digest(b"key", f"{head}.{body}".encode(), hashlib.sha256)
    assert base64.urlsafe_b64decode(body + "==") == b'{"exp":7}'
    assert base64.urlsafe_b64decode(signature + "=") == digest
    assert repr(token) == "'<token>'"
