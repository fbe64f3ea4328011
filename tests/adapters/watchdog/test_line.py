from __future__ import annotations

import ssl
import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
import trustme

from pytest_avatar.adapters.watchdog.line import Answer, BrokenAnswerError, Line, read_answer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_avatar.adapters.watchdog.line import Address

REQUEST = b"POST /v1 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"


def read(text: bytes, size: int = 65536) -> tuple[Answer, bool]:
    """Read an answer that comes in pieces of some size, and then ends."""
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    return read_answer(lambda: pieces.pop(0) if pieces else b"")


@pytest.mark.parametrize("size", [1, 7, 65536])
@pytest.mark.parametrize(
    ("text", "body", "keeps"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", b"hello", True),
        (b"HTTP/1.1 200 OK\r\ncontent-length:5\r\n\r\nhellomore", b"hello", True),
        (b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", b"hello", True),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: Close\r\n\r\nhello",
            b"hello",
            False,
        ),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", b"hello", False),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", b"until the end", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: ?\r\n\r\nuntil the end", b"until the end", False),
        (b"HTTP/1.1 204 \r\n\r\n", b"", True),
        (b"HTTP/1.1 100 Go on\r\n\r\nHTTP/1.1 200 \r\nContent-Length: 1\r\n\r\n!", b"!", True),
        (
            CHUNKED + b"5;by=x\r\nhello\r\nA\r\n, everyone\r\n0\r\nX-Late: y\r\n\r\n",
            b"hello, everyone",
            True,
        ),
    ],
)
def test_an_answer_is_read_to_its_end(text: bytes, body: bytes, keeps: bool, size: int) -> None:
    (status, _, _, found), is_kept = read(text, size)
    assert (status // 100, found, is_kept) == (2, body, keeps)


def test_status_reason_and_headers_are_read_as_they_came() -> None:
    text = b"HTTP/1.1 404 Not Found\r\nX-A: 1\r\nx-b:  two:\xe9 \r\n\tfolded\r\nX-A: 2\r\n"
    (status, reason, headers, body), _ = read(text + b"Content-Length: 0\r\n\r\n")
    assert (status, reason, body) == (404, "Not Found", b"")
    assert headers == [
        ("X-A", "1"),
        ("x-b", "two:\xe9 folded"),
        ("X-A", "2"),
        ("Content-Length", "0"),
    ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "hung up"),
        (b"HTTP/1.1 200 OK\r\n", "hung up"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", "hung up"),
        (CHUNKED + b"5\r\nhel", "hung up"),
        (CHUNKED + b"five\r\n", "without a size"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "no HTTP"),
        (b"HTTP/1.1 abc OK\r\n", "no HTTP"),
        (b"HTTP/2 200\r\n", "no HTTP"),
        (b"x" * 200_000, "without an end"),
        (b"HTTP/1.1 200 OK\r\n" + 200 * b"a: b\r\n", "too many"),
    ],
)
def test_what_is_no_whole_answer_is_an_error(text: bytes, why: str) -> None:
    with pytest.raises(BrokenAnswerError, match=why):
        read(text)


@pytest.fixture
def tls_service() -> Iterator[tuple[Address, trustme.CA]]:
    """A service on HTTPS that answers every POST, and the authority that vouches for it."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield ("https", "127.0.0.1", server.server_address[1]), authority
        server.shutdown()
        thread.join()


def test_https_is_spoken_with_whoever_the_authorities_vouch_for(
    tls_service: tuple[Address, trustme.CA], tmp_path: Path
) -> None:
    address, authority = tls_service
    authority.cert_pem.write_to_path(str(tmp_path / "authorities.pem"))
    with closing(Line(str(tmp_path / "authorities.pem"))) as line:
        for _ in range(2):
            line.connect(address, 5)
            line.send(REQUEST, 5)
            answer, keeps = read_answer(lambda: line.receive(5))
            assert (answer[3], keeps) == (b"hello", True)


def test_https_is_not_spoken_with_strangers(tls_service: tuple[Address, trustme.CA]) -> None:
    with closing(Line(None)) as line, pytest.raises(ssl.SSLCertVerificationError):
        line.connect(tls_service[0], 5)
