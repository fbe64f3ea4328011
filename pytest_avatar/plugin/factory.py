"""The type of what `avatar_session_factory` gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_avatar.adapters.client import AvatarSession

__all__ = ["AvatarSessionFactory"]


class AvatarSessionFactory(Protocol):
    """Opens a session that is ended when the test is over."""

    def __call__(
        self,
        *,
        avatar_id: str | None = None,
        voice_id: str | None = None,
        voice_speed: float | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> AvatarSession:
        """Open a session; what is `None` is taken from the `avatar` marker, then the settings."""
        ...
