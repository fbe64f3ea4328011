"""What markers ask for, as values."""

from __future__ import annotations

from typing import Literal, NamedTuple

__all__ = ["AllowLeaks", "CassetteChoice", "LeakScope", "NoLeaks"]

LeakScope = Literal["test", "class", "module", "run"]


class NoLeaks(NamedTuple):
    """What `avatar_no_leaks` asks for.

    Attributes:
        scope: When every session must have ended.
        grace: How long to wait for ends that are on their way, in seconds.
    """

    scope: LeakScope
    grace: float


class AllowLeaks(NamedTuple):
    """What `avatar_allow_leaks` asks for.

    Attributes:
        reason: Why the test may leave sessions open.
    """

    reason: str


class CassetteChoice(NamedTuple):
    """What `avatar_cassette` asks for.

    Attributes:
        name: The cassette's name; `None` takes the test's.
        match_on: What requests are matched by.
        allow_repeats: Whether an interaction may be played more than once.
    """

    name: str | None
    match_on: tuple[str, ...]
    allow_repeats: bool
