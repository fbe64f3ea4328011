"""Cassettes on disk."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import vcr  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st
from vcr.serialize import deserialize  # type: ignore[import-untyped]
from vcr.serializers import jsonserializer  # type: ignore[import-untyped]

from pytest_avatar.adapters.cassettes.files import (
    dump_cassette,
    find_cassette,
    load_cassette,
    load_if_any,
    write_whole,
)
from pytest_avatar.core.cassette import Cassette, Interaction
from pytest_avatar.core.errors import CassetteError
from pytest_avatar.core.wire import Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable

ONE = Interaction(
    Request("POST", "https://a.example/x", (("Content-Type", "text/plain"),), "é".encode()),
    Response(200, (("Server", "s"), ("Server", "t")), b'{"success":true}', "OK"),
    lane=2,
)
VALID = json.loads(dump_cassette(Cassette((ONE,))))

texts = st.text(st.characters(codec="utf-8"), max_size=20)
headers = st.lists(st.tuples(st.sampled_from(["A", "B"]), texts), max_size=2).map(
    lambda found: tuple(sorted(found, key=lambda one: one[0]))
)
interactions = st.builds(
    Interaction,
    st.builds(Request, texts, texts, headers, texts.map(str.encode)),
    st.builds(Response, st.integers(100, 599), headers, st.binary(max_size=20), texts),
    st.integers(1, 9),
)


@settings(max_examples=80, deadline=None)
@given(
    cassette=st.builds(
        Cassette,
        st.lists(interactions, max_size=3).map(tuple),
        st.none() | texts,
        is_normal=st.just(value=True),
    )
)
def test_what_was_written_is_read_back(
    cassette: Cassette, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "round.json"
    content = dump_cassette(cassette)
    path.write_bytes(content)
    assert load_cassette(path) == cassette
    assert content.isascii()
    assert content.endswith(b"}\n")


def test_vcrpy_loads_what_was_written() -> None:
    requests, responses = deserialize(dump_cassette(Cassette((ONE,))).decode(), jsonserializer)
    assert requests[0].body == "é".encode()
    assert requests[0].headers == {"Content-Type": "text/plain"}
    assert responses[0]["body"]["string"] == b'{"success":true}'


def test_vcrpy_loads_every_cassette_of_this_project() -> None:
    root = Path(__file__).parents[3] / "cassettes"
    for path in root.rglob("*.json"):
        requests, _ = deserialize(path.read_text("ascii"), jsonserializer)
        assert len(requests) == len(load_cassette(path).interactions)


def test_what_vcrpy_wrote_as_yaml_is_read(tmp_path: Path) -> None:
    path = tmp_path / "old.yaml"
    with vcr.use_cassette(str(path)) as cassette:
        request = vcr.request.Request("POST", "https://a.example/x", b"\xff\x00", {"A": "b"})
        answer = {
            "status": {"code": 200, "message": "OK"},
            "headers": {"Server": ["s"]},
            "body": {"string": b"\xff"},
        }
        cassette.append(request, answer)
    (interaction,) = load_cassette(path).interactions
    assert interaction.request == Request("POST", "https://a.example/x", (("A", "b"),), b"\xff\x00")
    assert interaction.response == Response(200, (("Server", "s"),), b"\xff", "OK")
    assert not load_cassette(path).is_normal


def test_json_is_preferred_to_yaml(tmp_path: Path) -> None:
    path = tmp_path / "it.json"
    assert find_cassette(path) is None
    path.with_suffix(".yml").touch()
    assert find_cassette(path) == path.with_suffix(".yml")
    path.touch()
    assert find_cassette(path) == path


def test_a_cassette_is_read_if_there_is_one_in_either_form(tmp_path: Path) -> None:
    path = tmp_path / "it.json"
    assert load_if_any(path) is None
    assert load_if_any(path / "below a file that is missing.json") is None
    path.with_suffix(".yaml").write_bytes(dump_cassette(Cassette((ONE,))))  # JSON is YAML too
    assert load_if_any(path) == Cassette((ONE,))
    path.write_bytes(dump_cassette(Cassette()))
    assert load_if_any(path) == Cassette()
    assert load_if_any(path / "below a file.json") is None


def test_what_cannot_be_read_is_said_by_name(tmp_path: Path) -> None:
    path = tmp_path / "it.json"
    path.mkdir()
    with pytest.raises(CassetteError, match=r"it\.json:1: cassette cannot be read: "):
        load_if_any(path)


def test_reading_json_imports_neither_vcrpy_nor_yaml(tmp_path: Path) -> None:
    path = tmp_path / "it.json"
    path.write_bytes(dump_cassette(Cassette((ONE,))))
    code = (
        "import sys, pathlib\n"
        "from pytest_avatar.adapters.cassettes.files import load_cassette\n"
        f"load_cassette(pathlib.Path({str(path)!r}))\n"
        "assert not {'vcr', 'yaml', 'httpx', 'asyncio'} & set(sys.modules), 'heavy'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


BROKEN: dict[str, tuple[bytes, str]] = {
    "empty": (b" \n", "1: broken cassette: the file is empty"),
    "truncated": (b'{\n"version": 1,\n"inter', "3: broken cassette: not JSON: "),
    "conflict": (
        b'{\n<<<<<<< HEAD\n"version": 1\n=======\n',
        "2: broken cassette: a merge conflict was left in it",
    ),
    "list": (b"[]", "1: broken cassette: no object with a list of interactions at the top level"),
    "no interactions": (b'{"version": 1}', "1: broken cassette: no object with a list"),
    "version": (
        b'{"version": 99, "interactions": []}',
        "1: broken cassette: version 99, expected 1",
    ),
    "format": (
        b'{"version": 1, "interactions": [], "pytest_avatar": {"format": 2}}',
        "1: broken cassette: pytest_avatar format is not 1",
    ),
    "reason": (
        b'{"version": 1, "interactions": [], "pytest_avatar": {"leaks_allowed": 2}}',
        "1: broken cassette: pytest_avatar leaks_allowed is not a text",
    ),
    "bytes": (b'{\n"a": "\xff"}', "2: broken cassette: not UTF-8 text"),
    "deep": (b"[" * 100_000, "1: broken cassette: not JSON: nested too deeply"),
}


@pytest.mark.parametrize("kind", sorted(BROKEN))
def test_a_broken_file_is_one_line(kind: str, tmp_path: Path) -> None:
    content, expected = BROKEN[kind]
    path = tmp_path / "it.json"
    path.write_bytes(content)
    with pytest.raises(CassetteError) as caught:
        load_cassette(path)
    assert str(caught.value).startswith(f"{path}:{expected}")
    assert "\n" not in str(caught.value)


BROKEN_YAML: dict[str, tuple[bytes, str]] = {
    "truncated": (b"version: 1\ninteractions: [", "3: broken cassette: not YAML: "),
    "code": (
        b"version: 1\ninteractions: !!python/object/apply:os.system ['true']\n",
        "2: broken cassette: not YAML: ",
    ),
    "control": (b"version: \x01\n", "1: broken cassette: not YAML: "),
    "conflict": (b"a: 1\n<<<<<<< HEAD\n", "2: broken cassette: a merge conflict was left in it"),
}


@pytest.mark.parametrize("kind", sorted(BROKEN_YAML))
def test_broken_yaml_is_one_line(kind: str, tmp_path: Path) -> None:
    content, expected = BROKEN_YAML[kind]
    path = tmp_path / "it.yaml"
    path.write_bytes(content)
    with pytest.raises(CassetteError) as caught:
        load_cassette(path)
    assert str(caught.value).startswith(f"{path}:{expected}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda one: one.pop("response"), "interaction 1 has no response"),
        (lambda one: one["request"].pop("uri"), "interaction 1 has no uri"),
        (lambda one: one.update(request=[]), "interaction 1 is not a request and a response"),
        (lambda one: one["response"]["status"].update(code="x"), "interaction 1 is not a request"),
        (lambda one: one["response"]["body"].update(base64="!"), "interaction 1 is not a request"),
        (lambda one: one["request"].update(headers={"a": [1]}), "interaction 1 is not a request"),
    ],
)
def test_a_broken_interaction_is_named(
    damage: Callable[[dict[str, object]], object], reason: str, tmp_path: Path
) -> None:
    data = json.loads(json.dumps(VALID))
    damage(data["interactions"][0])
    path = tmp_path / "it.json"
    path.write_text(json.dumps(data, indent=2))
    with pytest.raises(CassetteError) as caught:
        load_cassette(path)
    assert f": broken cassette: {reason}" in str(caught.value)


def test_the_line_of_a_broken_interaction_is_told(tmp_path: Path) -> None:
    data = json.loads(json.dumps(VALID))
    data["interactions"].append({"request": {}, "response": {}})
    path = tmp_path / "it.json"
    path.write_text(json.dumps(data, indent=2))
    line = next(
        number
        for number, text in enumerate(path.read_text().splitlines(), 1)
        if '"request": {}' in text
    )
    with pytest.raises(CassetteError, match=rf"it\.json:{line}: broken cassette: interaction 2"):
        load_cassette(path)


def test_a_folder_is_no_cassette(tmp_path: Path) -> None:
    with pytest.raises(CassetteError, match="cassette cannot be read: Is a directory"):
        load_cassette(tmp_path)


def test_a_file_is_written_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "deep" / "it.json"
    write_whole(path, b"old")

    def fail(*_arguments: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(path.parent.iterdir()) == [path]
