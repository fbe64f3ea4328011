from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_avatar.adapters.interception.outgoing import Outgoing, unchunk

HEAD = b"POST /x HTTP/1.1\r\nHost: a\r\n"


def written(*pieces: bytes) -> Outgoing:
    outgoing = Outgoing("POST", "http://a/x")
    for piece in pieces:
        outgoing.write(piece)
    return outgoing


@settings(max_examples=50)
@given(st.lists(st.binary(min_size=1)), st.integers(min_value=0))
def test_chunks_are_put_together_only_when_all_are_there(parts: list[bytes], cut: int) -> None:
    framed = b"".join(b"%x;ext=1\r\n%b\r\n" % (len(part), part) for part in parts)
    framed += b"0\r\n\r\n"
    assert unchunk(framed) == b"".join(parts)
    assert unchunk(framed[: cut % len(framed)]) is None


@given(st.binary())
@settings(max_examples=50)
def test_anything_can_be_taken_for_chunks(framed: bytes) -> None:
    unchunk(framed)


@settings(max_examples=50)
@given(st.binary(), st.lists(st.integers(min_value=0, max_value=80), max_size=5))
def test_it_is_whole_with_its_last_byte_however_it_is_cut(body: bytes, cuts: list[int]) -> None:
    raw = HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body
    places = [0, *sorted(cut for cut in cuts if cut < len(raw)), len(raw) - 1]
    pieces = [raw[start:end] for start, end in pairwise(places)]
    outgoing = written(*pieces)
    assert not outgoing.is_whole
    outgoing.write(raw[-1:])
    assert outgoing.is_whole
    assert bytes(outgoing.raw) == raw
    assert outgoing.to_request().body == body


def test_chunks_that_look_like_the_end_are_not() -> None:
    outgoing = written(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"4\r\nx0\r\n\r\n")
    assert not outgoing.is_whole
    outgoing.write(b"0\r\n\r\n")
    assert outgoing.is_whole
    assert outgoing.to_request().body == b"x0\r\n"


@pytest.mark.parametrize("length", [b"", b"Content-Length: many\r\n"])
def test_without_a_length_it_ends_with_its_headers(length: bytes) -> None:
    assert written(HEAD + length + b"\r\n").is_whole


def test_nothing_is_whole_before_its_headers() -> None:
    outgoing = written(HEAD)
    assert not outgoing.has_head
    assert not outgoing.is_whole


def test_headers_are_read_in_order_and_unfolded() -> None:
    outgoing = written(HEAD + b"X-Name: v\xe9\r\n\tmore\r\nx-name:2\r\n\r\n")
    request = outgoing.to_request()
    assert request.headers == (("Host", "a"), ("X-Name", "vé more"), ("x-name", "2"))


@pytest.mark.parametrize("data", ["text", 7, None])
def test_what_http_client_would_not_send_is_refused(data: object) -> None:
    with pytest.raises(TypeError):
        Outgoing("POST", "http://a/x").write(data)
