"""The values that users hold: a token, an avatar's options, a way to watch."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["AvatarOptions", "ClientConnection", "Token", "Turn"]


class Token(str):
    """A secret string: it compares and travels as itself, but its `repr` hides it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'<token>'" if self else "''"


@dataclass(frozen=True, slots=True)
class AvatarOptions:
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
        chosen = {
            item.name: getattr(others if getattr(self, item.name) is None else self, item.name)
            for item in fields(self)
        }
        return AvatarOptions(**chosen)


@dataclass(frozen=True, slots=True)
class Turn:
    """The TURN server of a session, as init-client names it (DOCS).

    Attributes:
        url: Where it is.
        username: Who may use it.
        credential: Secret.
    """

    url: str
    username: str = field(repr=False)
    credential: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ClientConnection:
    """What a browser needs to watch a session (DOCS: init-client).

    Attributes:
        whep_url: Where the stream is. Secret: whoever holds it may watch.
        turn: The TURN server; `None` if the service named none.
    """

    whep_url: str = field(repr=False)
    turn: Turn | None
