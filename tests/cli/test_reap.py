from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from pytest_avatar.adapters.journal import WATCHDOG, Journal
from pytest_avatar.adapters.leftovers import Budget
from pytest_avatar.adapters.state import find_state_dir
from pytest_avatar.adapters.stdlib_http import StdlibSender
from pytest_avatar.adapters.tokens import OpenSession, keep_token, kept_tokens
from pytest_avatar.cli import main, reap
from pytest_avatar.core import wire
from pytest_avatar.core.events import Actor, Opener
from pytest_avatar.core.ledger import Ledger
from pytest_avatar.core.wire import BaseUrl, Ending
from pytest_avatar.emulator import Emulator
from pytest_avatar.emulator.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


@pytest.fixture
def run_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYTEST_AVATAR_STATE_DIR", str(tmp_path / "state"))
    return find_state_dir().make_run_dir("run-1")


@pytest.fixture
def left(run_dir: Path, emulator: Emulator) -> Journal:
    """The journal of a process that died with one session open."""
    ledger, journal = Ledger(), open_journal(run_dir, emulator)
    ledger.add_sink(journal.write)
    opened = create(emulator)
    key = ledger.creating(Opener(test="test_it.py::test_it"))
    ledger.opened(key, opened.session_id, None, 200)
    assert opened.token is not None
    session = OpenSession(key, opened.session_id, emulator.base_url, opened.token)
    keep_token(journal.path, session)
    journal.close(clean=False)
    return journal


def open_journal(run_dir: Path, emulator: Emulator, name: str = "main") -> Journal:
    return Journal.open(run_dir, name, base_url=emulator.base_url, root="/project")


def create(emulator: Emulator) -> wire.Opened:
    request = wire.create_request(BaseUrl(emulator.base_url), "ks", avatar_id="ada")
    opened = wire.read_opened(wire.read_answer(StdlibSender().send(request, 5)))
    assert opened is not None
    return opened


def told(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return lines


def test_what_a_dead_run_left_open_is_ended_and_its_files_are_removed(
    left: Journal, emulator: Emulator, run_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["reap"]) == 0
    (session,) = emulator.books.sessions
    assert not session.is_open
    line = capsys.readouterr().out
    assert line.startswith(
        f"{session.session_id}: ended (opened by test_it.py::test_it, {session.opened_at.year}-"
    )
    assert not run_dir.exists()


def test_a_dry_run_ends_and_removes_nothing(
    left: Journal, emulator: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["reap", "--dry-run", "--json"]) == 0
    assert emulator.books.totals.open == 1
    assert [line["outcome"] for line in told(capsys)] == ["would be ended"]
    assert kept_tokens(left.path)


def test_what_cannot_be_ended_is_said_and_kept(
    left: Journal,
    emulator: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(reap, "Budget", lambda: Budget(total=0.4, each=0.2))
    emulator.add_fault(Fault("end", times=None, status=500))
    assert main(["reap", "--json"]) == 1
    (line,) = told(capsys)
    assert line["outcome"] == "could not be ended: 500 Internal server error"
    assert line["ok"] is False
    assert kept_tokens(left.path)


def test_a_service_that_hangs_is_said_too(
    left: Journal,
    emulator: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(reap, "Budget", lambda: Budget(total=0.0, each=0.2))
    assert main(["reap"]) == 1
    assert "could not be ended: no try was finished in time" in capsys.readouterr().out


def test_nothing_left_is_said(run_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reap"]) == 0
    assert capsys.readouterr().out == "no session to end\n"


@pytest.mark.parametrize(("age", "open_after"), [("1h", 1), ("0s", 0)])
def test_only_runs_of_some_age_are_reaped_if_asked(
    left: Journal, emulator: Emulator, age: str, open_after: int
) -> None:
    assert main(["reap", "--older-than", age]) == 0
    assert emulator.books.totals.open == open_after


def test_age_counts_from_the_last_sign_of_life(left: Journal, emulator: Emulator) -> None:
    two_hours_ago = time.time() - 7200
    os.utime(left.path, (two_hours_ago, two_hours_ago))
    assert main(["reap", "--older-than", "1h"]) == 0
    assert emulator.books.totals.open == 0


@pytest.mark.parametrize("age", ["1", "h", "-1h", "1w", "1.5h"])
def test_an_age_that_is_none_is_misuse(age: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["reap", f"--older-than={age}"])
    assert caught.value.code == 2
    assert f"'{age}' is not an age such as 90s, 30m, 12h or 7d" in capsys.readouterr().err


@pytest.mark.parametrize("field", ["host", "user"])
def test_other_users_and_other_machines_are_left_alone(
    left: Journal, emulator: Emulator, field: str
) -> None:
    header, _, rest = left.path.read_text().partition("\n")
    left.path.write_text(json.dumps({**json.loads(header), field: "other"}) + "\n" + rest)
    left.path.with_suffix(".lock").touch()
    assert main(["reap"]) == 0
    assert emulator.books.totals.open == 1
    assert kept_tokens(left.path)


def test_living_owners_are_left_alone(
    run_dir: Path, emulator: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    journal = open_journal(run_dir, emulator)
    opened = create(emulator)
    assert opened.token is not None
    keep_token(
        journal.path, OpenSession("main-1", opened.session_id, emulator.base_url, opened.token)
    )
    command = [sys.executable, "-m", "pytest_avatar", "reap"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stdout) == (0, "no session to end\n")
    assert emulator.books.totals.open == 1
    assert journal.path.exists()
    journal.close(clean=True)


def test_a_token_that_was_cut_off_is_told_once(
    left: Journal, run_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (path,) = kept_tokens(left.path)
    path.write_text("{")
    assert main(["reap"]) == 1
    assert f"nobody can end it, as its token file {path.name} is cut off" in capsys.readouterr().out
    assert not run_dir.exists()


def test_what_the_watchdog_ended_and_what_is_unknown_are_told_too(
    run_dir: Path, emulator: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger, journal = Ledger(), open_journal(run_dir, emulator)
    ledger.add_sink(journal.write)
    key = ledger.creating(Opener(fixture="avatar_session"))
    ledger.creating(Opener(test="test_it"))
    ledger.opened(key, "session-1", None, 200)
    journal.close(clean=False)
    watchdog = open_journal(run_dir, emulator, f"{journal.path.stem}.{WATCHDOG}")
    ledger.add_sink(watchdog.write)
    ledger.end_tried(key, Ending.ENDED, Actor.WATCHDOG, 200)
    watchdog.close(clean=False)
    assert main(["reap", "--json"]) == 0
    assert [(line["session_id"], line["opened_by"], line["outcome"]) for line in told(capsys)] == [
        ("session-1", "fixture avatar_session", "ended by the watchdog"),
        (None, "test_it", "unknown, as create was not answered"),
    ]
    assert not run_dir.exists()


def test_no_private_place_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse() -> None:
        raise PermissionError(1, "not yours")

    monkeypatch.setattr(reap, "find_state_dir", refuse)
    assert main(["reap"]) == 2
    assert capsys.readouterr().err == (
        "pytest-avatar reap: there is no private state directory: [Errno 1] not yours\n"
    )
