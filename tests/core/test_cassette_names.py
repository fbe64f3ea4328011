"""Every test has a file of its own, on every file system."""

from __future__ import annotations

import re
import unicodedata
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_avatar.core.cassette_names import cassette_name, clashing, fixture_cassette_name

names = st.text(min_size=1, max_size=120) | st.text("aA.~_[]/\\:é\u0301@ ", min_size=1, max_size=6)
tests = st.tuples(
    st.lists(names, min_size=1, max_size=2).map("/".join), st.lists(names, max_size=2), names
)


@pytest.mark.parametrize(
    ("module", "classes", "test", "expected"),
    [
        ("tests/test_a.py", [], "test_b", "tests/test_a/test_b.json"),
        (
            "test_a.py",
            ["TestX", "Inner"],
            "test_b[1.5-x y]",
            "test_a/TestX.Inner.test_b[1.5-x y].json",
        ),
        ("test_ä.py", [], "test_ü", "test_ä/test_ü.json"),
    ],
)
def test_a_harmless_name_is_kept(module: str, classes: list[str], test: str, expected: str) -> None:
    assert cassette_name(module, classes, test) == expected


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("session", "avatar_session"), "avatar_session@session.json"),
        (("package", "f", "tests/unit"), "tests/unit/f@package.json"),
        (("module", "f[a]", "tests/test_a.py"), "tests/test_a/f[a]@module.json"),
    ],
)
def test_a_fixture_has_its_scope_in_its_name(arguments: tuple[str, ...], expected: str) -> None:
    scope, fixture, *place = arguments
    assert fixture_cassette_name(scope, fixture, place="".join(place)) == expected


def test_a_class_fixture_names_its_class() -> None:
    name = fixture_cassette_name("class", "f", place="test_a.py", class_names=["TestX"])
    assert name == "test_a/TestX.f@class.json"


@pytest.mark.parametrize(
    "test",
    [
        *("test[a/b]", "test[a:b]", "test[..]x.", "test[a\\b]", "test[\0]", "a~b", "a@module"),
        *("con", "NUL.x", "aux ", "com1", "com\u00b9", "cafe\u0301", "\ud800", "test\u202e", "."),
    ],
)
def test_what_had_to_be_replaced_leaves_a_digest(test: str) -> None:
    name = cassette_name("test_a.py", [], test)
    assert re.search(r"~[0-9a-f]{12}\.json$", name)


@settings(max_examples=150, deadline=None)
@given(test=tests)
def test_a_name_is_valid_everywhere(test: tuple[str, list[str], str]) -> None:
    for part in cassette_name(*test).split("/"):
        assert 0 < len(part.encode()) <= 255
        assert not re.search(r'[<>:"\\|?*\x00-\x1f\x7f]', part)
        assert part not in (".", "..")
        assert part == part.strip(" ").rstrip(".")
        assert part == unicodedata.normalize("NFC", part)
        stem = part.partition(".")[0].strip().lower()
        assert stem not in {"con", "prn", "aux", "nul", "com1", "lpt9", "com¹"}


@settings(max_examples=150, deadline=None)
@given(several=st.lists(tests, min_size=2, max_size=5, unique_by=repr))
def test_no_two_tests_share_a_file(several: list[tuple[str, list[str], str]]) -> None:
    different = {
        ("/".join(filter(None, module.split("/"))), tuple(classes), test)
        for module, classes, test in several
        if module.strip("/")
    }
    files = {cassette_name(module, classes, test) for module, classes, test in different}
    assert len(files) == len(different)


@settings(max_examples=100, deadline=None)
@given(name=st.text("abAB", min_size=1, max_size=4), other=st.text("abAB", min_size=1, max_size=4))
def test_names_that_differ_by_case_alone_are_told_apart(name: str, other: str) -> None:
    plain = [cassette_name("t.py", [], one) for one in {name, other}]
    clashes = clashing(plain)
    files = [
        cassette_name("t.py", [], one, clashes=cassette_name("t.py", [], one) in clashes)
        for one in {name, other}
    ]
    assert all(a.casefold() != b.casefold() for a, b in combinations(files, 2))


def test_a_class_and_a_dot_are_not_confused() -> None:
    assert cassette_name("t.py", ["A"], "b") != cassette_name("t.py", [], "A.b")


def test_a_module_and_a_file_of_tests_are_not_confused() -> None:
    assert cassette_name("t.py", [], "a") != cassette_name("t", [], "a")


def test_a_name_that_is_too_long_is_cut_between_characters() -> None:
    name = cassette_name("t.py", [], "test_" + "é" * 300).removeprefix("t/")
    assert len(name.encode()) in (254, 255)
    assert name.startswith("test_éééé")


def test_clashing_names_only_those_that_clash() -> None:
    assert clashing(["a/X.json", "a/x.json", "b.json", "b.json"]) == {"a/X.json", "a/x.json"}
