"""Replacing a value in every spelling."""

from __future__ import annotations

import base64

import pytest

from pytest_avatar.core.spellings import Replacer


@pytest.fixture
def replacer() -> Replacer:
    replacer = Replacer()
    replacer.add("s3cret/+value", "<it>")
    return replacer


def test_the_first_word_on_a_value_counts(replacer: Replacer) -> None:
    replacer.add("s3cret/+value", "<other>")
    assert replacer("s3cret/+value") == "<it>"


def test_a_value_added_later_is_replaced_too(replacer: Replacer) -> None:
    assert replacer("s3cret/+value") == "<it>"
    replacer.add("s3cret/+value-2", "<longer>")
    assert replacer("s3cret/+value-2 s3cret/+value") == "<longer> <it>"


def test_a_short_value_is_never_looked_for() -> None:
    replacer = Replacer()
    replacer.add("kaltura", "<it>")
    assert replacer("kaltura") == "kaltura"


@pytest.mark.parametrize("before", ["", "a", "ab"])
@pytest.mark.parametrize("after", ["", "x", "xy"])
def test_nothing_in_base64_depends_on_the_value(before: str, after: str) -> None:
    """The characters at its borders hold bits of the value, so they go with it."""
    results = set()
    for value in ("s3cret/+value", "S4CRET~~VALUE"):
        replacer = Replacer()
        replacer.add(value, "<it>")
        encoded = base64.b64encode(f"{before}{value}{after}".encode()).decode()
        results.add(replacer(encoded))
    assert len(results) == 1
    assert "<it>" in results.pop()


def test_each_escaped_spelling_is_listed_once(replacer: Replacer) -> None:
    spellings = [spelling for spelling, _ in replacer.escaped()]
    assert len(spellings) == len(set(spellings))
    assert {"s3cret/+value", "s3cret%2F%2Bvalue", "s3cret%2f%2bvalue", "s3cret\\/+value"} <= set(
        spellings
    )
