"""Which session is which, over all cassettes of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Identities", "SessionNamer"]


class SessionNamer(Protocol):
    """A recording that may be asked what stands for the sessions it has seen opened."""

    def session_names(self) -> Mapping[str, str]:
        """Return what stands for each session opened so far. It never changes afterwards."""
        ...


class Identities:
    """What stands for the sessions of fixtures in the cassettes of the tests that use them."""

    def __init__(self) -> None:
        self._owners: dict[str, SessionNamer] = {}

    def opened(self, session_id: str, owner: SessionNamer) -> None:
        """Make known in which labelled recording a session was opened."""
        self._owners[session_id] = owner

    def find(self, session_id: str) -> str | None:
        """Return what stands for a session; `None` if no labelled recording has seen it opened."""
        owner = self._owners.get(session_id)
        return None if owner is None else owner.session_names().get(session_id)
