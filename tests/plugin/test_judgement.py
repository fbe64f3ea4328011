"""When a session is a leak, whose, and what else a run says of sessions."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from tests.downstream import Downstream

BACKEND: Final = """
    import os
    import httpx

    def post(path, authorization, body=None):
        url = os.environ["AVATAR_BASE_URL"] + path
        return httpx.post(url, headers={"Authorization": authorization}, json=body or {}, timeout=30)

    def forget():
        ks = "KS " + os.environ["AVATAR_KS"]
        return post("", ks, {"visualConfig": {"avatarId": "ada"}}).json()

    def end(session):
        return post(f"/{session['sessionId']}/end", f"Bearer {session['token']}")
"""


@pytest.fixture
def project(downstream: Downstream, monkeypatch: pytest.MonkeyPatch) -> Downstream:
    """A project whose code reads base URL and KS from the environment, as they are for its runs."""
    monkeypatch.setenv("AVATAR_BASE_URL", downstream.emulator.base_url)
    monkeypatch.setenv("AVATAR_KS", downstream.live[0].partition("=")[2])
    downstream.write(BACKEND, "backend")
    return downstream


def test_grace_waits_for_an_end_that_is_on_its_way_and_no_longer(project: Downstream) -> None:
    project.write("""
        import threading
        import backend, pytest

        @pytest.fixture
        def late(request):
            begun = threading.Event()
            yield begun
            begun.set()

        @pytest.mark.avatar_no_leaks(grace=600)
        def test_it(late):
            session = backend.forget()

            def end():
                assert late.wait(10)
                backend.end(session)

            threading.Thread(target=end).start()
    """)
    project.emulator.add_faults("end:delay=0.3")
    started = time.monotonic()
    result = project.run_live()
    assert time.monotonic() - started < 60
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["avatar: 1 session, all ended (1 by the code under test)"])
    project.emulator.assert_all_ended(opened=1)


def test_grace_waits_for_a_create_that_is_under_way(project: Downstream) -> None:
    project.write("""
        import threading
        import backend, pytest

        @pytest.mark.avatar_no_leaks(grace=600)
        def test_it(avatar_ledger):
            thread = threading.Thread(target=lambda: backend.end(backend.forget()))
            thread.start()
            while not avatar_ledger.sessions:
                thread.join(0.01)
    """)
    project.emulator.add_faults("create:delay=0.3")
    result = project.run_live()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["avatar: 1 session, all ended (1 by the code under test)"])


def test_without_grace_an_end_on_its_way_comes_too_late(project: Downstream) -> None:
    project.write("""
        import threading, time
        import backend, pytest

        late = []

        @pytest.mark.avatar_no_leaks
        def test_it(avatar_ledger):
            session = backend.forget()

            def end():
                while not avatar_ledger.sessions[0].judged:
                    time.sleep(0.01)
                assert backend.end(session).status_code == 410

            late.append(threading.Thread(target=end))
            late[0].start()

        def test_two():
            late[0].join()
    """)
    result = project.run_live()
    result.assert_outcomes(passed=2, errors=1, failed=1)
    project.emulator.assert_all_ended(opened=1)


@pytest.mark.parametrize("marked", [True, False], ids=["marked", "unmarked"])
def test_an_unknown_session_is_listed_apart_and_no_leak(project: Downstream, marked: bool) -> None:
    project.write(f"""
        import backend, pytest

        pytestmark = [pytest.mark.avatar] + [pytest.mark.avatar_no_leaks] * {marked}

        def test_it():
            with pytest.raises(backend.httpx.RemoteProtocolError):
                backend.forget()
    """)
    project.emulator.add_faults("create:drop=after")
    result = project.run_live()
    assert result.ret == 0
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        [
            "*avatar: 1 unknown of 1 session*",
            "1 session unknown, opened at backend.py:*",
            "  in test_it.py::test_it",
            "  at *; create was sent, no usable answer came: RemotePro*",
        ]
    )


def test_a_leak_beside_an_unknown_session_is_told_from_it(project: Downstream) -> None:
    project.write("""
        import backend, pytest

        @pytest.mark.avatar_no_leaks
        def test_it():
            backend.forget()
            backend.forget()
    """)
    project.emulator.add_faults("create:drop=after,skip=1")
    result = project.run_live()
    result.stdout.fnmatch_lines(
        [
            "1 session left open, 1 session may be open",
            "Seen:",
            "  * opened at backend.py:*: open for *, ended by pytest-avatar",
            "Not known, since create got no answer:",
            "  main-2 opened at backend.py:*: create was sent, no usable answer came: *",
            "What to do: *",
        ]
    )


@pytest.mark.parametrize("policy", ["fail", "warn", "off"])
def test_no_rerun_takes_a_verdict_back(project: Downstream, policy: str) -> None:
    project.write("""
        import backend, pytest
        attempts = []

        @pytest.mark.avatar_no_leaks
        def test_it():
            attempts.append(1)
            if len(attempts) == 1:
                backend.forget()
    """)
    result = project.run_live("--reruns=1", f"--avatar-leaks={policy}", "--avatar-report=r.json")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["avatar: 1 leaked of 1 session", "FAILED avatar::sessions*"])
    assert '"attempt": 1' in project.pytester.path.joinpath("r.json").read_text("utf-8")
    project.emulator.assert_all_ended(opened=1)


def test_a_leak_does_not_hide_why_the_test_failed(project: Downstream) -> None:
    project.write("""
        import backend, pytest

        @pytest.fixture
        def broken():
            yield
            raise RuntimeError("the fixture is broken too")

        @pytest.mark.avatar_no_leaks
        def test_it(broken):
            backend.forget()
            assert "the greeting" == "the farewell"

        @pytest.mark.avatar_no_leaks
        def test_two():
            backend.forget()
            assert "the second greeting" == "the farewell"
    """)
    result = project.run_live()
    result.assert_outcomes(failed=3, errors=2)
    result.stdout.fnmatch_lines(
        [
            "*ERROR at teardown of test_it*",
            "E * RuntimeError: the fixture is broken too",
            "*Captured avatar teardown*",
            "1 session left open",
            "*ERROR at teardown of test_two*",
            "1 session left open",
            "E * assert 'the greeting' == 'the farewell'",
            "E * assert 'the second greeting' == 'the farewell'",
            "*avatar: 2 leaked of 2 sessions*",
        ]
    )
    project.emulator.assert_all_ended(opened=2)


SHARED: Final = """
    import backend, pytest

    @pytest.fixture(scope="{scope}")
    def shared():
        session = backend.forget()
        yield session
        {teardown}

    {mark}
    class TestThree:
        @pytest.mark.parametrize("number", [1, 2, 3])
        def test_it(self, shared, number):
            assert shared["sessionId"]
"""


@pytest.mark.parametrize(
    ("scope", "owner"), [("class", "test_it.py::TestThree"), ("module", "test_it.py")]
)
@pytest.mark.parametrize("mark", ["", "@pytest.mark.avatar_no_leaks", "@pytest.mark.avatar"])
def test_of_a_session_that_three_tests_share_the_scope_is_blamed(
    project: Downstream, scope: str, owner: str, mark: str
) -> None:
    if mark == "":
        project.configure(avatar_watch="true")
    source = SHARED.format(scope=scope, mark=mark, teardown="{teardown}")
    project.write(source.format(teardown="backend.end(session)"))
    result = project.run_live()
    assert result.ret == 0
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["avatar: 1 session, all ended (1 by the code under test)"])

    project.write(source.format(teardown=""))
    result = project.run_live("--avatar-report=report.xml")
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(
        ["1 session leaked, opened by fixture shared at backend.py:*", f"  in {owner}"]
    )
    result.stdout.no_fnmatch_line("*::test_it*")
    report = project.pytester.path.joinpath("report.xml").read_text("utf-8")
    assert f'classname="{owner}"' in report
    assert "test_it[" not in report
    project.emulator.assert_all_ended(opened=2)


@pytest.mark.parametrize(
    ("scope", "owner"), [("class", "test_it.py::TestThree"), ("module", "test_it.py")]
)
def test_a_marker_of_the_scope_judges_when_that_closes(
    project: Downstream, scope: str, owner: str
) -> None:
    mark = f"@pytest.mark.avatar_no_leaks(scope={scope!r})"
    project.write(SHARED.format(scope=scope, mark=mark, teardown=""))
    project.write(
        f"""
        def test_afterwards(avatar_ledger):
            assert avatar_ledger.open_sessions == ()
            (session,) = avatar_ledger.sessions
            assert session.reason == "open at the end of {owner}"
        """,
        "test_next",
    )
    result = project.run_live("--avatar-leaks=warn")
    result.assert_outcomes(passed=4, failed=1)
    project.emulator.assert_all_ended(opened=1)


def test_every_test_is_watched_if_asked_for(project: Downstream) -> None:
    project.configure(avatar_watch="true", avatar_mode="live")
    project.write("""
        import backend

        def test_it():
            backend.forget()
    """)
    result = project.run(*project.live[1:])
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["1 session leaked, opened at backend.py:*"])
    project.emulator.assert_all_ended(opened=1)


def test_expect_ended_looks_at_the_sessions_of_its_block(project: Downstream) -> None:
    project.write("""
        import backend, pytest
        from pytest_avatar import LeakError

        def test_it(avatar_ledger):
            before = backend.forget()
            with avatar_ledger.expect_ended():
                backend.end(backend.forget())
            with pytest.raises(LeakError) as caught, avatar_ledger.expect_ended():
                inside = backend.forget()
            lines = str(caught.value).splitlines()
            assert lines[0] == "1 session left open"
            assert lines[1] == (
                "Expected: every session opened inside the block has ended "
                "(avatar_ledger.expect_ended)."
            )
            assert inside["sessionId"] in lines[3]
            assert "opened at backend.py:" in lines[3]
            assert "never ended" in lines[3]
            assert inside["token"] not in str(caught.value)
            with pytest.raises(RuntimeError, match="why"), avatar_ledger.expect_ended():
                inside = [inside, backend.forget()]
                raise RuntimeError("why")
            with pytest.raises(LeakError, match="3 sessions left open"):
                avatar_ledger.assert_no_leaks()
            for session in (before, *inside):
                backend.end(session)
            avatar_ledger.assert_no_leaks()
    """)
    assert project.run_live().ret == 0
    project.emulator.assert_all_ended(opened=4)


def test_an_adopted_session_has_to_end_like_any_other(project: Downstream) -> None:
    """It was opened where nobody could see: in a process that goes around the gateway."""
    project.write("""
        import json, os, subprocess, sys
        import backend, pytest

        def opened_elsewhere():
            code = "import backend, json; print(json.dumps(backend.forget()))"
            return json.loads(subprocess.check_output([sys.executable, "-c", code]))

        def adopt(ledger, session):
            return ledger.adopt(session["sessionId"], session["token"])

        @pytest.mark.avatar_no_leaks
        def test_leaks(avatar_ledger):
            record = adopt(avatar_ledger, opened_elsewhere())
            assert record.opener.line == 9
            assert record.is_open

        @pytest.mark.avatar_no_leaks
        def test_ends(avatar_ledger):
            session = opened_elsewhere()
            record = adopt(avatar_ledger, session)
            assert adopt(avatar_ledger, session) is record
            assert len(avatar_ledger.sessions) == 2
            backend.end(session)
            assert not record.is_open
            assert adopt(avatar_ledger, session) is record
            assert not record.is_open

        @pytest.mark.avatar_no_leaks
        def test_known(avatar_ledger):
            session = backend.forget()
            assert adopt(avatar_ledger, session) is avatar_ledger.sessions[-1]
            backend.end(session)

        @pytest.mark.parametrize(("id", "token", "empty"), [("", "t", "id"), ("s", "", "token")])
        def test_empty(avatar_ledger, id, token, empty):
            with pytest.raises(ValueError, match=f"got an empty {empty}"):
                avatar_ledger.adopt(id, token)
    """)
    result = project.run_live()
    result.assert_outcomes(passed=5, errors=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*ERROR at teardown of test_leaks*",
            "1 session left open",
            "* opened at test_it.py:9 with avatar_ledger.adopt, in call of *",
            "*avatar: 1 leaked of 3 sessions*",
        ]
    )
    project.emulator.assert_all_ended(opened=3)


def test_an_adopted_session_is_replayed(project: Downstream) -> None:
    """Its end is on the wire, its create is not."""
    project.write("""
        import backend, pytest

        SESSION = {"sessionId": "known-by-heart", "token": "eyJh.eyJz.c2ln"}

        @pytest.mark.avatar_no_leaks
        def test_it(avatar_ledger):
            avatar_ledger.adopt(SESSION["sessionId"], SESSION["token"])
            backend.end(SESSION)
            avatar_ledger.assert_no_leaks()
    """)
    project.emulator.add_faults("end:status=410")
    project.run_live("--avatar-mode=record").assert_outcomes(passed=1)
    result = project.run()
    result.assert_outcomes(passed=1)
    assert result.ret == 0
    project.write(
        """
        import pytest

        @pytest.mark.avatar_no_leaks
        def test_it(avatar_ledger):
            avatar_ledger.adopt("known-by-heart", "eyJh.eyJz.c2ln")
        """
    )
    result = project.run()
    assert result.ret == 1
    result.stdout.fnmatch_lines(["1 session left open"])
