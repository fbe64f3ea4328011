"""Every way to send a request, behind one signature: what the tests of all clients share."""

from __future__ import annotations

import asyncio
import http.client
import urllib.error
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import aiohttp
import httplib2
import httpx
import httpx2
import httpx_curl_cffi
import requests
import tornado.httpclient
import urllib3
from pyreqwest.client import ClientBuilder, SyncClientBuilder
from pyreqwest.compatibility.httpx import HttpxTransport, SyncHttpxTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from types import ModuleType

    Sender = Callable[[str, bytes], tuple[int, bytes]]
    """Posts a body to a URL and returns status and decoded body."""

EarlyHTTPConnection = http.client.HTTPConnection
early_post = requests.post
early_urlopen = urllib.request.urlopen


@contextmanager
def httpx_client(library: ModuleType = httpx, **options: object) -> Iterator[Sender]:
    with library.Client(verify=False, **options) as client:

        def send(url: str, body: bytes) -> tuple[int, bytes]:
            answer = client.post(url, content=body)
            return answer.status_code, answer.content

        yield send


@contextmanager
def httpx_async(library: ModuleType = httpx, **options: object) -> Iterator[Sender]:
    with asyncio.Runner() as runner:
        client = library.AsyncClient(verify=False, **options)

        def send(url: str, body: bytes) -> tuple[int, bytes]:
            answer = runner.run(client.post(url, content=body))
            return answer.status_code, answer.content

        yield send
        runner.run(client.aclose())


@contextmanager
def httpx2_client() -> Iterator[Sender]:
    with httpx_client(httpx2) as send:
        yield send


@contextmanager
def httpx2_async() -> Iterator[Sender]:
    with httpx_async(httpx2) as send:
        yield send


@contextmanager
def httpx_on_curl() -> Iterator[Sender]:
    with httpx_client(transport=httpx_curl_cffi.CurlTransport()) as send:
        yield send


@contextmanager
def httpx_async_on_curl() -> Iterator[Sender]:
    with httpx_async(transport=httpx_curl_cffi.AsyncCurlTransport()) as send:
        yield send


@contextmanager
def httpx_on_reqwest() -> Iterator[Sender]:
    with httpx_client(transport=SyncHttpxTransport(SyncClientBuilder().build())) as send:
        yield send


@contextmanager
def httpx_async_on_reqwest() -> Iterator[Sender]:
    with httpx_async(transport=HttpxTransport(ClientBuilder().build())) as send:
        yield send


@contextmanager
def requests_function() -> Iterator[Sender]:
    def send(url: str, body: bytes) -> tuple[int, bytes]:
        answer = early_post(url, data=body, timeout=10)
        return answer.status_code, answer.content

    yield send


@contextmanager
def requests_session() -> Iterator[Sender]:
    with requests.Session() as session:

        def send(url: str, body: bytes) -> tuple[int, bytes]:
            answer = session.post(url, data=body, timeout=10)
            return answer.status_code, answer.content

        yield send


@contextmanager
def urllib3_pool() -> Iterator[Sender]:
    with urllib3.PoolManager(maxsize=8) as pool:

        def send(url: str, body: bytes) -> tuple[int, bytes]:
            answer = pool.request("POST", url, body=body, retries=False)
            return answer.status, answer.data

        yield send


def _post(connection: http.client.HTTPConnection, url: str, body: bytes) -> tuple[int, bytes]:
    connection.request("POST", urlsplit(url).path, body)
    with connection.getresponse() as answer:
        return answer.status, answer.read()


def _connect(kind: type[http.client.HTTPConnection], url: str) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    assert parts.hostname
    return kind(parts.hostname, parts.port, timeout=10)


@contextmanager
def http_client_new() -> Iterator[Sender]:
    def send(url: str, body: bytes) -> tuple[int, bytes]:
        connection = _connect(http.client.HTTPConnection, url)
        try:
            return _post(connection, url, body)
        finally:
            connection.close()

    yield send


@contextmanager
def http_client_early_bound() -> Iterator[Sender]:
    def send(url: str, body: bytes) -> tuple[int, bytes]:
        connection = _connect(EarlyHTTPConnection, url)
        try:
            return _post(connection, url, body)
        finally:
            connection.close()

    yield send


@contextmanager
def urllib_urlopen() -> Iterator[Sender]:
    def send(url: str, body: bytes) -> tuple[int, bytes]:
        with early_urlopen(url, body, timeout=10) as answer:
            return answer.status, answer.read()

    yield send


@contextmanager
def urllib_opener() -> Iterator[Sender]:
    opener = urllib.request.build_opener()

    def send(url: str, body: bytes) -> tuple[int, bytes]:
        with opener.open(url, body, timeout=10) as answer:
            return answer.status, answer.read()

    yield send


@contextmanager
def httplib2_http() -> Iterator[Sender]:
    def send(url: str, body: bytes) -> tuple[int, bytes]:
        client = httplib2.Http(timeout=10)  # not made for threads
        try:
            answer, content = client.request(url, "POST", body)
            return answer.status, content
        finally:
            client.close()

    yield send


@contextmanager
def aiohttp_session() -> Iterator[Sender]:
    with asyncio.Runner() as runner:

        async def start() -> aiohttp.ClientSession:
            return aiohttp.ClientSession()

        session = runner.run(start())

        async def post(url: str, body: bytes) -> tuple[int, bytes]:
            async with session.post(url, data=body) as answer:
                return answer.status, await answer.read()

        yield lambda url, body: runner.run(post(url, body))
        runner.run(session.close())


@contextmanager
def tornado_client() -> Iterator[Sender]:
    with asyncio.Runner() as runner:

        async def start() -> tornado.httpclient.AsyncHTTPClient:
            return tornado.httpclient.AsyncHTTPClient(force_instance=True)

        client = runner.run(start())

        async def post(url: str, body: bytes) -> tuple[int, bytes]:
            answer = await client.fetch(url, method="POST", body=body, raise_error=False)
            if answer.code == 599:
                answer.rethrow()
            return answer.code, answer.body

        yield lambda url, body: runner.run(post(url, body))
        client.close()


THREADED: dict[str, Callable[[], AbstractContextManager[Sender]]] = {
    sender.__name__: sender
    for sender in (
        httpx_client,
        httpx2_client,
        requests_function,
        requests_session,
        urllib3_pool,
        http_client_new,
        http_client_early_bound,
        urllib_urlopen,
        urllib_opener,
        httplib2_http,
    )
}

SENDERS = THREADED | {
    sender.__name__: sender
    for sender in (
        httpx_async,
        httpx2_async,
        httpx_on_curl,
        httpx_async_on_curl,
        httpx_on_reqwest,
        httpx_async_on_reqwest,
        aiohttp_session,
        tornado_client,
    )
}
