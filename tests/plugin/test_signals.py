from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_avatar.plugin.signals import end_in_order
from pytest_avatar.plugin.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.downstream import Downstream

NUMBERS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


@pytest.fixture(autouse=True)
def unanswered() -> Iterator[None]:
    """Nobody answers the signals yet."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in NUMBERS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def stage() -> Stage:
    return Stage(Path(), None)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_signal_that_nobody_answers_leaves_the_run(stage: Stage, number: signal.Signals) -> None:
    undo = end_in_order(stage)
    with pytest.raises(
        pytest.exit.Exception,
        match=rf"^{number.name} was received: sessions are ended and reports written$",
    ):
        signal.raise_signal(number)
    undo()
    assert signal.getsignal(number) is signal.SIG_DFL


@pytest.mark.parametrize("theirs", [signal.SIG_IGN, lambda *_: None], ids=["ignored", "handled"])
def test_a_signal_that_somebody_answers_is_left_to_them(
    stage: Stage, theirs: signal.Handlers
) -> None:
    signal.signal(signal.SIGTERM, theirs)
    undo = end_in_order(stage)
    assert signal.getsignal(signal.SIGTERM) is theirs
    undo()
    assert signal.getsignal(signal.SIGTERM) is theirs


def test_who_answers_it_later_keeps_it(stage: Stage) -> None:
    undo = end_in_order(stage)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    undo()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN


def test_only_the_main_thread_can_answer(stage: Stage) -> None:
    thread = threading.Thread(target=end_in_order, args=(stage,))
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal to send")
def test_an_orderly_end_runs_fixtures_and_writes_reports(downstream: Downstream) -> None:
    downstream.write(
        """
        import os, signal

        def test_one(avatar_session):
            os.kill(os.getpid(), signal.SIGTERM)

        def test_two(avatar_session): ...
        """
    )
    result = downstream.run_apart("--avatar-report=report.json", "--junitxml=junit.xml")
    assert result.ret == 2
    result.stdout.fnmatch_lines(["*1 session, all ended*", "*SIGTERM was received*"])
    assert (downstream.pytester.path / "report.json").exists()
    assert (downstream.pytester.path / "junit.xml").exists()
    downstream.emulator.assert_all_ended(opened=1)
