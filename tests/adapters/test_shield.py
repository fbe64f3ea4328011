from __future__ import annotations

import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import TYPE_CHECKING

import pytest

from pytest_avatar.adapters.shield import ShieldedCalls

if TYPE_CHECKING:
    from collections.abc import Iterator


class Interrupted(BaseException):
    pass


class Strikes:
    """Interrupts the main thread, as often as is wanted and no more."""

    def __init__(self) -> None:
        self.wanted = self.count = 0

    def hear(self, _number: int, _frame: object) -> None:
        if self.count < self.wanted:
            self.count += 1
            raise Interrupted

    def strike(self) -> None:
        """Interrupt, and return when it was heard.

        A signal that comes right before the main thread waits for a lock does not wake it, so there
        may have to be another.
        """
        self.wanted += 1
        while self.count < self.wanted:
            os.kill(os.getpid(), signal.SIGINT)
            threading.Event().wait(0.05)


@pytest.fixture
def strikes() -> Iterator[Strikes]:
    strikes = Strikes()
    before = signal.signal(signal.SIGINT, strikes.hear)
    yield strikes
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def calls() -> Iterator[ShieldedCalls]:
    calls = ShieldedCalls()
    yield calls
    calls.close()


def test_a_call_returns_what_it_returns(calls: ShieldedCalls) -> None:
    kept: list[int] = []
    assert calls.make(lambda: 7, kept=kept.append) == 7
    assert kept == []


def test_an_error_of_the_call_is_raised_here_and_keeps_nothing(calls: ShieldedCalls) -> None:
    kept: list[object] = []
    with pytest.raises(ZeroDivisionError):
        calls.make(lambda: 1 / 0, kept=kept.append)
    assert kept == []


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot interrupt a thread that waits")
@pytest.mark.parametrize("error", [None, ZeroDivisionError])
def test_an_interrupt_waits_for_the_call(
    calls: ShieldedCalls, strikes: Strikes, error: type[Exception] | None
) -> None:
    kept: list[int] = []

    def call() -> int:
        strikes.strike()
        if error is not None:
            raise error
        return 7

    with pytest.raises(Interrupted):
        calls.make(call, kept=kept.append)
    assert kept == ([7] if error is None else [])


@pytest.mark.skipif(os.name == "nt", reason="as above")
def test_a_second_interrupt_is_obeyed_at_once(calls: ShieldedCalls, strikes: Strikes) -> None:
    over = threading.Event()

    def call() -> None:
        strikes.strike()
        strikes.strike()
        over.wait(20)

    with pytest.raises(Interrupted):
        calls.make(call, kept=lambda _: pytest.fail("it is not over"))
    assert calls.make(lambda: 7, kept=print) == 7, "the next call does not wait for it"
    over.set()


def test_a_call_is_made_in_the_callers_context(calls: ShieldedCalls) -> None:
    variable = ContextVar("variable", default=0)
    for number in (1, 2):
        variable.set(number)
        assert calls.make(variable.get, kept=print) == number


def test_one_thread_makes_all_calls_of_a_caller(calls: ShieldedCalls) -> None:
    threads = {calls.make(threading.current_thread, kept=print) for _ in range(100)}
    assert threading.current_thread() not in threads
    assert len(threads) == 1


def test_callers_at_once_do_not_wait_for_each_other(calls: ShieldedCalls) -> None:
    meeting = threading.Barrier(3)
    with ThreadPoolExecutor(3) as pool:
        met = [pool.submit(calls.make, meeting.wait, kept=print) for _ in range(3)]
    assert sorted(one.result() for one in met) == [0, 1, 2]


def test_many_callers_share_the_threads_that_are_free(calls: ShieldedCalls) -> None:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            made = list(pool.map(lambda n: calls.make(lambda: n, kept=print), range(2000)))
    finally:
        sys.setswitchinterval(before)
    assert made == list(range(2000))


def test_the_thread_leaves_when_it_is_let_go() -> None:
    calls = ShieldedCalls()
    thread = calls.make(threading.current_thread, kept=print)
    while thread.is_alive():
        calls.close()
        thread.join(0.01)


@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes that fork")
def test_a_forked_child_has_a_thread_of_its_own(calls: ShieldedCalls) -> None:
    assert calls.make(lambda: 7, kept=print) == 7
    child = os.fork()
    if child == 0:
        os._exit(calls.make(lambda: 7, kept=print))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
