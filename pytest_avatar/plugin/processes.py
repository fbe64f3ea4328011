"""Which process has the last word: the only one, or the controller of pytest-xdist."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import pytest

from pytest_avatar.plugin.judge import Judge
from pytest_avatar.plugin.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from pytest_avatar.plugin.run import AvatarRun

__all__ = ["register_end"]

_REFUSALS: Final = "avatar_refusals"


def register_end(config: pytest.Config, run: AvatarRun) -> None:
    """Have this process judge when all tests are over, in the part that it plays."""
    if run.stage.worker is not None:
        config.pluginmanager.register(_Worker(run), "avatar-end")
        return
    config.pluginmanager.register(Verdict(run), "avatar-end")
    if config.pluginmanager.has_plugin("xdist"):
        config.pluginmanager.register(_Controller(run), "avatar-controller")


class _Worker:
    """Judges its own sessions, and leaves the verdict over the run to the controller."""

    def __init__(self, run: AvatarRun) -> None:
        self._run: Final = run

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None]:
        """Judge when every fixture is torn down, before pytest-xdist reports to the controller."""
        yield
        Judge(self._run.ledger, self._run.end_all).after_run()
        output: dict[str, Any] = session.config.workeroutput  # type: ignore[attr-defined] # xdist's
        output[_REFUSALS] = list(self._run.refusals)


class _Controller:
    """Gives the workers a directory for their journals, and reads them when all is over."""

    def __init__(self, run: AvatarRun) -> None:
        self._run: Final = run

    @cached_property
    def _run_dir(self) -> Path:
        from pytest_avatar.plugin.journals import make_run_dir  # noqa: PLC0415 - only with workers

        return make_run_dir(is_live=self._run.settings.mode.is_live)

    def pytest_configure_node(self, node: Any) -> None:  # noqa: ANN401 - xdist's, untyped
        """Tell a worker where its journal belongs."""
        from pytest_avatar.plugin.journals import RUN_DIR  # noqa: PLC0415 - only with workers

        node.workerinput[RUN_DIR] = str(self._run_dir)

    def pytest_testnodedown(self, node: Any, error: object) -> None:  # noqa: ANN401 - as above
        """Remember what a worker refused, or that it died before it could say."""
        output = getattr(node, "workeroutput", None)
        if output is not None:
            self._run.refusals.extend(output.get(_REFUSALS, ()))
        elif error:
            self._run.died.append(f"worker {node.gateway.id}")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        """Take over the books of the workers, those of killed ones included."""
        try:
            return (yield)
        finally:
            self._take_over()

    def _take_over(self) -> None:
        if "_run_dir" not in self.__dict__:
            return
        from pytest_avatar.adapters.journal import forget_run, read_run  # noqa: PLC0415 - as above

        for journal in read_run(self._run_dir):
            self._run.ledger.fold_all(journal.events)
        self._run.at_the_end(lambda: forget_run(self._run_dir))
