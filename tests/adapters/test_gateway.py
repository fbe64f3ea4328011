"""What passes through the gateway: every request and every answer as it came."""

from __future__ import annotations

import asyncio
import gzip
import http.client
import os
import socket
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from pytest_avatar.adapters.gateway import Gateway
from pytest_avatar.adapters.interception import install
from pytest_avatar.core.events import Opener
from pytest_avatar.core.http import BaseUrl
from pytest_avatar.core.interception import Interceptor, LiveTape
from pytest_avatar.core.ledger import Ledger, State
from pytest_avatar.core.redaction import Secrets
from tests.downstream import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OPENED: Final = b'{"success": true, "sessionId": "s1", "token": "t0ken-of-s1"}'


@dataclass
class Seen:
    """A request as the service saw it."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes


@dataclass
class Answer:
    """What the service answers."""

    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b"{}"


class Service:
    """A real HTTP server that writes down what it is asked, and may take its time."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.connections = 0
        self.answer = Answer()
        self.before_answering: Callable[[Any], object] = lambda _handler: None
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                self.raw_requestline = self.rfile.readline()
                if not self.raw_requestline or not self.parse_request():
                    self.close_connection = True
                    return
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                service.seen.append(Seen(self.command, self.path, self.headers.items(), body))
                service.before_answering(self)
                self._answer(service.answer)

            def _answer(self, answer: Answer) -> None:
                self.send_response_only(answer.status)
                for name, value in answer.headers:
                    self.send_header(name, value)
                if answer.status not in (204, 304):
                    self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                if self.command != "HEAD" and answer.status not in (204, 304):
                    self.wfile.write(answer.body)

        class Server(ThreadingHTTPServer):
            request_queue_size = 512

            def process_request(self, *about: Any) -> None:  # noqa: ANN401 - passed on
                service.connections += 1
                super().process_request(*about)

            def handle_error(self, *about: Any) -> None:  # noqa: ANN401 - passed on
                if not isinstance(sys.exception(), ConnectionError):  # that some tests ask for
                    super().handle_error(*about)

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.base = BaseUrl(f"http://127.0.0.1:{self._server.server_port}/v1/avatar-session")

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)


@pytest.fixture
def service() -> Iterator[Service]:
    server = Service()
    yield server
    server.close()


@contextmanager
def through(base: BaseUrl) -> Iterator[BaseUrl]:
    gateway = Gateway(base)
    gateway.start()
    yield BaseUrl(gateway.base_url)
    gateway.stop()


@pytest.fixture
def gateway(service: Service) -> Iterator[BaseUrl]:
    with through(service.base) as base:
        yield base


def ask(
    base: BaseUrl, method: str, target: str, headers: list[tuple[str, str]], body: bytes = b""
) -> tuple[int, list[tuple[str, str]], bytes]:
    """Send a request byte for byte; return status, headers and body as they came."""
    connection = http.client.HTTPConnection("127.0.0.1", base.port, timeout=10)
    connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
    for name, value in [("Host", "the-service"), *headers]:
        connection.putheader(name, value)
    if body:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, answer.getheaders(), content


def lowered(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return headers as they compare: names have no case, and the host is the server's."""
    return [(name.lower(), value) for name, value in headers if name.lower() != "host"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_every_method_arrives_as_it_was_sent(
    service: Service, gateway: BaseUrl, method: str
) -> None:
    target = "/v1/avatar-session/a%2Fb/say-text?q=%20x&q=2&empty="
    headers = [("X-Twice", "1"), ("X-Twice", "2"), ("Authorization", "Bearer t"), ("Accept", "a/b")]
    body = b"\x00\xff not JSON" if method in ("POST", "PUT", "PATCH") else b""
    answers = [ask(base, method, target, headers, body) for base in (service.base, gateway)]

    direct, passed_on = service.seen
    assert (passed_on.method, passed_on.target, passed_on.body) == (method, target, body)
    assert lowered(passed_on.headers) == lowered(direct.headers)
    assert answers[0] == answers[1]


@pytest.mark.parametrize("status", [200, 201, 204, 301, 304, 401, 404, 410, 418, 429, 500, 503])
def test_every_answer_arrives_as_it_was_given(
    service: Service, gateway: BaseUrl, status: int
) -> None:
    service.answer = Answer(
        status,
        [
            ("Set-Cookie", "a=1"),
            ("Set-Cookie", "b=2"),
            ("Content-Encoding", "gzip"),
            ("Location", "http://elsewhere.example/"),
            ("Retry-After", "3"),
        ],
        gzip.compress(b'{"success": true}'),
    )
    direct, passed_on = (ask(base, "POST", gateway.path, []) for base in (service.base, gateway))
    assert passed_on[0] == status
    assert lowered(passed_on[1]) == lowered(direct[1])
    assert passed_on[2] == direct[2]


def test_headers_of_one_connection_stay_with_it(service: Service, gateway: BaseUrl) -> None:
    ask(gateway, "GET", "/", [("Connection", "close, X-Mine"), ("X-Mine", "1"), ("TE", "trailers")])
    (seen,) = service.seen
    assert lowered(seen.headers) == []


def test_requests_do_not_wait_for_each_other(service: Service, gateway: BaseUrl) -> None:
    """All are under way at the service at the same time: more than a pool of httpx holds."""
    number = 130
    barrier = threading.Barrier(number)
    service.before_answering = lambda _handler: barrier.wait(30)

    async def ask_all() -> list[int]:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(timeout=60, limits=limits, trust_env=False) as client:
            answers = await asyncio.gather(*(client.post(f"{gateway}/x") for _ in range(number)))
        return [answer.status_code for answer in answers]

    assert asyncio.run(ask_all()) == [200] * number


def test_who_asks_next_finds_the_connection_open(service: Service, gateway: BaseUrl) -> None:
    for _ in range(3):
        assert ask(gateway, "GET", "/", [])[0] == 200
    assert service.connections == 1


def test_a_service_that_is_down_is_a_502_that_says_so(service: Service) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        nowhere = BaseUrl(f"http://127.0.0.1:{unused.getsockname()[1]}/v1/avatar-session")
    with through(nowhere) as gateway:
        answer = httpx.post(str(gateway), trust_env=False)
    assert answer.status_code == 502
    said = f"the avatar gateway got no answer from {nowhere}: ConnectError: "
    assert answer.json()["success"] is False
    assert answer.json()["error"].startswith(said)


def test_a_service_that_hangs_up_is_a_502_that_says_so(service: Service, gateway: BaseUrl) -> None:
    service.before_answering = lambda handler: handler.connection.shutdown(socket.SHUT_RDWR)
    answer = httpx.post(str(gateway), trust_env=False)
    assert answer.status_code == 502
    assert "RemoteProtocolError: Server disconnected" in answer.json()["error"]


def leave(gateway: BaseUrl, target: str, arrived: threading.Event) -> None:
    """Send a request, and hang up as soon as it is at the service."""
    with socket.create_connection(("127.0.0.1", gateway.port)) as connection:
        connection.sendall(
            f"POST {target} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode()
        )
        assert arrived.wait(10)


def test_a_sender_that_hangs_up_hangs_up_on_the_service(service: Service, gateway: BaseUrl) -> None:
    arrived, gone = threading.Event(), threading.Event()

    def wait_for_the_end(handler: BaseHTTPRequestHandler) -> None:
        arrived.set()
        if handler.connection.recv(1) == b"":
            gone.set()
        handler.close_connection = True

    service.before_answering = wait_for_the_end
    leave(gateway, f"{gateway.path}/s1/say-text", arrived)
    assert gone.wait(10)
    service.before_answering = lambda _handler: None
    assert ask(gateway, "GET", "/", [])[0] == 200


@contextmanager
def heard(base: BaseUrl) -> Iterator[Ledger]:
    """Hear what this process sends on."""
    ledger = Ledger()

    def attribute(client: str) -> Opener:
        return Opener(client=client, file="x.py", line=1)

    undo = install(Interceptor(base, ledger, Secrets(), attribute, LiveTape()))
    yield ledger
    undo()


def test_a_create_is_seen_through_when_its_sender_hangs_up(
    service: Service, gateway: BaseUrl
) -> None:
    arrived, left = threading.Event(), threading.Event()

    def wait(_handler: object) -> None:
        arrived.set()
        assert left.wait(10)

    service.before_answering, service.answer.body = wait, OPENED
    with heard(service.base) as ledger:
        leave(gateway, gateway.path, arrived)
        left.set()
        until(lambda: ledger.records[0].state is State.OPEN)
    assert ledger.token_of(ledger.records[0]) == "t0ken-of-s1"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who is at the other end")
def test_a_create_names_the_process_that_sends_it(service: Service, gateway: BaseUrl) -> None:
    service.answer.body = OPENED
    with heard(service.base) as ledger:
        httpx.post(str(gateway), headers={"User-Agent": "node"}, trust_env=False)
    (record,) = ledger.records
    opener = record.opener
    assert opener.client == "node through the gateway"
    assert opener.process is not None
    assert opener.process.startswith(f"process {os.getpid()} (")
    assert (opener.file, opener.line) == (None, None)


def test_a_body_in_chunks_arrives_whole(service: Service, gateway: BaseUrl) -> None:
    head = f"POST {gateway.path}/s1/say-audio HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
    expects = "Expect: 100-continue\r\n\r\n"
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as connection:
        connection.sendall((head + expects).encode())
        assert connection.recv(1024).startswith(b"HTTP/1.1 100 ")
        connection.sendall(b"3\r\nab\x00\r\n4\r\ncdef\r\n0\r\n\r\n")
        assert connection.recv(1024).startswith(b"HTTP/1.1 200 ")
    (seen,) = service.seen
    assert seen.body == b"ab\x00cdef"
