from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_avatar.core.text import (
    clock,
    count,
    decimal,
    duration,
    listed,
    moment,
    printable,
    read_json,
)
from tests.reports import HOSTILE


def test_an_ordinary_name_stays_as_it_is() -> None:
    assert printable("tests/test_a.py::test_ü[x y]") == "tests/test_a.py::test_ü[x y]"


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a\nb", r"a\nb"), ("\x1b[31m", r"\x1b[31m"), ("\u202e", r"\u202e"), ("\ud800", r"\ud800")],
)
def test_what_cannot_be_seen_becomes_an_escape(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_a_long_text_loses_its_middle() -> None:
    assert printable("abcdefghij", 5) == "ab…ij"


@given(HOSTILE | st.text())
def test_nothing_invisible_and_no_line_end_is_left(text: str) -> None:
    assert printable(text).isprintable()


@given(HOSTILE | st.text())
def test_every_text_can_be_written_as_utf_8(text: str) -> None:
    shown = printable(text)
    assert shown.encode().decode() == shown


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 sessions"), (1, "1 session"), (1200, "1,200 sessions")]
)
def test_a_noun_is_in_the_plural_where_it_must_be(number: int, words: str) -> None:
    assert count(number, "session") == words


@pytest.mark.parametrize(
    ("texts", "words"),
    [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")],
)
def test_a_list_reads_as_in_a_sentence(texts: list[str], words: str) -> None:
    assert listed(texts) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.214, "0.21 s"), (31.4, "31 s"), (250, "4 min 10 s"), (90_000, "1,500 min 0 s")],
)
def test_a_duration_is_given_in_the_unit_that_people_would_use(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_times_are_given_in_utc() -> None:
    assert clock(1_795_000_000) == "11:06:40 UTC"
    assert moment(1_795_000_000) == "2026-11-18 11:06:40 UTC"


@pytest.mark.parametrize(
    ("number", "digits"),
    [
        (0.1, "0.1"),
        (1e-7, "0.0000001"),
        (100000.5, "100000.5"),
        (2.0, "2"),
        (3, "3"),
        (1e22, "1" + "0" * 22),
    ],
)
def test_a_decimal_has_every_digit_and_no_exponent(number: float, digits: str) -> None:
    assert decimal(number) == digits


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_decimal_reads_back_as_the_number(number: float) -> None:
    assert float(decimal(number)) == number
    assert "e" not in decimal(number)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32-be"])
def test_json_is_read_in_any_encoding_that_json_may_have(encoding: str) -> None:
    assert read_json('{"a": "ä"}'.encode(encoding)) == {"a": "ä"}


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"nul"])
def test_what_is_no_json_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"Expecting|decode|encoding"):
        read_json(body)
