"""The settings as pytest sees them: options, ini keys, and what they resolve to."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import pytest

from pytest_avatar.core.errors import SettingError
from pytest_avatar.core.setting_table import ROWS, Row, resolve

if TYPE_CHECKING:
    from pytest_avatar.core.settings import AvatarSettings, Scope

__all__ = ["add_options", "resolve_settings", "session_scope", "settings_key"]

settings_key: Final = pytest.StashKey["AvatarSettings"]()

_NO_DEFAULT: Final = None  # a default here would silence the layers below


def add_options(parser: pytest.Parser) -> None:
    """Declare every row of the settings table."""
    group = parser.getgroup("avatar", "Kaltura avatar sessions")
    for row in ROWS:
        if row.option is not None:
            group.addoption(
                row.option,
                dest=_dest(row),
                action="append",
                default=_NO_DEFAULT,
                metavar=row.option.rpartition("-")[2].upper(),
                help=f"{row.help}. Accepted: {row.accepted}.",
            )
        if row.ini is not None:
            parser.addini(row.ini, row.help, type=row.ini_type, default=_NO_DEFAULT)


def resolve_settings(config: pytest.Config) -> AvatarSettings:
    """Return the settings of the run.

    Raises:
        pytest.UsageError: A value is not accepted; one line, exit status 4.
    """
    command_line = {
        row.option: "\n".join(given) if row.name == "reports" else given[-1]
        for row in ROWS
        if row.option is not None and (given := config.getoption(_dest(row)))
    }
    ini = {row.ini: text for row in ROWS if row.ini and (text := _read_ini(config, row))}
    try:
        return resolve(command_line, os.environ, ini)
    except SettingError as error:
        raise pytest.UsageError(f"pytest-avatar: {error}") from None


def session_scope(fixture_name: str, config: pytest.Config) -> Scope:  # noqa: ARG001 - pytest's
    """Return the scope of `avatar_session`."""
    return config.stash[settings_key].session_scope


def _dest(row: Row) -> str:
    return f"avatar_{row.name}"


def _read_ini(config: pytest.Config, row: Row) -> str:
    assert row.ini is not None
    try:
        value = config.getini(row.ini)
    except (TypeError, ValueError, pytest.UsageError) as error:
        raise pytest.UsageError(
            f"pytest-avatar: {row.title} (ini, {row.ini}): {error}; accepted: {row.accepted}"
        ) from None
    if value is None:
        return ""
    return "\n".join(value) if isinstance(value, list) else str(value)
