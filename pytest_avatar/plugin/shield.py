"""What keeps a run without a service from reaching it, from its first conftest to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from pytest_avatar.adapters.interception.guard import EMULATOR_ADVICE, REPLAY_ADVICE, Guard
from pytest_avatar.core import placeholders
from pytest_avatar.core.errors import SettingError
from pytest_avatar.core.http import BaseUrl
from pytest_avatar.core.settings import Mode

if TYPE_CHECKING:
    from pytest_avatar.core.settings import AvatarSettings
    from pytest_avatar.emulator import Emulator

__all__ = ["Shield"]


class Shield:
    """Refuses connections to the service, hides the KS, and stands the emulator in its place.

    `AVATAR_KS`, `AVATAR_ID` and `AVATAR_BASE_URL` are set for the code under test, which may ask
    for them.

    It goes up before the code under test is imported, which may read the environment then. In the
    modes that use the service it does nothing.

    Args:
        settings: The settings of the run.

    Attributes:
        is_up: Whether it has anything to do.
        base_url: Where the code under test finds the service, or what stands in its place.
        refusals: What was refused, in words.

    Raises:
        pytest.UsageError: The emulator cannot be started.
    """

    def __init__(self, settings: AvatarSettings) -> None:
        self.is_up: Final = not settings.mode.is_live
        self.base_url: BaseUrl = settings.base_url
        self.refusals: Final[list[str]] = []
        self._environment: Final = pytest.MonkeyPatch()
        self._emulator: Emulator | None = None
        advice = REPLAY_ADVICE if settings.mode is Mode.REPLAY else EMULATOR_ADVICE
        self._guard: Final = Guard(settings.base_url, self.refusals.append, advice)
        if settings.mode is Mode.EMULATOR:
            self._start_emulator()
        if self.is_up:
            self._guard.on()
            self._environment.setenv("AVATAR_KS", placeholders.KS)
            self._environment.setenv("AVATAR_ID", settings.avatar_id or placeholders.AVATAR_ID)
            self._environment.setenv("AVATAR_BASE_URL", str(self.base_url))

    def lower(self) -> None:
        """Put everything back."""
        self._guard.off()
        self._environment.undo()
        if self._emulator is not None:
            self._emulator.stop()

    def _start_emulator(self) -> None:
        from pytest_avatar.emulator import Emulator  # noqa: PLC0415 - needs the extra

        try:
            self._emulator = Emulator().start()
        except SettingError as error:
            raise pytest.UsageError(f"pytest-avatar: {error}") from None
        self.base_url = BaseUrl(self._emulator.base_url)
