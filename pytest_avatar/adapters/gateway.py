"""A reverse proxy on a loopback port, for code under test in other processes and languages.

It passes every request on with httpx, in this process: there the request is heard, recorded,
answered from a cassette or counted like any other.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pytest_avatar.adapters.hang_up import GONE
from pytest_avatar.adapters.http import client_options
from pytest_avatar.adapters.loopback_server import BackgroundServer
from pytest_avatar.adapters.peers import Peers
from pytest_avatar.core import http as core
from pytest_avatar.core import wire
from pytest_avatar.core.errors import CassetteError
from pytest_avatar.core.interception import Sender, passing_on_for

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from starlette.types import Receive, Scope, Send

    from pytest_avatar.core.http import BaseUrl

__all__ = ["Gateway"]

_OF_ONE_CONNECTION: Final = frozenset(
    {
        "connection",
        "host",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers that belong to one connection, and so are not passed on (RFC 9110, 7.6.1)."""


_SEE_THROUGH_SECONDS: Final = 4.0
"""How long the answer to a create is waited for once its sender is gone."""


class Gateway:
    """Stands for the service at an address of this machine, from `start` to `stop`.

    Args:
        base: Where requests are passed on to.
    """

    def __init__(self, base: BaseUrl) -> None:
        self._base: Final = base
        self._idle: Final[list[httpx.AsyncClient]] = []
        self._listener: Final = socket.create_server(("127.0.0.1", 0), backlog=1024)
        port = self._listener.getsockname()[1]
        self._peers: Final = Peers(port)
        self._server: Final = BackgroundServer(
            self._serve, self._listener, name=None, closing=self._close
        )
        self.base_url: Final = f"http://127.0.0.1:{port}{base.path}"

    def start(self) -> None:
        """Begin to listen."""
        self._server.start()

    def stop(self) -> None:
        """Close every connection and stop listening."""
        self._server.stop()

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; if its sender goes, let go of the service too.

        A create is seen through all the same: a session whose answer nobody reads cannot be ended.
        """
        request = Request(scope, receive)
        outgoing = await self._outgoing(request)
        is_create = self._is_create(outgoing)
        sender = await self._sender(request, named=is_create)
        with _cancelled_after(_SEE_THROUGH_SECONDS if is_create else 0, scope["extensions"][GONE]):
            answer = await self._pass_on(outgoing, sender)
            await answer(scope, receive, send)

    async def _outgoing(self, request: Request) -> httpx.Request:
        path = request.scope["raw_path"] or request.url.path.encode()
        query = request.scope["query_string"]
        target = path + b"?" + query if query else path
        return httpx.Request(
            request.method,
            self._base.origin + target.decode("ascii"),
            headers=_passed_on(request.headers.raw),
            content=await request.body(),
        )

    def _is_create(self, outgoing: httpx.Request) -> bool:
        seen = core.Request(outgoing.method, str(outgoing.url), ())
        call = wire.read_call(self._base, seen)
        return call is not None and call.operation is wire.Operation.CREATE

    async def _sender(self, request: Request, *, named: bool) -> Sender:
        """Return who sends a request; its process only if it is to be `named`, which costs time."""
        agent = request.headers.get("user-agent", "an unnamed client").partition("/")[0]
        process = None
        if named and request.client is not None:
            process = await asyncio.to_thread(self._peers.name, request.client.port)
        return Sender(f"{agent} through the gateway", process)

    async def _pass_on(self, outgoing: httpx.Request, sender: Sender) -> Response:
        try:
            with self._client() as client, passing_on_for(sender):
                answer = await client.send(outgoing, stream=True)
                body = b"".join([piece async for piece in answer.aiter_raw()])
                await answer.aclose()
        except CassetteError as error:
            return _bad_gateway(str(error))
        except httpx.HTTPError as error:
            reason = f"{type(error).__name__}: {error}".rstrip(": ")
            return _bad_gateway(f"the avatar gateway got no answer from {self._base}: {reason}")
        passed_on = Response(body, answer.status_code)
        passed_on.raw_headers = _passed_on(answer.headers.raw)
        return passed_on

    @contextmanager
    def _client(self) -> Generator[httpx.AsyncClient]:
        """Lend a client, the one that was used last; so nobody waits for somebody else.

        One client for all would look at each of its connections for each request.
        """
        client = self._idle.pop() if self._idle else self._new_client()
        try:
            yield client
        finally:
            self._idle.append(client)

    def _new_client(self) -> httpx.AsyncClient:
        timeout = httpx.Timeout(None)  # whoever asks decides how long to wait
        return httpx.AsyncClient(**client_options(self._base), timeout=timeout)

    async def _close(self) -> None:
        for client in self._idle:
            await client.aclose()


def _passed_on(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return the headers without those of one connection, and those that `Connection` names."""
    pairs = [(name.decode("latin-1").lower(), name, value) for name, value in headers]
    named = ",".join(value.decode("latin-1") for key, _, value in pairs if key == "connection")
    dropped = _OF_ONE_CONNECTION.union(key.strip().lower() for key in named.split(","))
    return [(name, value) for key, name, value in pairs if key not in dropped]


def _bad_gateway(error: str) -> Response:
    return JSONResponse({"success": False, "error": error}, 502)


@contextmanager
def _cancelled_after(seconds: float, gone: asyncio.Future[None]) -> Generator[None]:
    """Cut short what this task does, some time after its client has gone."""
    task = asyncio.current_task()
    assert task is not None

    def leave(_gone: object) -> None:
        task.get_loop().call_later(seconds, task.cancel)

    gone.add_done_callback(leave)
    try:
        yield
    except asyncio.CancelledError:
        if not gone.done():
            raise
    finally:
        gone.remove_done_callback(leave)
