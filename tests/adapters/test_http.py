"""How requests reach the service: over real sockets, and with every error translated."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import anyio
import httpx
import pytest

from pytest_avatar.adapters import http as module
from pytest_avatar.adapters.http import AsyncSender, Sender
from pytest_avatar.core import wire
from pytest_avatar.core.conversation import NoAnswerError, Pause, Send, Steps
from pytest_avatar.core.http import BaseUrl, Request, Response
from pytest_avatar.emulator import Emulator, Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Result = TypeVar("Result")
Perform: TypeAlias = "Callable[[BaseUrl, Steps[Any]], Any]"


def perform_sync(base: BaseUrl, steps: Steps[Result]) -> Result:
    sender = Sender(base)
    try:
        return sender.perform(steps)
    finally:
        sender.close()


def perform_async(backend: str, *, pooled: bool) -> Callable[[BaseUrl, Steps[Result]], Result]:
    def perform(base: BaseUrl, steps: Steps[Result]) -> Result:
        async def main() -> Result:
            sender = AsyncSender(base, pooled=pooled)
            try:
                return await sender.perform(steps)
            finally:
                await sender.aclose()

        return anyio.run(main, backend=backend)

    return perform


SENDERS: dict[str, Perform] = {
    "sync": perform_sync,
    "asyncio": perform_async("asyncio", pooled=True),
    "asyncio-unpooled": perform_async("asyncio", pooled=False),
    "trio": perform_async("trio", pooled=True),
}
every_sender = pytest.mark.parametrize("perform", SENDERS.values(), ids=SENDERS.keys())


def ask(request: Request, timeout: float = 5) -> Steps[Response]:
    response = yield Send(request, timeout)
    assert response is not None
    return response


def create(base: BaseUrl) -> Request:
    return wire.create_request(base, "the-ks", avatar_id="ada")


def base_of(emulator: Emulator) -> BaseUrl:
    return BaseUrl(emulator.base_url)


@contextmanager
def server(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[tuple[BaseUrl, list[str]]]:
    """Run a server that answers every POST so; give its address and the paths it was asked for."""
    paths: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            paths.append(self.path)
            self.rfile.read(int(self.headers["Content-Length"]))
            answer(self)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield BaseUrl(f"http://127.0.0.1:{running.server_port}/v1"), paths
        finally:
            running.shutdown()
            thread.join()


@every_sender
def test_an_answer_comes_back_whole(perform: Perform) -> None:
    with Emulator(faults=[Fault("create", body="huge")]) as emulator:
        response = perform(base_of(emulator), ask(create(base_of(emulator))))
    assert len(response.body) > 10_000_000
    assert response.status == 200
    assert wire.header(response.headers, "content-type") == "application/json"


@every_sender
def test_a_redirect_is_not_followed(perform: Perform) -> None:
    def redirect(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(307)
        handler.send_header("Location", "/elsewhere")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    with server(redirect) as (base, paths):
        response = perform(base, ask(create(base)))
    assert response.status == 307
    assert paths == ["/v1"]


@every_sender
@pytest.mark.parametrize(
    "fault",
    [
        Fault("create", drop="before"),
        Fault("create", drop="after"),
        Fault("create", body="truncated"),
    ],
    ids=str,
)
def test_a_dropped_connection_is_no_answer(perform: Perform, fault: Fault) -> None:
    with (
        Emulator(faults=[fault]) as emulator,
        pytest.raises(NoAnswerError, match=r"RemoteProtocolError|ReadError") as caught,
    ):
        perform(base_of(emulator), ask(create(base_of(emulator))))
    assert isinstance(caught.value.__cause__, httpx.HTTPError)


@every_sender
def test_a_slow_answer_is_no_answer(perform: Perform) -> None:
    with (
        Emulator(faults=[Fault("create", delay=30)]) as emulator,
        pytest.raises(NoAnswerError, match=r"^ReadTimeout"),
    ):
        perform(base_of(emulator), ask(create(base_of(emulator)), 0.1))


@every_sender
def test_a_refused_connection_is_no_answer(perform: Perform) -> None:
    with Emulator() as emulator:
        base = base_of(emulator)
    with pytest.raises(NoAnswerError, match=r"^ConnectError"):
        perform(base, ask(create(base)))


@pytest.mark.parametrize("name", ["sync", "asyncio"])  # httpx 0.28 leaks a generator under trio
def test_an_answer_that_cannot_be_decoded_is_no_answer(name: str) -> None:
    def garbage(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Encoding", "gzip")
        handler.send_header("Content-Length", "4")
        handler.end_headers()
        handler.wfile.write(b"nope")

    with server(garbage) as (base, _), pytest.raises(NoAnswerError, match=r"^DecodingError"):
        SENDERS[name](base, ask(create(base)))


@every_sender
def test_a_conversation_hears_of_trouble_and_may_go_on(perform: Perform) -> None:
    def stubborn(request: Request) -> Steps[Response]:
        with pytest.raises(NoAnswerError):
            yield Send(request, 5)
        resumed_with = yield Pause(0.01)
        assert resumed_with is None
        return (yield from ask(request))

    with Emulator(faults=[Fault("create", drop="before")]) as emulator:
        response = perform(base_of(emulator), stubborn(create(base_of(emulator))))
    assert response.status == 200


@every_sender
def test_a_pause_lasts(perform: Perform) -> None:
    def patient() -> Steps[None]:
        yield Pause(0.05)

    begun = time.monotonic()
    perform(BaseUrl("http://127.0.0.1:1/v1"), patient())
    assert time.monotonic() - begun >= 0.05


@every_sender
def test_no_proxy_stands_between_us_and_this_machine(
    perform: Perform, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with Emulator() as emulator:
        assert perform(base_of(emulator), ask(create(base_of(emulator)))).status == 200


@pytest.fixture
def contexts(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What was loaded to trust others, one entry for each time."""
    loaded: list[str] = []
    make = httpx.create_ssl_context

    def create_ssl_context() -> object:
        loaded.append("CA bundle")
        return make()

    monkeypatch.setattr(httpx, "create_ssl_context", create_ssl_context)
    module._tls_context.cache_clear()
    yield loaded
    module._tls_context.cache_clear()


def test_all_senders_share_one_tls_context(contexts: list[str]) -> None:
    base = BaseUrl("https://avatar.example/v1")
    senders = [Sender(base), Sender(base)]
    AsyncSender(base, pooled=False)
    for sender in senders:
        sender.close()
    assert contexts == ["CA bundle"]


def test_plain_http_needs_no_tls_context(contexts: list[str]) -> None:
    Sender(BaseUrl("http://127.0.0.1:1/v1")).close()
    assert contexts == []


def test_connections_are_kept_between_requests() -> None:
    connections: set[object] = set()

    def note(handler: BaseHTTPRequestHandler) -> None:
        connections.add(handler.client_address)
        handler.protocol_version = "HTTP/1.1"
        handler.close_connection = False
        handler.send_response(200)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    with server(note) as (base, paths):
        sender = Sender(base)
        for _ in range(3):
            sender.perform(ask(create(base)))
        sender.close()
    assert (len(paths), len(connections)) == (3, 1)


def test_one_sender_serves_several_threads() -> None:
    statuses: list[int] = []
    with Emulator() as emulator:
        base = base_of(emulator)
        sender = Sender(base)
        threads = [
            threading.Thread(
                target=lambda: statuses.append(sender.perform(ask(create(base))).status)
            )
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        sender.close()
        assert len(emulator.books.sessions) == 8
    assert statuses == [200] * 8


def test_an_unpooled_sender_outlives_its_event_loop() -> None:
    with Emulator() as emulator:
        base = base_of(emulator)
        sender = AsyncSender(base, pooled=False)
        for backend in ("asyncio", "trio"):
            anyio.run(sender.perform, ask(create(base)), backend=backend)
        assert len(emulator.books.sessions) == 2
