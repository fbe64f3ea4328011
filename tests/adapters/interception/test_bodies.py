from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_avatar.adapters.interception.bodies import (
    plain_headers,
    read_response,
    write_response,
)
from pytest_avatar.core.http import Response, header

TEXT = b'{"sessionId":"1"}'


def raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(TEXT, mtime=0)),
        ("X-GZIP", gzip.compress(TEXT, mtime=0)),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", raw_deflate(TEXT)),
        ("deflate, gzip", gzip.compress(zlib.compress(TEXT), mtime=0)),
        ("identity", TEXT),
        ("", TEXT),
    ],
)
def test_a_body_is_decoded(encoding: str, body: bytes) -> None:
    assert read_response(200, "OK", (("Content-Encoding", encoding),), body).body == TEXT


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "unheard-of"])
def test_what_cannot_be_decoded_stays_as_it_is(encoding: str) -> None:
    assert read_response(200, "OK", (("Content-Encoding", encoding),), TEXT).body == TEXT


def test_no_body_is_no_fault() -> None:
    assert read_response(204, "", (("Content-Encoding", "gzip"),), b"").body == b""


def test_half_a_packed_body_stays_as_it_is() -> None:
    half = gzip.compress(TEXT, mtime=0)[:-6]
    assert read_response(200, "OK", (("Content-Encoding", "gzip"),), half).body == half


@settings(max_examples=30)
@given(st.binary())
def test_whatever_arrives_is_read(body: bytes) -> None:
    for encoding in ("gzip", "deflate", "br", "zstd"):
        read_response(200, "OK", (("Content-Encoding", encoding),), body)


def test_headers_of_the_travel_are_replaced() -> None:
    headers = (
        ("content-encoding", "gzip"),
        ("Transfer-Encoding", "chunked"),
        ("Content-Length", "7"),
        ("X-Kept", "1"),
    )
    answer = Response(200, headers, TEXT)
    assert plain_headers(answer, "POST") == (("X-Kept", "1"), ("Content-Length", str(len(TEXT))))


@pytest.mark.parametrize(
    ("status", "method", "headers", "length"),
    [
        (200, "HEAD", (("content-length", "70"),), "70"),
        (200, "head", (), None),
        (204, "POST", (("content-length", "0"),), None),
        (304, "GET", (), None),
        (200, "GET", (), "0"),
    ],
)
def test_the_length_says_what_it_must(
    status: int, method: str, headers: tuple[tuple[str, str], ...], length: str | None
) -> None:
    assert header(plain_headers(Response(status, headers), method), "content-length") == length


def test_an_answer_is_written_as_it_travels() -> None:
    answer = Response(200, (("X-Name", "vé"),), b"{}", "Fine")
    head = b"HTTP/1.1 200 Fine\r\nX-Name: v\xe9\r\nContent-Length: 2\r\n\r\n"
    assert write_response(answer, "POST") == head + b"{}"
    assert write_response(answer, "HEAD") == head.replace(b"Content-Length: 2\r\n", b"")
