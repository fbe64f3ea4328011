"""What the texts of every setting mean, and how a wrong one is refused: in one line."""

# ruff: noqa: ANN401 - a setting may be of any type

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_avatar.core.errors import SettingError
from pytest_avatar.core.http import BaseUrl
from pytest_avatar.core.setting_table import ROWS, Row, gather
from pytest_avatar.core.setting_values import check_ks, read_base_url, read_ks, resolve
from pytest_avatar.core.settings import (
    AvatarSettings,
    GithubPolicy,
    LeakPolicy,
    Mode,
    WatchdogPolicy,
)
from pytest_avatar.core.wire import DEFAULT_BASE_URL

KS = "djJ8MTIzNDU2fGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6"

BY_NAME = {row.name: row for row in ROWS}


def settings_of(layer: str, row: Row, text: str) -> AvatarSettings:
    texts: dict[str, dict[str, str]] = {"option": {}, "environment": {}, "ini": {}}
    texts[layer][getattr(row, layer)] = text
    return resolve(gather(texts["option"], texts["environment"], texts["ini"]))


def layers_of(row: Row) -> list[str]:
    return [layer for layer in ("option", "environment", "ini") if getattr(row, layer) is not None]


def refusal(name: str, text: str, layer: str | None = None) -> str:
    """Return what is said of a wrong text, by default in the first layer that the row has."""
    row = BY_NAME[name]
    with pytest.raises(SettingError) as caught:
        settings_of(layer or layers_of(row)[0], row, text)
    assert caught.value.setting == row.title
    return str(caught.value)


def test_defaults_are_those_of_the_reference() -> None:
    assert resolve(gather({}, {}, {})) == AvatarSettings(
        ks=None,
        avatar_id=None,
        base_url=BaseUrl(DEFAULT_BASE_URL),
        mode=Mode.REPLAY,
        cassette_dir=Path("cassettes"),
        leaks=LeakPolicy.FAIL,
        reports=(),
        github=GithubPolicy.AUTO,
        session_scope="function",
        timeout=30.0,
        keep_alive=10.0,
        max_session_duration=1800.0,
        max_sessions=0,
        watch=False,
        watchdog=WatchdogPolicy.AUTO,
        create_path=None,
        id_field=None,
        sources={row.name: "default" for row in ROWS} | {"mode": "auto: no KS on the command line"},
    )


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("ks", KS, KS),
        ("avatar_id", "ada", "ada"),
        ("base_url", "https://eu.example/v1/", BaseUrl("https://eu.example/v1")),
        *(("mode", mode, mode) for mode in Mode),
        ("cassette_dir", "tests/cassettes", Path("tests/cassettes")),
        *(("leaks", policy, policy) for policy in LeakPolicy),
        *(("github", policy, policy) for policy in GithubPolicy),
        ("reports", "a.json\n\n b c.html ", (Path("a.json"), Path("b c.html"))),
        *(("session_scope", s, s) for s in ("function", "class", "module", "package", "session")),
        ("timeout", "0.5", 0.5),
        ("keep_alive", "0", 0.0),
        ("max_session_duration", "1e3", 1000.0),
        ("max_sessions", "5", 5),
        *(("watch", text, True) for text in ("true", "YES", "on", "1")),
        *(("watch", text, False) for text in ("False", "no", "off", "0")),
        *(("watchdog", policy, policy) for policy in WatchdogPolicy),
        ("create_path", "base", ""),
        ("create_path", "/create", "/create"),
        ("create_path", "negotiate", None),
        ("id_field", "id", "id"),
        ("id_field", "avatarId", "avatarId"),
        ("id_field", "negotiate", None),
    ],
)
def test_a_text_is_read_the_same_in_every_layer(name: str, text: str, value: Any) -> None:
    row = BY_NAME[name]
    for layer in layers_of(row):
        settings = settings_of(layer, row, text)
        assert getattr(settings, name) == value
        assert settings.sources[name] == {"option": "command line"}.get(layer, layer)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "mode",
            "Replay",
            (
                "mode (command line, --avatar-mode): 'Replay' is none of them; "
                "accepted: auto, replay, record, live, emulator, verify"
            ),
        ),
        (
            "leaks",
            "ignore",
            (
                "what a leak does (command line, --avatar-leaks): 'ignore' is none of them; "
                "accepted: fail, warn, off"
            ),
        ),
        (
            "session_scope",
            "test",
            (
                "scope of avatar_session (command line, --avatar-session-scope): 'test' is none of "
                "them; accepted: function, class, module, package, session"
            ),
        ),
        (
            "timeout",
            "0",
            (
                "request timeout (ini, avatar_timeout): '0' would never wait; "
                "accepted: seconds, more than 0"
            ),
        ),
        (
            "keep_alive",
            "-1",
            (
                "keep-alive interval (ini, avatar_keep_alive): '-1' is negative or endless; "
                "accepted: seconds; 0 sends none"
            ),
        ),
        (
            "max_session_duration",
            "inf",
            (
                "longest life of a session (ini, avatar_max_session_duration): 'inf' is negative "
                "or endless; accepted: seconds; 0 sets no limit"
            ),
        ),
        (
            "max_sessions",
            "1.5",
            (
                "most sessions at once (ini, avatar_max_sessions): '1.5' is no whole number; "
                "accepted: a whole number; 0 sets no limit"
            ),
        ),
        (
            "watch",
            "maybe",
            "watch every test (ini, avatar_watch): 'maybe' is neither; accepted: true or false",
        ),
        (
            "watchdog",
            "on",
            "watchdog (ini, avatar_watchdog): 'on' is none of them; accepted: auto, require, off",
        ),
        (
            "create_path",
            "create",
            (
                "create path (ini, avatar_create_path): 'create' is none of them; "
                "accepted: negotiate, base, /create"
            ),
        ),
        (
            "id_field",
            "avatar",
            (
                "avatar field (ini, avatar_id_field): 'avatar' is none of them; "
                "accepted: negotiate, avatarId, id"
            ),
        ),
        (
            "base_url",
            "https://h:x",
            (
                "base URL (command line, --avatar-base-url): 'https://h:x' has a port that is no number "
                "from 1 to 65535; accepted: an https URL, or http on this machine"
            ),
        ),
        (
            "ks",
            "two words",
            (
                "Kaltura Session (command line, --avatar-ks): the value is empty, or holds white "
                "space or other characters that no KS has; accepted: a KS, or @FILE with one in it"
            ),
        ),
    ],
)
def test_a_wrong_text_is_refused_in_one_line(name: str, text: str, message: str) -> None:
    assert refusal(name, text) == message


def test_a_refusal_names_the_layer_that_spoke() -> None:
    assert "(environment, PYTEST_AVATAR_MODE): 'x'" in refusal("mode", "x", "environment")
    assert "(ini, avatar_mode): 'x'" in refusal("mode", "x", "ini")


@given(st.text(min_size=1), st.sampled_from([row for row in ROWS if not row.is_secret]))
def test_any_text_is_read_or_refused_in_one_line(text: str, row: Row) -> None:
    refused = ""
    try:
        settings_of(layers_of(row)[-1], row, text)
    except SettingError as error:
        refused = str(error)
    assert "\n" not in refused
    assert not refused or refused.startswith(f"{row.title} (")
    assert not refused or refused.endswith(f"; accepted: {row.accepted}")


@pytest.mark.parametrize(
    ("name", "text", "secret"),
    [
        ("ks", f"{KS} {KS}", KS),
        ("base_url", "https://user:s3cretpw@avatar.example", "s3cretpw"),
        ("base_url", f"https://avatar.example/?ks={KS}", KS),
        ("mode", KS, KS),
    ],
)
def test_a_refusal_shows_no_secret(name: str, text: str, secret: str) -> None:
    for layer in layers_of(BY_NAME[name]):
        assert secret not in refusal(name, text, layer)


def test_only_a_ks_on_the_command_line_spends_money() -> None:
    at_once = resolve(gather({"--avatar-ks": KS}, {}, {}))
    assert (at_once.mode, at_once.sources["mode"]) == (
        Mode.LIVE,
        "auto: a KS is on the command line",
    )
    standing_by = resolve(gather({}, {"AVATAR_KS": KS}, {}))
    assert (standing_by.mode, standing_by.ks) == (Mode.REPLAY, KS)
    chosen = resolve(gather({"--avatar-ks": KS}, {"PYTEST_AVATAR_MODE": "record"}, {}))
    assert (chosen.mode, chosen.sources["mode"]) == (Mode.RECORD, "environment")
    auto = resolve(gather({"--avatar-mode": "auto"}, {"AVATAR_KS": KS}, {"avatar_mode": "live"}))
    assert auto.mode is Mode.REPLAY


@pytest.mark.parametrize(
    "url", ["http://avatar.example/v1", "http://127.evil.example", "http://localhost.evil.example"]
)
def test_a_ks_is_not_sent_in_the_clear(url: str) -> None:
    message = (
        f"base URL (environment): '{url}' would send the KS in the clear; "
        "accepted: an https URL, or http on this machine"
    )
    with pytest.raises(SettingError) as caught:
        resolve(gather({}, {"AVATAR_KS": KS, "AVATAR_BASE_URL": url}, {}))
    assert str(caught.value) == message
    assert resolve(gather({}, {"AVATAR_BASE_URL": url}, {})).base_url == BaseUrl(url)


@pytest.mark.parametrize("url", ["https://avatar.example", "http://127.0.0.1:1", "http://[::1]:1"])
def test_a_ks_is_sent_encrypted_or_to_this_machine(url: str) -> None:
    assert read_base_url(url, guards_secret=True) == BaseUrl(url)


def test_a_base_url_given_in_code_is_refused_in_one_line() -> None:
    with pytest.raises(SettingError) as caught:
        read_base_url("http://avatar.example", guards_secret=True)
    assert str(caught.value) == (
        "base URL: http://avatar.example would send the KS in the clear; "
        "accepted: an https URL, or http on this machine"
    )
    with pytest.raises(
        SettingError, match="base URL: 'https://' names no host; accepted: an https URL"
    ):
        read_base_url("https://", guards_secret=False)
    assert read_base_url("http://avatar.example", guards_secret=False).scheme == "http"


def test_a_ks_is_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "ks").write_text(f"{KS}\n")
    assert read_ks(f"@{tmp_path / 'ks'}") == KS


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, r"names a file that cannot be read \(No such file or directory\)"),
        (b"\xff\xfe", r"names a file that cannot be read \(not text\)"),
        (b"", "is empty, or holds white space or other characters that no KS has"),
        (b"djJ8 djJ8", "is empty, or holds white space"),
        ("djJ8é".encode(), "is empty, or holds white space"),
    ],
)
def test_a_file_without_a_ks_is_refused(tmp_path: Path, content: bytes | None, reason: str) -> None:
    if content is not None:
        (tmp_path / "ks").write_bytes(content)
    with pytest.raises(ValueError, match=reason):
        read_ks(f"@{tmp_path / 'ks'}")


def test_a_ks_given_in_code_is_meant_literally() -> None:
    assert check_ks("@ks") == "@ks"
    with pytest.raises(SettingError) as caught:
        check_ks(f"{KS}\n")
    assert str(caught.value) == (
        "Kaltura Session: the value is empty, or holds white space or other characters that no "
        "KS has"
    )
