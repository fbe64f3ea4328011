"""Sessions that code under test leaves open: who says so, and what it does to the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from tests.downstream import Downstream

BACKEND: Final = """
    import os
    import httpx
    from pytest_avatar import AvatarClient

    def forget(settings, ks):
        with AvatarClient(ks, base_url=str(settings.base_url)) as client:
            return client.create_session("grace")

    def forget_with_a_client_of_its_own(settings, ks):
        with httpx.Client() as client:
            return client.post(
                str(settings.base_url),
                headers={"Authorization": f"KS {ks}"},
                json={"visualConfig": {"avatarId": "grace"}},
            ).json()
"""

LEAKS: Final = """
    import pytest
    import backend

    {mark}
    def test_it(avatar_settings, avatar_ks):
        backend.{function}(avatar_settings, avatar_ks)
"""


@pytest.fixture
def project(downstream: Downstream) -> Downstream:
    downstream.write(BACKEND, "backend")
    return downstream


def write(project: Downstream, mark: str = "", function: str = "forget") -> None:
    project.write(LEAKS.format(mark=mark, function=function))


@pytest.mark.parametrize("function", ["forget", "forget_with_a_client_of_its_own"])
def test_a_leak_fails_the_run_and_no_test(project: Downstream, function: str) -> None:
    write(project, function=function)
    result = project.run_live()
    assert result.ret == 1
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "avatar: 1 leaked of 1 session",
            "Expected: every session has ended when its scope closes.",
            "1 session leaked, opened at backend.py:*",
            "  in test_it.py::test_it",
            "*ended by pytest-avatar*",
        ]
    )
    project.emulator.assert_all_ended(opened=1)


@pytest.mark.parametrize(("policy", "status"), [("fail", 1), ("warn", 0), ("off", 0)])
def test_the_policy_says_what_a_leak_does(project: Downstream, policy: str, status: int) -> None:
    write(project)
    result = project.run_live(f"--avatar-leaks={policy}")
    assert result.ret == status
    result.stdout.fnmatch_lines(["*1 leaked of 1 session*"])
    project.emulator.assert_all_ended(opened=1)


def test_no_leaks_fails_the_test_and_names_the_line(project: Downstream) -> None:
    write(project, "@pytest.mark.avatar_no_leaks()")
    result = project.run_live()
    assert result.ret == 1
    result.assert_outcomes(passed=1, errors=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*ERROR at teardown of test_it*",
            "1 session left open",
            "Expected: every session opened in this test has ended * (avatar_no_leaks).",
            "Seen:",
            "*opened at backend.py:*",
            "What to do: *",
        ]
    )
    project.emulator.assert_all_ended(opened=1)


@pytest.mark.parametrize("scope", ["class", "module", "run"])
def test_no_leaks_of_a_broader_scope_fails_the_run_whatever_the_policy(
    project: Downstream, scope: str
) -> None:
    project.write(f"""
        import backend, pytest

        @pytest.mark.avatar_no_leaks(scope="{scope}")
        class TestIt:
            def test_one(self, avatar_settings, avatar_ks):
                backend.forget(avatar_settings, avatar_ks)

            def test_two(self): ...
    """)
    result = project.run_live("--avatar-leaks=warn")
    assert result.ret == 1
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["1 session leaked, opened at backend.py:*"])
    project.emulator.assert_all_ended(opened=1)


def test_no_leaks_is_content_with_a_session_that_ends(project: Downstream) -> None:
    project.write("""
        import pytest, backend

        @pytest.mark.avatar_no_leaks()
        def test_it(avatar_settings, avatar_ks, avatar_session):
            backend.forget(avatar_settings, avatar_ks)._sender  # open
    """)
    assert project.run_live().ret == 1
    project.write("""
        import pytest
        from pytest_avatar import AvatarClient

        @pytest.mark.avatar_no_leaks()
        def test_it(avatar_settings, avatar_ks, avatar_session):
            with (
                AvatarClient(avatar_ks, base_url=str(avatar_settings.base_url)) as client,
                client.create_session("ada"),
            ):
                pass
    """)
    assert project.run_live().ret == 0


def test_an_allowed_leak_is_ended_and_listed_and_fails_nothing(project: Downstream) -> None:
    write(project, "@pytest.mark.avatar_allow_leaks(reason='mended next week')")
    result = project.run_live()
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*1 allowed of 1 session*", "*opened at backend.py:*"])
    project.emulator.assert_all_ended(opened=1)


def test_a_session_that_another_test_ends_is_no_leak(project: Downstream) -> None:
    project.write("""
        import backend
        kept = []

        def test_one(avatar_settings, avatar_ks):
            kept.append(backend.forget_with_a_client_of_its_own(avatar_settings, avatar_ks))

        def test_two(avatar_settings):
            opened = kept.pop()
            url = f"{avatar_settings.base_url}/{opened['sessionId']}/end"
            headers = {"Authorization": f"Bearer {opened['token']}"}
            assert backend.httpx.post(url, headers=headers).status_code == 200
    """)
    result = project.run_live("-v")
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "clean * test_it.py::test_one * in another test: test_it.py::test_two",
            "avatar: 1 session, all ended (1 by the code under test)",
        ]
    )


def test_a_leak_in_an_attempt_that_was_run_again_fails_the_run(project: Downstream) -> None:
    project.write("""
        import backend
        attempts = []

        def test_it(avatar_settings, avatar_ks):
            attempts.append(1)
            if len(attempts) == 1:
                backend.forget(avatar_settings, avatar_ks)
                raise RuntimeError("the first attempt fails")
    """)
    result = project.run_live("--reruns=1")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*1 leaked of 1 session*"])
    project.emulator.assert_all_ended(opened=1)


def test_a_leak_is_found_offline_too(project: Downstream) -> None:
    write(project, "@pytest.mark.avatar_allow_leaks(reason='not yet')")
    project.run_live("--avatar-mode=record").assert_outcomes(passed=1)
    write(project, "@pytest.mark.avatar_no_leaks()")
    result = project.run()
    assert result.ret == 1
    result.stdout.fnmatch_lines(["1 session left open", "*opened at backend.py:*"])


@pytest.mark.parametrize(
    "mark",
    ["avatar(color=1)", "avatar_no_leaks(scope='day')", "avatar_no_leaks(grace=-1)",
     "avatar_allow_leaks()", "avatar_allow_leaks(reason='')", "avatar_cassette(match_on=['x'])"],
)  # fmt: skip
def test_unknown_arguments_of_a_marker_are_an_error_at_collection(
    project: Downstream, mark: str
) -> None:
    write(project, f"@pytest.mark.{mark}")
    result = project.run_live()
    assert result.ret == 4
    name = mark.partition("(")[0]
    assert f"test_it.py::test_it: @pytest.mark.{name}: " in result.stderr.str()
    project.emulator.assert_untouched()


@pytest.mark.parametrize("mode", ["live", "emulator"])
def test_workers_report_one_verdict(project: Downstream, mode: str) -> None:
    project.write("""
        import backend, pytest

        @pytest.mark.parametrize("n", range(6))
        def test_fixture(avatar_session, n): avatar_session.say_text(str(n))

        def test_leak(avatar_settings, avatar_ks): backend.forget(avatar_settings, avatar_ks)
    """)
    result = project.run_apart("-n2", f"--avatar-mode={mode}")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*1 leaked of 7 sessions*", "*6 by their fixture*"])
    project.emulator.assert_all_ended(opened=7 if mode == "live" else 0)
