"""The verdict over a run as a test of its own, so that every plugin's report shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["fail_run"]

_NODE_ID: Final = "avatar::sessions"

_UNCONCERNED: Final = (
    "terminalreporter",  # its progress counts tests; it is told afterwards
    "capturemanager",  # there is nothing to capture, and after Ctrl-C it is gone
    "pdbinvoke",  # there is nothing to debug
    "rerunfailures",  # it would not go away
    "lfplugin",  # the next run has no such test to begin with
    "stepwiseplugin",  # the same
    "avatar-watch",  # it uses no session
)
"""Plugins that are not told of it while it runs."""


def fail_run(session: pytest.Session, title: str, text: str) -> None:
    """Run a test that fails, with a text that says why.

    Args:
        session: The run.
        title: What stands above the text in the terminal.
        text: Why it fails.
    """
    item: _VerdictItem = _VerdictItem.from_parent(session, name="sessions", nodeid=_NODE_ID)
    item.title, item.text = title, text
    listener = _Listener()
    plugins = session.config.pluginmanager
    plugins.register(listener)
    try:
        item.ihook.pytest_runtest_protocol(item=item, nextitem=None)
    finally:
        plugins.unregister(listener)
    terminal = plugins.get_plugin("terminalreporter")
    if terminal is not None:
        terminal.stats.setdefault("failed", []).extend(listener.failed)


class _VerdictItem(pytest.Item):
    title: str
    text: str

    @property
    def ihook(self) -> _Hooks:  # type: ignore[override] # as much of a relay as items are used with
        return _Hooks(self.config.pluginmanager)

    def runtest(self) -> None:
        """Fail."""
        pytest.fail(self.text, pytrace=False)

    def repr_failure(self, *_arguments: object, **_options: object) -> str:
        """Return why it fails."""
        return self.text

    def reportinfo(self) -> tuple[Path, None, str]:
        """Return where it stands, which is nowhere, and what it is called."""
        return self.config.rootpath / "avatar", None, self.title


class _Hooks:
    """The hooks of every plugin that is concerned."""

    def __init__(self, plugins: pytest.PytestPluginManager) -> None:
        self._plugins: Final = plugins
        self._unconcerned: Final = [plugins.get_plugin(name) for name in _UNCONCERNED]

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - pluggy's, each with its own arguments
        return self._plugins.subset_hook_caller(name, self._unconcerned)


class _Listener:
    """Keeps the reports that the terminal has to be told of."""

    def __init__(self) -> None:
        self.failed: Final[list[pytest.TestReport]] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep a report that fails."""
        if report.failed:
            self.failed.append(report)
