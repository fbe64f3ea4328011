"""How to watch a session: what init-client tells."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ClientConnection", "Turn", "read_connection"]


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


def read_connection(data: Mapping[str, Any]) -> ClientConnection | None:
    """Return what the answer to init-client tells; `None` if it tells no way to watch."""
    whep_url, turn = data.get("whepUrl"), data.get("turn")
    if not isinstance(whep_url, str):
        return None
    if turn is None:
        return ClientConnection(whep_url, None)
    try:
        fields = [turn["url"], turn["username"], turn["credential"]]
    except (TypeError, KeyError):
        return None
    if not all(isinstance(value, str) for value in fields):
        return None
    return ClientConnection(whep_url, Turn(*fields))
