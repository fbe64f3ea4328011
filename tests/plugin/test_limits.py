"""The service's limit of sessions that are open at once, met by tests and by code under test."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from tests.downstream import Downstream


def test_a_429_on_create_is_told_with_the_sessions_held(downstream: Downstream) -> None:
    downstream.write("""
        def test_it(avatar_session, avatar_session_factory):
            avatar_session_factory()
            avatar_session_factory()
    """)
    downstream.emulator.add_faults("create:status=429,skip=2")
    result = downstream.run_live("--avatar-report=report.json")

    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "avatar session: create was refused by the service: 429 *",
            "The service limits how many sessions are open at once.",
            "This run holds 2 sessions now; avatar_max_sessions has tests wait for a free one.",
            "the service refused 1 create with 429, its limit *: this run held 2 then; *",
        ]
    )
    report = json.loads(downstream.pytester.path.joinpath("report.json").read_bytes())
    assert report["run"]["limited_at"] == [2]
    downstream.emulator.assert_all_ended(2)


def test_a_429_that_code_under_test_meets_is_told_at_the_end(downstream: Downstream) -> None:
    downstream.write("""
        import httpx

        def test_it(avatar_settings, avatar_ks):
            answer = httpx.post(
                str(avatar_settings.base_url),
                headers={"Authorization": f"KS {avatar_ks}"},
                json={"visualConfig": {"avatarId": "ada"}},
            )
            assert answer.status_code == 429
    """)
    downstream.emulator.add_faults("create:status=429")
    result = downstream.run_live()

    assert result.ret == 0
    result.stdout.fnmatch_lines(
        ["*avatar: no session was used*", "the service refused 1 create * this run held 0 then; *"]
    )


def test_sessions_of_all_workers_count_at_the_limit(downstream: Downstream) -> None:
    downstream.write("""
        import time
        from pathlib import Path

        HELD, DONE = Path("held"), Path("done")

        def until(path):
            deadline = time.monotonic() + 30
            while not path.exists():
                assert time.monotonic() < deadline
                time.sleep(0.01)

        def test_one(avatar_session):
            HELD.touch()
            until(DONE)

        def test_two(avatar_session_factory):
            try:
                until(HELD)
                avatar_session_factory()
                avatar_session_factory()
            finally:
                DONE.touch()
    """)
    downstream.emulator.add_faults("create:status=429,skip=2")
    result = downstream.run_apart("-n2")

    assert result.ret == 1
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*This run holds 2 sessions now; *", "* this run held 2 then; *"])
    downstream.emulator.assert_all_ended(2)


WAITING: Final = """
    import sys
    import threading
    import time
    from pathlib import Path

    import pytest

    def until(condition):
        deadline = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def is_waiting(thread):
        frame = sys._current_frames().get(thread)
        while frame is not None:
            if frame.f_code.co_name == "taken":
                return frame.f_locals.get("lock", "not tried yet") is None
            frame = frame.f_back
        return False

    def test_holds(avatar_session):
        Path("held").touch()
        until(Path("waiting").exists)

    @pytest.fixture
    def late():
        until(Path("held").exists)
        thread = threading.get_ident()

        def tell():
            until(lambda: is_waiting(thread))
            Path("waiting").touch()

        threading.Thread(target=tell).start()

    def test_waits(late, avatar_session): ...
"""
"""Two tests for two workers and one place: the second says when it waits for it."""


def test_a_test_that_waits_for_a_place_says_so_with_v(downstream: Downstream) -> None:
    downstream.configure(avatar_max_sessions=1)
    downstream.write(WAITING)
    result = downstream.run_apart("-n2", "-v")

    result.assert_outcomes(passed=2)
    told = [line for line in result.outlines if " waited " in line]
    assert len(told) == 1
    assert told[0].startswith("avatar: test_it.py::test_waits waited ")
    assert told[0].endswith(" s for one of 1 session")
    first, second = downstream.emulator.sessions
    assert first["ended_at"] <= second["opened_at"]
    downstream.emulator.assert_all_ended(2)


@pytest.mark.parametrize(("options", "tells"), [(["-v"], True), ([], False)])
def test_nobody_waits_to_tell_without_v(
    downstream: Downstream, options: list[str], tells: bool
) -> None:
    downstream.configure(avatar_max_sessions=1)
    downstream.write(f"""
        def test_it(avatar_session, pytestconfig):
            assert pytestconfig.pluginmanager.has_plugin("avatar-waits") == {tells}
    """)
    downstream.run_live(*options).assert_outcomes(passed=1)


def test_a_session_that_has_ended_takes_no_place(downstream: Downstream) -> None:
    downstream.configure(avatar_max_sessions=1)
    downstream.write("""
        def test_it(avatar_session_factory):
            for _ in range(3):
                avatar_session_factory().end()

        def test_two(avatar_session): ...
    """)
    result = downstream.run_live("-v")
    result.assert_outcomes(passed=2)
    assert not [line for line in result.outlines if " waited " in line]
    downstream.emulator.assert_all_ended(4)
