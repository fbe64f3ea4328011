"""A caller that speaks to a service without HTTP, and one that speaks to a running emulator."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypedDict, Unpack

import httpx
import pytest

from pytest_avatar.core import wire
from pytest_avatar.core.multipart import Part
from pytest_avatar.core.wire import BaseUrl, Operation, Request, Response
from pytest_avatar.emulator import Emulator
from pytest_avatar.emulator.service import Service

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_avatar.emulator.switches import Switches

BASE = BaseUrl("http://emulator/v1/avatar-session")
AVATAR = {"visualConfig": {"avatarId": "ada"}}


@dataclass
class Clock:
    """Time that moves only when told to."""

    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass(frozen=True)
class Opened:
    """A session as its owner knows it."""

    session_id: str
    token: str = field(repr=False)


class Caller:
    """Sends what the client sends, straight into a service."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def create(
        self, ks: str = "any", *, create_path: str = "", id_field: str = "avatarId"
    ) -> Response:
        return self.service.handle(
            wire.create_request(
                BASE, ks, avatar_id="ada", create_path=create_path, id_field=id_field
            )
        )

    def open(self) -> Opened:
        opened = wire.read_opened(wire.read_answer(self.create()))
        assert opened is not None
        assert opened.token is not None
        return Opened(opened.session_id, opened.token)

    def ask(
        self, operation: Operation, session: Opened, payload: Mapping[str, Any] | None = None
    ) -> Response:
        return self.service.handle(
            wire.session_request(BASE, operation, session.session_id, session.token, payload)
        )

    def say_audio(self, session: Opened, *, duration: float, audio: bytes = b"ID3") -> Response:
        part = Part("audio", audio, "hello.mp3", "audio/mpeg")
        return self.service.handle(
            wire.say_audio_request(
                BASE,
                session.session_id,
                session.token,
                audio=part,
                turn_id="turn-1",
                duration=duration,
            )
        )

    def send(
        self, path: str, authorization: str | None = None, body: bytes = b"", method: str = "POST"
    ) -> Response:
        headers = () if authorization is None else (("Authorization", authorization),)
        return self.service.handle(Request(method, f"{BASE}{path}", headers, body))


class ServiceOptions(TypedDict, total=False):
    ks: str
    unauthorised_ks: list[str]
    switches: Switches


class MakeCaller(Protocol):
    def __call__(self, **options: Unpack[ServiceOptions]) -> Caller: ...


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make_caller(clock: Clock) -> MakeCaller:
    def make(**options: Unpack[ServiceOptions]) -> Caller:
        return Caller(Service(BASE, clock=clock, **options))

    return make


@pytest.fixture
def caller(make_caller: MakeCaller) -> Caller:
    return make_caller()


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


@pytest.fixture
def port(emulator: Emulator) -> int:
    return int(emulator.url.rpartition(":")[2])


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=5) as client:
        yield client


class Session:
    """A session opened over HTTP."""

    def __init__(self, client: httpx.Client, base_url: str, ks: str = "any") -> None:
        self._client = client
        answer = client.post(base_url, headers={"Authorization": f"KS {ks}"}, json=AVATAR).json()
        self.url = f"{base_url}/{answer['sessionId']}"
        self.token: str = answer["token"]

    def post(
        self,
        operation: str,
        *,
        json: object = None,
        files: dict[str, tuple[str | None, str | bytes]] | None = None,
        timeout: float = 5,
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        return self._client.post(
            f"{self.url}/{operation}", headers=headers, json=json, files=files, timeout=timeout
        )


class OpenSession(Protocol):
    def __call__(self, base_url: str, ks: str = "any") -> Session: ...


@pytest.fixture
def open_session(client: httpx.Client) -> OpenSession:
    return partial(Session, client)


@pytest.fixture
def session(open_session: OpenSession, emulator: Emulator) -> Session:
    return open_session(emulator.base_url)
