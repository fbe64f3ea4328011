"""Session tokens of the emulator's own: real JSON Web Tokens, signed with HMAC-SHA-256."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING

from pytest_avatar.core.model import Token

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["mint_token"]


def mint_token(claims: Mapping[str, object], key: bytes) -> Token:
    """Return a signed token, `eyJ….eyJ….…`.

    Args:
        claims: What it says; `exp` and `iat` are seconds since 1970.
        key: The secret it is signed with.
    """
    signed = f"{_encode({'alg': 'HS256', 'typ': 'JWT'})}.{_encode(claims)}"
    return Token(f"{signed}.{_base64(hmac.digest(key, signed.encode(), hashlib.sha256))}")


def _encode(data: Mapping[str, object]) -> str:
    return _base64(json.dumps(data, separators=(",", ":")).encode())


def _base64(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()
