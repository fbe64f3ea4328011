"""From a project that uses avatars to a run that watches them.

What that takes is imported piece by piece, when it is needed.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import pytest

from pytest_avatar.plugin.options import cassette_folder, resolved

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_avatar.plugin.run import AvatarRun
    from pytest_avatar.plugin.shield import Shield

__all__ = [
    "begin",
    "listen",
    "raise_shield",
    "run_of",
    "watch",
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
    """Shield an offline run from the beginning."""
    _shield_of(config)


def begin(config: pytest.Config) -> None:
    """Take part in a run, also if no test uses avatars.

    What the shield refuses is told at the end, and the cassette folder is collected by us.
    """
    run_of(config)
    folder = cassette_folder(config)
    if os.path.isdir(folder):  # noqa: PTH112 - fast
        from pytest_avatar.plugin.collecting import CassetteCollecting  # noqa: PLC0415 - see above

        config.pluginmanager.register(CassetteCollecting(folder), "avatar-collecting")
    if resolved(config).max_sessions and config.get_verbosity() > 0:
        from pytest_avatar.plugin.waiting import WaitTeller  # noqa: PLC0415 - only with a limit

        config.pluginmanager.register(WaitTeller(config), "avatar-waits")


def listen(config: pytest.Config) -> None:
    """Listen from before the tests are imported, where a session of theirs would be a real one."""
    if resolved(config).mode != "replay":
        run_of(config).activate()


def watch(config: pytest.Config, items: Sequence[pytest.Item]) -> None:
    """Watch tests, and all others too if the settings say so."""
    if items or resolved(config).watch:
        run = run_of(config)
        for item in items:
            run.watch(item)
        run.activate()


def _shield_of(config: pytest.Config) -> Shield:
    if _shield_key not in config.stash:
        from pytest_avatar.plugin.shield import Shield  # noqa: PLC0415 - see above

        shield = config.stash[_shield_key] = Shield(resolved(config))
        config.add_cleanup(shield.lower)
    return config.stash[_shield_key]
