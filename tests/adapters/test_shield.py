from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING

import pytest

from pytest_avatar.adapters.shield import shielded

if TYPE_CHECKING:
    from collections.abc import Iterator


class Interrupted(BaseException):
    pass


@pytest.fixture
def strikes() -> Iterator[list[int]]:
    """SIGINT interrupts, and is counted."""
    counted: list[int] = []

    def interrupt(number: int, _frame: object) -> None:
        counted.append(number)
        raise Interrupted

    before = signal.signal(signal.SIGINT, interrupt)
    yield counted
    signal.signal(signal.SIGINT, before)


def test_a_call_returns_what_it_returns() -> None:
    kept: list[int] = []
    assert shielded(lambda: 7, kept=kept.append) == 7
    assert kept == []


def test_an_error_of_the_call_is_raised_here_and_keeps_nothing() -> None:
    kept: list[object] = []
    with pytest.raises(ZeroDivisionError):
        shielded(lambda: 1 / 0, kept=kept.append)
    assert kept == []


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot interrupt a thread that waits")
@pytest.mark.parametrize("error", [None, ZeroDivisionError])
def test_an_interrupt_waits_for_the_call(strikes: list[int], error: type[Exception] | None) -> None:
    struck = threading.Event()
    kept: list[int] = []

    def call() -> int:
        os.kill(os.getpid(), signal.SIGINT)
        while not strikes:
            struck.wait(0.01)
        if error is not None:
            raise error
        return 7

    with pytest.raises(Interrupted):
        shielded(call, kept=kept.append)
    assert kept == ([7] if error is None else [])


@pytest.mark.skipif(os.name == "nt", reason="as above")
def test_a_second_interrupt_is_obeyed_at_once(strikes: list[int]) -> None:
    over = threading.Event()

    def call() -> None:
        for number in (1, 2):
            os.kill(os.getpid(), signal.SIGINT)
            while len(strikes) < number:
                over.wait(0.01)
        over.wait(20)

    with pytest.raises(Interrupted):
        shielded(call, kept=lambda _: pytest.fail("it is not over"))
    over.set()
    assert len(strikes) == 2
