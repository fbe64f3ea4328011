"""The settings of a run, as values; how they are read stands in `setting_table`."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pytest_avatar.core.http import BaseUrl
    from pytest_avatar.core.model import Token

__all__ = ["AvatarSettings", "GithubPolicy", "LeakPolicy", "Mode", "Scope", "WatchdogPolicy"]

Scope = Literal["function", "class", "module", "package", "session"]


class Mode(StrEnum):
    """Where answers come from."""

    REPLAY = "replay"
    RECORD = "record"
    LIVE = "live"
    EMULATOR = "emulator"
    VERIFY = "verify"

    @property
    def is_live(self) -> bool:
        """Whether real sessions are opened, which somebody may pay for."""
        return self in (Mode.RECORD, Mode.LIVE, Mode.VERIFY)

    @property
    def uses_cassettes(self) -> bool:
        """Whether cassettes are played, written or compared."""
        return self in (Mode.REPLAY, Mode.RECORD, Mode.VERIFY)


class LeakPolicy(StrEnum):
    """What a leak does to the run."""

    FAIL = "fail"
    WARN = "warn"
    OFF = "off"


class GithubPolicy(StrEnum):
    """Whether annotations and a job summary are written; `auto` does so on GitHub Actions."""

    AUTO = "auto"
    ON = "on"
    OFF = "off"


class WatchdogPolicy(StrEnum):
    """Whether a process of its own ends what a killed run left open."""

    AUTO = "auto"
    REQUIRE = "require"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class AvatarSettings:
    """The settings of a run, resolved and read-only.

    Attributes:
        ks: The Kaltura Session, masked; `None` if none is set.
        avatar_id: Who appears; `None` if none is set.
        base_url: Where the service lives.
        mode: Where answers come from.
        cassette_dir: Folder of the cassettes, relative to the root directory unless absolute.
        leaks: What a leak does to the run.
        reports: Files to write at the end of the run.
        github: Whether annotations and a job summary are written.
        session_scope: Scope of the fixture `avatar_session`.
        timeout: How long to wait for each part of an answer, in seconds.
        keep_alive: Seconds between two keep-alives; 0 sends none.
        max_session_duration: Longest life of a session, in seconds; 0 sets no limit.
        max_sessions: Most sessions open at once, over all workers; 0 sets no limit.
        watch: Whether every test is watched, not only those that use a fixture or marker of ours.
        watchdog: Whether a process of its own ends what a killed run left open.
        create_path: Where create goes, after the base URL; `None` negotiates.
        id_field: What the avatar's id is called; `None` negotiates.
        sources: Which layer spoke, by attribute.
    """

    ks: Token | None = field(repr=False)
    avatar_id: str | None
    base_url: BaseUrl
    mode: Mode
    cassette_dir: Path
    leaks: LeakPolicy
    reports: tuple[Path, ...]
    github: GithubPolicy
    session_scope: Scope
    timeout: float
    keep_alive: float
    max_session_duration: float
    max_sessions: int
    watch: bool
    watchdog: WatchdogPolicy
    create_path: str | None
    id_field: str | None
    sources: Mapping[str, str] = field(repr=False)
