"""Conversations of a replay: the tape is asked, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest

from pytest_avatar.adapters.offline import AsyncOfflineSender, OfflineSender
from pytest_avatar.core import wire
from pytest_avatar.core.conversation import Service
from pytest_avatar.core.dialect import Dialect
from pytest_avatar.core.errors import CassetteError
from pytest_avatar.core.events import Opener
from pytest_avatar.core.http import BaseUrl
from pytest_avatar.core.interception import Exchange, Interceptor, LiveTape
from pytest_avatar.core.ledger import Ledger
from pytest_avatar.core.model import AvatarOptions
from pytest_avatar.core.redaction import Secrets
from pytest_avatar.core.wire import Operation, Response

if TYPE_CHECKING:
    from pytest_avatar.core.conversation import Conversation, Steps
    from pytest_avatar.core.wire import Ending

BASE = BaseUrl("https://avatar.example/v1")


class Script(LiveTape):
    """Answers from a list; then it has none."""

    def __init__(self, *answers: Response) -> None:
        self.answers = list(answers)
        self.heard: list[Operation | None] = []

    def begin(self, exchange: Exchange) -> Response:  # type: ignore[override] # it always answers
        self.heard.append(exchange.call.operation)
        if not self.answers:
            raise CassetteError("there is no answer")
        return self.answers.pop(0)


def opened() -> Response:
    return wire.json_response(200, {"success": True, "sessionId": "s1", "token": "a.b.c"})


def done() -> Response:
    return wire.json_response(200, {"success": True})


def interceptor(tape: Script) -> Interceptor:
    return Interceptor(
        BASE, Ledger(), Secrets(), lambda client: Opener(client=client), tape, offline=True
    )


def create() -> Steps[Conversation]:
    return Service(BASE, Dialect(), Secrets(), 5).create("the-ks", AvatarOptions("ada"))


def life_cycle(sender: OfflineSender) -> Ending:
    conversation = sender.perform(create())
    sender.perform(conversation.say_text("Hello", None, is_final=True))
    return sender.perform(conversation.end())


async def async_life_cycle(sender: AsyncOfflineSender) -> Ending:
    conversation = await sender.perform(create())
    await sender.perform(conversation.say_text("Hello", None, is_final=True))
    return await sender.perform(conversation.end())


LIFE_CYCLE = [Operation.CREATE, Operation.SAY_TEXT, Operation.END]


def test_the_tape_answers_and_the_books_are_kept() -> None:
    tape = Script(opened(), done(), done())
    seen = interceptor(tape)
    assert life_cycle(OfflineSender(seen)) is wire.Ending.ENDED
    assert tape.heard == LIFE_CYCLE
    (record,) = seen.ledger.sessions
    assert (record.session_id, record.is_open, record.opener.client) == ("s1", False, "httpx")


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_async_code_is_answered_as_well(backend: str) -> None:
    tape = Script(opened(), done(), wire.refusal(500, "busy"), done())
    ending = anyio.run(async_life_cycle, AsyncOfflineSender(interceptor(tape)), backend=backend)
    assert ending is wire.Ending.ENDED
    assert tape.heard == [*LIFE_CYCLE, Operation.END]


def test_an_end_that_failed_is_tried_again() -> None:
    tape = Script(opened(), done(), wire.refusal(500, "busy"), done())
    sender = OfflineSender(interceptor(tape))
    assert life_cycle(sender) is wire.Ending.ENDED
    assert tape.heard == [*LIFE_CYCLE, Operation.END]
    sender.close()


def test_a_request_without_an_answer_fails_as_the_tape_says() -> None:
    sender = OfflineSender(interceptor(Script()))
    with pytest.raises(CassetteError, match="there is no answer"):
        sender.perform(create())
