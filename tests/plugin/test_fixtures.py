from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.downstream import Downstream

CLEAN_ONE = "avatar: 1 session, all ended (1 by their fixture)"

FATES = {
    "passes": (
        """
        def test_it(avatar_session):
            avatar_session.say_text("hello")
        """,
        {"passed": 1},
        0,
    ),
    "fails": (
        """
        def test_it(avatar_session):
            assert avatar_session.session_id == "another"
        """,
        {"failed": 1},
        1,
    ),
    "fails in a later fixture's setup": (
        """
        import pytest

        @pytest.fixture
        def broken(avatar_session):
            raise RuntimeError("no database")

        def test_it(broken): ...
        """,
        {"errors": 1},
        1,
    ),
    "fails in a later fixture's teardown": (
        """
        import pytest

        @pytest.fixture
        def broken(avatar_session):
            yield
            raise RuntimeError("no database")

        def test_it(broken): ...
        """,
        {"passed": 1, "errors": 1},
        1,
    ),
    "is skipped half way": (
        """
        import pytest

        def test_it(avatar_session):
            avatar_session.say_text("hello")
            pytest.skip("not today")
        """,
        {"skipped": 1},
        0,
    ),
    "fails as expected": (
        """
        import pytest

        @pytest.mark.xfail(strict=True)
        def test_it(avatar_session):
            assert not avatar_session.is_open
        """,
        {"xfailed": 1},
        0,
    ),
    "leaves with sys.exit": (
        """
        import sys

        def test_it(avatar_session):
            sys.exit(3)
        """,
        {"failed": 1},
        1,
    ),
    "ends its session itself, twice": (
        """
        def test_it(avatar_session):
            avatar_session.end()
            avatar_session.end()
            assert not avatar_session.is_open
        """,
        {"passed": 1},
        0,
    ),
    "uses it as a context manager": (
        """
        def test_it(avatar_session):
            with avatar_session as same:
                assert same is avatar_session
        """,
        {"passed": 1},
        0,
    ),
}


@pytest.mark.parametrize(("source", "outcomes", "status"), FATES.values(), ids=FATES)
def test_the_session_of_a_test_ends_when_it(
    downstream: Downstream, source: str, outcomes: dict[str, int], status: int
) -> None:
    downstream.write(source)
    result = downstream.run_live()

    assert result.ret == status
    assert result.parseoutcomes() == outcomes
    downstream.emulator.assert_all_ended(1)
    result.stdout.fnmatch_lines(["avatar: 1 session, all ended (1 by *)"])


def test_every_parameter_has_its_own_session(downstream: Downstream) -> None:
    downstream.write("""
        import pytest

        @pytest.mark.parametrize("text", ["one", "two", "three"])
        def test_it(avatar_session, text):
            avatar_session.say_text(text)
    """)
    result = downstream.run_live()

    result.assert_outcomes(passed=3)
    downstream.emulator.assert_all_ended(3)
    said = [[one["text"] for one in session["spoken"]] for session in downstream.emulator.sessions]
    assert said == [["one"], ["two"], ["three"]]


def test_all_operations_of_a_session_reach_the_service(downstream: Downstream) -> None:
    downstream.write("""
        import io
        import pytest
        from pytest_avatar import SessionGoneError

        def test_it(avatar_session, tmp_path):
            recording = tmp_path / "hello.mp3"
            recording.write_bytes(b"ID3")
            avatar_session.say_text("hello", turn_id="t1", is_final=False)
            avatar_session.say_audio(b"ID3", duration=1.5, turn_id="t2")
            avatar_session.say_audio(recording, duration=1)
            avatar_session.say_audio(io.BytesIO(b"ID3"), duration=1, media_type="audio/wav")
            avatar_session.interrupt()
            avatar_session.keep_alive()
            assert avatar_session.init_client().whep_url
            assert avatar_session.base_url.endswith("/v1/avatar-session")
            avatar_session.end()
            with pytest.raises(SessionGoneError, match="say-text of .* came too late: it was ended"):
                avatar_session.say_text("anybody there?")
    """)
    downstream.run_live().assert_outcomes(passed=1)

    downstream.emulator.assert_all_ended(1)
    (session,) = downstream.emulator.sessions
    assert session["calls"] == {
        "create": 1,
        "say-text": 1,
        "say-audio": 3,
        "interrupt": 1,
        "keep-alive": 1,
        "init-client": 1,
        "end": 1,
    }
    assert session["late_calls"] == 0


def test_a_factory_opens_more_sessions_and_ends_them_newest_first(downstream: Downstream) -> None:
    downstream.write("""
        def test_it(avatar_session, avatar_session_factory):
            for name in ("bob", "cleo"):
                avatar_session_factory(avatar_id=name, voice_id="calm", voice_speed=1.5)
    """)
    downstream.run_live().assert_outcomes(passed=1)

    downstream.emulator.assert_all_ended(3)
    sessions = downstream.emulator.sessions
    assert [one["avatar_id"] for one in sessions] == ["ada", "bob", "cleo"]
    assert [one["voice_id"] for one in sessions] == [None, "calm", "calm"]
    ends = [one["ended_at"] for one in sessions]
    assert ends == sorted(ends, reverse=True)


def test_all_sessions_of_a_test_are_ended_although_one_refuses(downstream: Downstream) -> None:
    downstream.write("""
        def test_it(avatar_session_factory):
            for _ in range(3):
                avatar_session_factory()
    """)
    downstream.emulator.add_faults("end:status=401")
    result = downstream.run_live()

    # The newest refused its fixture, and was ended at the end of the run.
    downstream.emulator.assert_all_ended(3)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["avatar: 3 sessions, all ended (2 by their fixture, 1 by *)"])
    assert result.ret == 0


def test_no_session_of_a_factory_is_left_when_one_cannot_be_opened(downstream: Downstream) -> None:
    downstream.write("""
        def test_it(avatar_session_factory):
            avatar_session_factory()
            avatar_session_factory()
    """)
    downstream.emulator.add_faults("create:status=429,skip=1")
    result = downstream.run_live()

    assert result.ret == 1
    downstream.emulator.assert_all_ended(1)
    result.stdout.fnmatch_lines(
        ["*avatar session: create was refused by the service: 429 *", f"=* {CLEAN_ONE} *="]
    )


def test_a_session_that_cannot_be_opened_is_one_line_without_a_traceback(
    downstream: Downstream,
) -> None:
    downstream.write("def test_it(avatar_session): ...")
    downstream.emulator.add_faults("create:status=401,error=Invalid Kaltura Session")
    result = downstream.run_live()

    assert result.ret == 1
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "_* ERROR at setup of test_it _*",
            "avatar session: create was refused by the service: 401 Invalid Kaltura Session.",
            "Give a fresh KS: one lives 24 hours by default.",
            "=* short test summary info =*",
        ],
        consecutive=True,
    )
    downstream.emulator.assert_all_ended(0)


SCOPES = {"function": 4, "class": 3, "module": 2, "package": 1, "session": 1}
"""How many sessions the tests of `test_the_session_is_shared_over_its_scope` open."""


@pytest.mark.parametrize(("scope", "opened"), SCOPES.items(), ids=SCOPES)
@pytest.mark.parametrize("layer", ["option", "ini"])
def test_the_session_is_shared_over_its_scope(
    downstream: Downstream, scope: str, opened: int, layer: str
) -> None:
    downstream.write(
        """
        def test_alone(avatar_session):
            avatar_session.say_text("alone")

        class TestTogether:
            def test_one(self, avatar_session):
                avatar_session.say_text("one")

            def test_two(self, avatar_session):
                avatar_session.say_text("two")
        """,
        "test_first",
    )
    downstream.write("def test_it(avatar_session): avatar_session.keep_alive()", "test_second")
    options = [f"--avatar-session-scope={scope}"] if layer == "option" else []
    if layer == "ini":
        downstream.configure(avatar_session_scope=scope)
    result = downstream.run_live(*options)

    result.assert_outcomes(passed=4)
    assert result.ret == 0
    downstream.emulator.assert_all_ended(opened)
    ended = f"all ended ({opened} by their fixture)"
    result.stdout.fnmatch_lines([f"avatar: {opened} session*, {ended}"])


def test_marked_options_win_over_settings_argument_by_argument(downstream: Downstream) -> None:
    downstream.write("""
        import pytest

        pytestmark = pytest.mark.avatar(avatar_id="module", voice_id="module")

        @pytest.mark.avatar(voice_id="class", extra={"clientId": "us"})
        class TestIt:
            @pytest.mark.avatar(voice_id="function")
            def test_function(self, avatar_session): ...

            def test_class(self, avatar_session): ...

        def test_module(avatar_session): ...
    """)
    downstream.run_live().assert_outcomes(passed=3)

    downstream.emulator.assert_all_ended(3)
    who = [(one["avatar_id"], one["voice_id"]) for one in downstream.emulator.sessions]
    assert who == [("module", "function"), ("module", "class"), ("module", "module")]


def test_a_conftest_may_mint_the_ks(downstream: Downstream) -> None:
    downstream.pytester.makeconftest("""
        import pytest

        @pytest.fixture(scope="session")
        def avatar_ks():
            return "minted-in-the-conftest"
    """)
    downstream.write("def test_it(avatar_session): ...")
    _ks, *options = downstream.live
    result = downstream.run("--avatar-mode=live", *options)

    result.assert_outcomes(passed=1)
    downstream.emulator.assert_all_ended(1)
    result.stdout.no_fnmatch_line("*minted*")


def test_settings_are_read_only_and_the_ledger_knows_the_sessions(downstream: Downstream) -> None:
    downstream.write("""
        import dataclasses
        import pytest

        def test_it(avatar_settings, avatar_ledger, avatar_session_factory):
            assert (avatar_settings.mode, avatar_settings.avatar_id) == ("live", "ada")
            with pytest.raises(dataclasses.FrozenInstanceError):
                avatar_settings.mode = "replay"
            avatar_ledger.assert_no_leaks()
            first, second = avatar_session_factory(), avatar_session_factory()
            ids = [one.session_id for one in avatar_ledger.sessions]
            assert ids == [first.session_id, second.session_id]
            assert [one.session_id for one in avatar_ledger.open_sessions] == ids[::-1]
            first.end()
            second.end()
            assert avatar_ledger.open_sessions == ()
            avatar_ledger.assert_no_leaks()
    """)
    downstream.run_live().assert_outcomes(passed=1)
    downstream.emulator.assert_all_ended(2)


def test_assert_no_leaks_names_what_is_open(downstream: Downstream) -> None:
    downstream.write("""
        def test_it(avatar_session, avatar_ledger):
            avatar_ledger.assert_no_leaks()
    """)
    result = downstream.run_live()

    assert result.ret == 1
    downstream.emulator.assert_all_ended(1)
    result.stdout.fnmatch_lines(
        [
            "E *LeakError: 1 session left open",
            "E *Expected: no session is open now (avatar_ledger.assert_no_leaks).",
            "E *Seen:",
            "E * opened by fixture avatar_session* with httpx, in setup of test_it.py::test_it, *",
            "E *What to do: end it where it is opened*",
            CLEAN_ONE,
        ]
    )


def test_a_run_without_sessions_ends_in_silence(downstream: Downstream) -> None:
    downstream.write("def test_it(avatar_settings, avatar_ledger): ...")
    result = downstream.run_live()

    assert result.ret == 0
    told = [line for line in result.outlines if line.startswith("avatar:")]
    assert all(line.startswith(("avatar: mode", "avatar: create path")) for line in told), told


def test_each_session_is_listed_with_v(downstream: Downstream) -> None:
    downstream.write("def test_it(avatar_session): ...")
    result = downstream.run_live("-v")

    (session,) = downstream.emulator.sessions
    result.stdout.fnmatch_lines(
        [
            "=* avatar sessions =*",
            f"clean * {session['session_id']} * test_it.py::test_it * ended by its fixture",
            CLEAN_ONE,
        ]
    )
