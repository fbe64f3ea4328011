"""A reverse proxy on a loopback port, for code under test in other processes and languages.

It passes every request on with httpx, in this process: there the request is heard, recorded,
answered from a cassette or counted like any other.
"""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Final

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pytest_avatar.adapters.http import client_options
from pytest_avatar.adapters.loopback_server import BackgroundServer
from pytest_avatar.core.errors import CassetteError
from pytest_avatar.core.interception import passing_on_for

if TYPE_CHECKING:
    from collections.abc import Iterable

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


class Gateway:
    """Stands for the service at an address of this machine, from `start` to `stop`.

    Args:
        base: Where requests are passed on to.
    """

    def __init__(self, base: BaseUrl) -> None:
        self._base: Final = base
        self._client: httpx.AsyncClient | None = None
        self._listener: Final = socket.create_server(("127.0.0.1", 0), backlog=1024)
        port = self._listener.getsockname()[1]
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
        """Answer one request; if its sender goes, let go of the service too."""
        request = Request(scope, receive)
        outgoing = await self._outgoing(request)
        passing_on = asyncio.create_task(self._pass_on(request, outgoing))
        waiting = asyncio.create_task(_until_gone(receive))
        done, _ = await asyncio.wait({passing_on, waiting}, return_when="FIRST_COMPLETED")
        for task in (passing_on, waiting):
            if task not in done:
                task.cancel()
        await asyncio.wait({passing_on, waiting})
        if passing_on in done:
            await passing_on.result()(scope, receive, send)

    async def _outgoing(self, request: Request) -> httpx.Request:
        tail = request.url.path.removeprefix(self._base.path)
        raw_path = request.scope.get("raw_path", request.url.path.encode()).decode("ascii")
        if raw_path.startswith(self._base.path):
            tail = raw_path.removeprefix(self._base.path)
        query = f"?{request.url.query}" if request.url.query else ""
        return httpx.Request(
            request.method,
            f"{self._base}{tail}{query}",
            headers=_passed_on(request.headers.raw),
            content=await request.body(),
        )

    async def _pass_on(self, request: Request, outgoing: httpx.Request) -> Response:
        if self._client is None:
            patience = httpx.Timeout(None)  # whoever asks decides how long to wait
            self._client = httpx.AsyncClient(**client_options(self._base), timeout=patience)
        agent = request.headers.get("user-agent", "an unnamed client").partition("/")[0]
        try:
            with passing_on_for(f"{agent} through the gateway"):
                answer = await self._client.send(outgoing, stream=True)
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

    async def _close(self) -> None:
        if self._client is not None:
            await self._client.aclose()


def _passed_on(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [
        (name, value)
        for name, value in headers
        if name.decode("latin-1").lower() not in _OF_ONE_CONNECTION
    ]


def _bad_gateway(error: str) -> Response:
    return JSONResponse({"success": False, "error": error}, 502)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
