"""The controller of pytest-xdist: it opens no session, and has the last word over all workers."""

from __future__ import annotations

import os
import shutil
import time
from typing import TYPE_CHECKING, Any, Final

import pytest

from pytest_avatar.plugin.options import is_configured, resolved
from pytest_avatar.plugin.start import run_of

if TYPE_CHECKING:
    from collections.abc import Generator

    from pytest_avatar.plugin.verdict import Verdict

__all__ = ["FINDINGS", "RUN_ID", "Controller", "make_run_id"]

RUN_ID: Final = "avatar_run_id"
"""What the name of the run is called in the input of a worker."""

FINDINGS: Final = "avatar_findings"
"""What the findings of a worker are called in its output; absent if it did not use avatars."""

_UNTOLD: Final = "could not tell its notes and unused allowances"


def make_run_id() -> str:
    """Return a name for a run that no other run has, usable as the name of a directory."""
    return f"{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}-{os.urandom(3).hex()}"


class Controller:
    """Names the run to the workers, and reads their journals when all is over.

    Args:
        config: pytest's configuration.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config: Final = config
        self._run_id: Final = make_run_id()
        self._findings: Final[list[dict[str, Any]]] = []
        self._died: Final[list[str]] = []
        self._crashed: Final[set[str]] = set()
        self._is_interrupted = False
        if is_configured(config) and resolved(config).mode.is_live:
            from pytest_avatar.plugin.signals import end_in_order  # noqa: PLC0415 - live modes only

            config.add_cleanup(end_in_order(run_of(config).stage))

    def pytest_configure_node(self, node: Any) -> None:  # noqa: ANN401 - xdist's, untyped
        """Tell a worker how the run is called, so that all journals come together."""
        node.workerinput[RUN_ID] = self._run_id

    def pytest_testnodedown(self, node: Any, error: object) -> None:  # noqa: ANN401 - as above
        """Remember what a worker found, or that it died before it could say."""
        output = getattr(node, "workeroutput", None)
        if output is None:
            self._died.append(f"worker {node.gateway.id}{f' ({error})' if error else ''}")
        elif FINDINGS in output:
            self._findings.append(output[FINDINGS])

    @pytest.hookimpl(optionalhook=True)
    def pytest_handlecrashitem(self, crashitem: str) -> None:
        """Remember which test ran when a worker died."""
        self._crashed.add(crashitem)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Take over the books of the workers, those of killed ones included, and judge.

        Innermost, so that whoever has the last word already finds the books complete.
        """
        try:
            result = yield
        except BaseException:
            self._is_interrupted = True
            if self._avatars_were_used:
                self._verdict()
            raise
        if self._avatars_were_used:
            self._take_over()
            self._verdict().conclude(session)
        return result

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Take over the books of an interrupted run: not before now have all workers gone."""
        if self._is_interrupted and self._avatars_were_used:
            self._take_over()

    @property
    def _avatars_were_used(self) -> bool:
        """Whether somebody used avatars, or may have: an interrupted worker does not say."""
        if self._findings or self._died:
            return True
        return self._is_interrupted and is_configured(self._config)

    def _verdict(self) -> Verdict:
        from pytest_avatar.plugin.verdict import Verdict  # noqa: PLC0415 - see `_take_over`

        return Verdict.register(run_of(self._config))

    def _take_over(self) -> None:
        from pytest_avatar.adapters.journal import forget_run, read_run, wait_for_watchdogs  # noqa: PLC0415 - only if used
        from pytest_avatar.core.settings import WatchdogPolicy  # noqa: PLC0415
        from pytest_avatar.plugin.judge import Judge  # noqa: PLC0415
        from pytest_avatar.plugin.run_dir import run_dir  # noqa: PLC0415

        run = run_of(self._config)
        folder = run_dir(run.settings.mode, self._run_id)
        is_watched = run.settings.watchdog is not WatchdogPolicy.OFF
        if is_watched and (self._died or self._is_interrupted):
            wait_for_watchdogs(folder)
        for journal in read_run(folder):
            run.ledger.fold_all(journal.events)
        if not self._is_interrupted:
            Judge(run).after_crash(self._crashed)
        run.at_the_end(lambda: forget_run(folder))
        run.at_the_end(lambda: shutil.rmtree(folder / "places", ignore_errors=True))
        for findings in self._findings:
            run.findings.add(findings)
        run.findings.died.extend(self._died)
        workers = [died.partition(" (")[0] for died in self._died]
        run.findings.problems.extend(f"{worker} {_UNTOLD}" for worker in workers)
