from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx
import httpx2
import pytest
import trio

from pytest_avatar.core.errors import CassetteError
from pytest_avatar.core.http import header
from pytest_avatar.core.ledger import State
from tests.adapters.interception.loopback import AnsweringTape, ListeningTape, Server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from types import ModuleType

    from pytest_avatar.core.interception import Interceptor

pytestmark = pytest.mark.usefixtures("installed")

ANSWERS = ("echo", "gzip", "chunked", "error", "empty", "redirect")
library = pytest.mark.parametrize("library", [httpx, httpx2], ids=lambda module: module.__name__)


def send(
    library: ModuleType, kind: str, method: str, url: str, **options: object
) -> httpx.Response:
    """Send one request with a client of its own, sync or async."""
    answer: httpx.Response
    if kind == "sync":
        with library.Client(verify=False) as client:
            answer = client.request(method, url, **options)
        return answer

    async def use() -> httpx.Response:
        async with library.AsyncClient(verify=False) as client:
            return await client.request(method, url, **options)  # type: ignore[no-any-return]

    return asyncio.run(use())


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@library
def test_an_exchange_is_heard_whole(
    library: ModuleType, kind: str, server: Server, tape: ListeningTape
) -> None:
    answer = send(library, kind, "POST", f"{server.base}/x/say-text", json="hello")
    [(exchange, response)] = tape.finished
    assert (exchange.client, exchange.request.method) == (library.__name__, "POST")
    assert exchange.request.body == b'"hello"'
    assert header(exchange.request.headers, "content-type") == "application/json"
    assert (response.status, response.reason) == (200, "OK")
    assert response.body == answer.content


@library
def test_an_exchange_is_heard_under_trio(
    library: ModuleType, server: Server, tape: ListeningTape
) -> None:
    async def use() -> None:
        async with library.AsyncClient(verify=False) as client:
            assert (await client.post(f"{server.base}/x/gzip")).json() == {"packed": True}

    trio.run(use)
    assert tape.finished[0][1].body == b'{"packed":true}'


@library
@pytest.mark.parametrize(
    "case", [*(f"POST {name}" for name in ANSWERS), "HEAD echo", "HEAD gzip", "HEAD empty"]
)
def test_a_replayed_answer_equals_the_recorded_one(
    library: ModuleType, kind: str, case: str, server: Server, interceptor: Interceptor
) -> None:
    method, name = case.split()
    interceptor.tape = tape = ListeningTape()
    live = send(library, kind, method, f"{server.base}/x/{name}")
    interceptor.tape = AnsweringTape(server.base, tape)
    server.stop()
    played = send(library, kind, method, f"{server.base}/x/{name}")
    assert type(played) is type(live)
    assert (played.status_code, played.reason_phrase) == (live.status_code, live.reason_phrase)
    assert played.content == live.content
    assert played.http_version == "HTTP/1.1"
    if method == "HEAD":
        assert played.headers.get("content-length") == live.headers.get("content-length")
    else:
        assert played.headers.get("content-length", "0") == str(len(played.content))


@library
def test_a_body_is_decoded_for_the_tape_and_by_the_client(
    library: ModuleType, kind: str, server: Server, tape: ListeningTape
) -> None:
    answer = send(library, kind, "GET", f"{server.base}/x/gzip")
    assert answer.json() == {"packed": True}
    assert answer.headers["content-encoding"] == "gzip"
    assert tape.finished[0][1].body == b'{"packed":true}'


@library
def test_a_generated_body_is_read_once_and_sent_whole(
    library: ModuleType, kind: str, server: Server, tape: ListeningTape
) -> None:
    def parts() -> Iterator[bytes]:
        yield from (b"one", b"two")

    async def async_parts() -> AsyncIterator[bytes]:
        for part in parts():
            yield part

    content = parts() if kind == "sync" else async_parts()
    send(library, kind, "POST", f"{server.base}/x/echo", content=content)
    assert server.log[0].body == b"onetwo"
    assert tape.finished[0][0].request.body == b"onetwo"


@library
def test_a_multipart_body_is_heard(
    library: ModuleType, kind: str, server: Server, tape: ListeningTape
) -> None:
    send(library, kind, "POST", f"{server.base}/x/say-audio", files={"audio": b"sound"})
    audio = tape.finished[0][0].call.audio
    assert audio is not None
    assert audio.content == b"sound"


@library
@pytest.mark.parametrize("fault", ["truncated", "dropped"])
def test_an_answer_that_breaks_off_is_a_failure_after_sending(
    library: ModuleType, kind: str, fault: str, server: Server, interceptor: Interceptor
) -> None:
    interceptor.tape = tape = ListeningTape()
    with pytest.raises(library.RemoteProtocolError):
        send(library, kind, "POST", f"{server.base}/create?{fault}")
    assert [type(error) for _, error in tape.aborted] == [library.RemoteProtocolError]
    assert not tape.finished
    assert [record.state for record in interceptor.ledger.records] == [State.UNKNOWN]


@library
def test_a_create_that_could_not_connect_opened_nothing(
    library: ModuleType, kind: str, server: Server, interceptor: Interceptor
) -> None:
    server.stop()
    with pytest.raises(library.ConnectError):
        send(library, kind, "POST", f"{server.base}/create")
    assert [record.state for record in interceptor.ledger.records] == [State.REFUSED]


@library
def test_a_create_that_timed_out_may_have_opened_a_session(
    library: ModuleType, kind: str, server: Server, interceptor: Interceptor
) -> None:
    with pytest.raises(library.ReadTimeout):
        send(library, kind, "POST", f"{server.base}/create?hang", timeout=0.1)
    assert [record.state for record in interceptor.ledger.records] == [State.UNKNOWN]


@library
def test_a_cancelled_request_has_failed_once(
    library: ModuleType, server: Server, tape: ListeningTape
) -> None:
    async def cancel() -> None:
        async with library.AsyncClient(verify=False) as client:
            task = asyncio.create_task(client.post(f"{server.base}/x/hang"))
            while not server.log:  # noqa: ASYNC110 - the server is another thread
                await asyncio.sleep(0.005)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(asyncio.wait_for(cancel(), 10))
    assert [type(error) for _, error in tape.aborted] == [asyncio.CancelledError]


@library
def test_what_no_tape_answers_reaches_the_caller_as_it_is(
    library: ModuleType, kind: str, server: Server, interceptor: Interceptor
) -> None:
    interceptor.tape = AnsweringTape(server.base, ListeningTape())
    with pytest.raises(CassetteError, match="not on this tape"):
        send(library, kind, "POST", f"{server.base}/create")
    assert not server.log


@library
def test_each_hop_of_a_redirect_is_a_request_of_its_own(
    library: ModuleType, kind: str, server: Server, tape: ListeningTape
) -> None:
    answer = send(
        library, kind, "POST", f"{server.base}/x/redirect", content=b"hi", follow_redirects=True
    )
    assert answer.json()["body"] == "hi"
    assert [response.status for _, response in tape.finished] == [307, 200]


@library
def test_each_step_of_an_auth_flow_is_a_request_of_its_own(
    library: ModuleType, kind: str, server: Server, tape: ListeningTape
) -> None:
    class Twice(library.Auth):  # type: ignore[name-defined,misc]  # by parameter
        def auth_flow(self, request: httpx.Request) -> Iterator[httpx.Request]:
            yield request
            request.headers["Authorization"] = "Bearer second"
            yield request

    send(library, kind, "POST", f"{server.base}/x/echo", auth=Twice())
    seen = [header(exchange.request.headers, "authorization") for exchange, _ in tape.finished]
    assert seen == [None, "Bearer second"]


@library
def test_another_host_streams_untouched(
    library: ModuleType, other_server: Server, tape: ListeningTape
) -> None:
    with library.stream("GET", f"{other_server.base}/x/stream") as response:
        parts = response.iter_raw()
        assert next(parts) == b"first"
        other_server.gate.set()
        assert b"".join(parts) == b"-last"
    assert not tape.finished


@library
def test_another_host_streams_untouched_in_async(
    library: ModuleType, other_server: Server, tape: ListeningTape
) -> None:
    async def use() -> None:
        async with (
            library.AsyncClient(verify=False) as client,
            client.stream("GET", f"{other_server.base}/x/stream") as response,
        ):
            parts = response.aiter_raw()
            assert await anext(parts) == b"first"
            other_server.gate.set()
            assert [part async for part in parts] == [b"-last"]

    asyncio.run(use())
    assert not tape.finished


@library
def test_another_path_of_the_same_host_is_not_ours(
    library: ModuleType, kind: str, server: Server, tape: ListeningTape
) -> None:
    send(library, kind, "GET", f"{server.base}-2/x/echo")
    assert len(server.log) == 1
    assert not tape.finished


@library
def test_a_transport_that_opens_no_connection_is_left_alone(
    library: ModuleType, server: Server, tape: ListeningTape
) -> None:
    transport = library.MockTransport(lambda _: library.Response(200, text="mocked"))
    with library.Client(transport=transport) as client:
        assert client.post(f"{server.base}/create").text == "mocked"
    assert not tape.finished


@library
def test_the_originals_come_back(
    library: ModuleType, installed: Callable[[], None], server: Server, tape: ListeningTape
) -> None:
    wrapped = library.HTTPTransport.handle_request
    installed()
    assert library.HTTPTransport.handle_request is wrapped.__wrapped__
    send(library, "sync", "POST", f"{server.base}/x/echo")
    assert not tape.finished
