"""What a live run takes: creates are made by a process that outlives it, and nobody can tell."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.downstream import Downstream


def test_a_recording_is_the_same_with_and_without_a_watchdog(downstream: Downstream) -> None:
    downstream.write(
        """
        import pytest

        @pytest.mark.avatar(voice_id="v", extra={"clientId": "c"})
        def test_it(avatar_session, avatar_session_factory):
            avatar_session.say_text("Hello", turn_id="turn-1")
            avatar_session_factory()
        """
    )
    written = []
    for policy in ("require", "off"):
        downstream.configure(avatar_watchdog=policy)
        downstream.run_live("--avatar-mode=record").assert_outcomes(passed=1)
        (cassette,) = downstream.pytester.path.glob("cassettes/**/*.json")
        written.append(cassette.read_bytes())
        cassette.unlink()
    assert written[0] == written[1]
    downstream.emulator.assert_all_ended(opened=4)


@pytest.mark.skipif(sys.platform != "linux", reason="finds the watchdog in /proc")
def test_a_run_goes_on_without_its_watchdog(downstream: Downstream) -> None:
    downstream.write(
        """
        import os, pathlib, signal

        def test_one(avatar_session):
            pid = os.getpid()
            for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
                os.kill(int(child), signal.SIGKILL)

        def test_two(avatar_session):
            avatar_session.say_text("Hello")
        """
    )
    downstream.run_apart().assert_outcomes(passed=2)
    downstream.emulator.assert_all_ended(opened=2)


def test_a_live_run_imports_nothing_of_cassettes(downstream: Downstream) -> None:
    downstream.write(
        """
        import sys

        def test_it(avatar_session):
            avatar_session.say_text("Hello")

        def test_that_ran_before_this():
            assert not [name for name in sys.modules if "cassette" in name or "tape_maker" in name]
        """
    )
    downstream.run_apart().assert_outcomes(passed=2)
