"""What stands in cassettes in place of ids, tokens, secrets and dates: same type, same shape."""

from __future__ import annotations

import binascii
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

__all__ = [
    "AVATAR_ID",
    "DATE",
    "EPOCH_SECONDS",
    "KS",
    "hex_placeholder",
    "is_placeholder",
    "token_placeholder",
    "uuid_placeholder",
    "whep_url_placeholder",
]

KS: Final = "<ks>"
"""Stands for a Kaltura Session, which no code under test ever reads from an answer."""

AVATAR_ID: Final = "avatar-id"
"""Stands for the avatar that the settings name."""

DATE: Final = "2030-01-01"
"""Stands for every date of an answer."""

EPOCH_SECONDS: Final = 1_893_456_000
"""The beginning of `DATE`, in seconds since the epoch."""

_FAR_FUTURE: Final = 4_102_444_800
"""The year 2100: no token of a cassette expires."""

_SIGNATURE: Final = "placeholder"


def token_placeholder(session: str) -> str:
    """Return the token of a session in a cassette: a JWT that does not expire.

    Args:
        session: What stands for the session's id.
    """
    header = _encode({"alg": "none", "typ": "JWT"})
    return f"{header}.{_encode({'exp': _FAR_FUTURE, 'sub': session})}.{_SIGNATURE}"


def uuid_placeholder(number: int) -> str:
    """Return what stands for the nth other UUID of a cassette."""
    return f"00000000-0000-4000-8000-{number:012x}"


def hex_placeholder(number: int) -> str:
    """Return what stands for the nth other 32 hexadecimal digits of a cassette."""
    return f"{number:032x}"


def whep_url_placeholder(number: int) -> str:
    """Return what stands for the nth address of a stream."""
    return f"https://whep.invalid/{number}"


_MADE_HERE: Final = re.compile(
    r"<[a-z -]+>|0{20}[0-9a-f]{12}|00000000-0000-4000-8000-[0-9a-f]{12}"
    r"|https://whep\.invalid/\d+|turn-(?:username|credential)|KS <ks>|Bearer <token of [^<>]*>"
)


def is_placeholder(text: str) -> bool:
    """Whether a text was made here, and so is no secret."""
    return _MADE_HERE.fullmatch(text) is not None or _is_token_placeholder(text)


def _is_token_placeholder(text: str) -> bool:
    parts = text.split(".")
    if len(parts) != 3 or parts[2] != _SIGNATURE:
        return False
    try:
        claims = json.loads(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, binascii.Error):
        return False
    return isinstance(claims, dict) and text == token_placeholder(str(claims.get("sub")))


def _encode(data: dict[str, object]) -> str:
    content = json.dumps(data, separators=(",", ":")).encode()
    return urlsafe_b64encode(content).rstrip(b"=").decode()
