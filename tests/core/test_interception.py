"""What the books say of a request, whoever sent it and whatever became of it."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from pytest_avatar.core import wire
from pytest_avatar.core.errors import CassetteError
from pytest_avatar.core.events import Actor, Opener, Verdict
from pytest_avatar.core.http import BaseUrl, Request, Response
from pytest_avatar.core.interception import Exchange, Interceptor, LiveTape, Tape, acting_as
from pytest_avatar.core.ledger import Ledger, SessionRecord, State
from pytest_avatar.core.redaction import Secrets
from pytest_avatar.core.wire import Ending, Operation

BASE = BaseUrl("https://avatar.example/v1")
KS = "djJ8MTIzNDU2fGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzZXNzaW9uSWQiOiJhYmMifQ.c2lnbmF0dXJl"
OPENED = {"success": True, "sessionId": "s1", "token": TOKEN}
CREATE = wire.create_request(BASE, KS, avatar_id="ada")


def ask(operation: Operation, session_id: str = "s1") -> Request:
    return wire.session_request(BASE, operation, session_id, TOKEN)


def says(status: int, data: dict[str, Any] | None = None) -> Response:
    return wire.json_response(status, {} if data is None else data)


class ScriptedTape:
    """A tape that does as it was told, and remembers what it heard."""

    def __init__(self, answer: Response | None = None, error: BaseException | None = None) -> None:
        self._answer = answer
        self._error = error
        self.heard: list[str] = []

    def begin(self, exchange: Exchange) -> Response | None:
        self.heard.append(f"begin {exchange.call.operation}")
        if self._error is not None:
            raise self._error
        return self._answer

    def finish(self, exchange: Exchange, response: Response) -> None:
        self.heard.append(f"finish {response.status}")
        if self._error is not None:
            raise self._error

    def abort(self, exchange: Exchange, error: BaseException) -> None:
        self.heard.append(f"abort {error}")


class Middle:
    """An interceptor with books of its own, and a client that sends through it."""

    def __init__(self, tape: Tape | None = None) -> None:
        self.secrets = Secrets()
        self.ledger = Ledger()
        self.interceptor = Interceptor(
            BASE,
            self.ledger,
            self.secrets,
            lambda client: Opener(client=client),
            tape or LiveTape(),
        )

    def begin(self, request: Request) -> Exchange:
        return self.interceptor.begin(request, "tests")

    def send(self, request: Request, answer: Response) -> None:
        self.begin(request).answered(answer)

    @property
    def record(self) -> SessionRecord:
        (record,) = self.ledger.records
        return record


@pytest.fixture
def middle() -> Middle:
    return Middle()


@pytest.fixture
def opened(middle: Middle) -> Middle:
    middle.send(CREATE, says(200, OPENED))
    return middle


@pytest.mark.parametrize(
    ("answer", "state", "reason"),
    [
        (says(200, OPENED), State.OPEN, None),
        (says(200, OPENED | {"success": False}), State.OPEN, None),
        (says(500, OPENED), State.OPEN, None),
        (says(404, OPENED), State.OPEN, None),
        (says(200, {"sessionId": "s1"}), State.OPEN, None),
        (says(302), State.REFUSED, "302 no session in the answer"),
        (says(401, {"error": "Invalid KS"}), State.REFUSED, "401 Invalid KS"),
        (says(429), State.REFUSED, "429 no session in the answer"),
        (Response(404, (), b"<html>"), State.REFUSED, "404 the body is not JSON"),
        (says(200), State.UNKNOWN, "200 no session in the answer"),
        (says(200, {"success": False, "error": "no"}), State.UNKNOWN, "200 no"),
        (Response(200, (), b"<html>"), State.UNKNOWN, "200 the body is not JSON"),
        (says(500, {"error": "oh"}), State.UNKNOWN, "500 oh"),
        (Response(502, (), b""), State.UNKNOWN, "502 no session in the answer"),
    ],
)
def test_the_answer_to_create_decides_what_stands_in_the_books(
    middle: Middle, answer: Response, state: State, reason: str | None
) -> None:
    middle.send(CREATE, answer)
    assert (middle.record.state, middle.record.reason) == (state, reason)
    assert middle.record.opener.client == "tests"


def test_a_create_is_in_the_books_before_it_is_sent(middle: Middle) -> None:
    middle.begin(CREATE)
    assert middle.record.state is State.CREATING
    assert middle.record.verdict is Verdict.UNKNOWN


def test_a_create_without_an_answer_is_unknown(middle: Middle) -> None:
    middle.begin(CREATE).failed(TimeoutError(f"timed out after KS {KS}"))
    assert middle.record.state is State.UNKNOWN
    assert middle.record.reason == "TimeoutError: timed out after KS <ks>"


def test_a_create_that_was_never_sent_opened_nothing(middle: Middle) -> None:
    middle.begin(CREATE).failed(ConnectionRefusedError("refused"), sent=False)
    assert middle.record.state is State.REFUSED


@pytest.mark.parametrize(
    ("answer", "ending", "reason"),
    [
        (says(200), Ending.ENDED, None),
        (says(410, {"error": "Session ended"}), Ending.ALREADY_ENDED, "410 Session ended"),
        (says(404), Ending.SUSPICIOUS, "404"),
        (says(401, {"error": f"bad {TOKEN}"}), Ending.UNCONFIRMED, "401 bad <token>"),
        (says(403), Ending.UNCONFIRMED, "403"),
        (says(500, {"error": "oh"}), Ending.NOT_ENDED, "500 oh"),
        (says(200, {"success": False}), Ending.NOT_ENDED, "200"),
        (Response(200, (), b"<"), Ending.NOT_ENDED, "200 the body is not JSON"),
    ],
)
def test_the_answer_to_end_decides_whether_it_is_over(
    opened: Middle, answer: Response, ending: Ending, reason: str | None
) -> None:
    opened.send(ask(Operation.END), answer)
    (attempt,) = opened.record.end_attempts
    assert (attempt.ending, attempt.status, attempt.reason) == (ending, answer.status, reason)
    assert opened.record.is_open is not ending.is_over


def test_a_404_after_another_answer_is_no_surprise(opened: Middle) -> None:
    opened.send(ask(Operation.KEEP_ALIVE), says(200))
    opened.send(ask(Operation.END), says(404))
    assert opened.record.end_attempts[0].ending is Ending.ALREADY_GONE


@pytest.mark.parametrize("sent", [True, False])
def test_an_end_without_an_answer_has_not_ended(opened: Middle, sent: bool) -> None:
    opened.begin(ask(Operation.END)).failed(TimeoutError("slow"), sent=sent)
    (attempt,) = opened.record.end_attempts
    assert (attempt.ending, attempt.status) == (Ending.NOT_ENDED, None)
    assert attempt.reason == "TimeoutError: slow"
    assert opened.record.is_open


def test_calls_that_were_answered_are_counted(opened: Middle) -> None:
    opened.send(ask(Operation.SAY_TEXT), says(503))
    opened.begin(ask(Operation.SAY_TEXT)).failed(TimeoutError())
    assert opened.record.calls == {Operation.SAY_TEXT: 1}


@pytest.mark.parametrize(
    "request_",
    [ask(Operation.END, "somebody else's"), Request("POST", f"{BASE}/s1/status", ())],
    ids=["unknown session", "unknown route"],
)
def test_what_no_session_of_ours_is_asked_is_sent_but_not_booked(
    opened: Middle, request_: Request
) -> None:
    opened.send(request_, says(200))
    opened.begin(request_).failed(TimeoutError())
    assert opened.record.is_open
    assert not opened.record.answered_before


def test_who_ends_a_session_is_written_down(opened: Middle) -> None:
    with acting_as(Actor.FIXTURE):
        exchange = opened.begin(ask(Operation.END))
        with acting_as(Actor.WATCHDOG):
            assert opened.begin(ask(Operation.KEEP_ALIVE)).actor is Actor.WATCHDOG
        assert opened.begin(ask(Operation.KEEP_ALIVE)).actor is Actor.FIXTURE
    assert opened.begin(ask(Operation.KEEP_ALIVE)).actor is Actor.CODE
    exchange.answered(says(200))
    assert opened.record.ended_by is Actor.FIXTURE


def test_every_secret_that_passes_becomes_known(opened: Middle) -> None:
    assert opened.secrets.scrub(f"{KS} {TOKEN}") == "<ks> <token>"
    assert opened.ledger.token_of(opened.record) == TOKEN


def test_only_urls_of_the_service_concern_us(middle: Middle) -> None:
    assert middle.interceptor.concerns(f"{BASE}/s1/end")
    assert not middle.interceptor.concerns("https://avatar.example/v10")
    with pytest.raises(ValueError, match=r"not a URL of the service: https://other\.example/"):
        middle.begin(Request("GET", "https://other.example/", ()))


def test_a_tape_may_answer_in_place_of_the_service() -> None:
    tape = ScriptedTape(answer=says(200, OPENED))
    middle = Middle(tape)
    exchange = middle.begin(CREATE)
    assert exchange.answer == says(200, OPENED)
    assert middle.record.is_open
    assert tape.heard == ["begin create"]


def test_a_tape_hears_of_what_was_sent() -> None:
    tape = ScriptedTape()
    middle = Middle(tape)
    middle.send(CREATE, says(200, OPENED))
    middle.begin(ask(Operation.END)).failed(TimeoutError("slow"))
    assert tape.heard == ["begin create", "finish 200", "begin end", "abort slow"]


def test_a_request_keeps_the_tape_it_began_with(middle: Middle) -> None:
    first, second = ScriptedTape(), ScriptedTape()
    middle.interceptor.tape = first
    exchange = middle.begin(CREATE)
    middle.interceptor.tape = second
    exchange.answered(says(200, OPENED))
    assert (first.heard, second.heard) == (["begin create", "finish 200"], [])


def test_a_create_that_is_not_in_the_cassette_opened_nothing() -> None:
    middle = Middle(ScriptedTape(error=CassetteError("not recorded")))
    with pytest.raises(CassetteError, match="not recorded"):
        middle.begin(CREATE)
    assert (middle.record.state, middle.record.reason) == (
        State.REFUSED,
        "it is not in the cassette",
    )


def test_an_end_that_is_not_in_the_cassette_has_not_ended(opened: Middle) -> None:
    opened.interceptor.tape = ScriptedTape(error=CassetteError("not recorded"))
    with pytest.raises(CassetteError, match="not recorded"):
        opened.begin(ask(Operation.END))
    assert opened.record.end_attempts[0].reason == "it is not in the cassette"
    assert opened.record.is_open


def test_an_error_of_our_own_is_reported_but_kept_from_the_client(
    middle: Middle, monkeypatch: pytest.MonkeyPatch
) -> None:
    caught: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", caught.append)
    exchange = middle.begin(CREATE)
    monkeypatch.setattr(middle.ledger, "opened", lambda *_: 1 / 0)
    exchange.answered(says(200, OPENED))
    exchange.failed(TimeoutError())
    assert [args.exc_type for args in caught] == [ZeroDivisionError]


def test_a_tape_that_fails_late_does_not_reach_the_client(
    middle: Middle, monkeypatch: pytest.MonkeyPatch
) -> None:
    caught: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", caught.append)
    tape = middle.interceptor.tape = ScriptedTape()
    exchange = middle.begin(CREATE)
    tape._error = OSError("no space left")
    exchange.answered(says(200, OPENED))
    assert [args.exc_type for args in caught] == [OSError]
    assert middle.record.is_open


def test_an_end_is_sent_on_behalf_of_the_test_that_is_named() -> None:
    ledger = Ledger()
    attribute = Opener(test="the test of the create")
    interceptor = Interceptor(
        BASE, ledger, Secrets(), lambda _client: attribute, LiveTape(), test_now=lambda: "another"
    )
    interceptor.begin(CREATE, "tests").answered(says(200, OPENED))
    end = wire.session_request(BASE, wire.Operation.END, "s1", TOKEN)
    interceptor.begin(end, "tests").answered(says(200))
    (record,) = ledger.records
    assert record.opener.test == "the test of the create"
    assert record.end_attempts[0].test == "another"
