"""`pytest-avatar cassettes`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pytest_avatar.adapters.cassettes.collection import Collected
from pytest_avatar.cli import cassettes, main
from tests.studio import Client, Studio

if TYPE_CHECKING:
    from pathlib import Path


def end_it(client: Client) -> None:
    client.create().end()


def leave_it_open(client: Client) -> None:
    client.create()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with three cassettes: one good, one with a session left open, one broken."""
    folder = tmp_path / "cassettes"
    Studio(folder / "t" / "good.json").record(end_it)
    Studio(folder / "t" / "open.json").record(leave_it_open)
    (folder / "t" / "broken.json").write_text("{")
    (folder / "README.md").touch()
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture
def collected(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Collected(folder, frozenset({"t/good.json"}))
    monkeypatch.setattr(cassettes, "collect", lambda _arguments: found)


def run(*arguments: str) -> int:
    return main(["cassettes", *arguments])


def test_list_says_what_each_cassette_holds(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("list") == 0
    assert capsys.readouterr().out.splitlines() == [
        "cassettes/t/broken.json: broken",
        "cassettes/t/good.json: 2 interactions",
        "cassettes/t/open.json: 1 interaction, 1 session left open",
    ]


def test_list_writes_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list", "--json", "cassettes/t/good.json") == 0
    assert json.loads(capsys.readouterr().out) == {
        "cassettes": [
            {
                "cassette": "cassettes/t/good.json",
                "interactions": 2,
                "left_open": [],
                "leaks_allowed": None,
            }
        ]
    }


def test_list_says_in_json_why_a_cassette_cannot_be_read(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("list", "--json", "cassettes/t/broken.json") == 0
    (row,) = json.loads(capsys.readouterr().out)["cassettes"]
    assert row["error"].startswith("cassettes/t/broken.json:1: broken cassette: not JSON")


def test_check_finds_what_is_wrong(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check") == 1
    broken, still_open, total = capsys.readouterr().out.splitlines()
    assert broken.startswith("cassettes/t/broken.json:1: broken cassette: not JSON")
    assert still_open == "cassettes/t/open.json: unended: session-1 was created and never ended"
    assert total == "3 cassettes checked, 2 findings"


def test_check_writes_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", "--json", "cassettes/t/open.json") == 1
    assert json.loads(capsys.readouterr().out) == {
        "checked": 1,
        "findings": [
            {
                "cassette": "cassettes/t/open.json",
                "problem": "unended",
                "text": "session-1 was created and never ended",
            }
        ],
    }


def test_check_of_good_cassettes_succeeds(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", "cassettes/t/good.json") == 0
    assert capsys.readouterr().out == "1 cassette checked, 0 findings\n"


@pytest.mark.usefixtures("collected")
def test_check_finds_orphans_if_the_tests_are_collected(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run("check", "--collect") == 1
    assert "cassettes/t/open.json: orphan: no collected test uses it" in capsys.readouterr().out


@pytest.mark.usefixtures("collected")
def test_prune_removes_cassettes_of_no_test_and_nothing_else(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("prune", "--dry-run") == 1
    assert (folder / "t" / "open.json").exists()
    assert run("prune") == 1
    assert sorted(path.name for path in folder.rglob("*.*")) == [
        "README.md",
        "broken.json",
        "good.json",
    ]
    assert capsys.readouterr().out.splitlines() == [
        "would remove cassettes/t/open.json",
        "would remove 1 cassette",
        "removed cassettes/t/open.json",
        "removed 1 cassette",
    ]
    assert run("prune", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"pruned": [], "dry_run": False}


def test_a_path_that_does_not_exist_is_misuse(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("check", "nowhere") == 2
    assert "there is no file or folder nowhere" in capsys.readouterr().err


def test_an_unknown_action_is_misuse(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        run("burn")
    assert caught.value.code == 2
