"""What users read when a call did not do as asked."""

# ruff: noqa: ANN401 - options that are passed on

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_avatar.core import failures
from pytest_avatar.core.errors import (
    ServiceError,
    SessionGoneError,
    UnexpectedAnswerError,
)
from pytest_avatar.core.http import BaseUrl
from pytest_avatar.core.redaction import Secrets
from pytest_avatar.core.wire import Answer, Operation

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzZXNzaW9uSWQiOiJhYmMifQ.c2lnbmF0dXJl"


def refusal(
    operation: Operation, status: int, data: dict[str, Any] | None = None, **options: Any
) -> Exception:
    session_id = None if operation is Operation.CREATE else "s1"
    answer = Answer(status, data or {}, **options)
    return failures.refused(operation, session_id, answer, Secrets())


@pytest.mark.parametrize(
    ("operation", "status", "error", "message"),
    [
        (
            Operation.CREATE,
            400,
            "visualConfig.id is required",
            (
                "create was refused by the service: 400 visualConfig.id is required.\n"
                "Check the avatar id and the other fields of the session."
            ),
        ),
        (
            Operation.CREATE,
            401,
            "Invalid Kaltura Session",
            (
                "create was refused by the service: 401 Invalid Kaltura Session.\n"
                "Give a fresh KS: one lives 24 hours by default."
            ),
        ),
        (
            Operation.CREATE,
            403,
            "Kaltura Session not authorized",
            (
                "create was refused by the service: 403 Kaltura Session not authorized.\n"
                "Give an admin KS: the service takes no other for create."
            ),
        ),
        (
            Operation.CREATE,
            404,
            None,
            (
                "create was refused by the service: 404.\n"
                "Check the base URL; both known paths of create were tried."
            ),
        ),
        (
            Operation.CREATE,
            429,
            None,
            (
                "create was refused by the service: 429.\n"
                "The service limits how many sessions are open at once."
            ),
        ),
        (
            Operation.CREATE,
            500,
            "Internal server error",
            (
                "create was refused by the service: 500 Internal server error.\n"
                "Nobody can know whether a session was opened, so it is not tried again; "
                "the run's summary lists it as unknown."
            ),
        ),
        (
            Operation.CREATE,
            307,
            None,
            (
                "create was refused by the service: 307.\n"
                "Redirects are not followed; is the base URL that of the avatar service?"
            ),
        ),
        (
            Operation.SAY_TEXT,
            400,
            "Text is required",
            "say-text of session s1 was refused by the service: 400 Text is required.",
        ),
        (
            Operation.SAY_TEXT,
            503,
            "Service temporarily unavailable",
            (
                "say-text of session s1 was refused by the service: 503 Service temporarily "
                "unavailable.\nSome live accounts refuse say-text; say_audio may work there."
            ),
        ),
        (
            Operation.INTERRUPT,
            401,
            "Invalid or expired token",
            (
                "interrupt of session s1 was refused by the service: 401 Invalid or expired "
                "token.\n"
                "The session's token is not accepted: it ended, or the token is another's."
            ),
        ),
        (
            Operation.END,
            200,
            "no",
            "end of session s1 was refused by the service: 200 no.",
        ),
    ],
)
def test_a_refusal_says_what_was_refused_why_and_what_to_do(
    operation: Operation, status: int, error: str | None, message: str
) -> None:
    failure = refusal(operation, status, {"success": False, "error": error})
    assert str(failure) == message
    assert isinstance(failure, ServiceError)
    assert (failure.operation, failure.status, failure.reason) == (operation, status, error)


@pytest.mark.parametrize("status", [401, 404, 502])
def test_an_error_of_a_gateway_is_an_error_of_the_service(status: int) -> None:
    failure = refusal(Operation.CREATE, status, problem="the body is not JSON")
    assert isinstance(failure, ServiceError)
    expected = f"create was refused by the service: {status} the body is not JSON.\n"
    assert str(failure).startswith(expected)


@pytest.mark.parametrize("status", [404, 410])
def test_a_session_that_the_service_does_not_know_is_gone(status: int) -> None:
    failure = refusal(Operation.KEEP_ALIVE, status, {"error": "Session ended"})
    assert isinstance(failure, SessionGoneError)
    assert (failure.session_id, failure.status) == ("s1", status)
    assert str(failure) == (
        f"keep-alive of session s1 came too late: the service answered {status} Session ended.\n"
        "A session is over once it was ended, by whomever."
    )


@pytest.mark.parametrize(
    ("operation", "problem", "message"),
    [
        (
            Operation.CREATE,
            None,
            (
                "create was answered 200, but a field of the answer is missing or of a wrong "
                "type.\n"
                "Expected a JSON object with `sessionId` and `token`; "
                "is the base URL that of the avatar service?"
            ),
        ),
        (
            Operation.INIT_CLIENT,
            None,
            (
                "init-client of session s1 was answered 200, but a field of the answer is missing "
                "or of a wrong type.\nExpected a JSON object with `whepUrl` and `turn`; "
                "is the base URL that of the avatar service?"
            ),
        ),
        (
            Operation.END,
            "the body is not JSON",
            (
                "end of session s1 was answered 200, but the body is not JSON.\n"
                "Expected a JSON object with `success`; is the base URL that of the avatar service?"
            ),
        ),
    ],
)
def test_a_success_that_is_none_is_unexpected(
    operation: Operation, problem: str | None, message: str
) -> None:
    failure = refusal(operation, 200, problem=problem)
    assert isinstance(failure, UnexpectedAnswerError)
    assert str(failure) == message


def test_the_words_of_the_service_are_scrubbed_and_kept_short() -> None:
    failure = refusal(Operation.END, 500, {"error": f"bad {TOKEN} {'x' * 10_000}\nand more"})
    assert isinstance(failure, ServiceError)
    assert TOKEN not in f"{failure} {failure.reason}"
    assert len(str(failure)) < 400
    assert len(str(failure).splitlines()) == 1


@given(st.text(), st.integers(300, 599), st.sampled_from(Operation))
def test_no_text_of_the_service_adds_a_line(error: str, status: int, operation: Operation) -> None:
    message = str(refusal(operation, status, {"error": error}))
    assert len(message.splitlines()) <= 2


def test_no_answer_says_from_where_and_what_follows() -> None:
    base = BaseUrl("https://avatar.example/v1")
    create = failures.no_answer(Operation.CREATE, None, base, "ReadTimeout")
    assert str(create) == (
        "create got no answer from https://avatar.example/v1: ReadTimeout.\n"
        "Nobody can know whether a session was opened, so it is not tried again; "
        "the run's summary lists it as unknown."
    )
    end = failures.no_answer(Operation.END, "s1", base, "ReadTimeout")
    assert str(end) == (
        "end of session s1 got no answer from https://avatar.example/v1: ReadTimeout.\n"
        "It may still be open. It is listed in the run's summary."
    )
    say = failures.no_answer(Operation.SAY_TEXT, "s1", base, "ReadTimeout")
    assert str(say).endswith("ReadTimeout.\nIs the service up?")
    assert (say.operation, say.session_id) == (Operation.SAY_TEXT, "s1")


def test_a_closed_session_says_why_and_that_nothing_was_sent() -> None:
    error = failures.closed(Operation.SAY_TEXT, "s1", "it was ended")
    assert error.status is None
    assert str(error) == (
        "say-text of session s1 came too late: it was ended.\n"
        "Nothing was sent. Use the session before it ends, or open another."
    )


def test_what_was_never_sent_opened_nothing() -> None:
    base = BaseUrl("https://a.example/v1")
    create = failures.no_answer(Operation.CREATE, None, base, "ConnectError", sent=False)
    assert str(create) == (
        "create got no answer from https://a.example/v1: ConnectError.\n"
        "Nothing was sent. Is the service up, and the base URL right?"
    )
