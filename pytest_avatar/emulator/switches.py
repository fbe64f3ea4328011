"""Where the service's sources disagree, and what they leave open: both sides as switches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

__all__ = ["AvatarField", "CreatePath", "SecondEnd", "Switches"]

CreatePath = Literal["bare", "/create", "both"]
AvatarField = Literal["avatarId", "id", "either"]
SecondEnd = Literal[410, 404]


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """How the emulator behaves where the service is not known for certain.

    Attributes:
        create_path: Where create lives. SEED: `bare`, the base URL alone. All live code: `/create`.
        avatar_field: What `visualConfig` calls the avatar. SEED: `avatarId`. All live code: `id`.
        second_end: What an ended session answers to end. SEED: 410. SDK saw 404.
        say_text: Whether say-text works (DOCS) or answers 503 (SDK, August 2026).
        max_sessions: Most sessions open at once, create answers 429 beyond; `None` is no limit.
        token_lifetime: Seconds until a session token expires; 24 h by its own `exp` (SDK).

    Raises:
        ValueError: A switch has a position that it does not know.
    """

    create_path: CreatePath = "both"
    avatar_field: AvatarField = "either"
    second_end: SecondEnd = 410
    say_text: bool = True
    max_sessions: int | None = None
    token_lifetime: float = 86_400

    def __post_init__(self) -> None:
        for name, positions in (
            ("create_path", get_args(CreatePath)),
            ("avatar_field", get_args(AvatarField)),
            ("second_end", get_args(SecondEnd)),
        ):
            if getattr(self, name) not in positions:
                raise ValueError(f"{name} must be one of {', '.join(map(str, positions))}")
