"""httpx and httpx2: the transports that open connections, sync and async, others' included.

httpx-curl-cffi and pyreqwest bring transports that open connections in C and in Rust, where the
guard of a replay sees nothing. Transports of tests (`MockTransport`, ASGI, WSGI) reach no service
and stay as they are.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from pytest_avatar.adapters.interception.bodies import plain_headers, read_response
from pytest_avatar.adapters.interception.httpx_tls import share_tls_contexts
from pytest_avatar.core.http import Request

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from types import ModuleType

    import httpx

    from pytest_avatar.adapters.interception.patching import Patches
    from pytest_avatar.core.http import Headers, Response
    from pytest_avatar.core.interception import Exchange, Interceptor

__all__ = ["hooks"]


_TRANSPORTS: Final = {
    "httpx": ("HTTPTransport", "AsyncHTTPTransport"),
    "httpx2": ("HTTPTransport", "AsyncHTTPTransport"),
    "httpx_curl_cffi": ("CurlTransport", "AsyncCurlTransport"),
    "pyreqwest.compatibility.httpx": ("SyncHttpxTransport", "HttpxTransport"),
}
"""The classes of each module that open connections: the sync one, then the async one."""


def hooks(interceptor: Interceptor, patches: Patches) -> Mapping[str, Callable[[ModuleType], None]]:
    """Return what to call with each module once it is imported."""

    def wrap(module: ModuleType) -> None:
        sync_transport, async_transport = _TRANSPORTS[module.__name__]
        library = sys.modules["httpx2" if module.__name__ == "httpx2" else "httpx"]
        seam = _Seam(library, interceptor)
        patches.wrap(getattr(module, sync_transport), "handle_request", seam.sync_handler)
        patches.wrap(getattr(module, async_transport), "handle_async_request", seam.async_handler)
        if interceptor.offline and module is library:
            share_tls_contexts(library, patches)

    return dict.fromkeys(_TRANSPORTS, wrap)


class _Seam:
    """What the sync and the async handler have in common."""

    def __init__(self, library: ModuleType, interceptor: Interceptor) -> None:
        self._library: Any = library
        self._interceptor = interceptor
        self._unsent = (library.ConnectError, library.ConnectTimeout, library.PoolTimeout)

    def sync_handler(
        self, original: Callable[..., httpx.Response]
    ) -> Callable[..., httpx.Response]:
        def handle_request(
            transport: httpx.BaseTransport, request: httpx.Request
        ) -> httpx.Response:
            url = str(request.url)
            if not self._interceptor.concerns(url):
                return original(transport, request)
            exchange = self._begin(request, url, request.read())
            if exchange.answer is not None:
                return self._replay(exchange.answer, request)
            try:
                response = original(transport, request)
                body = _read(response)
            except BaseException as error:
                exchange.failed(error, sent=not isinstance(error, self._unsent))
                raise
            return self._finish(exchange, response, body)

        return handle_request

    def async_handler(
        self, original: Callable[..., Awaitable[httpx.Response]]
    ) -> Callable[..., Awaitable[httpx.Response]]:
        async def handle_async_request(
            transport: httpx.AsyncBaseTransport, request: httpx.Request
        ) -> httpx.Response:
            url = str(request.url)
            if not self._interceptor.concerns(url):
                return await original(transport, request)
            exchange = self._begin(request, url, await request.aread())
            if exchange.answer is not None:
                return self._replay(exchange.answer, request)
            try:
                response = await original(transport, request)
                body = await _aread(response)
            except BaseException as error:
                exchange.failed(error, sent=not isinstance(error, self._unsent))
                raise
            return self._finish(exchange, response, body)

        return handle_async_request

    def _begin(self, request: httpx.Request, url: str, body: bytes) -> Exchange:
        seen = Request(request.method, url, _texts(request.headers), body)
        return self._interceptor.begin(seen, self._library.__name__)

    def _finish(self, exchange: Exchange, response: httpx.Response, body: bytes) -> httpx.Response:
        """Report the answer, and let the client read it again as it came."""
        headers = _texts(response.headers)
        exchange.answered(
            read_response(response.status_code, response.reason_phrase, headers, body)
        )
        response.stream = self._library.ByteStream(body)
        return response

    def _replay(self, answer: Response, request: httpx.Request) -> httpx.Response:
        response: httpx.Response = self._library.Response(
            answer.status,
            headers=list(plain_headers(answer, request.method)),
            stream=self._library.ByteStream(answer.body),
            extensions={
                "http_version": b"HTTP/1.1",
                "reason_phrase": answer.reason.encode("latin-1", "replace"),
            },
        )
        return response


def _texts(headers: httpx.Headers) -> Headers:
    """Return headers as texts. Nearly all are UTF-8, and httpx tries every one to find that out."""
    try:
        return tuple([(name.decode(), value.decode()) for name, value in headers.raw])
    except UnicodeDecodeError:
        return tuple(headers.multi_items())


def _read(response: httpx.Response) -> bytes:
    """Return the body as it travels: `response.read()` would decode it."""
    stream: Any = response.stream
    try:
        return b"".join(stream)
    finally:
        stream.close()


async def _aread(response: httpx.Response) -> bytes:
    stream: Any = response.stream
    try:
        return b"".join([part async for part in stream])
    finally:
        await stream.aclose()
