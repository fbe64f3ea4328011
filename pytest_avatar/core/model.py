"""The values that users hold: a token, an avatar's options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["AvatarOptions", "Token"]


class Token(str):
    """A secret string: it compares and travels as itself, but its `repr` hides it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'<token>'" if self else "''"


class AvatarOptions(NamedTuple):
    """How a session is created.

    Attributes:
        avatar_id: Who appears; `None` takes the setting.
        voice_id: Whose voice; `None` leaves it to the service.
        voice_speed: Multiplier, 1.0 = normal; `None` leaves it to the service.
        extra: Further fields of the create body, merged object by object.
    """

    avatar_id: str | None = None
    voice_id: str | None = None
    voice_speed: float | None = None
    extra: Mapping[str, Any] | None = None

    def or_else(self, others: AvatarOptions) -> AvatarOptions:
        """Return these options, with those of `others` where these are `None`."""
        both = zip(self, others, strict=True)
        return AvatarOptions._make(theirs if own is None else own for own, theirs in both)
