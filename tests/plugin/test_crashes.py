"""A process of a run is killed: what it left open is ended, and the run says so."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from pytest_avatar.cli import main
from tests.downstream import until

if TYPE_CHECKING:
    from tests.downstream import Downstream

KILLS: Final = """
    import os

    def test_one(avatar_session):
        os.kill(os.getpid(), {number})

    def test_two(avatar_session):
        avatar_session.say_text("Hello")
"""


@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM", "SIGHUP", "SIGINT"])
def test_a_run_that_is_killed_leaves_no_session_open(downstream: Downstream, name: str) -> None:
    downstream.write(KILLS.format(number=int(getattr(signal, name))))
    result = downstream.run_apart()
    assert result.ret == (-signal.SIGKILL if name == "SIGKILL" else 2)
    until(lambda: not downstream.emulator.open_sessions)
    downstream.emulator.assert_all_ended(opened=1)


def test_the_sessions_of_a_killed_worker_are_ended_and_counted(downstream: Downstream) -> None:
    downstream.write(KILLS.format(number=int(signal.SIGKILL)))
    result = downstream.run_apart("-n1", "--max-worker-restart=0", "--maxfail=1")
    assert result.ret != 0
    result.stdout.fnmatch_lines(["*1 by the watchdog*"])
    assert downstream.emulator.open_sessions == []


def test_a_worker_that_replaces_a_killed_one_leaves_its_journal_to_the_controller(
    downstream: Downstream,
) -> None:
    downstream.write(
        """
        import os

        def test_one(avatar_session):
            os.kill(os.getpid(), 9)

        def test_two(): ...
        """
    )
    result = downstream.run_apart("-n1")
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(["1 session opened: 1 by the watchdog; none costs money any more"])


@pytest.mark.parametrize("deed", ["sys.exit(3)", "os.kill(os.getpid(), signal.SIGINT)"])
def test_a_fixture_of_ours_that_another_one_cut_off_is_no_leak(
    downstream: Downstream, deed: str
) -> None:
    downstream.write(
        f"""
        import os, pytest, signal, sys

        @pytest.fixture
        def other(avatar_session):
            yield
            {deed}

        def test_it(other): ...
        """
    )
    result = downstream.run_apart("-v")
    downstream.emulator.assert_all_ended(opened=1)
    result.stdout.no_fnmatch_line("*leaked*")


def test_the_next_run_says_what_the_watchdog_did(downstream: Downstream) -> None:
    downstream.write("import os\ndef test_it(avatar_session): os.kill(os.getpid(), 9)")
    assert downstream.run_apart().ret == -signal.SIGKILL
    until(lambda: not downstream.emulator.open_sessions)
    downstream.write("def test_it(): ...")
    told = "avatar: sessions left open by earlier runs: 1 ended by the watchdog"
    until(lambda: told in downstream.run_live("--collect-only").stdout.str())
    assert told not in downstream.run_live().stdout.str()


def test_what_no_watchdog_ends_is_told_and_reaped(
    downstream: Downstream, capsys: pytest.CaptureFixture[str]
) -> None:
    downstream.configure(avatar_watchdog="off")
    downstream.write("import os\ndef test_it(avatar_session): os.kill(os.getpid(), 9)")
    assert downstream.run_apart().ret == -signal.SIGKILL
    assert len(downstream.emulator.open_sessions) == 1
    downstream.write("def test_it(): ...")
    downstream.run_live().stdout.fnmatch_lines(
        ["avatar: sessions left open by earlier runs: 1 still open (`pytest-avatar reap` *)"]
    )
    capsys.readouterr()
    assert main(["reap", "--json"]) == 0
    (line,) = json.loads(capsys.readouterr().out)
    assert (line["ok"], line["opened_by"]) == (True, "test_it.py::test_it")
    downstream.emulator.assert_all_ended(opened=1)
    assert main(["reap"]) == 0
    assert capsys.readouterr().out == "no session to end\n"


def test_nothing_is_left_behind_by_a_run_that_ended_well(downstream: Downstream) -> None:
    downstream.write("def test_it(avatar_session): ...")
    assert downstream.run_apart().ret == 0
    state = Path(os.environ["PYTEST_AVATAR_STATE_DIR"])
    assert [path.relative_to(state).as_posix() for path in state.rglob("*")] == ["runs"]
