from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from pytest_avatar.adapters.shield import ShieldedCalls, ShieldedThread
from pytest_avatar.adapters.strands import current_task, follow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WRAPPED = ((threading.Thread, "start"), (ShieldedThread, "take"), (ThreadPoolExecutor, "submit"))


class Notebook:
    """Writes down what it hears."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def thread_starts(self, thread: threading.Thread) -> None:
        self.heard.append(f"thread {thread.name}")

    def work_starts(self, function: Callable[..., Any]) -> Callable[..., Any]:
        self.heard.append("work")
        return lambda *args: f"wrapped {function(*args)}"

    def task_starts(self, create: Callable[[], asyncio.Task[Any]]) -> asyncio.Task[Any]:
        self.heard.append("task")
        return create()


@pytest.fixture
def notebook() -> Iterator[Notebook]:
    before = [getattr(owner, name) for owner, name in WRAPPED]
    follower = Notebook()
    stop = follow(follower)
    yield follower
    stop()
    assert [getattr(owner, name) for owner, name in WRAPPED] == before


def test_threads_are_heard_of_before_they_run(notebook: Notebook) -> None:
    thread = threading.Thread(target=lambda: notebook.heard.append("ran"), name="mine")
    thread.start()
    thread.join()
    assert notebook.heard == ["thread mine", "ran"]


def test_a_shielded_call_is_heard_of_as_if_its_thread_started(notebook: Notebook) -> None:
    calls = ShieldedCalls()
    calls.make(lambda: notebook.heard.append("ran"), kept=print)
    calls.close()
    assert notebook.heard[-2:] == ["thread avatar-create", "ran"]


def test_a_pool_runs_what_the_follower_returns(notebook: Notebook) -> None:
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(str, 1).result() == "wrapped 1"
    assert notebook.heard[0] == "work"


def test_tasks_are_heard_of_with_the_loops_own_arguments(notebook: Notebook) -> None:
    async def main() -> str:
        return await asyncio.create_task(asyncio.sleep(0, "slept"), name="sleeper")

    assert asyncio.run(main()) == "slept"
    assert notebook.heard[:2] == ["task", "task"]  # main, sleeper; then what asyncio.run starts


def test_several_may_follow(notebook: Notebook) -> None:
    other = Notebook()
    stop = follow(other)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(str, 1).result() == "wrapped wrapped 1"
    stop()
    assert other.heard == notebook.heard != []


def test_the_current_task_is_none_outside_a_loop() -> None:
    async def here() -> bool:
        return current_task() is asyncio.current_task() is not None

    assert current_task() is None
    assert asyncio.run(here())
