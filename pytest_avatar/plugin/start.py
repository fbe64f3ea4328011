"""From nothing to a run that watches: what costs time is imported here, and only when needed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import pytest

from pytest_avatar.plugin.options import LIST_OPTION, cassette_folder, is_configured, resolved

if TYPE_CHECKING:
    from pytest_avatar.plugin.run import AvatarRun
    from pytest_avatar.plugin.shield import Shield

__all__ = [
    "begin",
    "is_watching_all",
    "list_cassettes",
    "listen",
    "pass_over_cassettes",
    "raise_shield",
    "run_of",
    "tell_waits",
    "watching_run",
]

_run_key: Final[pytest.StashKey[AvatarRun]] = pytest.StashKey()
_shield_key: Final[pytest.StashKey[Shield]] = pytest.StashKey()


def run_of(config: pytest.Config) -> AvatarRun:
    """Return the run of this process; it is made when it is first asked for."""
    if _run_key not in config.stash:
        from pytest_avatar.plugin.run import AvatarRun  # noqa: PLC0415 - see above

        run = config.stash[_run_key] = AvatarRun(config, resolved(config), _shield_of(config))
        config.add_cleanup(run.close)
    return config.stash[_run_key]


def watching_run(request: pytest.FixtureRequest) -> AvatarRun:
    """Return the run on behalf of a fixture of ours, which may have been asked for by name only."""
    run = run_of(request.config)
    run.activate()
    if run.stage.item is not None:
        run.watch(run.stage.item)
    return run


def raise_shield(config: pytest.Config) -> None:
    """Shield an offline run from the beginning, where the project shows that it uses avatars.

    Where it does not, the shield goes up when a test is found that does.
    """
    if is_configured(config):
        _shield_of(config)


def begin(config: pytest.Config) -> None:
    """Have what the shield refuses told at the end, also if no test uses avatars."""
    raise_shield(config)
    if _shield_key in config.stash:
        run_of(config)


def listen(config: pytest.Config) -> None:
    """Listen from before the tests are imported, where a session of theirs would be a real one."""
    if is_configured(config) and resolved(config).mode != "replay":
        run_of(config).activate()


def tell_waits(config: pytest.Config) -> None:
    """Have tests that waited for a free place named with `-v`, if places are limited."""
    if is_configured(config) and resolved(config).max_sessions and config.get_verbosity() > 0:
        from pytest_avatar.plugin.waiting import WaitTeller  # noqa: PLC0415 - only with a limit

        config.pluginmanager.register(WaitTeller(config), "avatar-waits")


def pass_over_cassettes(config: pytest.Config) -> None:
    """Collect the cassette folder ourselves, if there is one."""
    folder = cassette_folder(config)
    if os.path.isdir(folder):  # noqa: PTH112 - fast
        from pytest_avatar.plugin.collecting import CassetteCollecting  # noqa: PLC0415 - see above

        config.pluginmanager.register(CassetteCollecting(folder), "avatar-collecting")


def list_cassettes(config: pytest.Config) -> None:
    """Write down which cassettes the tests may use, if `pytest-avatar cassettes` asks."""
    file = config.getoption(LIST_OPTION)
    if file:
        from pytest_avatar.plugin.listing import Lister  # noqa: PLC0415 - only when asked

        config.pluginmanager.register(Lister(file), "avatar-lister")


def is_watching_all(config: pytest.Config) -> bool:
    """Whether every test is watched."""
    return _run_key in config.stash and config.stash[_run_key].settings.watch


def _shield_of(config: pytest.Config) -> Shield:
    if _shield_key not in config.stash:
        from pytest_avatar.plugin.shield import Shield  # noqa: PLC0415 - see above

        shield = config.stash[_shield_key] = Shield(resolved(config))
        config.add_cleanup(shield.lower)
    return config.stash[_shield_key]
