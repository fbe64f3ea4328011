"""What the service says when it refuses, word for word where the words are documented."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final, NamedTuple

__all__ = [
    "AUDIO_REQUIRED",
    "BAD_REQUEST",
    "DURATION_REQUIRED",
    "INVALID_KS",
    "INVALID_TOKEN",
    "NO_SUCH_ROUTE",
    "SAY_TEXT_UNAVAILABLE",
    "SERVER_ERROR",
    "SESSION_ENDED",
    "SESSION_NOT_FOUND",
    "TEXT_REQUIRED",
    "TOO_MANY_SESSIONS",
    "UNAUTHORISED_KS",
    "Refusal",
    "RefusedError",
    "usual_reason",
]


class Refusal(NamedTuple):
    """An answer that says no.

    Attributes:
        status: The HTTP status.
        reason: The error text.
    """

    status: int
    reason: str


class RefusedError(Exception):
    """The service refuses a request; `refusal` says how."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)
        self.refusal = refusal


# Documented (DOCS, SEED).
INVALID_KS: Final = Refusal(401, "Invalid Kaltura Session")
UNAUTHORISED_KS: Final = Refusal(403, "Kaltura Session not authorized")
INVALID_TOKEN: Final = Refusal(401, "Invalid or expired token")
SESSION_NOT_FOUND: Final = Refusal(404, "Session not found")
SESSION_ENDED: Final = Refusal(410, "Session ended")
TEXT_REQUIRED: Final = Refusal(400, "Text is required")
BAD_REQUEST: Final = Refusal(400, "Bad request")
SERVER_ERROR: Final = Refusal(500, "Internal server error")

# Seen by others (SDK, CODE).
SAY_TEXT_UNAVAILABLE: Final = Refusal(503, "Service temporarily unavailable")

# The status is known or follows from the family; the words are ours.
AUDIO_REQUIRED: Final = Refusal(400, "Audio is required")
DURATION_REQUIRED: Final = Refusal(400, "Duration must be a number of seconds greater than 0")
NO_SUCH_ROUTE: Final = Refusal(404, "Not found")
TOO_MANY_SESSIONS: Final = Refusal(429, "Too many concurrent sessions")

_USUAL: Final = dict(
    (
        BAD_REQUEST,
        INVALID_TOKEN,
        UNAUTHORISED_KS,
        SESSION_NOT_FOUND,
        SESSION_ENDED,
        TOO_MANY_SESSIONS,
        SERVER_ERROR,
        SAY_TEXT_UNAVAILABLE,
    )
)


def usual_reason(status: int) -> str:
    """Return the words that usually go with a status: the service's own, or else HTTP's."""
    if status in _USUAL:
        return _USUAL[status]
    return next((known.phrase for known in HTTPStatus if known == status), f"Status {status}")
