"""The lines in pytest's report header: which settings are in force, and who chose them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_avatar.plugin.run import AvatarRun

__all__ = ["header_lines"]


def header_lines(run: AvatarRun) -> list[str]:
    """Return what the header says. Never a secret."""
    settings, sources = run.settings, run.settings.sources
    mode = f"mode {settings.mode} ({sources['mode']})"
    return [f"avatar: {mode}, base URL {settings.base_url} ({sources['base_url']})"]
