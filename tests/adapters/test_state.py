from __future__ import annotations

import os
import sys
import tempfile
from typing import TYPE_CHECKING

import platformdirs
import pytest

from pytest_avatar.adapters.ownership import user_id
from pytest_avatar.adapters.state import StateDir, find_state_dir, make_private_dir

if TYPE_CHECKING:
    from pathlib import Path

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_the_usual_place_is_the_users_state_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = tmp_path / "state" / "pytest-avatar"
    monkeypatch.setattr(platformdirs, "user_state_path", lambda *_, **__: usual)
    assert find_state_dir({}) == StateDir(usual)
    assert usual.is_dir()


def test_the_environment_names_another_place(tmp_path: Path) -> None:
    state = find_state_dir({"PYTEST_AVATAR_STATE_DIR": str(tmp_path / "mine")})
    assert state == StateDir(tmp_path / "mine")


@posix
def test_every_directory_is_private(tmp_path: Path) -> None:
    state = find_state_dir({"PYTEST_AVATAR_STATE_DIR": str(tmp_path / "mine")})
    run_dir = state.make_run_dir("run-1")
    assert run_dir == tmp_path / "mine" / "runs" / "run-1"
    assert {mode(path) for path in (state.path, run_dir.parent, run_dir)} == {0o700}
    assert state.runs == (run_dir,)


@posix
def test_a_directory_that_was_open_to_others_is_closed(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    make_private_dir(tmp_path)
    assert mode(tmp_path) == 0o700


@posix
def test_a_link_is_no_private_directory(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path, target_is_directory=True)
    with pytest.raises(PermissionError, match="not a directory of this user"):
        make_private_dir(link)


def test_a_place_that_cannot_be_used_is_replaced_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    occupied = tmp_path / "file"
    occupied.write_text("")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    state = find_state_dir({"PYTEST_AVATAR_STATE_DIR": str(occupied)})
    assert state.path == tmp_path / f"pytest-avatar-{user_id()}"
    assert state.problem == (
        f"{occupied} cannot be used (File exists), so journals go to {state.path}: they do not "
        "outlive a cleaning of that place. Set PYTEST_AVATAR_STATE_DIR to a directory of yours."
    )


def test_a_directory_that_may_not_be_written_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spare = tmp_path / f"pytest-avatar-{user_id()}"
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(os, "access", lambda path, _: path == spare)
    state = find_state_dir({"PYTEST_AVATAR_STATE_DIR": str(tmp_path / "read-only")})
    assert state.path == spare
    assert "(it may not be written)" in str(state.problem)


def test_a_place_without_runs_has_none(tmp_path: Path) -> None:
    assert StateDir(tmp_path).runs == ()
