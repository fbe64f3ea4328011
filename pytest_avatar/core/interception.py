"""One exchange with the service, seen from the middle, whichever client sends it.

Adapters for HTTP clients (and the gateway) ask `Interceptor.concerns` of every URL, and for ours
call `begin` before they send, then `answered` or `failed` once. Tapes answer in place of the
service, or listen. The ledger hears of everything.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from pytest_avatar.core import wire
from pytest_avatar.core.errors import CassetteError
from pytest_avatar.core.events import Actor
from pytest_avatar.core.wire import BaseUrl, Call, Ending, Operation, Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from pytest_avatar.core.events import Opener
    from pytest_avatar.core.ledger import Ledger, SessionRecord
    from pytest_avatar.core.redaction import Secrets

__all__ = ["Exchange", "Interceptor", "LiveTape", "Sender", "Tape", "acting_as", "passing_on_for"]


# By a name of their own: Python 3.11 searches a class for a member of an enumeration.
_CREATE: Final = Operation.CREATE
_END: Final = Operation.END


class Sender(NamedTuple):
    """Who sends, if it is not this process.

    Attributes:
        client: The HTTP client.
        process: Number and command of the process; `None` if nobody knows.
    """

    client: str
    process: str | None = None


_actor: Final[ContextVar[Actor]] = ContextVar("avatar_actor", default=Actor.CODE)
_sender: Final[ContextVar[Sender | None]] = ContextVar("avatar_sender", default=None)


@contextmanager
def acting_as(actor: Actor) -> Generator[None]:
    """Attribute what this thread or task sends meanwhile to `actor`, not to the code under test."""
    before = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(before)


@contextmanager
def passing_on_for(sender: Sender) -> Generator[None]:
    """Attribute what this thread or task sends meanwhile to `sender`, not to a line of ours."""
    before = _sender.set(sender)
    try:
        yield
    finally:
        _sender.reset(before)


class Tape(Protocol):
    """What listens to, or speaks in place of, the service. Called from any thread."""

    def begin(self, exchange: Exchange) -> Response | None:
        """Hear of a request that is about to be sent.

        Returns:
            The answer to give without sending it; `None` to send it.

        Raises:
            CassetteError: It must not be sent, and there is no answer to give.
        """

    def finish(self, exchange: Exchange, response: Response) -> None:
        """Hear of the service's answer to a request that was sent."""

    def abort(self, exchange: Exchange, error: BaseException) -> None:
        """Hear that no whole answer came to a request that was sent."""


class LiveTape:
    """A tape for the modes without cassettes: everything is sent, nothing is kept."""

    def begin(self, exchange: Exchange) -> None:
        """Let the request through."""

    def finish(self, exchange: Exchange, response: Response) -> None:
        """Keep nothing."""

    def abort(self, exchange: Exchange, error: BaseException) -> None:
        """Keep nothing."""


class Interceptor:
    """Stands between every client of this process and the service.

    Args:
        base: The address whose traffic is ours.
        ledger: The books.
        secrets: Where every KS and token that passes is made known.
        attribute: Says who sends, asked once per create; its argument is the client.
        test_now: Names the test on whose behalf is sent what is sent now, asked once per end;
            `None` asks `attribute`, which takes longer.
        tape: The tape in use. Whoever owns the interceptor may put in another at any time; a
            request keeps the one it began with.
        offline: Whether no tape ever sends anything, so that no connection need be opened.
    """

    def __init__(
        self,
        base: BaseUrl,
        ledger: Ledger,
        secrets: Secrets,
        attribute: Callable[[str], Opener],
        tape: Tape,
        *,
        test_now: Callable[[], str | None] | None = None,
        offline: bool = False,
    ) -> None:
        self.base: Final = base
        self.ledger: Final = ledger
        self.secrets: Final = secrets
        self.attribute: Final = attribute
        self.test_now: Final = test_now or (lambda: attribute("").test)
        self.tape = tape
        self.offline: Final = offline

    def concerns(self, url: str) -> bool:
        """Whether a URL belongs to the service. Ask before reading a body."""
        return self.base.tail(url) is not None

    def begin(self, request: Request, client: str) -> Exchange:
        """Take note of a request before it is sent.

        Args:
            request: The whole request; its URL concerns us.
            client: Name of the library that sends it (`httpx`, `requests`, …).

        Returns:
            The exchange: if its `answer` is set, give that to the client and send nothing;
            else send the request and call `answered` or `failed`, once.

        Raises:
            CassetteError: The request must not be sent, and there is no answer to give.
        """
        call = wire.read_call(self.base, request)
        if call is None:
            raise ValueError(f"not a URL of the service: {request.url}")
        if call.credential is not None:
            self.secrets.add(call.credential.value, call.credential.scheme)
        sender = _sender.get()
        return Exchange(self, request, call, client if sender is None else sender.client)

    def opener(self, client: str) -> Opener:
        """Return who sends now, through `client`."""
        opener, sender = self.attribute(client), _sender.get()
        if sender is None:
            return opener
        return opener._replace(file=None, line=None, process=sender.process)


class Exchange:
    """One request and what becomes of it.

    Attributes:
        request: The request.
        call: The request, understood.
        client: Name of the library that sends it.
        actor: On whose behalf it is sent.
        answer: What to answer in place of the service; `None` if the request must be sent.
        key: The key of its session in the ledger; `None` if it is not of a session known there.
    """

    __slots__ = (
        "_interceptor",
        "_tape",
        "_test",
        "actor",
        "answer",
        "call",
        "client",
        "key",
        "request",
    )

    def __init__(self, interceptor: Interceptor, request: Request, call: Call, client: str) -> None:
        self.request: Request = request
        self.call: Call = call
        self.client: str = client
        self.actor: Actor = _actor.get()
        self._interceptor = interceptor
        self._tape = interceptor.tape
        self._test: str | None = None
        self.key: str | None = self._find_key()
        try:
            self.answer: Response | None = self._tape.begin(self)
        except CassetteError:
            self._account_for_failure("it is not in the cassette", sent=False)
            raise
        if self.answer is not None:
            self._account_for(self.answer)

    def answered(self, response: Response) -> None:
        """Take note of the service's answer. Never raises."""
        with _kept_from_the_client():
            self._account_for(response)
        with _kept_from_the_client():
            self._tape.finish(self, response)

    def failed(self, error: BaseException, *, sent: bool = True) -> None:
        """Take note that no whole answer came. Never raises.

        Args:
            error: What happened instead.
            sent: `False` if not a byte of the request can have reached the service.
        """
        with _kept_from_the_client():
            reason = self._interceptor.secrets.scrub(f"{type(error).__name__}: {error}")
            self._account_for_failure(reason, sent=sent)
        with _kept_from_the_client():
            self._tape.abort(self, error)

    def _find_key(self) -> str | None:
        ledger = self._interceptor.ledger
        if self.call.operation is _CREATE:
            return ledger.creating(self._interceptor.opener(self.client))
        record = self._record()
        if record is not None and self.call.operation is _END:
            self._test = self._interceptor.test_now()
        return None if record is None else record.key

    def _record(self) -> SessionRecord | None:
        session_id = self.call.session_id
        return None if session_id is None else self._interceptor.ledger.find(session_id)

    def _account_for(self, response: Response) -> None:
        key, operation = self.key, self.call.operation
        if key is None or operation is None:
            return
        if operation is _CREATE:
            self._account_for_create(key, wire.read_answer(response))
        elif operation is _END:
            self._account_for_end(key, wire.read_answer(response))
        else:
            self._interceptor.ledger.called(key, operation, response.status)

    def _account_for_create(self, key: str, answer: wire.Answer) -> None:
        ledger, secrets = self._interceptor.ledger, self._interceptor.secrets
        opened = wire.read_opened(answer)
        if opened is not None:
            if opened.token is not None:
                secrets.add(opened.token, "token")
            ledger.opened(key, opened.session_id, opened.token, answer.status)
            return
        said = secrets.scrub(answer.error or answer.problem or "no session in the answer")
        if 300 <= answer.status < 500:
            ledger.refused(key, answer.status, f"{answer.status} {said}")
        else:
            ledger.unknown(key, answer.status, f"{answer.status} {said}")

    def _account_for_end(self, key: str, answer: wire.Answer) -> None:
        record = self._record()
        ending = wire.read_ending(
            answer, answered_before=record is not None and record.answered_before
        )
        failure = None
        if ending is not Ending.ENDED:
            text = answer.error or answer.problem or ""
            failure = self._interceptor.secrets.scrub(f"{answer.status} {text}".strip())
        self._interceptor.ledger.end_tried(
            key, ending, self.actor, answer.status, failure, test=self._test
        )

    def _account_for_failure(self, reason: str, *, sent: bool) -> None:
        if self.key is None:
            return
        ledger = self._interceptor.ledger
        if self.call.operation is _END:
            ledger.end_tried(self.key, Ending.NOT_ENDED, self.actor, None, reason, test=self._test)
        elif self.call.operation is _CREATE and sent:
            ledger.unknown(self.key, None, reason)
        elif self.call.operation is _CREATE:
            ledger.refused(self.key, None, reason)


@contextmanager
def _kept_from_the_client() -> Generator[None]:
    """Report an error of our own as Python reports those of threads: the client has to go on."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever a tape or a sink of the ledger raises
        caught = (type(error), error, error.__traceback__, threading.current_thread())
        threading.excepthook(threading.ExceptHookArgs(caught))
