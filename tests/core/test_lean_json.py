from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pytest_avatar
from pytest_avatar.core.lean_json import read_json, write_texts

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
DATA = st.recursive(SCALARS, lambda data: st.lists(data) | st.dictionaries(st.text(), data))


@given(DATA, st.booleans(), st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32-le"]))
def test_all_json_is_read_as_ever(data: object, is_ascii: bool, encoding: str) -> None:
    text = json.dumps(data, ensure_ascii=is_ascii).encode(encoding, "surrogatepass")
    assert read_json(text) == json.loads(text)


@pytest.mark.parametrize(
    "text",
    [b' {"a": [1, -2.5e3, "x"]}\r\n', b"[Infinity, -Infinity]", b'{"a": 1, "a": 2}', b"\t0\t"],
)
def test_what_is_unusual_is_read_as_ever(text: bytes) -> None:
    assert read_json(text) == json.loads(text)


@pytest.mark.parametrize(
    "text", [b"", b"{", b"{} {}", b"<html>", b"\xff", b"{'a': 1}", b'"\n"', b"1" * 5000]
)
def test_what_is_no_json_is_an_error(text: bytes) -> None:
    with pytest.raises(ValueError) as ours:  # noqa: PT011 - compared below
        read_json(text)
    with pytest.raises(ValueError) as theirs:  # noqa: PT011 - as above
        json.loads(text)
    assert (type(ours.value), str(ours.value)) == (type(theirs.value), str(theirs.value))


def test_what_is_nested_too_deeply_is_an_error() -> None:
    with pytest.raises(RecursionError):
        read_json(b"[" * 1_000_000)


@given(st.dictionaries(st.text(), st.text()))
def test_texts_are_written_as_ever(texts: dict[str, str]) -> None:
    assert write_texts(texts) == json.dumps(texts).encode()


@pytest.mark.parametrize(
    "change",
    [
        'sys.modules["_json"] = None',
        "make = _json.make_scanner; _json.make_scanner = lambda usual: (usual.memo, make(usual))[1]",
    ],
    ids=["no functions in C", "one that wants to know more"],
)
def test_another_python_may_do_json_otherwise(change: str) -> None:
    code = f"""
import sys
import _json
sys.path.append({str(Path(pytest_avatar.__file__).parents[1])!r})
{change}
from pytest_avatar.core.lean_json import read_json, write_texts
print(read_json(write_texts({{"token": "t"}})), "json" in sys.modules)
"""
    command = [sys.executable, "-I", "-S", "-c", code]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout == "{'token': 't'} True\n"


def test_what_is_usual_takes_no_module_to_read() -> None:
    code = f"""
import sys
sys.path.append({str(Path(pytest_avatar.__file__).parents[1])!r})
from pytest_avatar.core.lean_json import read_json
read_json('{{"sessionId": "s-1", "token": "t\u00e9", "n": [1, 2.5]}}'.encode())
print("json" in sys.modules)
"""
    command = [sys.executable, "-I", "-S", "-c", code]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout == "False\n"
