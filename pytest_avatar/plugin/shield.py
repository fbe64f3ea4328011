"""What keeps a run without a service from reaching it, from its first conftest to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from pytest_avatar.adapters.interception.guard import EMULATOR_ADVICE, REPLAY_ADVICE, Guard
from pytest_avatar.core import placeholders
from pytest_avatar.core.settings import Mode

if TYPE_CHECKING:
    from pytest_avatar.core.settings import AvatarSettings

__all__ = ["Shield"]


class Shield:
    """Refuses connections to the service, and hides the KS from the code under test.

    In the modes that use the service it does nothing.

    Args:
        settings: The settings of the run.

    Attributes:
        is_up: Whether it has anything to do.
        refusals: What was refused, in words.
    """

    def __init__(self, settings: AvatarSettings) -> None:
        self.refusals: Final[list[str]] = []
        self.is_up: Final = not settings.mode.is_live
        self._environment: Final = pytest.MonkeyPatch()
        advice = REPLAY_ADVICE if settings.mode is Mode.REPLAY else EMULATOR_ADVICE
        self._guard: Final = Guard(settings.base_url, self.refusals.append, advice)
        if self.is_up:
            self._guard.on()
            self._environment.setenv("AVATAR_KS", placeholders.KS)

    def lower(self) -> None:
        """Put everything back."""
        self._guard.off()
        self._environment.undo()
