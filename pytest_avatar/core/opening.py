"""What of an answer to create says that a session is open.

It stands apart from the wire format because the courier of the watchdog has to know it, which
begins with hardly a module.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["is_header_word", "named_session"]


def named_session(data: Mapping[str, object]) -> tuple[str, str | None] | None:
    """Return the id and the token of the session that an answer names; `None` if it names none.

    The token is `None` if it cannot be used.
    """
    session_id, token = data.get("sessionId"), data.get("token")
    if not isinstance(session_id, str) or not session_id:
        return None
    return session_id, token if isinstance(token, str) and is_header_word(token) else None


def is_header_word(text: str) -> bool:
    """Whether a KS or a token can stand in a header: no white space, nothing outside ASCII."""
    return bool(text) and text.isascii() and text.isprintable() and " " not in text
