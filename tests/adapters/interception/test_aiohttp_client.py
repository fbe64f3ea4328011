from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING, Any, TypeVar

import aiohttp
import pytest

from pytest_avatar.adapters.interception import install
from pytest_avatar.core.errors import AvatarError
from pytest_avatar.core.http import Response, header
from pytest_avatar.core.ledger import State
from tests.adapters.interception.loopback import (
    AnsweringTape,
    FixedTape,
    ListeningTape,
    Server,
    installed_for,
    make_interceptor,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from pytest_avatar.core.interception import Interceptor

T = TypeVar("T")

pytestmark = pytest.mark.usefixtures("installed")


async def send(method: str, url: str, **options: object) -> tuple[aiohttp.ClientResponse, bytes]:
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, **options) as answer,  # type: ignore[arg-type]
    ):
        return answer, await answer.read()


def run(action: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(asyncio.wait_for(action, 10))


async def parts() -> AsyncIterator[bytes]:
    yield b"one"
    yield b"two"


def test_an_exchange_is_heard_whole(server: Server, tape: ListeningTape) -> None:
    answer, content = run(send("POST", f"{server.base}/x/say-text", json={"text": "hello"}))
    [(exchange, response)] = tape.finished
    assert (exchange.client, exchange.request.method) == ("aiohttp", "POST")
    assert exchange.request.body == server.log[0].body == b'{"text": "hello"}'
    assert header(exchange.request.headers, "content-type") == "application/json"
    assert (response.status, response.reason, response.body) == (answer.status, "OK", content)


@pytest.mark.parametrize(
    "case",
    [
        *(f"POST {name}" for name in ("echo", "gzip", "chunked", "error", "empty")),
        *(f"HEAD {name}" for name in ("echo", "gzip", "empty")),
    ],
)
def test_a_replayed_answer_equals_the_recorded_one(
    case: str, server: Server, tape: ListeningTape, interceptor: Interceptor
) -> None:
    method, name = case.split()
    live, content = run(send(method, f"{server.base}/x/{name}"))
    interceptor.tape = AnsweringTape(server.base, tape)
    server.stop()
    played, played_content = run(send(method, f"{server.base}/x/{name}"))
    assert type(played) is type(live)
    assert (played.status, played.reason, played_content) == (live.status, live.reason, content)
    assert played.content_type == live.content_type
    if method == "HEAD":
        assert played.content_length == live.content_length


@pytest.mark.parametrize(
    ("data", "sent"),
    [
        (b"onetwo", b"onetwo"),
        ("onetwo", b"onetwo"),
        (parts, b"onetwo"),
        (lambda: io.BytesIO(b"onetwo"), b"onetwo"),
        ({"a": "b c"}, b"a=b+c"),
        (None, b""),
    ],
)
def test_every_kind_of_body_is_read_once_and_sent_whole(
    data: object, sent: bytes, server: Server, tape: ListeningTape
) -> None:
    async def post() -> None:
        await send("POST", f"{server.base}/x/echo", data=data() if callable(data) else data)

    run(post())
    assert server.log[0].body == tape.finished[0][0].request.body == sent


def test_a_multipart_body_is_heard(server: Server, tape: ListeningTape) -> None:
    async def post() -> None:
        form = aiohttp.FormData({"turnId": "7"})
        form.add_field("audio", b"sound", filename="a.mp3", content_type="audio/mpeg")
        await send("POST", f"{server.base}/x/say-audio", data=form)

    run(post())
    exchange, _ = tape.finished[0]
    assert exchange.call.audio is not None
    assert exchange.call.audio.content == b"sound"
    assert server.log[0].body == exchange.request.body


@pytest.mark.parametrize("replayed", [False, True])
def test_an_answer_that_was_heard_can_be_read_as_a_stream(
    replayed: bool, server: Server, interceptor: Interceptor
) -> None:
    body = b"x" * 300_000
    if replayed:
        interceptor.tape = FixedTape(Response(200, (), body))
    url = f"{server.base}/x/echo"

    async def read() -> bytes:
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, data=body) as answer,
        ):
            return b"".join([part async for part in answer.content.iter_chunked(1000)])

    assert body in run(read())


@pytest.mark.parametrize(
    ("fault", "error"),
    [("truncated", aiohttp.ClientPayloadError), ("dropped", aiohttp.ServerDisconnectedError)],
)
def test_an_answer_that_breaks_off_is_a_failure_after_sending(
    fault: str,
    error: type[Exception],
    server: Server,
    tape: ListeningTape,
    interceptor: Interceptor,
) -> None:
    with pytest.raises(error):
        run(send("POST", f"{server.base}/create?{fault}"))
    assert [type(seen) for _, seen in tape.aborted] == [error]
    assert [record.state for record in interceptor.ledger.records] == [State.UNKNOWN]


def test_a_create_that_could_not_connect_opened_nothing(
    server: Server, interceptor: Interceptor
) -> None:
    server.stop()
    with pytest.raises(aiohttp.ClientConnectorError):
        run(send("POST", f"{server.base}/create"))
    assert [record.state for record in interceptor.ledger.records] == [State.REFUSED]


def test_a_create_that_timed_out_may_have_opened_a_session(
    server: Server, interceptor: Interceptor
) -> None:
    with pytest.raises(TimeoutError):
        run(send("POST", f"{server.base}/create?hang", timeout=aiohttp.ClientTimeout(0.1)))
    assert [record.state for record in interceptor.ledger.records] == [State.UNKNOWN]


def test_each_hop_of_a_redirect_is_a_request_of_its_own(
    server: Server, tape: ListeningTape
) -> None:
    _, content = run(send("POST", f"{server.base}/x/redirect", data=b"hi"))
    assert b'"hi"' in content
    assert [response.status for _, response in tape.finished] == [307, 200]


def test_middlewares_of_the_session_and_of_the_request_still_run(
    server: Server, tape: ListeningTape
) -> None:
    async def sign(
        request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        request.headers["X-Signed"] = "yes"
        return await handler(request)

    async def use() -> None:
        url = f"{server.base}/x/echo"
        await send("POST", url, middlewares=[sign])
        async with aiohttp.ClientSession(middlewares=[sign]) as session, session.post(url):
            pass

    run(use())
    seen = [header(exchange.request.headers, "x-signed") for exchange, _ in tape.finished]
    assert seen == ["yes", "yes"]


def test_the_service_is_played_over_https_without_a_connection() -> None:
    base = "https://service.example/v1/avatar-session"
    with installed_for(make_interceptor(base, FixedTape(Response(200, (), b"{}")), offline=True)):
        assert run(send("POST", f"{base}/create", json={}))[1] == b"{}"


def test_another_host_streams_untouched(other_server: Server, tape: ListeningTape) -> None:
    async def use() -> None:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{other_server.base}/x/stream") as answer,
        ):
            assert await answer.content.read(5) == b"first"
            other_server.gate.set()
            assert await answer.content.read() == b"-last"

    run(use())
    assert not tape.finished


def test_a_version_without_middlewares_is_refused(
    installed: Callable[[], None], monkeypatch: pytest.MonkeyPatch, interceptor: Interceptor
) -> None:
    installed()
    monkeypatch.delattr(aiohttp.ClientRequest, "update_body")
    monkeypatch.setattr(aiohttp, "__version__", "3.11.0")
    with pytest.raises(AvatarError) as caught:
        install(interceptor)
    assert str(caught.value) == (
        "aiohttp 3.11.0 is imported, and pytest-avatar cannot hear what it sends: expected 3.12.6 "
        "or later. Install that, or run with -p no:avatar."
    )
