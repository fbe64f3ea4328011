"""The rules of every operation, driven by hand: no socket, no clock, no event loop."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_avatar.core import conversation as module
from pytest_avatar.core import wire
from pytest_avatar.core.connection import ClientConnection, Turn
from pytest_avatar.core.conversation import (
    Conversation,
    NoAnswerError,
    Outcome,
    Pause,
    Send,
    Service,
    Steps,
    drive,
)
from pytest_avatar.core.dialect import Dialect
from pytest_avatar.core.errors import (
    AvatarError,
    ServiceError,
    ServiceUnreachableError,
    SessionGoneError,
    SettingError,
    UnexpectedAnswerError,
)
from pytest_avatar.core.http import BaseUrl, Response
from pytest_avatar.core.model import AvatarOptions, Token
from pytest_avatar.core.multipart import Part
from pytest_avatar.core.redaction import Secrets
from pytest_avatar.core.wire import Ending, Operation

if TYPE_CHECKING:
    from collections.abc import Callable

BASE = BaseUrl("https://avatar.example/v1")
KS = "djJ8MTIzNDU2fGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzZXNzaW9uSWQiOiJhYmMifQ.c2lnbmF0dXJl"
OPENED = {"success": True, "sessionId": "s1", "token": TOKEN}
TIMED_OUT = NoAnswerError("ReadTimeout: timed out")

Result = TypeVar("Result")
Said: TypeAlias = Response | NoAnswerError


def says(status: int, data: dict[str, Any] | None = None) -> Response:
    return wire.json_response(status, {} if data is None else data)


def service(**dialect: str) -> Service:
    return Service(BASE, Dialect(**dialect), Secrets(), 30.0)


def conversation() -> Conversation:
    return Conversation(service(), "s1", Token(TOKEN))


class Driver:
    """Drives a conversation with answers written in advance; the last one repeats.

    Attributes:
        sent: Operation and tail of the URL of each request, and the timeout granted to it.
        paused: Seconds of each pause.
    """

    def __init__(self, *answers: Said) -> None:
        self._answers = answers
        self.sent: list[Send] = []
        self.paused: list[float] = []

    def drive(self, steps: Steps[Result]) -> Result:
        return drive(steps, self._take)

    def _take(self, step: Send | Pause) -> Outcome:
        if isinstance(step, Pause):
            self.paused.append(step.seconds)
            return None
        self.sent.append(step)
        return self._answers[min(len(self.sent), len(self._answers)) - 1]

    @property
    def operations(self) -> list[str]:
        calls = [wire.read_call(BASE, step.request) for step in self.sent]
        return [str(call.operation) for call in calls if call is not None]

    @property
    def forms(self) -> list[tuple[str, str]]:
        """Return path and avatar field of each create."""
        return [
            (
                step.request.url.removeprefix(str(BASE)),
                next(iter(json.loads(step.request.body)["visualConfig"])),
            )
            for step in self.sent
        ]


def create(driver: Driver, on: Service | None = None) -> Conversation:
    return driver.drive((on or service()).create(KS, AvatarOptions("ada")))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Time as the conversation sees it: 0.9 s pass between two looks at the clock."""
    now = [100.0]

    def monotonic() -> float:
        now[0] += 0.9
        return now[0]

    monkeypatch.setattr(time, "monotonic", monotonic)
    return now


# --- create ---------------------------------------------------------------------------------------


def test_a_session_is_opened_as_the_seed_says() -> None:
    driver = Driver(says(200, OPENED))
    session = create(driver)
    assert (session.session_id, session.token, session.is_open) == ("s1", TOKEN, True)
    assert driver.forms == [("", "avatarId")]
    assert [step.timeout for step in driver.sent] == [30.0]
    assert session.service.dialect.is_confirmed


def test_the_options_reach_the_wire() -> None:
    driver = Driver(says(200, OPENED))
    options = AvatarOptions("ada", "v", 1.5, {"clientId": "c"})
    driver.drive(service().create(KS, options))
    assert json.loads(driver.sent[0].request.body) == {
        "visualConfig": {"avatarId": "ada"},
        "voiceConfig": {"id": "v", "speed": 1.5},
        "clientId": "c",
    }


@pytest.mark.parametrize("status", [404, 405])
def test_another_path_is_tried_and_remembered(status: int) -> None:
    driver, one = Driver(says(status), says(200, OPENED)), service()
    create(driver, one)
    create(driver, one)
    assert driver.forms == [("", "avatarId"), ("/create", "avatarId"), ("/create", "avatarId")]


@pytest.mark.parametrize("status", [400, 422])
def test_another_field_is_tried_and_remembered(status: int) -> None:
    driver, one = Driver(says(status), says(200, OPENED)), service()
    create(driver, one)
    create(driver, one)
    assert driver.forms == [("", "avatarId"), ("", "id"), ("", "id")]


def test_both_are_tried_once_each() -> None:
    driver = Driver(says(404), says(400), says(200, OPENED))
    create(driver)
    assert driver.forms == [("", "avatarId"), ("/create", "avatarId"), ("/create", "id")]


@pytest.mark.parametrize("status", [400, 404, 405, 422])
def test_the_last_refusal_stands(status: int) -> None:
    driver = Driver(says(status, {"success": False, "error": "no"}))
    with pytest.raises(ServiceError, match=f"create was refused by the service: {status} no"):
        create(driver)
    assert len(driver.sent) == 2


def test_what_is_pinned_is_tried_alone() -> None:
    for answer in (says(404), says(400)):
        driver = Driver(answer)
        with pytest.raises(ServiceError):
            create(driver, service(create_path="/create", id_field="id"))
        assert driver.forms == [("/create", "id")]


@pytest.mark.parametrize("status", [401, 403, 409, 429, 500, 502, 503])
def test_no_other_refusal_is_tried_again(status: int) -> None:
    driver = Driver(says(status))
    with pytest.raises(ServiceError) as caught:
        create(driver)
    assert (caught.value.status, len(driver.sent), driver.paused) == (status, 1, [])


def test_a_create_without_an_answer_is_never_tried_again() -> None:
    driver = Driver(TIMED_OUT)
    with pytest.raises(ServiceUnreachableError) as caught:
        create(driver)
    assert len(driver.sent) == 1
    assert str(caught.value) == (
        "create got no answer from https://avatar.example/v1: ReadTimeout: timed out.\n"
        "Nobody can know whether a session was opened, so it is not tried again; "
        "the run's summary lists it as unknown."
    )
    assert caught.value.__cause__ is TIMED_OUT


@pytest.mark.parametrize("status", [200, 400, 404, 500])
def test_a_session_that_a_refusal_opened_is_ended_and_the_refusal_raised(status: int) -> None:
    driver = Driver(says(status, OPENED | {"success": False, "error": "no"}), says(200))
    with pytest.raises(ServiceError, match=f"create of session s1 was refused .*: {status} no"):
        create(driver)
    assert driver.operations == ["create", "end"]


def test_trouble_in_ending_it_is_a_note_on_the_refusal() -> None:
    driver = Driver(says(200, OPENED | {"success": False, "error": "no"}), says(401))
    with pytest.raises(ServiceError, match="create of session s1 was refused") as caught:
        create(driver)
    assert "end of session s1 was refused by the service: 401" in caught.value.__notes__[0]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"null",
        b"<html>",
        b'{"success": true, "sessionId": "s1", "tok',
        b'{"success": true, "sessionId": "s1"}',
        b'{"success": true, "sessionId": "s1", "token": 7}',
        b'{"success": true, "sessionId": 7, "token": "t"}',
        b'{"success": 1, "sessionId": null, "token": null}',
        b'{"success": true, "sessionId": "s1", "token": "two words"}',
        b"x" * 10_000_000,
    ],
    ids=lambda body: body[:50].decode(),
)
def test_an_answer_without_a_session_is_unexpected(body: bytes) -> None:
    driver = Driver(Response(200, (), body))
    with pytest.raises(UnexpectedAnswerError, match="create was answered 200, but ") as caught:
        create(driver)
    assert "Expected a JSON object with `sessionId` and `token`" in str(caught.value)
    assert len(str(caught.value)) < 300
    assert len(driver.sent) == 1


@given(st.binary(), st.integers(200, 599))
def test_whatever_is_answered_a_create_gives_a_session_or_an_avatar_error(
    body: bytes, status: int
) -> None:
    with suppress(AvatarError):
        assert create(Driver(Response(status, (), body))).is_open


@pytest.mark.parametrize("ks", ["", " ", "two words", f"{KS}\n", "djJ8é"])
def test_a_ks_that_no_header_can_hold_is_refused_before_it_is_sent(ks: str) -> None:
    driver = Driver(says(200, OPENED))
    with pytest.raises(SettingError, match="Kaltura Session: the value is empty, or") as caught:
        driver.drive(service().create(ks, AvatarOptions("ada")))
    assert driver.sent == []
    assert KS not in str(caught.value)


def test_no_message_holds_the_ks_or_the_token() -> None:
    one = service()
    create(Driver(says(200, OPENED)), one)
    for answer in (
        says(400, {"error": f"bad KS {KS} and {TOKEN}"}),
        NoAnswerError(f"LocalProtocolError: Illegal header value b'KS {KS} {TOKEN}'"),
    ):
        with pytest.raises(AvatarError) as caught:
            create(Driver(answer), one)
        assert KS not in str(caught.value)
        assert TOKEN not in str(caught.value)


# --- end ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "ending"),
    [
        (says(200, {"success": True}), Ending.ENDED),
        (Response(204, ()), Ending.ENDED),
        (says(410), Ending.ALREADY_ENDED),
        (says(404), Ending.SUSPICIOUS),
    ],
)
def test_a_session_is_over_at_once(answer: Response, ending: Ending) -> None:
    driver, session = Driver(answer), conversation()
    assert driver.drive(session.end()) is ending
    assert not session.is_open
    assert (len(driver.sent), driver.paused) == (1, [])
    assert driver.sent[0].timeout == module.END_TRY_SECONDS
    assert driver.sent[0].request.body == b"{}"


def test_a_try_to_end_is_no_slower_than_any_request() -> None:
    driver = Driver(says(200))
    impatient = Service(BASE, Dialect(), Secrets(), 0.5)
    driver.drive(Conversation(impatient, "s1", Token(TOKEN)).end())
    assert driver.sent[0].timeout == 0.5


def test_a_404_after_another_answer_is_no_surprise() -> None:
    driver, session = Driver(says(200), says(404)), conversation()
    driver.drive(session.call(Operation.KEEP_ALIVE))
    assert driver.drive(session.end()) is Ending.ALREADY_GONE


def test_a_404_after_a_try_without_an_answer_is_no_surprise() -> None:
    driver, session = Driver(TIMED_OUT, says(404)), conversation()
    assert driver.drive(session.end()) is Ending.ALREADY_GONE


def test_an_end_that_fails_is_tried_again_after_longer_and_longer_pauses() -> None:
    bad: list[Said] = [says(500), says(429), TIMED_OUT, says(200, {"success": False}), says(400)]
    driver, session = Driver(*bad, Response(200, (), b"<html>"), says(200)), conversation()
    assert driver.drive(session.end()) is Ending.ENDED
    assert driver.paused == [0.05, 0.1, 0.2, 0.4, 0.5, 0.5]
    assert not session.is_open


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        (says(500, {"error": "Internal server error"}), ServiceError, "500 Internal server error"),
        (TIMED_OUT, ServiceUnreachableError, "got no answer .* may still be open"),
        (Response(200, (), b"<html>"), UnexpectedAnswerError, "the body is not JSON"),
    ],
)
def test_an_end_that_fails_for_ever_stops_within_its_budget(
    clock: list[float], answer: Said, kind: type[AvatarError], message: str
) -> None:
    driver, session = Driver(answer), conversation()
    with pytest.raises(kind, match=f"(?s)end of session s1 .*{message}"):
        driver.drive(session.end())
    assert len(driver.sent) == 4
    assert clock[0] - 100.9 <= module.END_BUDGET_SECONDS
    assert session.is_open


@pytest.mark.parametrize("status", [401, 403])
def test_an_end_that_cannot_be_confirmed_is_not_tried_again(status: int) -> None:
    driver, session = Driver(says(status)), conversation()
    with pytest.raises(ServiceError, match=f"end of session s1 was refused .*: {status}"):
        driver.drive(session.end())
    assert len(driver.sent) == 1


# --- calls ----------------------------------------------------------------------------------------

CALLS: dict[str, Callable[[Conversation], Steps[Any]]] = {
    "say-text": lambda session: session.say_text("hello", None, is_final=True),
    "say-audio": lambda session: session.say_audio(
        b"ID3", None, duration=1.5, media_type="audio/mpeg"
    ),
    "interrupt": lambda session: session.call(Operation.INTERRUPT),
    "keep-alive": lambda session: session.call(Operation.KEEP_ALIVE),
    "init-client": lambda session: session.init_client(),
}
calls = pytest.mark.parametrize("name", CALLS)


@calls
def test_a_call_is_sent_once_with_the_token(name: str) -> None:
    driver = Driver(says(200, {"whepUrl": "https://stream.example/w"}))
    driver.drive(CALLS[name](conversation()))
    assert driver.operations == [name]
    call = wire.read_call(BASE, driver.sent[0].request)
    assert call is not None
    assert call.session_id == "s1"
    assert call.credential == wire.Credential("bearer", TOKEN)


@calls
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (says(400), ServiceError),
        (says(401), ServiceError),
        (says(404), SessionGoneError),
        (says(410), SessionGoneError),
        (says(500), ServiceError),
        (Response(502, (), b"<html>"), ServiceError),
        (Response(200, (), b"<html>"), UnexpectedAnswerError),
        (says(200, {"success": 7}), UnexpectedAnswerError),
        (says(200, {"success": False}), ServiceError),
        (TIMED_OUT, ServiceUnreachableError),
    ],
)
def test_a_call_that_fails_is_raised_and_not_tried_again(
    name: str, answer: Said, kind: type[AvatarError]
) -> None:
    driver = Driver(answer)
    with pytest.raises(AvatarError, match=f"{name} of session s1 ") as caught:
        driver.drive(CALLS[name](conversation()))
    assert type(caught.value) is kind
    assert len(driver.sent) == 1


@calls
def test_a_call_on_an_ended_session_sends_nothing(name: str) -> None:
    driver, session = Driver(says(200)), conversation()
    driver.drive(session.end())
    with pytest.raises(SessionGoneError) as caught:
        driver.drive(CALLS[name](session))
    assert driver.operations == ["end"]
    assert str(caught.value) == (
        f"{name} of session s1 came too late: it was ended.\n"
        "Nothing was sent. Use the session before it ends, or open another."
    )
    assert caught.value.status is None


def test_every_turn_has_an_id_of_its_own_unless_one_is_given() -> None:
    driver, session = Driver(says(200)), conversation()
    for turn_id in (None, None, "mine"):
        driver.drive(session.say_text("hello", turn_id, is_final=False))
    turns = [json.loads(step.request.body)["turnId"] for step in driver.sent]
    assert len(set(turns)) == 3
    assert turns[2] == "mine"


def test_audio_is_sent_with_its_type_and_a_name_that_fits() -> None:
    driver = Driver(says(200))
    steps = conversation().say_audio(b"RIFF", "t", duration=0.1, media_type="audio/wav")
    driver.drive(steps)
    call = wire.read_call(BASE, driver.sent[0].request)
    assert call is not None
    assert call.payload == {"turnId": "t", "duration": "0.1"}
    assert call.audio == Part("audio", b"RIFF", "audio.wav", "audio/wav")


def test_init_client_gives_what_a_browser_needs_and_makes_it_known_as_secret() -> None:
    url = "https://stream.avatar.example/whep/s3cret-enough-to-hide"
    turn = {"url": "turn:t.example", "username": "u", "credential": "c", "new": 1}
    session = conversation()
    connection = Driver(says(200, {"whepUrl": url, "turn": turn})).drive(session.init_client())
    assert connection == ClientConnection(url, Turn("turn:t.example", "u", "c"))
    assert session.service.secrets.scrub(f"see {url}") == "see <whep-url>"


@pytest.mark.parametrize("turn", [None, ...])
def test_a_session_may_have_no_turn_server(turn: object) -> None:
    data = {"whepUrl": "w"} if turn is ... else {"whepUrl": "w", "turn": turn}
    connection = Driver(says(200, data)).drive(conversation().init_client())
    assert connection == ClientConnection("w", None)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"whepUrl": 7},
        {"whepUrl": "w", "turn": "text"},
        {"whepUrl": "w", "turn": []},
        {"whepUrl": "w", "turn": {"url": "u"}},
        {"whepUrl": "w", "turn": {"url": "u", "username": "n", "credential": 7}},
    ],
)
def test_a_connection_that_cannot_be_read_is_unexpected(data: dict[str, Any]) -> None:
    with pytest.raises(UnexpectedAnswerError, match="Expected a JSON object with `whepUrl`"):
        Driver(says(200, data)).drive(conversation().init_client())
