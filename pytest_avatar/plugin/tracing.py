"""Spans of tests and their sessions, for the exporters that the environment names."""

from __future__ import annotations

import importlib.util
import os
from typing import TYPE_CHECKING, Final

import pytest

from pytest_avatar.core.tracing import TestRun, named_exporters

if TYPE_CHECKING:
    from collections.abc import Generator

    from pytest_avatar.core.report import Report

__all__ = ["Place", "Tracing", "trace_run"]

_PARENT: Final = "avatar_parent"


def trace_run(config: pytest.Config) -> None:
    """Keep the times of all tests if their spans are wanted, and OpenTelemetry is installed."""
    exporters = named_exporters(os.environ)
    if exporters and importlib.util.find_spec("opentelemetry.sdk") is not None:
        config.pluginmanager.register(Place(), "avatar-place")
        if not hasattr(config, "workerinput"):
            config.pluginmanager.register(Tracing(exporters), "avatar-tracing")


class Place:
    """Notes in the first report of a test which span was current: only its process knows."""

    def __init__(self) -> None:
        from pytest_avatar.adapters.spans import current_span  # noqa: PLC0415 - if asked for

        self._current_span: Final = current_span

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Note it; what a report carries besides its own travels with it."""
        report = yield
        if report.when == "setup":
            setattr(report, _PARENT, self._current_span())
        return report


class Tracing:
    """Keeps when each test ran, and sends spans at the end.

    Args:
        exporters: The entry points of the exporters.
    """

    def __init__(self, exporters: tuple[str, ...]) -> None:
        self._exporters: Final = exporters
        self._tests: Final[dict[str, list[TestRun]]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the times of a test; also those of workers come through here."""
        attempts = self._tests.setdefault(report.nodeid, [])
        if report.when == "setup" or not attempts:
            parent: str | None = getattr(report, _PARENT, None)
            attempts.append(TestRun(report.start, report.stop, parent=parent))
        attempts[-1].ended_at = report.stop
        attempts[-1].failed |= report.outcome not in ("passed", "skipped")

    def export(self, report: Report) -> list[str]:
        """Send the spans of a run; return what went wrong, a line each."""
        from pytest_avatar.adapters.spans import export_spans  # noqa: PLC0415 - if asked for

        return export_spans(report, self._tests, self._exporters)
