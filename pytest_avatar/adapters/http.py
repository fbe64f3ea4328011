"""httpx, for our own client: how a conversation reaches the service.

Foreign errors are translated here and nowhere else. A request never follows a redirect, so
credentials never reach another host. All clients of a process share one TLS context, since a new
one loads the whole CA bundle (about 15 ms).
"""

from __future__ import annotations

import functools
import ssl
import time
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
import httpx

from pytest_avatar.core.conversation import NoAnswerError, Pause, drive, drive_async
from pytest_avatar.core.http import Response

if TYPE_CHECKING:
    from pytest_avatar.core.conversation import Outcome, Send, Steps
    from pytest_avatar.core.http import BaseUrl

__all__ = ["AsyncSender", "Sender", "client_options"]

_Result = TypeVar("_Result")


class Sender:
    """Drives conversations over pooled connections. Safe to use from several threads.

    Args:
        base: The only address that requests go to.
    """

    def __init__(self, base: BaseUrl) -> None:
        self._client = httpx.Client(**client_options(base))

    def perform(self, steps: Steps[_Result]) -> _Result:
        """Take every step of a conversation, and return what it returns."""
        __tracebackhide__ = True
        return drive(steps, self._take)

    def _take(self, step: Send | Pause) -> Outcome:
        __tracebackhide__ = True
        if isinstance(step, Pause):
            time.sleep(step.seconds)
            return None
        try:
            return self._send(self._client.build_request(**_request_options(step)))
        except httpx.HTTPError as error:
            return _no_answer(error)

    def _send(self, request: httpx.Request) -> Response:
        return _read(self._client.send(request))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


class AsyncSender:
    """The same for asyncio and trio.

    Args:
        base: The only address that requests go to.
        pooled: Whether connections are kept between requests. They belong to the event loop that
            opened them, so who cannot close them in that loop must not keep them.
    """

    def __init__(self, base: BaseUrl, *, pooled: bool) -> None:
        self._options = client_options(base)
        self._client = httpx.AsyncClient(**self._options) if pooled else None

    async def perform(self, steps: Steps[_Result]) -> _Result:
        """Take every step of a conversation, and return what it returns."""
        __tracebackhide__ = True
        return await drive_async(steps, self._take)

    async def _take(self, step: Send | Pause) -> Outcome:
        __tracebackhide__ = True
        if isinstance(step, Pause):
            await anyio.sleep(step.seconds)
            return None
        try:
            return _read(await self._request(step))
        except httpx.HTTPError as error:
            return _no_answer(error)

    async def _request(self, step: Send) -> httpx.Response:
        if self._client is not None:
            return await self._client.request(**_request_options(step))
        async with httpx.AsyncClient(**self._options) as client:
            return await client.request(**_request_options(step))

    async def aclose(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()


@functools.cache
def _tls_context() -> ssl.SSLContext:
    return httpx.create_ssl_context()


@functools.cache
def _no_tls_context() -> ssl.SSLContext:
    """Return a context for plain HTTP: it trusts nobody, and so costs nothing to make."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def client_options(base: BaseUrl) -> dict[str, Any]:
    """Return how to make a client. A proxy never stands between us and this machine."""
    context = _tls_context() if base.scheme == "https" else _no_tls_context()
    return {"verify": context, "follow_redirects": False, "trust_env": not base.is_loopback}


def _request_options(step: Send) -> dict[str, Any]:
    request = step.request
    return {
        "method": request.method,
        "url": request.url,
        "headers": list(request.headers),
        "content": request.body,
        "timeout": step.timeout,
    }


def _no_answer(error: httpx.HTTPError) -> NoAnswerError:
    sent = not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
    failure = NoAnswerError(f"{type(error).__name__}: {error}".rstrip(": "), sent=sent)
    failure.__cause__ = error
    return failure


def _read(answer: httpx.Response) -> Response:
    return Response(
        answer.status_code, tuple(answer.headers.items()), answer.content, answer.reason_phrase
    )
