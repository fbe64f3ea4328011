"""Hearing of it when somebody starts a thread, an asyncio task, or work in a pool of threads."""

# ruff: noqa: ANN401 - what is wrapped here takes and returns what it likes

from __future__ import annotations

import sys
from threading import Thread
from typing import TYPE_CHECKING, Any, Protocol

from pytest_avatar.adapters.interception.importing import when_imported
from pytest_avatar.adapters.interception.patching import Patches
from pytest_avatar.adapters.shield import ShieldedThread

if TYPE_CHECKING:
    from asyncio import BaseEventLoop, Task
    from collections.abc import Callable
    from concurrent.futures import ThreadPoolExecutor
    from types import ModuleType

__all__ = ["Follower", "current_task", "follow"]


class Follower(Protocol):
    """Who wants to hear. Called in the thread or task that starts something, before it runs."""

    def thread_starts(self, thread: Thread) -> None:
        """Hear of a thread; of one that makes shielded calls, before each of them."""

    def work_starts(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Hear of work for a pool of threads; return what the pool has to run in its place."""
        ...

    def task_starts(self, create: Callable[[], Task[Any]]) -> Task[Any]:
        """Hear of a task of asyncio; create it, and return it."""
        ...


def follow(follower: Follower) -> Callable[[], None]:
    """Tell `follower` from now on; return what stops that. Several may follow, newest first out."""

    def starting(original: Callable[..., None]) -> Callable[..., None]:
        def start(thread: Thread, *args: Any) -> None:
            follower.thread_starts(thread)
            original(thread, *args)

        return start

    def submitting(original: Callable[..., Any]) -> Callable[..., Any]:
        def submit(
            pool: ThreadPoolExecutor, fn: Callable[..., Any], /, *args: Any, **kwargs: Any
        ) -> Any:
            return original(pool, follower.work_starts(fn), *args, **kwargs)

        return submit

    def creating(original: Callable[..., Any]) -> Callable[..., Any]:
        def create_task(loop: BaseEventLoop, *args: Any, **kwargs: Any) -> Any:
            return follower.task_starts(lambda: original(loop, *args, **kwargs))

        return create_task

    def wrap_pool(module: ModuleType) -> None:
        patches.wrap(module.ThreadPoolExecutor, "submit", submitting)

    def wrap_loop(module: ModuleType) -> None:
        patches.wrap(module.BaseEventLoop, "create_task", creating)

    patches = Patches()
    patches.wrap(Thread, "start", starting)
    patches.wrap(ShieldedThread, "take", starting)
    hooks = {"concurrent.futures.thread": wrap_pool, "asyncio.base_events": wrap_loop}
    patches.on_undo(when_imported(hooks))
    return patches.undo


def current_task() -> Task[Any] | None:
    """Return the running asyncio task; `None` if there is none, or asyncio was never imported."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return None
    try:
        task: Task[Any] | None = asyncio.current_task()
    except RuntimeError:  # no loop runs in this thread
        return None
    return task
