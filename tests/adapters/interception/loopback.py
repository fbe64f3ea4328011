"""A real server on loopback, tapes that listen and answer, and a port that counts connections."""

from __future__ import annotations

import gzip
import json
import socket
import threading
from collections import defaultdict, deque
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from pytest_avatar.adapters.interception import install
from pytest_avatar.core.errors import CassetteError
from pytest_avatar.core.events import Opener
from pytest_avatar.core.http import BaseUrl, Request, Response
from pytest_avatar.core.interception import Exchange, Interceptor, LiveTape, Tape
from pytest_avatar.core.ledger import Ledger
from pytest_avatar.core.redaction import Secrets

if TYPE_CHECKING:
    from collections.abc import Iterator

PATH = "/v1/avatar-session"
LIMIT = 10.0


class Handler(BaseHTTPRequestHandler):
    """Behaves as the query or the last part of the path says; echoes everything else."""

    protocol_version = "HTTP/1.1"
    server: Server

    def handle_any(self) -> None:
        body = self._read_body()
        path, _, query = self.path.partition("?")
        name = query or path.rpartition("/")[2]
        self.server.log.append(Request(self.command, self.path, tuple(self.headers.items()), body))
        getattr(self, f"_serve_{name.replace('-', '_')}", self._serve_echo)(body)

    def do_CONNECT(self) -> None:
        """Be the proxy and the host behind it: what follows on this connection is for the host."""
        self.server.tunnels.append(self.path)
        self._head(200)
        self.close_connection = False

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = handle_any  # noqa: N815

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _serve_echo(self, body: bytes) -> None:
        text = {"method": self.command, "body": body.decode("utf-8", "replace")}
        self._answer(json.dumps(text).encode())

    def _serve_create(self, body: bytes) -> None:
        number = len(self.server.log)
        self._answer(b'{"sessionId":"id-%d","token":"token-%d"}' % (number, number))

    def _serve_gzip(self, body: bytes) -> None:
        self._answer(gzip.compress(b'{"packed":true}', mtime=0), ("Content-Encoding", "gzip"))

    def _serve_chunked(self, body: bytes) -> None:
        self._head(200, ("Transfer-Encoding", "chunked"))
        self.wfile.write(b'5\r\n{"a":\r\n3\r\n 1}\r\n0\r\n\r\n')

    def _serve_truncated(self, body: bytes) -> None:
        self._head(200, ("Content-Length", "100"))
        self.wfile.write(b'{"half":')
        self.close_connection = True

    def _serve_dropped(self, body: bytes) -> None:
        self.close_connection = True

    def _serve_error(self, body: bytes) -> None:
        self._answer(b'{"success":false,"error":"no"}', status=503)

    def _serve_empty(self, body: bytes) -> None:
        self._head(204)

    def _serve_redirect(self, body: bytes) -> None:
        self._head(307, ("Location", "echo"), ("Content-Length", "0"))

    def _serve_stream(self, body: bytes) -> None:
        """Send one chunk, and the next one only when the test has read it."""
        self._head(200, ("Content-Length", "10"))
        self.wfile.write(b"first")
        self.wfile.flush()
        self.server.gate.wait(LIMIT)
        with suppress(OSError):
            self.wfile.write(b"-last")

    def _serve_hang(self, body: bytes) -> None:
        self.server.gate.wait(LIMIT)
        self.close_connection = True

    def _answer(self, body: bytes, *headers: tuple[str, str], status: int = 200) -> None:
        length = ("Content-Length", str(len(body)))
        self._head(status, length, ("Content-Type", "application/json"), *headers)
        if self.command != "HEAD":
            self.wfile.write(body)

    def _head(self, status: int, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """Serves until it is stopped; `log` is what reached it, `gate` lets `stream` go on."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), Handler)
        self.log: list[Request] = []
        self.gate = threading.Event()
        self.accepted = threading.Event()
        self.tunnels: list[str] = []
        self.sockets: list[socket.socket] = []
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def origin(self) -> str:
        host = (
            f"[{self.server_address[0]!s}]" if ":" in str(self.server_address[0]) else "127.0.0.1"
        )
        return f"http://{host}:{self.server_port}"

    @property
    def base(self) -> str:
        return self.origin + PATH

    def get_request(self) -> tuple[socket.socket, object]:
        connection, address = super().get_request()
        self.sockets.append(connection)
        self.accepted.set()
        return connection, address

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients of these tests hang up when they like."""

    def stop(self) -> None:
        self.gate.set()
        self.shutdown()
        self.server_close()
        for connection in self.sockets:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        self._thread.join(LIMIT)


class CountingPort:
    """Listens where a server was; nobody should come."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_server(("127.0.0.1", port), backlog=64)
        self._socket.setblocking(False)

    def connections(self) -> int:
        count = 0
        with suppress(BlockingIOError):
            while True:
                self._socket.accept()[0].close()
                count += 1
        return count

    def close(self) -> None:
        self._socket.close()


@dataclass
class ListeningTape:
    """Sends everything and keeps it."""

    finished: list[tuple[Exchange, Response]] = field(default_factory=list)
    aborted: list[tuple[Exchange, BaseException]] = field(default_factory=list)

    def begin(self, exchange: Exchange) -> None:
        """Let it through."""

    def finish(self, exchange: Exchange, response: Response) -> None:
        self.finished.append((exchange, response))

    def abort(self, exchange: Exchange, error: BaseException) -> None:
        self.aborted.append((exchange, error))


@dataclass(frozen=True)
class FixedTape:
    """Gives the same answer to everything."""

    answer: Response

    def begin(self, exchange: Exchange) -> Response:
        return self.answer

    def finish(self, exchange: Exchange, response: Response) -> None:
        raise AssertionError("nothing may be sent")

    def abort(self, exchange: Exchange, error: BaseException) -> None:
        raise AssertionError("nothing may be sent")


class AnsweringTape:
    """Answers from what another tape heard: each `times` times, by method, path and body."""

    def __init__(self, base: str, heard: ListeningTape, *, times: int = 1) -> None:
        self._base = BaseUrl(base)
        self._answers: defaultdict[tuple[str, str | None, bytes], deque[Response]]
        self._answers = defaultdict(deque)
        for exchange, response in heard.finished:
            self._answers[self._key(exchange.request)].extend([response] * times)

    def begin(self, exchange: Exchange) -> Response:
        try:
            return self._answers[self._key(exchange.request)].popleft()
        except IndexError:
            raise CassetteError("not on this tape") from None

    def finish(self, exchange: Exchange, response: Response) -> None:
        raise AssertionError("nothing may be sent")

    def abort(self, exchange: Exchange, error: BaseException) -> None:
        raise AssertionError("nothing may be sent")

    def _key(self, request: Request) -> tuple[str, str | None, bytes]:
        return request.method, self._base.tail(request.url), request.body


def make_interceptor(base: str, tape: Tape | None = None, *, offline: bool = False) -> Interceptor:
    return Interceptor(
        BaseUrl(base),
        Ledger(),
        Secrets(),
        lambda client: Opener(client=client),
        tape or LiveTape(),
        offline=offline,
    )


@contextmanager
def installed_for(interceptor: Interceptor) -> Iterator[None]:
    uninstall = install(interceptor)
    try:
        yield
    finally:
        uninstall()


@contextmanager
def replaced_by_a_count(server: Server) -> Iterator[CountingPort]:
    """Stop the server, and count who knocks at its port."""
    server.stop()
    port = CountingPort(server.server_port)
    try:
        yield port
    finally:
        port.close()
