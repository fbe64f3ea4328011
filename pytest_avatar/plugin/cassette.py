"""The cassette as test authors see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_avatar.core.cassette import Interaction
    from pytest_avatar.core.interception import Tape

__all__ = ["AvatarCassette"]


class AvatarCassette:
    """The cassette of the test that runs."""

    def __init__(self, tape: Tape) -> None:
        self._tape: Final = tape

    @property
    def path(self) -> Path | None:
        """Its file; `None` in the modes without cassettes."""
        return getattr(self._tape, "path", None)

    @property
    def played(self) -> tuple[Interaction, ...]:
        """What has been played, in the order of the requests; nothing but in a replay is."""
        return getattr(self._tape, "played", ())

    @property
    def unplayed(self) -> tuple[Interaction, ...]:
        """What no request has asked for so far, keep-alives aside."""
        return getattr(self._tape, "unplayed", ())
