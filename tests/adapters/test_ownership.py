from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pytest_avatar.adapters.ownership import (
    OwnerLock,
    is_locked,
    process_lives,
    process_start,
    user_id,
)

if TYPE_CHECKING:
    from pathlib import Path

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

ASK = (
    "import sys; from pathlib import Path; from pytest_avatar.adapters.ownership import is_locked;"
    "print(is_locked(Path(sys.argv[1])))"
)


def ask_another_process(path: Path) -> str:
    return subprocess.run(
        [sys.executable, "-c", ASK, path], check=True, capture_output=True, text=True
    ).stdout.strip()


def test_a_lock_is_seen_by_another_process_until_it_is_released(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    lock = OwnerLock(path)
    assert ask_another_process(path) == "True"
    lock.release()
    assert not path.exists()


def test_a_lock_goes_with_the_process_that_held_it(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    code = (
        "import os, sys; from pathlib import Path;"
        "from pytest_avatar.adapters.ownership import OwnerLock;"
        "lock = OwnerLock(Path(sys.argv[1])); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code, path], check=True)
    assert path.exists()
    assert not is_locked(path)


def test_a_missing_lock_is_held_by_nobody(tmp_path: Path) -> None:
    assert not is_locked(tmp_path / "x.lock")


@linux
def test_this_process_lives() -> None:
    assert process_lives(os.getpid(), process_start(os.getpid()))


@linux
def test_another_process_with_the_same_number_is_not_the_same() -> None:
    assert not process_lives(os.getpid(), "1")


def test_a_process_of_unknown_start_is_judged_by_its_lock_alone() -> None:
    assert not process_lives(os.getpid(), None)


@linux
def test_a_process_that_nobody_has_waited_for_is_dead() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert process_start(process.pid) is None


def test_a_process_that_is_no_more_has_no_start() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    assert process_start(process.pid) is None


@pytest.mark.skipif(sys.platform == "win32", reason="users have no number")
def test_users_are_known_by_number() -> None:
    assert user_id() == str(os.getuid())
