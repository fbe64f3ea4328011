"""What becomes of an answer that is no success, or of none: an error, in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pytest_avatar.core.errors import (
    AvatarError,
    ServiceError,
    ServiceUnreachableError,
    SessionGoneError,
    UnexpectedAnswerError,
)
from pytest_avatar.core.text import printable
from pytest_avatar.core.wire import Operation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_avatar.core.http import BaseUrl
    from pytest_avatar.core.redaction import Secrets
    from pytest_avatar.core.wire import Answer

__all__ = ["closed", "no_answer", "refused"]


def no_answer(
    operation: Operation, session_id: str | None, base: BaseUrl, why: str, *, sent: bool = True
) -> ServiceUnreachableError:
    """Return the error for a request to which no whole answer came.

    Args:
        operation: What was asked.
        session_id: The session it was asked of; `None` for create.
        base: Where the service should have been.
        why: What happened instead, redacted.
        sent: Whether any part of the request can have reached the service.
    """
    hint = _AFTER_NO_ANSWER.get(operation) if sent or operation is Operation.END else _NOT_SENT
    return ServiceUnreachableError(
        f"{_subject(operation, session_id)} got no answer from {base}: {why}.\n"
        f"{hint or 'Is the service up?'}",
        operation=operation,
        session_id=session_id,
    )


def closed(operation: Operation, session_id: str, why: str) -> SessionGoneError:
    """Return the error for a call to a session that is known here to be over, and `why` it is."""
    return SessionGoneError(
        f"{_subject(operation, session_id)} came too late: {why}.\n"
        "Nothing was sent. Use the session before it ends, or open another.",
        operation=operation,
        session_id=session_id,
    )


def refused(
    operation: Operation, session_id: str | None, answer: Answer, secrets: Secrets
) -> AvatarError:
    """Return the error that an answer stands for.

    Args:
        operation: What was asked.
        session_id: The session it was asked of, or that a create opened; `None` if it is unknown.
        answer: The answer: a refusal, or a success that lacks what it should hold.
        secrets: What scrubs the answer's own words.
    """
    subject = _subject(operation, session_id)
    reason = secrets.scrub(answer.error or "") or None
    said = _said(answer, reason)
    if operation is not Operation.CREATE and session_id and answer.status in (404, 410):
        return SessionGoneError(
            f"{subject} came too late: the service answered {said}.\n"
            "A session is over once it was ended, by whomever.",
            operation=operation,
            session_id=session_id,
            status=answer.status,
        )
    if answer.ok or (answer.problem is not None and answer.status < 300):
        return UnexpectedAnswerError(
            f"{subject} was answered {answer.status}, but "
            f"{answer.problem or 'a field of the answer is missing or of a wrong type'}.\n"
            f"Expected {_EXPECTED.get(operation, 'a JSON object with `success`')}; "
            "is the base URL that of the avatar service?",
            operation=operation,
            session_id=session_id,
            status=answer.status,
        )
    hint = _hint(operation, answer.status)
    return ServiceError(
        f"{subject} was refused by the service: {said}.\n{hint}".rstrip(),
        operation=operation,
        status=answer.status,
        reason=reason,
        session_id=session_id,
    )


def _subject(operation: Operation, session_id: str | None) -> str:
    return f"{operation}" if session_id is None else f"{operation} of session {session_id}"


def _said(answer: Answer, reason: str | None) -> str:
    words = reason if reason is not None else answer.problem
    return f"{answer.status} {printable(words)}" if words else f"{answer.status}"


def _hint(operation: Operation, status: int) -> str:
    if operation is Operation.CREATE and status >= 500:
        return _UNKNOWN_CREATE
    if 300 <= status < 400:
        return "Redirects are not followed; is the base URL that of the avatar service?"
    return _HINTS.get((operation, status)) or _HINTS.get((None, status), "")


_UNKNOWN_CREATE: Final = (
    "Nobody can know whether a session was opened, so it is not tried again; "
    "the run's summary lists it as unknown."
)
_NOT_SENT: Final = "Nothing was sent. Is the service up, and the base URL right?"
_AFTER_NO_ANSWER: Final[Mapping[Operation, str]] = {
    Operation.CREATE: _UNKNOWN_CREATE,
    Operation.END: "It may still be open. It is listed in the run's summary.",
}
_EXPECTED: Final[Mapping[Operation, str]] = {
    Operation.CREATE: "a JSON object with `sessionId` and `token`",
    Operation.INIT_CLIENT: "a JSON object with `whepUrl` and `turn`",
}
_HINTS: Final[Mapping[tuple[Operation | None, int], str]] = {
    (Operation.CREATE, 400): "Check the avatar id and the other fields of the session.",
    (Operation.CREATE, 401): "Give a fresh KS: one lives 24 hours by default.",
    (Operation.CREATE, 403): "Give an admin KS: the service takes no other for create.",
    (Operation.CREATE, 404): "Check the base URL; both known paths of create were tried.",
    (Operation.CREATE, 405): "Check the base URL; both known paths of create were tried.",
    (Operation.CREATE, 422): "Check the avatar id and the other fields of the session.",
    (Operation.CREATE, 429): "The service limits how many sessions are open at once.",
    (Operation.SAY_TEXT, 503): "Some live accounts refuse say-text; say_audio may work there.",
    (None, 401): "The session's token is not accepted: it ended, or the token is another's.",
}
