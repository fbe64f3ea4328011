"""The pytest plugin: the only place that imports pytest.

Hooks translate and delegate. What they delegate to is registered once somebody uses avatars.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_avatar.plugin.cassette_paths import remember_siblings
from pytest_avatar.plugin.fixtures import (
    FIXTURES,
    async_avatar_session,
    avatar_ks,
    avatar_ledger,
    avatar_session,
    avatar_session_factory,
    avatar_settings,
)
from pytest_avatar.plugin.header import header_lines
from pytest_avatar.plugin.markers import check_markers, register_markers
from pytest_avatar.plugin.options import add_options, resolve_settings, settings_key
from pytest_avatar.plugin.processes import register_end
from pytest_avatar.plugin.run import AvatarRun, run_key

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = [
    "async_avatar_session",
    "avatar_ks",
    "avatar_ledger",
    "avatar_session",
    "avatar_session_factory",
    "avatar_settings",
    "pytest_addoption",
    "pytest_collection_modifyitems",
    "pytest_configure",
    "pytest_make_collect_report",
    "pytest_report_header",
    "pytest_unconfigure",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the settings."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Resolve the settings, unless somebody only asks for help."""
    register_markers(config)
    if config.option.help:
        return
    settings = config.stash[settings_key] = resolve_settings(config)
    run = config.stash[run_key] = AvatarRun(config, settings)
    run.shield()
    register_end(config, run)


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Name mode and base URL, and who chose them."""
    return header_lines(config.stash[run_key])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Check the markers, and watch the tests that use a marker or a fixture of ours."""
    run = config.stash[run_key]
    watched = [item for item in items if check_markers(item) or _asks_for_ours(item)]
    for item in watched:
        run.watch(item)
    if watched or run.settings.watch:
        run.activate()


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Remember which names stand beside each other: cassettes are named after them."""
    report = yield
    remember_siblings(collector, report)
    return report


def pytest_unconfigure(config: pytest.Config) -> None:
    """Put everything back."""
    if run_key in config.stash:
        config.stash[run_key].close()


def _asks_for_ours(item: pytest.Item) -> bool:
    return not FIXTURES.isdisjoint(getattr(item, "fixturenames", ()))
