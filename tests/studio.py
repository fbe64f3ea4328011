"""A place to record and play cassettes: a service, clients and tapes, without any socket."""

# ruff: noqa: ANN401 - arguments that are passed on to the tapes

from __future__ import annotations

import random
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_avatar.adapters.cassettes.lanes import Lanes
from pytest_avatar.adapters.cassettes.record import RecordTape
from pytest_avatar.adapters.cassettes.replay import ReplayTape
from pytest_avatar.adapters.cassettes.verify import VerifyTape
from pytest_avatar.core import wire
from pytest_avatar.core.events import Opener
from pytest_avatar.core.http import BaseUrl, Request, Response
from pytest_avatar.core.identities import Identities
from pytest_avatar.core.interception import Interceptor
from pytest_avatar.core.ledger import Ledger
from pytest_avatar.core.misses import Place
from pytest_avatar.core.multipart import Part
from pytest_avatar.core.redaction import Secrets
from pytest_avatar.core.wire import Operation
from pytest_avatar.emulator.service import Service

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_avatar.core.interception import Tape

KS = "djJ8MTIzNDU2fGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6"


def some_base() -> BaseUrl:
    return BaseUrl(f"http://127.0.0.1:{random.randint(1025, 65535)}/v1/avatar-session")


@dataclass
class Client:
    """Sends requests as an HTTP client under an interceptor would."""

    interceptor: Interceptor
    service: Callable[[Request], Response]
    jitter: float = 0

    def send(self, request: Request) -> Response:
        exchange = self.interceptor.begin(request, "tests")
        if exchange.answer is not None:
            return exchange.answer
        time.sleep(random.random() * self.jitter)
        try:
            response = self.service(request)
        except ConnectionError as error:
            exchange.failed(error)
            raise
        exchange.answered(response)
        return response

    @property
    def base(self) -> BaseUrl:
        return self.interceptor.base

    def create(self, avatar_id: str = "65f9e3c9d1a2b3c4d5e6f708", **dialect: Any) -> Talk:
        request = wire.create_request(self.base, KS, avatar_id=avatar_id, **dialect)
        opened = wire.read_opened(wire.read_answer(self.send(request)))
        assert opened is not None
        assert opened.token is not None
        return Talk(self, opened.session_id, opened.token)


@dataclass
class Talk:
    """An open session."""

    client: Client
    session_id: str
    token: str

    def call(self, operation: Operation) -> Response:
        base = self.client.base
        return self.client.send(wire.session_request(base, operation, self.session_id, self.token))

    def say(self, text: str, turn_id: str | None = None) -> Response:
        request = wire.say_text_request(
            self.client.base,
            self.session_id,
            self.token,
            text=text,
            turn_id=turn_id or str(uuid.uuid4()),
            is_final=True,
        )
        return self.client.send(request)

    def play(self, audio: bytes) -> Response:
        request = wire.say_audio_request(
            self.client.base,
            self.session_id,
            self.token,
            audio=Part("audio", audio, "a.mp3", "audio/mpeg"),
            turn_id=str(uuid.uuid4()),
            duration=1.5,
        )
        return self.client.send(request)

    def end(self) -> Response:
        return self.call(Operation.END)


@dataclass
class Studio:
    """Records and plays one cassette."""

    path: Path
    lanes: Lanes = field(default_factory=Lanes)
    identities: Identities = field(default_factory=Identities)

    def recorder(self, **arguments: Any) -> RecordTape:
        defaults: dict[str, Any] = {"base": some_base(), "secrets": Secrets(), "path": self.path}
        defaults |= {"identities": self.identities, "lanes": self.lanes}
        return RecordTape(**(defaults | arguments))

    def player(self, **arguments: Any) -> ReplayTape:
        return ReplayTape(str(self.path), **(self._playing() | arguments))

    def verifier(self, **arguments: Any) -> VerifyTape:
        arguments = {"identities": self.identities, **self._playing(), **arguments}
        return VerifyTape(str(self.path), **arguments)

    def _playing(self) -> dict[str, Any]:
        return {"base": some_base(), "secrets": Secrets(), "place": self.place}

    def place(self, shown: str | None = None) -> Place:
        test = "tests/test_it.py::test_it"
        return Place(test, shown or str(self.path), f"pytest --avatar-mode=record {test}")

    def record(
        self,
        code: Callable[[Client], object],
        service: Callable[[Request], Response] | None = None,
        jitter: float = 0,
        **arguments: Any,
    ) -> bytes:
        """Record what `code` sends and return the file's bytes."""
        base = arguments.pop("base", None) or some_base()
        secrets = arguments.setdefault("secrets", Secrets())
        tape = self.recorder(base=base, **arguments)
        service = service or Service(base).handle
        code(Client(_interceptor(base, tape, secrets), service, jitter))
        tape.save()
        return self.path.read_bytes()

    def replay(self, code: Callable[[Client], object], **arguments: Any) -> ReplayTape:
        """Replay what `code` sends and return the tape."""
        tape = self.player(**arguments)
        code(client_of(tape))
        return tape

    def verify(
        self, code: Callable[[Client], object], service: Callable[[Request], Response] | None = None
    ) -> VerifyTape:
        tape = self.verifier()
        code(client_of(tape, service or Service(tape.base).handle))
        return tape


def client_of(
    tape: ReplayTape | VerifyTape, service: Callable[[Request], Response] | None = None
) -> Client:
    return Client(_interceptor(tape.base, tape, tape.secrets), service or _no_service)


def live_client(base: BaseUrl, tape: Tape, service: Callable[[Request], Response]) -> Client:
    return Client(_interceptor(base, tape, Secrets()), service)


def _no_service(request: Request) -> Response:
    raise AssertionError(f"sent to the service: {request.url}")


def _interceptor(base: BaseUrl, tape: Tape, secrets: Secrets) -> Interceptor:
    return Interceptor(base, Ledger(), secrets, lambda _client: Opener(), tape)
