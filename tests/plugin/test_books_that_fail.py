"""Whatever goes wrong with journal and watchdog: no session is lost, and no test's result hidden."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_avatar.plugin import run_dir

if TYPE_CHECKING:
    from tests.downstream import Downstream

UNWATCHED = "if the run is killed, its sessions may stay open"
NO_PYTHON = "[Errno 2] No such file or directory: '/nowhere/python'"

TWO_TESTS = """
    def test_one(avatar_session):
        avatar_session.say_text("Hello")

    def test_two(avatar_session):
        assert False, "the reason"
"""


@pytest.fixture
def no_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """No watchdog can be started."""
    monkeypatch.setattr(sys, "executable", "/nowhere/python")


@pytest.fixture
def mute_python(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A watchdog is started, but leaves before it is ready."""
    mute = tmp_path / "python"
    mute.write_text("#!/bin/sh\nexit 7\n")
    mute.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(mute))


@pytest.fixture
def no_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """No directory can be made."""

    def refuse() -> None:
        raise PermissionError(13, "Permission denied", "/state")

    monkeypatch.setattr(run_dir, "find_state_dir", refuse)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows removes no directory that is in use")
def test_a_directory_that_is_removed_costs_nothing(downstream: Downstream) -> None:
    downstream.write(
        """
        import os, shutil

        def test_one(avatar_session, avatar_session_factory):
            shutil.rmtree(os.environ["PYTEST_AVATAR_STATE_DIR"])
            avatar_session_factory().say_text("Hello")

        def test_two(avatar_session):
            assert False, "the reason"
        """
    )
    result = downstream.run_apart()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["E *the reason", f"missing here: *{UNWATCHED}"])
    assert result.stderr.str() == ""
    downstream.emulator.assert_all_ended(opened=3)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limits to set")
def test_a_full_disk_costs_nothing(downstream: Downstream) -> None:
    downstream.write(
        """
        import resource

        def test_one(avatar_session, avatar_session_factory):
            limits = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
            try:
                avatar_session_factory().say_text("Hello")
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, limits)

        def test_two(avatar_session):
            assert False, "the reason"
        """
    )
    result = downstream.run_apart()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["E *the reason", f"missing here: *File too large): {UNWATCHED}"])
    downstream.emulator.assert_all_ended(opened=3)


def test_a_place_that_cannot_be_written_costs_nothing(
    downstream: Downstream, no_state: None
) -> None:
    downstream.write(TWO_TESTS)
    result = downstream.run_live()
    result.assert_outcomes(passed=1, failed=1)
    problem = "no journal could be written ([Errno 13] Permission denied: '/state')"
    lines = [f"avatar: {problem}: {UNWATCHED}", "E *the reason", f"missing here: {problem}: *"]
    result.stdout.fnmatch_lines([line.replace("[E", "[[]E") for line in lines])
    downstream.emulator.assert_all_ended(opened=2)


def test_a_home_directory_that_nobody_knows_costs_nothing(
    downstream: Downstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise RuntimeError("Could not determine home directory")

    monkeypatch.setattr(run_dir, "find_state_dir", refuse)
    downstream.write(TWO_TESTS)
    result = downstream.run_live()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines([f"avatar: no journal * home directory): {UNWATCHED}"])
    downstream.emulator.assert_all_ended(opened=2)


def test_a_watchdog_that_does_not_start_is_said_in_the_header_and_at_the_end(
    downstream: Downstream, no_python: None
) -> None:
    downstream.write(TWO_TESTS)
    result = downstream.run_live()
    result.assert_outcomes(passed=1, failed=1)
    said = f"the watchdog could not be started: {NO_PYTHON}: {UNWATCHED}"
    output = result.stdout.str()
    assert f"\navatar: {said}\n" in output
    assert f"\nmissing here: {said}\n" in output
    downstream.emulator.assert_all_ended(opened=2)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows runs no such script")
def test_a_watchdog_that_does_not_get_ready_is_said_at_the_end(
    downstream: Downstream, mute_python: None
) -> None:
    downstream.write(TWO_TESTS)
    result = downstream.run_live()
    result.assert_outcomes(passed=1, failed=1)
    said = "the watchdog was not ready within 5 s (exit status 7)"
    assert f"\nmissing here: {said}: {UNWATCHED}\n" in result.stdout.str()
    result.stdout.no_fnmatch_line("*refused*")
    downstream.emulator.assert_all_ended(opened=2)


@pytest.mark.parametrize(
    "trouble",
    [
        "no_python",
        "no_state",
        pytest.param(
            "mute_python",
            marks=pytest.mark.skipif(sys.platform == "win32", reason="as above"),
        ),
    ],
)
def test_where_a_watchdog_is_required_nothing_is_created_without_one(
    downstream: Downstream, trouble: str, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue(trouble)
    downstream.configure(avatar_watchdog="require")
    downstream.write(TWO_TESTS)
    result = downstream.run_live()
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(
        ["avatar session: watchdog: it is required, but *; nothing was sent"] * 2
    )
    result.stdout.no_fnmatch_line("*unknown*")
    downstream.emulator.assert_untouched()


def test_a_watchdog_that_is_switched_off_is_said_in_the_header(downstream: Downstream) -> None:
    downstream.configure(avatar_watchdog="off")
    downstream.write("def test_it(avatar_session): ...")
    result = downstream.run_live()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        ["avatar: watchdog off (ini): if the run is killed, its sessions stay open"]
    )


def test_a_run_that_uses_no_avatars_leaves_nothing_of_its_watchdog(downstream: Downstream) -> None:
    downstream.write("def test_it(): ...")
    downstream.run_live().assert_outcomes(passed=1)
    state = Path(os.environ["PYTEST_AVATAR_STATE_DIR"])
    assert [path.name for path in state.rglob("*")] == ["runs"]
