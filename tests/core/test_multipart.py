from __future__ import annotations

import email
import email.policy
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_avatar.core.multipart import Part, read_multipart, write_multipart

CONTENT_TYPE = "multipart/form-data; boundary=b"

names = st.text(st.characters(exclude_characters="%\\", codec="utf-8"))
media_types = st.none() | st.sampled_from(["audio/mpeg", "audio/wav; codecs=1"])
near_boundaries = st.lists(
    st.sampled_from([b"\r\n", b"--", b"b", b"bb", b" ", b"\n", b"x", b"\r\n--bx", b"--b"])
).map(b"".join)


def is_safe(content: bytes) -> bool:
    """Whether no line of a content is the boundary: whoever writes a form has to see to that."""
    lines = (b"\r\n" + content + b"\r\n").split(b"\r\n")
    return not any(line.rstrip(b" \t") in (b"--b", b"--b--") for line in lines)


parts = st.builds(
    Part,
    names,
    (st.binary() | near_boundaries).filter(is_safe),
    st.none() | names,
    media_types,
)


@given(st.lists(parts, max_size=4))
def test_a_form_reads_as_it_was_written(form: list[Part]) -> None:
    assert read_multipart(write_multipart(form, "b"), CONTENT_TYPE) == form


@given(st.binary(), st.text())
def test_reading_never_raises(body: bytes, content_type: str) -> None:
    for kind in (content_type, CONTENT_TYPE):
        read = read_multipart(b"--b\r\n" + body + b"\r\n--b--", kind)
        assert read is None or all(isinstance(part, Part) for part in read)


@given(st.text("abc.;:'=-_()", min_size=1))
def test_others_read_the_same(filename: str) -> None:
    body = write_multipart([Part("audio", b"ID3", filename, "audio/mpeg")], "b")
    head = b"MIME-Version: 1.0\r\nContent-Type: multipart/form-data; boundary=b\r\n\r\n"
    message = email.message_from_bytes(head + body, policy=email.policy.HTTP)
    (part,) = cast("list[email.message.EmailMessage]", message.get_payload())
    assert part.get_filename() == filename
    assert part.get_content() == b"ID3"


@pytest.mark.parametrize("content", [b"\r\n--bx\r\n", b"\r\n--b-\r\n", b"--bb--\r\n--b x"])
def test_a_line_that_only_begins_like_the_boundary_is_content(content: bytes) -> None:
    form = [Part("audio", content)]
    assert read_multipart(write_multipart(form, "b"), CONTENT_TYPE) == form


@pytest.mark.parametrize(
    "content_type",
    ['multipart/form-data; boundary="b"', "multipart/form-data; BOUNDARY=b; charset=utf-8"],
)
def test_a_boundary_is_read_quoted_or_not(content_type: str) -> None:
    assert read_multipart(write_multipart([], "b"), content_type) == []


def test_what_other_clients_put_around_parts_is_passed_over() -> None:
    body = (
        b'preamble\r\n--b  \r\ncontent-disposition: form-data; filename="a\\"b"; NAME="x"\r\n'
        b"X-Other: 1\r\n\r\n1\r\n--b--\r\nepilogue"
    )
    assert read_multipart(body, CONTENT_TYPE) == [Part("x", b"1", 'a"b')]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", CONTENT_TYPE),
        (b"--b\r\n\r\n", CONTENT_TYPE),
        (b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n1', CONTENT_TYPE),
        (b"--b\r\nContent-Disposition: form-data\r\n\r\n1\r\n--b--", CONTENT_TYPE),
        (b"--b\r\nno head\r\n--b--", CONTENT_TYPE),
        (b"--b--", "multipart/form-data"),
    ],
    ids=["empty", "unfinished head", "no end", "no name", "no separator", "no boundary"],
)
def test_what_is_no_form_is_none(body: bytes, content_type: str) -> None:
    assert read_multipart(body, content_type) is None
