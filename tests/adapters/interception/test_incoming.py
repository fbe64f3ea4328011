from __future__ import annotations

import http.client
import socket
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_avatar.adapters.interception.incoming import AnswerSocket, read_whole


def response_of(wire: bytes) -> http.client.HTTPResponse:
    answer: Any = AnswerSocket(wire, None)
    response = http.client.HTTPResponse(answer, method="POST")
    response.begin()
    return response


def framed(body: bytes, framing: str) -> bytes:
    head = b"HTTP/1.1 200 OK\r\n"
    if framing == "length":
        return head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    if framing == "until it closes":
        return head + b"Connection: close\r\n\r\n" + body
    chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
    return head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk + b"0\r\n\r\n"


@settings(max_examples=50)
@given(st.binary(), st.sampled_from(["length", "until it closes", "chunks"]))
def test_an_answer_can_be_read_twice(body: bytes, framing: str) -> None:
    response = response_of(framed(body, framing))
    assert read_whole(response) == (body, None)
    assert response.read() == body
    assert response.isclosed()


@settings(max_examples=30)
@given(st.binary(min_size=1), st.sampled_from(["length", "chunks"]), st.integers(min_value=1))
def test_an_answer_that_ends_early_ends_early_for_the_client_too(
    body: bytes, framing: str, cut: int
) -> None:
    wire = framed(body, framing)
    head_end = wire.index(b"\r\n\r\n") + 4
    response = response_of(wire[: max(head_end, len(wire) - 5 - cut % len(body))])
    read, fault = read_whole(response)
    if fault is None:
        assert response.read() == read == body
        return
    with pytest.raises(http.client.IncompleteRead) as caught:
        response.read()
    assert caught.value.partial == read == body[: len(read)]


def test_closing_it_closes_the_socket_it_stands_for() -> None:
    ours, theirs = socket.socketpair()
    AnswerSocket(b"", ours).close()
    assert theirs.recv(1) == b""
    theirs.close()
