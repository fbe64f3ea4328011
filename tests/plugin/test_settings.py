from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.downstream import KS

if TYPE_CHECKING:
    from tests.downstream import Downstream

SERVICE = "https://api.avatar.us.kaltura.ai/v1/avatar-session"
NO_TESTS = pytest.ExitCode.NO_TESTS_COLLECTED


def header(result: pytest.RunResult) -> str:
    """The line of the report header that is ours."""
    (line,) = (line for line in result.outlines if line.startswith("avatar: mode"))
    return line


def test_the_header_names_mode_and_base_url_of_a_run_without_settings(
    downstream: Downstream,
) -> None:
    line = header(downstream.run())

    assert (
        line
        == f"avatar: mode replay (auto: no KS on the command line), base URL {SERVICE} (default)"
    )


LAYERS = {
    "command line": (
        ["--avatar-mode=live", "--avatar-base-url=http://127.0.0.1:1/cli"],
        {"PYTEST_AVATAR_MODE": "record", "AVATAR_BASE_URL": "http://127.0.0.1:1/environment"},
        {"avatar_mode": "replay", "avatar_base_url": "http://127.0.0.1:1/ini"},
        "mode live (command line), base URL http://127.0.0.1:1/cli (command line)",
    ),
    "environment": (
        [],
        {"PYTEST_AVATAR_MODE": "record", "AVATAR_BASE_URL": "http://127.0.0.1:1/environment"},
        {"avatar_mode": "replay", "avatar_base_url": "http://127.0.0.1:1/ini"},
        "mode record (environment), base URL http://127.0.0.1:1/environment (environment)",
    ),
    "ini": (
        [],
        {"PYTEST_AVATAR_MODE": "", "AVATAR_BASE_URL": ""},
        {"avatar_mode": "live", "avatar_base_url": "http://127.0.0.1:1/ini"},
        "mode live (ini), base URL http://127.0.0.1:1/ini (ini)",
    ),
    "default": (
        ["--avatar-ks=x"],
        {},
        {},
        f"mode live (auto: a KS is on the command line), base URL {SERVICE} (default)",
    ),
}


@pytest.mark.parametrize(("options", "environment", "ini", "expected"), LAYERS.values(), ids=LAYERS)
def test_the_header_says_which_layer_spoke(
    downstream: Downstream,
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    environment: dict[str, str],
    ini: dict[str, str],
    expected: str,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    downstream.configure(**ini)

    assert header(downstream.run(*options)) == f"avatar: {expected}"


@pytest.mark.skipif(
    pytest.version_tuple < (9, 0), reason="pytest reads the table [tool.pytest] from 9.0 on"
)
def test_settings_in_pyproject_toml_are_read_with_their_own_types(downstream: Downstream) -> None:
    downstream.pytester.path.joinpath("tox.ini").unlink()
    downstream.pytester.makepyprojecttoml("""
        [tool.pytest]
        asyncio_default_fixture_loop_scope = "function"
        avatar_mode = "emulator"
        avatar_timeout = 2.5
        avatar_keep_alive = 0.0
        avatar_max_sessions = 3
        avatar_watch = true
        avatar_report = ["one.json", "two.md"]
    """)
    downstream.write("""
        def test_it(avatar_settings):
            assert avatar_settings.timeout == 2.5
            assert avatar_settings.keep_alive == 0
            assert avatar_settings.max_sessions == 3
            assert avatar_settings.watch is True
            assert [str(path) for path in avatar_settings.reports] == ["one.json", "two.md"]
            assert avatar_settings.sources["timeout"] == "ini"
    """)
    downstream.run().assert_outcomes(passed=1)


def test_a_ks_that_merely_stands_in_the_environment_spends_no_money(
    downstream: Downstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AVATAR_KS", KS)
    _ks, *options = downstream.live
    downstream.write("def test_it(avatar_session): ...")
    result = downstream.run(*options)

    assert header(result).startswith("avatar: mode replay (auto: no KS on the command line), ")
    assert result.ret == 1
    downstream.emulator.assert_untouched()


def test_a_ks_is_read_from_a_file(downstream: Downstream) -> None:
    downstream.pytester.path.joinpath("ks.txt").write_text(f"{KS}\n", "utf-8")
    downstream.write("def test_it(avatar_session, avatar_ks): assert len(avatar_ks) > 20")
    _ks, *options = downstream.live
    result = downstream.run("--avatar-ks=@ks.txt", *options)

    result.assert_outcomes(passed=1)
    downstream.emulator.assert_all_ended(1)


REFUSALS = {
    "mode (command line, --avatar-mode): 'liv' is none of them; accepted: auto, replay, record, "
    "live, emulator, verify": (["--avatar-mode=liv"], {}, {}),
    "mode (environment, PYTEST_AVATAR_MODE): 'liv' is none of them; accepted: auto, *": (
        [],
        {"PYTEST_AVATAR_MODE": "liv"},
        {},
    ),
    "mode (ini, avatar_mode): 'liv' is none of them; accepted: auto, *": (
        [],
        {},
        {"avatar_mode": "liv"},
    ),
    "what a leak does* (command line, --avatar-leaks): 'explode' is none of them; accepted: fail, "
    "warn, off": (["--avatar-leaks=explode"], {}, {}),
    "scope of avatar_session (command line, --avatar-session-scope): 'test' is none of them; "
    "accepted: function, class, module, package, session": (
        ["--avatar-session-scope=test"],
        {},
        {},
    ),
    "scope of avatar_session (ini, avatar_session_scope): 'test' is none of them; *": (
        [],
        {},
        {"avatar_session_scope": "test"},
    ),
    "request timeout (ini, avatar_timeout): *; accepted: seconds, more than 0": (
        [],
        {},
        {"avatar_timeout": "soon"},
    ),
    "request timeout (ini, avatar_timeout): '0*' would never wait; accepted: seconds, more than 0": (
        [],
        {},
        {"avatar_timeout": "0"},
    ),
    "keep-alive interval (ini, avatar_keep_alive): '-1*' is negative or endless; accepted: *": (
        [],
        {},
        {"avatar_keep_alive": "-1"},
    ),
    "longest life of a session (ini, avatar_max_session_duration): 'inf' is negative or endless; *": (
        [],
        {},
        {"avatar_max_session_duration": "inf"},
    ),
    "most sessions at once (ini, avatar_max_sessions): *; accepted: a whole number; 0 *": (
        [],
        {},
        {"avatar_max_sessions": "many"},
    ),
    "watch every test (ini, avatar_watch): *; accepted: true or false": (
        [],
        {},
        {"avatar_watch": "perhaps"},
    ),
    "watchdog (ini, avatar_watchdog): 'cat' is none of them; accepted: auto, require, off": (
        [],
        {},
        {"avatar_watchdog": "cat"},
    ),
    "create path (ini, avatar_create_path): '/new' is none of them; accepted: negotiate, base, "
    "/create": ([], {}, {"avatar_create_path": "/new"}),
    "avatar field (ini, avatar_id_field): 'name' is none of them; accepted: negotiate, avatarId, "
    "id": ([], {}, {"avatar_id_field": "name"}),
    "base URL (command line, --avatar-base-url): 'ftp://host/x' *; accepted: an https URL, or "
    "http on this machine": (["--avatar-base-url=ftp://host/x"], {}, {}),
    "base URL (environment): 'http://example.com/v1' would send the KS in the clear; accepted: an "
    "https URL, or http on this machine": (
        ["--avatar-ks=secret-ks"],
        {"AVATAR_BASE_URL": "http://example.com/v1"},
        {},
    ),
    "Kaltura Session (command line, --avatar-ks): the value is empty, or holds white space or "
    "other characters that no KS has; accepted: a KS, or @FILE with one in it": (
        ["--avatar-ks=secret-ks and more"],
        {},
        {},
    ),
    "Kaltura Session (environment, AVATAR_KS): the value names a file that cannot be read (No "
    "such file or directory); accepted: *": ([], {"AVATAR_KS": "@secret-ks"}, {}),
}
"""What is said, and the options, the environment and the ini that it is said of."""


@pytest.mark.parametrize(("expected", "layers"), REFUSALS.items(), ids=range(len(REFUSALS)))
def test_a_bad_value_is_one_line_and_exit_status_4(
    downstream: Downstream,
    monkeypatch: pytest.MonkeyPatch,
    expected: str,
    layers: tuple[list[str], dict[str, str], dict[str, str]],
) -> None:
    options, environment, ini = layers
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    downstream.configure(**ini)
    downstream.write("def test_it(avatar_session): ...")
    result = downstream.run(*options)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    errors = [line for line in result.errlines if line]
    assert len(errors) == 1, errors
    pytest.LineMatcher(errors).fnmatch_lines([f"ERROR: pytest-avatar: {expected}"])
    assert "secret-ks" not in result.stdout.str() + result.stderr.str()


@pytest.mark.parametrize("option", ["--help", "--version", "--markers", "--fixtures"])
def test_a_broken_configuration_does_not_keep_help_from_people(
    downstream: Downstream, option: str
) -> None:
    broken = {"avatar_mode": "nonsense", "avatar_timeout": "soon"}
    if option in ("--help", "--version"):
        downstream.configure(**broken)
    result = downstream.run(option)

    assert result.ret == 0


def test_help_lists_every_option_and_ini_key(downstream: Downstream) -> None:
    shown = downstream.run("--help").stdout.str()

    for name in ("ks", "id", "base-url", "mode", "cassette-dir", "leaks", "report", "github"):
        assert f"--avatar-{name}=" in shown
    assert "--avatar-session-scope=" in shown
    for key in (
        *("avatar_id", "avatar_base_url", "avatar_mode", "avatar_cassette_dir", "avatar_leaks"),
        *(
            "avatar_report",
            "avatar_github",
            "avatar_session_scope",
            "avatar_timeout",
            "avatar_keep_alive",
        ),
        *("avatar_max_session_duration", "avatar_max_sessions", "avatar_watch"),
        *("avatar_watchdog", "avatar_create_path", "avatar_id_field"),
    ):
        assert f"  {key} (" in shown


def test_a_ks_is_no_ini_key(downstream: Downstream) -> None:
    downstream.configure(avatar_ks="secret-ks")
    result = downstream.run("--strict-config")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*Unknown config option: avatar_ks*"])
    assert "secret-ks" not in result.stdout.str() + result.stderr.str()


DIALECTS = {
    "/create": ({"avatar_create_path": "/create"}, 1),
    "the field id": ({"avatar_id_field": "id"}, 1),
}


def test_a_pinned_create_path_is_not_negotiated(downstream: Downstream) -> None:
    downstream.configure(avatar_create_path="/create")
    downstream.write("def test_it(avatar_session): ...")
    downstream.emulator.add_faults("create:status=404,times=forever")
    result = downstream.run_live()

    assert result.ret == 1
    assert len(downstream.emulator.read("faults")) == 1


@pytest.mark.parametrize(("status", "tries"), [(404, 2), (405, 2), (400, 2), (422, 2), (401, 1)])
def test_the_other_side_of_a_disagreement_is_tried_once(
    downstream: Downstream, status: int, tries: int
) -> None:
    downstream.write("def test_it(avatar_session): ...")
    downstream.emulator.add_faults(f"create:status={status},times=forever")
    result = downstream.run_live()

    assert result.ret == 1
    assert len(downstream.emulator.read("faults")) == tries
    downstream.emulator.assert_all_ended(0)
