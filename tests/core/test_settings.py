from __future__ import annotations

import dataclasses

import pytest

from pytest_avatar.core.setting_table import gather
from pytest_avatar.core.setting_values import resolve
from pytest_avatar.core.settings import LeakPolicy, Mode, WatchdogPolicy


@pytest.mark.parametrize(
    ("mode", "is_live", "uses_cassettes"),
    [
        (Mode.REPLAY, False, True),
        (Mode.RECORD, True, True),
        (Mode.LIVE, True, False),
        (Mode.EMULATOR, False, False),
        (Mode.VERIFY, True, True),
    ],
)
def test_a_mode_says_what_it_touches(mode: Mode, is_live: bool, uses_cassettes: bool) -> None:
    assert mode.is_live is is_live
    assert mode.uses_cassettes is uses_cassettes


def test_the_policies_are_those_of_the_reference() -> None:
    assert [*LeakPolicy] == ["fail", "warn", "off"]
    assert [*WatchdogPolicy] == ["auto", "require", "off"]


def test_the_settings_are_read_only_and_do_not_show_the_ks() -> None:
    settings = resolve(gather({"--avatar-ks": "djJ8secret"}, {}, {}))
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.timeout = 1  # type: ignore[misc] # that is the point
    assert settings.ks == "djJ8secret"
    assert "djJ8secret" not in repr(settings)
