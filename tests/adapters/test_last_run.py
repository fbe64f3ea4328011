from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from pytest_avatar.adapters.journal import WATCHDOG, Journal
from pytest_avatar.adapters.last_run import last_run_note
from pytest_avatar.adapters.state import StateDir
from pytest_avatar.adapters.tokens import OpenSession, keep_token
from pytest_avatar.core.events import Actor, Opener
from pytest_avatar.core.ledger import Ledger
from pytest_avatar.core.wire import Ending

if TYPE_CHECKING:
    from pathlib import Path

BASE = "http://127.0.0.1:1/v1"


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    return StateDir(tmp_path)


def leave(state: StateDir, *, ended: int = 0, still_open: int = 0, unknown: int = 0) -> Path:
    """Leave what a killed run and its watchdog leave."""
    run_dir = state.make_run_dir("run-1")
    ledger = Ledger()
    owner = Journal.open(run_dir, "main", base_url=BASE, root="/project")
    ledger.add_sink(owner.write)
    keys = [ledger.creating(Opener()) for _ in range(ended + still_open + unknown)]
    for key in keys[: ended + still_open]:
        ledger.opened(key, f"session of {key}", None, 200)
    owner.close(clean=False)
    watchdog = Journal.open(run_dir, f"{owner.path.stem}.{WATCHDOG}", base_url=BASE, root="/")
    ledger.add_sink(watchdog.write)
    for key in keys[:ended]:
        ledger.end_tried(key, Ending.ENDED, Actor.WATCHDOG, 200)
    watchdog.close(clean=False)
    for key in keys[ended : ended + still_open]:
        keep_token(owner.path, OpenSession(key, f"session of {key}", BASE, "secret"))
    return run_dir


def test_nothing_left_is_nothing_said(state: StateDir) -> None:
    assert last_run_note(state) is None


def test_what_the_watchdog_ended_is_told_once(state: StateDir) -> None:
    run_dir = leave(state, ended=2, unknown=1)
    assert last_run_note(state) == (
        "sessions left open by earlier runs: 2 ended by the watchdog, "
        "1 unknown, as create was never answered"
    )
    assert not run_dir.exists()
    assert last_run_note(state) is None


def test_what_is_still_open_is_told_until_it_is_ended(state: StateDir) -> None:
    leave(state, ended=1, still_open=1)
    for _ in range(2):
        assert "1 still open (`pytest-avatar reap` ends what can be ended)" in str(
            last_run_note(state)
        )


def test_a_run_that_left_nothing_open_is_forgotten_in_silence(state: StateDir) -> None:
    run_dir = leave(state)
    assert last_run_note(state) is None
    assert not run_dir.exists()


def test_a_run_that_still_works_is_passed_over(state: StateDir) -> None:
    run_dir = leave(state, ended=1)
    journal = Journal.open(run_dir, "gw0", base_url=BASE, root="/project")
    assert last_run_note(state) is None
    journal.close(clean=True)
    assert last_run_note(state) is not None


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells when a process started")
def test_a_run_whose_controller_has_yet_to_read_it_is_passed_over(state: StateDir) -> None:
    run_dir = leave(state, ended=1)
    worker = Journal.open(run_dir, "gw0", base_url=BASE, root="/project", reader=os.getppid())
    worker.close(clean=False)
    assert last_run_note(state) is None
    assert run_dir.exists()


def test_a_file_among_the_runs_is_no_run(state: StateDir) -> None:
    state.make_run_dir("run-1").rmdir()
    (state.path / "runs" / "notes.txt").write_text("")
    assert last_run_note(state) is None
