"""Makes tapes: which file, and with what. A run imports the kind of tape that it uses."""

from __future__ import annotations

import os
import shlex
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pytest_avatar.core.identities import Identities
from pytest_avatar.core.placeholders import AVATAR_ID
from pytest_avatar.core.playback import DEFAULT_MATCH_ON
from pytest_avatar.core.settings import Mode
from pytest_avatar.plugin.cassette_paths import fixture_path, item_path
from pytest_avatar.plugin.demands import AllowLeaks, CassetteChoice
from pytest_avatar.plugin.markers import closest
from pytest_avatar.plugin.settling import settle

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from pytest_avatar.adapters.cassettes.lanes import Lanes
    from pytest_avatar.core.interception import Tape
    from pytest_avatar.core.misses import Place
    from pytest_avatar.plugin.run import AvatarRun
    from pytest_avatar.plugin.stage import FixtureCue

__all__ = ["TapeMaker"]

_DEFAULTS: Final = CassetteChoice(None, DEFAULT_MATCH_ON, allow_repeats=False)


class TapeMaker:
    """Makes the tapes of a run with cassettes.

    Args:
        run: The run of this process.
    """

    def __init__(self, run: AvatarRun) -> None:
        self._run: Final = run
        self._lanes: Lanes | None = None
        self._identities: Final = Identities()
        self._folder: Final = str(run.cassette_folder)
        self._shown_folder: Final = run.shown(run.cassette_folder)
        avatar_id = run.settings.avatar_id
        is_named = avatar_id not in (None, AVATAR_ID)  # a shielded controller sets it for workers
        self._aliases: Final = {str(avatar_id): AVATAR_ID} if is_named else {}

    def install(self) -> Callable[[], None] | None:
        """Follow threads and tasks while recording; return what stops it."""
        if self._run.settings.mode is not Mode.RECORD:
            return None
        from pytest_avatar.adapters.cassettes.lanes import Lanes  # noqa: PLC0415 - as all below

        self._lanes = Lanes()
        return self._lanes.install()

    def for_test(self, item: pytest.Item) -> Tape:
        """Return a fresh tape for a test."""
        choice: CassetteChoice = closest(item, "avatar_cassette") or _DEFAULTS
        path = item_path(item, choice.name)
        return self._make(path, item.nodeid, choice, item=item)

    def for_fixture(self, cue: FixtureCue, request: pytest.FixtureRequest, number: int) -> Tape:
        """Return a fresh tape for an instance of a fixture that outlives a test.

        Args:
            cue: The fixture.
            request: What asks for it.
            number: More than 1 if it extends a fixture of its own name, which lives already.
        """
        label = _label(cue, number)
        parameter = getattr(request, "param_index", 0) if hasattr(request, "param") else None
        path = fixture_path(cue, request.node, parameter, number=number)
        test = self._run.stage.item
        return self._make(path, test.nodeid if test else "", _DEFAULTS, label=label)

    def settle(self, tape: Tape, *, failed: bool, sat_out: bool) -> list[str]:
        """Settle with a tape that was made here; see `settling.settle`."""
        mode, findings = self._run.settings.mode, self._run.findings
        return settle(tape, mode, findings, failed=failed, sat_out=sat_out)

    def _make(
        self,
        name: str,
        node_id: str,
        choice: CassetteChoice,
        *,
        label: str | None = None,
        item: pytest.Item | None = None,
    ) -> Tape:
        settings = self._run.settings
        shared: dict[str, Any] = {
            "base": settings.base_url,
            "secrets": self._run.secrets,
            "aliases": self._aliases,
        }
        if settings.mode is Mode.RECORD:
            reason = None if item is None else _reason_for_leaks(item)
            path = Path(self._folder, name)
            return self._new_tape(path, label=label, leaks_allowed=reason, **shared)
        file = f"{self._folder}{os.sep}{name.replace('/', os.sep)}"  # a path takes longer
        shared |= {
            "place": lambda: self._place(name, node_id),
            "match_on": choice.match_on,
            "allow_repeats": choice.allow_repeats,
        }
        return self._new_tape(file, **shared)

    def _place(self, name: str, node_id: str) -> Place:
        """Return what messages about a cassette say of where it is played."""
        from pytest_avatar.core.misses import Place  # noqa: PLC0415

        shown = os.path.join(self._shown_folder, name)  # noqa: PTH118 - a text
        return Place(node_id, shown, _record_command(node_id))

    @cached_property
    def _new_tape(self) -> Callable[..., Tape]:
        """What makes the tapes of this mode. No other kind is imported, and this one once."""
        mode = self._run.settings.mode
        if mode is Mode.REPLAY:
            from pytest_avatar.adapters.cassettes.replay import ReplayTape  # noqa: PLC0415

            return ReplayTape
        if mode is Mode.VERIFY:
            from pytest_avatar.adapters.cassettes.verify import VerifyTape  # noqa: PLC0415

            return partial(VerifyTape, identities=self._identities)
        from pytest_avatar.adapters.cassettes.record import RecordTape  # noqa: PLC0415

        assert self._lanes is not None
        return partial(RecordTape, identities=self._identities, lanes=self._lanes)


def _label(cue: FixtureCue, number: int) -> str:
    """Return what tells the sessions of a fixture from those of all that live at the same time."""
    if cue.name == "avatar_session":
        return cue.scope
    home = cue.home.removesuffix(".py").replace("/", ".")
    names = [cue.scope, *([home] if home and cue.scope in ("package", "session") else []), cue.name]
    return "-".join(names if number == 1 else [*names, str(number)])


def _reason_for_leaks(item: pytest.Item) -> str | None:
    """Return why a test may leave sessions open; `None` if it may not."""
    allowance: AllowLeaks | None = closest(item, "avatar_allow_leaks")
    return None if allowance is None else allowance.reason


def _record_command(node_id: str) -> str:
    return f"pytest --avatar-mode=record --avatar-ks=… --avatar-id=… {shlex.quote(node_id)}"
