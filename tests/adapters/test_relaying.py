from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Protocol, cast

import httpx
import pytest

from pytest_avatar.adapters import relaying
from pytest_avatar.adapters.relaying import RelayingSender
from pytest_avatar.adapters.watchdog.relay import CreateRelay, RelayError
from pytest_avatar.core import wire
from pytest_avatar.core.conversation import Service
from pytest_avatar.core.dialect import Dialect
from pytest_avatar.core.errors import ServiceUnreachableError
from pytest_avatar.core.events import Opener
from pytest_avatar.core.http import BaseUrl, Request, Response
from pytest_avatar.core.interception import Interceptor, LiveTape
from pytest_avatar.core.ledger import Ledger, State
from pytest_avatar.core.model import AvatarOptions
from pytest_avatar.core.redaction import Secrets
from pytest_avatar.emulator import Emulator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_avatar.core.conversation import Conversation

KS = "the-secret-of-this-run"
OPENED = b'{"success": true, "sessionId": "session-1", "token": "eyJ0.eyJ0.x"}'


class Relay:
    """Takes creates, and answers as it was told."""

    def __init__(self, *answers: Response | RelayError) -> None:
        self.answers = list(answers)
        self.is_free = True
        self.asked: list[tuple[Request, dict[str, object]]] = []

    def send(self, request: Request, **how: object) -> Response:
        self.asked.append((request, how))
        answer = self.answers.pop(0)
        if isinstance(answer, RelayError):
            raise answer
        return answer


class Opening:
    """Opens sessions on the emulator through a relay that is none."""

    def __init__(self, emulator: Emulator, *answers: Response | RelayError) -> None:
        self.base = BaseUrl(emulator.base_url)
        self.ledger = Ledger()
        self.secrets = Secrets()
        self.relay = Relay(*answers)
        interceptor = Interceptor(
            self.base, self.ledger, self.secrets, lambda client: Opener(client=client), LiveTape()
        )
        self.sender = RelayingSender(interceptor, lambda: cast("CreateRelay", self.relay))

    def create(self) -> Conversation:
        service = Service(self.base, Dialect(None, None), self.secrets, 7)
        return self.sender.perform(service.create(KS, AvatarOptions("ada")))


class MakeOpening(Protocol):
    def __call__(self, *answers: Response | RelayError) -> Opening: ...


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


@pytest.fixture
def opening_by(emulator: Emulator) -> Iterator[MakeOpening]:
    with ExitStack() as stack:

        def make(*answers: Response | RelayError) -> Opening:
            opening = Opening(emulator, *answers)
            stack.callback(opening.sender.close)
            return opening

        yield make


def test_a_create_goes_through_the_relay_and_the_books_hear_of_it(
    emulator: Emulator, opening_by: MakeOpening
) -> None:
    opening = opening_by(Response(200, (("X-Y", "z"),), OPENED, "Fine"))
    conversation = opening.create()
    ((request, how),) = opening.relay.asked
    assert how == {"key": "main-1", "base_url": str(opening.base), "timeout": 7}
    assert wire.header(request.headers, "authorization") == "KS the-secret-of-this-run"
    assert wire.header(request.headers, "host") is not None
    assert wire.header(request.headers, "user-agent") == f"python-httpx/{httpx.__version__}"
    assert wire.header(request.headers, "accept-encoding") == "identity"
    (record,) = opening.ledger.records
    assert (record.key, record.session_id, record.state) == ("main-1", "session-1", State.OPEN)
    assert record.opener.client == "httpx"
    assert opening.ledger.token_of(record) == conversation.token == "eyJ0.eyJ0.x"
    assert KS not in opening.secrets.scrub(f"it is {KS}")
    assert emulator.books.totals.opened == 0


def test_both_sides_of_a_disagreement_go_through_the_relay(opening_by: MakeOpening) -> None:
    opening = opening_by(Response(404, ()), Response(200, (), OPENED))
    opening.create()
    urls = [request.url for request, _ in opening.relay.asked]
    assert urls == [str(opening.base), f"{opening.base}/create"]
    assert [record.state for record in opening.ledger.records] == [State.REFUSED, State.OPEN]


def test_what_is_no_create_is_sent_from_here(emulator: Emulator, opening_by: MakeOpening) -> None:
    opening = opening_by(Response(200, (), OPENED))
    conversation = opening.create()
    opening.sender.perform(conversation.end())
    assert len(opening.relay.asked) == 1
    assert emulator.books.totals.refused > 0


@pytest.mark.parametrize(
    ("kind", "sent", "state", "text"),
    [
        ("ConnectError", False, State.REFUSED, "Nothing was sent"),
        ("ConnectTimeout", False, State.REFUSED, "Nothing was sent"),
        ("ReadTimeout", True, State.UNKNOWN, "Nobody can know"),
        ("ReadError", True, State.UNKNOWN, "Nobody can know"),
        ("RemoteProtocolError", True, State.UNKNOWN, "Nobody can know"),
    ],
)
def test_what_went_wrong_is_told_as_if_httpx_had_met_it(
    emulator: Emulator, opening_by: MakeOpening, kind: str, sent: bool, state: State, text: str
) -> None:
    opening = opening_by(RelayError("it broke", kind=kind, sent=sent))
    with pytest.raises(ServiceUnreachableError, match=f"{kind}: it broke") as caught:
        opening.create()
    assert text in str(caught.value)
    (record,) = opening.ledger.records
    assert record.state is state
    assert emulator.books.totals.opened == 0


def test_a_relay_that_takes_nothing_is_done_without(
    emulator: Emulator, opening_by: MakeOpening
) -> None:
    opening = opening_by(RelayError("it has gone"))
    opening.create()
    assert emulator.books.totals.opened == 1
    assert len(opening.relay.asked) == 1


def test_a_busy_relay_is_not_waited_for(emulator: Emulator, opening_by: MakeOpening) -> None:
    opening = opening_by(Response(200, (), OPENED))
    opening.relay.is_free = False
    opening.create()
    assert emulator.books.totals.opened == 1
    assert opening.relay.asked == []


@pytest.mark.parametrize(
    ("url", "proxies", "has"),
    [
        ("https://service.example/v1", {"https": "http://proxy"}, True),
        ("https://service.example/v1", {"all": "http://proxy"}, True),
        ("https://service.example/v1", {"http": "http://proxy"}, False),
        ("http://127.0.0.1:8787/v1", {"http": "http://proxy"}, False),
    ],
)
def test_behind_a_proxy_creates_are_sent_from_here(
    monkeypatch: pytest.MonkeyPatch, url: str, proxies: dict[str, str], has: bool
) -> None:
    monkeypatch.setattr("urllib.request.getproxies", lambda: proxies)
    assert relaying._has_proxy(BaseUrl(url)) is has
