"""What the report header says of a run with settings of its own. Never a secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pytest_avatar.core.settings import Mode, WatchdogPolicy
from pytest_avatar.plugin.start import run_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from pytest_avatar.core.settings import AvatarSettings

__all__ = ["describe_settings", "remember_dialect"]

_CACHE_KEY: Final = "avatar/negotiated"


def describe_settings(config: pytest.Config, settings: AvatarSettings) -> Iterator[str]:
    """Yield the lines: mode and base URL, who chose them, and what earlier runs have to tell."""
    mode = f"mode {settings.mode} ({settings.sources['mode']})"
    base_url = f"base URL {settings.base_url} ({settings.sources['base_url']})"
    if settings.mode is Mode.EMULATOR:
        base_url = "base URL of the embedded emulator"
    yield f"avatar: {mode}, {base_url}"
    if settings.mode.is_live:
        yield f"avatar: {_dialect(config, settings)}"
        if not hasattr(config, "workerinput"):
            notes = (_watchdog(config, settings), _last_run())
            yield from (f"avatar: {note}" for note in notes if note is not None)


def remember_dialect(config: pytest.Config, settings: AvatarSettings, form: list[str]) -> None:
    """Keep create path and id field that a service took, for the header of the next run."""
    cache: pytest.Cache | None = getattr(config, "cache", None)
    if cache is not None:
        known = cache.get(_CACHE_KEY, {})
        cache.set(_CACHE_KEY, {**known, str(settings.base_url): form})


def _dialect(config: pytest.Config, settings: AvatarSettings) -> str:
    cache: pytest.Cache | None = getattr(config, "cache", None)
    known = cache.get(_CACHE_KEY, {}) if cache is not None else {}
    last = known.get(str(settings.base_url), [None, None])
    sources = settings.sources
    path = _form("create path", settings.create_path, sources["create_path"], last[0])
    id_field = _form("avatar field", settings.id_field, sources["id_field"], last[1])
    return f"{path}, {id_field}"


def _form(title: str, pinned: str | None, source: str, last: str | None) -> str:
    if pinned is not None:
        return f"{title} {pinned or 'base'} ({source})"
    if last is not None:
        return f"{title} negotiated (last time: {last or 'base'})"
    return f"{title} negotiated"


def _watchdog(config: pytest.Config, settings: AvatarSettings) -> str | None:
    """Return why nobody will watch; starts the watchdog, but workers start their own."""
    if settings.watchdog is WatchdogPolicy.OFF:
        source = settings.sources["watchdog"]
        return f"watchdog off ({source}): if the run is killed, its sessions stay open"
    if config.getoption("tx", None):
        return None
    journal = run_of(config).journal
    return None if journal is None else journal.begin()


def _last_run() -> str | None:
    from pytest_avatar.adapters.last_run import last_run_note  # noqa: PLC0415 - live modes only
    from pytest_avatar.adapters.state import find_state_dir  # noqa: PLC0415

    try:
        return last_run_note(find_state_dir())
    except OSError:
        return None
