"""The settings as pytest sees them: options, ini keys, the header, and what they resolve to."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Final, cast

import pytest

from pytest_avatar.core.setting_table import ROWS, Given, Row, gather

if TYPE_CHECKING:
    from pytest_avatar.core.settings import AvatarSettings, Scope

__all__ = [
    "LIST_OPTION",
    "add_options",
    "cassette_folder",
    "gather_settings",
    "header_lines",
    "is_configured",
    "resolved",
    "session_scope",
]

LIST_OPTION: Final = "--avatar-list-cassettes"
"""Asked by `pytest-avatar cassettes`: writes to a file which cassettes the tests may use."""

_given_key: Final[pytest.StashKey[dict[str, Given]]] = pytest.StashKey()
_is_silent_key: Final[pytest.StashKey[bool]] = pytest.StashKey()
_resolved_key: Final[pytest.StashKey[AvatarSettings]] = pytest.StashKey()

_NOT_GIVEN: Final = None  # any other default would silence the layers below


def add_options(parser: pytest.Parser) -> None:
    """Declare every row of the settings table."""
    group = parser.getgroup("avatar", "Kaltura avatar sessions")
    for row in ROWS:
        if row.option is not None:
            group.addoption(
                row.option,
                dest=_dest(row),
                action="append",
                default=_NOT_GIVEN,
                metavar=row.option.rpartition("-")[2].upper(),
                help=f"{row.help}. Accepted: {row.accepted}.",
            )
        if row.ini is not None:
            parser.addini(row.ini, row.help, type=row.ini_type, default=_NOT_GIVEN)
    group.addoption(LIST_OPTION, metavar="FILE", help=argparse.SUPPRESS)


def gather_settings(config: pytest.Config, options: argparse.Namespace) -> None:
    """Ask every layer; check the values at once if any layer speaks. Twice is harmless.

    Args:
        config: pytest's configuration.
        options: The command line, as far as it is known.

    Raises:
        pytest.UsageError: A value is not accepted; one line, exit status 4.
    """
    if _given_key in config.stash:
        return
    command_line = {
        row.option: "\n".join(given) if row.name == "reports" else given[-1]
        for row in ROWS
        if row.option is not None and (given := getattr(options, _dest(row)))
    }
    ini = {row.ini: text for row in ROWS if row.ini and (text := _read_ini(config, row))}
    given = config.stash[_given_key] = gather(command_line, os.environ, ini)
    config.stash[_is_silent_key] = all(one.is_default for one in given.values())
    if not config.stash[_is_silent_key]:
        resolved(config)


def resolved(config: pytest.Config) -> AvatarSettings:
    """Return the settings of the run.

    Raises:
        pytest.UsageError: A value is not accepted; one line, exit status 4.
    """
    if _resolved_key not in config.stash:
        config.stash[_resolved_key] = _resolve(config.stash[_given_key])
    return config.stash[_resolved_key]


def is_configured(config: pytest.Config) -> bool:
    """Whether the project shows that it uses avatars: by a setting, or by a cassette folder."""
    return not config.stash[_is_silent_key] or os.path.isdir(cassette_folder(config))  # noqa: PTH112 - fast


def cassette_folder(config: pytest.Config) -> str:
    """Return the cassette folder, whether or not it is there."""
    return os.path.join(config.rootpath, str(config.stash[_given_key]["cassette_dir"].text))  # noqa: PTH118 - fast


def header_lines(config: pytest.Config) -> list[str]:
    """Return what the report header says: mode and base URL, and who chose them."""
    if config.stash[_is_silent_key]:
        mode = "replay (auto: no KS on the command line)"
        base_url = config.stash[_given_key]["base_url"].text
        return [f"avatar: mode {mode}, base URL {base_url} (default)"]
    from pytest_avatar.plugin.header import describe_settings  # noqa: PLC0415 - see the table

    return list(describe_settings(config, resolved(config)))


def session_scope(fixture_name: str, config: pytest.Config) -> Scope:  # noqa: ARG001 - pytest's
    """Return the scope of `avatar_session`."""
    return cast("Scope", config.stash[_given_key]["session_scope"].text)


def _resolve(given: dict[str, Given]) -> AvatarSettings:
    from pytest_avatar.core.errors import SettingError  # noqa: PLC0415 - see the table
    from pytest_avatar.core.setting_values import resolve  # noqa: PLC0415

    try:
        settings = resolve(given)
        for path in settings.reports:
            from pytest_avatar.adapters.reports import check_suffix  # noqa: PLC0415 - if asked for

            check_suffix(path)
    except SettingError as error:
        raise pytest.UsageError(f"pytest-avatar: {error}") from None
    return settings


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
