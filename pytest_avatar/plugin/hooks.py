"""The hooks, which translate and delegate.

What they delegate to is imported and registered once somebody uses avatars: this module and those
it imports are loaded by every run of every project that has us installed, so they import nothing
that costs time.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pytest_avatar.plugin.fixtures import FIXTURES
from pytest_avatar.plugin.markers import check_markers, register_markers
from pytest_avatar.plugin.options import (
    LIST_OPTION,
    add_options,
    gather_settings,
    header_lines,
    is_configured,
)
from pytest_avatar.plugin.siblings import remember_siblings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Generator

__all__ = [
    "pytest_addoption",
    "pytest_collection_modifyitems",
    "pytest_configure",
    "pytest_load_initial_conftests",
    "pytest_make_collect_report",
    "pytest_report_header",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the settings."""
    add_options(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Check the settings, unless somebody only asks for help, and shield an offline run or listen.

    As early as this, since the import of a conftest may open sessions. Where the project does not
    show that it uses avatars, that waits until a test is found that does.
    """
    options = early_config.known_args_namespace
    if _only_asks(options):
        return
    gather_settings(early_config, options)
    if is_configured(early_config):
        from pytest_avatar.plugin.start import listen, raise_shield  # noqa: PLC0415 - see above

        raise_shield(early_config)
        if not _is_distributed(options):
            listen(early_config)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers, and take part in the run."""
    register_markers(config)
    if _only_asks(config.option):
        return
    gather_settings(config, config.option)
    is_used = is_configured(config)
    if is_used:
        from pytest_avatar.plugin.start import begin  # noqa: PLC0415 - see above

        begin(config)
    if file := config.getoption(LIST_OPTION):
        from pytest_avatar.plugin.listing import Lister  # noqa: PLC0415 - only if asked for

        config.pluginmanager.register(Lister(file), "avatar-lister")
    if _wants_spans():
        from pytest_avatar.plugin.tracing import trace_run  # noqa: PLC0415 - only if asked for

        trace_run(config)
    if config.getoption("tx", None) and not hasattr(config, "workerinput"):
        from pytest_avatar.plugin.controller import Controller  # noqa: PLC0415 - only with workers

        config.pluginmanager.register(Controller(config), "avatar-controller")
    elif is_used:
        from pytest_avatar.plugin.start import listen  # noqa: PLC0415 - see above

        listen(config)


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Name mode and base URL, and who chose them."""
    return header_lines(config)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Remember which names stand beside each other: cassettes are named after them."""
    report = yield
    remember_siblings(collector, report)
    return report


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Check the markers, and watch the tests that use a marker or a fixture of ours."""
    watched = [item for item in items if check_markers(item) or _asks_for_ours(item)]
    if watched or is_configured(config):
        from pytest_avatar.plugin.start import watch  # noqa: PLC0415 - see above

        watch(config, watched)


def _only_asks(options: argparse.Namespace) -> bool:
    """Whether somebody wants help or the version, and no run."""
    return bool(options.help or options.version)


def _wants_spans() -> bool:
    """Whether the environment says anything to OpenTelemetry."""
    return any(name.startswith("OTEL_") for name in os.environ)


def _is_distributed(options: argparse.Namespace) -> bool:
    """Whether pytest-xdist runs the tests: its workers are told only later what they are called."""
    wanted = getattr(options, "numprocesses", None) or getattr(options, "tx", None)
    return bool(wanted) or "PYTEST_XDIST_WORKER" in os.environ


def _asks_for_ours(item: pytest.Item) -> bool:
    return not FIXTURES.isdisjoint(getattr(item, "fixturenames", ()))
