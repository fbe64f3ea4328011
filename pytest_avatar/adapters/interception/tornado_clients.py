"""tornado: `fetch_impl` of its two clients, which takes a request and whom to call with the answer.

What a request streams (`body_producer`, `streaming_callback`) passes unheard.
"""

from __future__ import annotations

import io
import socket
from typing import TYPE_CHECKING, Any, Final

from pytest_avatar.adapters.interception.bodies import plain_headers, read_response
from pytest_avatar.core.http import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType

    from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse

    from pytest_avatar.adapters.interception.patching import Patches
    from pytest_avatar.core.http import Response
    from pytest_avatar.core.interception import Exchange, Interceptor

    Callback = Callable[[HTTPResponse], None]
    Fetch = Callable[[AsyncHTTPClient, HTTPRequest, Callback], None]

__all__ = ["hooks"]

_CLIENTS: Final = {
    "tornado.simple_httpclient": "SimpleAsyncHTTPClient",
    "tornado.curl_httpclient": "CurlAsyncHTTPClient",
}

_NO_ANSWER: Final = 599
"""The status that tornado gives to a request that was not answered."""

_CURL_BEFORE_SENDING: Final = (5, 6, 7)
"""libcurl's numbers for: no such proxy, no such host, no connection."""


def hooks(interceptor: Interceptor, patches: Patches) -> Mapping[str, Callable[[ModuleType], None]]:
    """Return what to call with each module once it is imported."""

    def wrap(module: ModuleType) -> None:
        client = getattr(module, _CLIENTS[module.__name__])
        patches.wrap(client, "fetch_impl", _Seam(module, interceptor).fetch)

    return dict.fromkeys(_CLIENTS, wrap)


class _Seam:
    def __init__(self, library: ModuleType, interceptor: Interceptor) -> None:
        self._library: Any = library
        self._interceptor = interceptor

    def fetch(self, original: Fetch) -> Fetch:
        def fetch_impl(client: AsyncHTTPClient, request: HTTPRequest, callback: Callback) -> None:
            if not self._interceptor.concerns(request.url):
                original(client, request, callback)
                return
            headers = tuple(request.headers.get_all())
            seen = Request(request.method, request.url, headers, request.body or b"")
            exchange = self._interceptor.begin(seen, "tornado")
            if exchange.answer is not None:
                callback(self._replay(exchange.answer, request))
                return

            def heard(response: HTTPResponse) -> None:
                _finish(exchange, response)
                callback(response)

            original(client, request, heard)

        return fetch_impl

    def _replay(self, answer: Response, request: HTTPRequest) -> HTTPResponse:
        headers = self._library.httputil.HTTPHeaders()
        for name, value in plain_headers(answer, request.method):
            headers.add(name, value)
        response: HTTPResponse = self._library.HTTPResponse(
            request,
            answer.status,
            headers=headers,
            buffer=io.BytesIO(answer.body),
            reason=answer.reason or None,
            request_time=0.0,
        )
        return response


def _finish(exchange: Exchange, response: HTTPResponse) -> None:
    if response.code == _NO_ANSWER and response.error is not None:
        exchange.failed(response.error, sent=not _is_before_sending(response.error))
        return
    headers = tuple(response.headers.get_all())
    exchange.answered(read_response(response.code, response.reason or "", headers, response.body))


def _is_before_sending(error: BaseException) -> bool:
    if isinstance(error, (ConnectionRefusedError, socket.gaierror)):
        return True
    return type(error).__name__ == "CurlError" and getattr(error, "errno", 0) in (
        _CURL_BEFORE_SENDING
    )
