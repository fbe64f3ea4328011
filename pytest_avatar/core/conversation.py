"""What is said to the service, and in which order, without saying it.

Each operation is a generator of steps: it yields what to do next (`Send`, `Pause`) and is resumed
with the answer, or has `NoAnswerError` thrown into it. Whoever drives it may be synchronous or
asynchronous; the rules (negotiation, retries, what an answer means) stand here once.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias, TypeVar

from pytest_avatar.core import failures, wire
from pytest_avatar.core.errors import AvatarError, ServiceUnreachableError
from pytest_avatar.core.model import AvatarOptions, Token
from pytest_avatar.core.multipart import Part
from pytest_avatar.core.setting_values import check_ks
from pytest_avatar.core.wire import Answer, Ending, Operation

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from pytest_avatar.core.connection import ClientConnection
    from pytest_avatar.core.dialect import Dialect
    from pytest_avatar.core.http import BaseUrl, Request, Response
    from pytest_avatar.core.redaction import Secrets

__all__ = [
    "Conversation",
    "NoAnswerError",
    "Outcome",
    "Pause",
    "Send",
    "Service",
    "Steps",
    "drive",
    "drive_async",
]

END_TRY_SECONDS: Final = 2.0
"""How long one try to end a session may take."""

END_BUDGET_SECONDS: Final = 4.0
"""How long all tries of one call to end may take together."""

_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 0.5


class NoAnswerError(Exception):
    """No whole answer came to a request; the text says why and holds no secret.

    Thrown into a conversation by whoever drives it. Users never see it, only the error of the
    public tree that it becomes.

    Attributes:
        sent: Whether any part of the request can have reached the service.
    """

    def __init__(self, why: str, *, sent: bool = True) -> None:
        super().__init__(why)
        self.sent = sent


class Send(NamedTuple):
    """Send a request; resume with the answer.

    Attributes:
        request: What to send.
        timeout: How long to wait for each part of the answer, in seconds.
    """

    request: Request
    timeout: float


class Pause(NamedTuple):
    """Wait; resume with `None`.

    Attributes:
        seconds: How long.
    """

    seconds: float


_Result = TypeVar("_Result")
Steps = Generator[Send | Pause, "Response | None", _Result]
Outcome: TypeAlias = "Response | NoAnswerError | None"


def _resume(steps: Steps[_Result], outcome: Outcome) -> Send | Pause:
    """Go on with a conversation; return what to do next.

    Args:
        steps: The conversation.
        outcome: What came of the last step; `None` after a pause, and to begin.

    Raises:
        StopIteration: The conversation is over; its value is the result.
    """
    if isinstance(outcome, NoAnswerError):
        return steps.throw(outcome)
    return steps.send(outcome)


def drive(steps: Steps[_Result], take: Callable[[Send | Pause], Outcome]) -> _Result:
    """Take every step of a conversation, and return what it returns."""
    __tracebackhide__ = True
    outcome: Outcome = None
    try:
        while True:
            outcome = take(_resume(steps, outcome))
    except StopIteration as finished:
        result: _Result = finished.value
        return result


async def drive_async(
    steps: Steps[_Result], take: Callable[[Send | Pause], Awaitable[Outcome]]
) -> _Result:
    """Take every step of a conversation in `async` code, and return what it returns."""
    __tracebackhide__ = True
    outcome: Outcome = None
    try:
        while True:
            outcome = await take(_resume(steps, outcome))
    except StopIteration as finished:
        result: _Result = finished.value
        return result


@dataclass(frozen=True, slots=True)
class Service:
    """What every conversation with one service shares.

    Attributes:
        base: Where it lives.
        dialect: Which side it takes where the sources disagree, as far as is known.
        secrets: Where tokens are made known, and what scrubs its error texts.
        timeout: How long to wait for each part of an answer, in seconds.
    """

    base: BaseUrl
    dialect: Dialect
    secrets: Secrets
    timeout: float

    def create(self, ks: str, options: AvatarOptions) -> Steps[Conversation]:
        """Open a session.

        A create whose outcome is unknown is never sent again: it may have opened a session that
        nobody can name. One that was refused with a 4xx opened nothing, so the other side of a
        disagreement is tried once.

        Args:
            ks: The Kaltura Session that authorises it.
            options: Who appears, with which voice; `avatar_id` must be set.

        Raises:
            SettingError: The KS cannot be one.
            ServiceUnreachableError: No whole answer came; a session may be open all the same.
            ServiceError: The service refused.
            UnexpectedAnswerError: The answer names no session that can be used.
        """
        self.secrets.add(check_ks(ks), "ks")
        attempts = self.dialect.attempts()
        while True:
            request = wire.create_request(
                self.base,
                ks,
                avatar_id=options.avatar_id or "",
                voice_id=options.voice_id,
                voice_speed=options.voice_speed,
                extra=options.extra,
                create_path=attempts.create_path,
                id_field=attempts.id_field,
            )
            answer = yield from self.ask(Operation.CREATE, None, request)
            if not attempts.go_on(answer.status) or wire.read_opened(answer) is not None:
                return (yield from self._opened(answer))

    def _opened(self, answer: Answer) -> Steps[Conversation]:
        opened = wire.read_opened(answer)
        if opened is None or opened.token is None:
            raise failures.refused(Operation.CREATE, None, answer, self.secrets)
        self.secrets.add(opened.token, "token")
        conversation = Conversation(self, opened.session_id, Token(opened.token))
        if not answer.ok:
            yield from self._give_up(conversation, answer)
        return conversation

    def _give_up(self, conversation: Conversation, answer: Answer) -> Steps[None]:
        """End a session that was opened by an answer that says it was not."""
        session_id = conversation.session_id
        failure = failures.refused(Operation.CREATE, session_id, answer, self.secrets)
        try:
            yield from conversation.end()
        except AvatarError as error:
            failure.add_note(str(error))
        raise failure

    def ask(self, operation: Operation, session_id: str | None, request: Request) -> Steps[Answer]:
        """Send a request and read the answer.

        Raises:
            ServiceUnreachableError: No whole answer came.
        """
        try:
            response = yield Send(request, self.timeout)
        except NoAnswerError as error:
            raise self.unanswered(operation, session_id, error) from error
        assert response is not None
        return wire.read_answer(response)

    def unanswered(
        self, operation: Operation, session_id: str | None, error: NoAnswerError
    ) -> ServiceUnreachableError:
        """Return the error for a request to which no whole answer came."""
        why = self.secrets.scrub(str(error))
        return failures.no_answer(operation, session_id, self.base, why, sent=error.sent)


class Conversation:
    """What can be said to one open session.

    Attributes:
        service: The service it belongs to.
        session_id: Its id.
        token: What authorises calls to it.
        is_open: Whether it can be spoken to, as far as is known here.
        closing_words: Why it cannot be spoken to any more, for the error that says so.
        outlived: What to say of a session that had to be ended because it lived too long; `None`
            if it did not.
    """

    def __init__(self, service: Service, session_id: str, token: Token) -> None:
        self.service: Final = service
        self.session_id: Final = session_id
        self.token: Final = token
        self.is_open: bool = True
        self.closing_words = "it was ended"
        self.outlived: str | None = None
        self._answered = False

    def call(self, operation: Operation, payload: Mapping[str, Any] | None = None) -> Steps[Answer]:
        """Send an operation without fields of its own, or with those in `payload`."""
        return self._ask(
            operation,
            wire.session_request(
                self.service.base, operation, self.session_id, self.token, payload
            ),
        )

    def say_text(self, text: str, turn_id: str | None, *, is_final: bool) -> Steps[Answer]:
        """Say a text; `None` as turn id makes one up."""
        request = wire.say_text_request(
            self.service.base,
            self.session_id,
            self.token,
            text=text,
            turn_id=turn_id or _new_turn(),
            is_final=is_final,
        )
        return self._ask(Operation.SAY_TEXT, request)

    def say_audio(
        self, audio: bytes, turn_id: str | None, *, duration: float, media_type: str
    ) -> Steps[Answer]:
        """Say a recording of `duration` seconds; `None` as turn id makes one up."""
        request = wire.say_audio_request(
            self.service.base,
            self.session_id,
            self.token,
            audio=Part("audio", audio, f"audio.{media_type.rpartition('/')[2]}", media_type),
            turn_id=turn_id or _new_turn(),
            duration=duration,
        )
        return self._ask(Operation.SAY_AUDIO, request)

    def init_client(self) -> Steps[ClientConnection]:
        """Ask for what a browser needs to watch."""
        from pytest_avatar.core.connection import read_connection  # noqa: PLC0415 - few ask

        answer = yield from self.call(Operation.INIT_CLIENT)
        connection = read_connection(answer.data)
        if connection is None:
            raise self._refused(Operation.INIT_CLIENT, answer)
        self.service.secrets.add(connection.whep_url, "whep-url")
        return connection

    def end(self) -> Steps[Ending]:
        """End the session: try, and try again within a budget, until the outcome is certain.

        Raises:
            ServiceUnreachableError: No answer came to the last try; the session may be open.
            ServiceError: The service did not end it; the session may be open.
            UnexpectedAnswerError: The same, in words we do not understand.
        """
        request = wire.session_request(
            self.service.base, Operation.END, self.session_id, self.token
        )
        deadline = time.monotonic() + END_BUDGET_SECONDS
        pause = _FIRST_PAUSE
        while True:
            ending, failure = yield from self._try_to_end(request)
            if ending is not Ending.NOT_ENDED or time.monotonic() + pause > deadline:
                break
            yield Pause(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        if failure is not None:
            raise failure
        self.is_open = False
        return ending

    def _try_to_end(self, request: Request) -> Steps[tuple[Ending, AvatarError | None]]:
        timeout = min(END_TRY_SECONDS, self.service.timeout)
        try:
            response = yield Send(request, timeout)
        except NoAnswerError as error:
            self._answered = True
            failure = self.service.unanswered(Operation.END, self.session_id, error)
            return Ending.NOT_ENDED, failure
        assert response is not None
        answer = wire.read_answer(response)
        ending = wire.read_ending(answer, answered_before=self._answered)
        self._answered = True
        if ending.is_over:
            return ending, None
        return ending, self._refused(Operation.END, answer)

    def _ask(self, operation: Operation, request: Request) -> Steps[Answer]:
        if not self.is_open:
            raise failures.closed(operation, self.session_id, self.closing_words)
        answer = yield from self.service.ask(operation, self.session_id, request)
        self._answered = True
        if not answer.ok:
            raise self._refused(operation, answer)
        return answer

    def _refused(self, operation: Operation, answer: Answer) -> AvatarError:
        return failures.refused(operation, self.session_id, answer, self.service.secrets)


def _new_turn() -> str:
    return f"turn-{uuid.uuid4()}"
