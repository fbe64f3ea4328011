"""Which thread, task or submitted work item sends a request, and what was over by then."""

# ruff: noqa: ANN401 - what is wrapped here takes and returns what it likes

from __future__ import annotations

import itertools
import sys
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from threading import Lock, Thread, current_thread, local
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from pytest_avatar.core.ordering import Step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Lanes"]


class _Strand:
    """A submitted work item, while it runs."""

    __slots__ = ("__weakref__", "is_over")

    def __init__(self) -> None:
        self.is_over = False


class _Lane:
    """What one strand (thread, task or work item) sends.

    Attributes:
        number: Unique in this run.
        is_thread: Whether the strand is a whole thread.
        after: Requests that were over before the first of this lane, until that is sent.
        last: Number of the request it sent last; `None` if it sent none yet.
        children: The lanes that were forked off and not yet joined.
    """

    def __init__(
        self,
        number: int,
        strand_is_over: Callable[[], bool],
        *,
        is_thread: bool,
        fork: _Fork | None,
    ) -> None:
        self.number = number
        self.is_thread = is_thread
        self.after: tuple[int, ...] = () if fork is None else fork.after
        self.last: int | None = None
        self.children: list[_Lane] = []
        self._strand_is_over = strand_is_over

    @property
    def is_over(self) -> bool:
        return self._strand_is_over() and all(child.is_over for child in self.children)

    @property
    def tails(self) -> Iterator[int]:
        """The requests after which nothing more comes from here or from children."""
        if self.last is not None:
            yield self.last
        for child in self.children:
            yield from child.tails

    def send(self, number: int) -> tuple[int, ...]:
        """Note a request; return those that were over before, apart from the last one here."""
        after, self.after = self.after, ()
        if self.children and all(child.is_over for child in self.children):
            after += tuple(tail for child in self.children for tail in child.tails)
            self.children.clear()
        self.last = number
        return after


class _Fork:
    """Where a strand stood when another was forked off."""

    __slots__ = ("after", "lane")

    def __init__(self, lane: _Lane) -> None:
        self.lane = lane
        self.after = lane.after if lane.last is None else (lane.last,)


class Lanes:
    """Tells for each request which lane it is in and which requests were over before it.

    Without `install`, threads and work items have no parents: fork and join say nothing then.
    """

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._lane_numbers = itertools.count(1)
        self._lock = Lock()
        self._lanes: WeakKeyDictionary[Any, _Lane] = WeakKeyDictionary()
        self._forks: WeakKeyDictionary[Any, _Fork] = WeakKeyDictionary()
        self._local = local()
        self._here: ContextVar[_Fork | None] = ContextVar("avatar_lane", default=None)

    def step(self) -> Step:
        """Take note of a request that the current thread or task is about to send."""
        with self._lock:
            lane = self._current_lane()
            number = next(self._numbers)
            after = lane.send(number)
            self._here.set(_Fork(lane))
        return Step(number, lane.number, after)

    def install(self) -> Callable[[], None]:
        """Follow threads, tasks and submitted work items to whoever started them.

        Returns:
            What undoes it.
        """
        from asyncio import BaseEventLoop  # noqa: PLC0415 - only recording needs it

        start, submit, create = Thread.start, ThreadPoolExecutor.submit, BaseEventLoop.create_task

        def start_in_lane(thread: Thread) -> None:
            self._note_fork(thread)
            start(thread)

        def submit_in_lane(
            pool: ThreadPoolExecutor, fn: Callable[..., Any], /, *args: Any, **kwargs: Any
        ) -> Any:
            return submit(pool, self._in_strand(fn), *args, **kwargs)

        def create_in_lane(loop: BaseEventLoop, *args: Any, **kwargs: Any) -> Any:
            task = create(loop, *args, **kwargs)
            self._note_fork(task)
            return task

        def put(**methods: Any) -> None:
            for owner, (name, method) in zip(owners, methods.items(), strict=True):
                setattr(owner, name, method)

        owners = (Thread, ThreadPoolExecutor, BaseEventLoop)
        put(start=start_in_lane, submit=submit_in_lane, create_task=create_in_lane)
        return lambda: put(start=start, submit=submit, create_task=create)

    def _note_fork(self, strand: object) -> None:
        with self._lock:
            here = self._here.get()
            known = self._current_strand()[0] in self._lanes
            is_thread = isinstance(self._current_strand()[0], Thread)
            if here is None or known or not is_thread:
                here = _Fork(self._current_lane())
            self._forks[strand] = here

    def _in_strand(self, function: Callable[..., Any]) -> Callable[..., Any]:
        strand = _Strand()
        self._note_fork(strand)

        def run(*args: Any, **kwargs: Any) -> Any:
            outer = getattr(self._local, "strand", None)
            self._local.strand = strand
            try:
                return function(*args, **kwargs)
            finally:
                self._local.strand = outer
                strand.is_over = True

        return run

    def _current_lane(self) -> _Lane:
        strand, is_over = self._current_strand()
        lane = self._lanes.get(strand)
        if lane is None:
            lane = self._lanes[strand] = self._new_lane(strand, is_over)
        return lane

    def _new_lane(self, strand: object, is_over: Callable[[], bool]) -> _Lane:
        fork = self._forks.pop(strand, None) or self._here.get()
        is_thread = isinstance(strand, Thread)
        lane = _Lane(next(self._lane_numbers), is_over, is_thread=is_thread, fork=fork)
        if fork is None:
            return lane
        if fork.lane.is_thread and _current_task() is strand:
            # Tasks that a thread runs one after another, as pytest-asyncio runs its fixtures.
            elders = [child for child in fork.lane.children if child.is_over]
            lane.after += tuple(tail for elder in elders for tail in elder.tails)
        fork.lane.children.append(lane)
        return lane

    def _current_strand(self) -> tuple[Any, Callable[[], bool]]:
        task = _current_task()
        if task is not None:
            return task, task.done
        item: _Strand | None = getattr(self._local, "strand", None)
        if item is not None:
            return item, lambda: item.is_over
        thread = current_thread()
        return thread, lambda: not thread.is_alive()


def _current_task() -> Any:
    """Return the running asyncio task; `None` if there is none, or asyncio was never imported."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return None
    try:
        return asyncio.current_task()
    except RuntimeError:  # no loop runs in this thread
        return None
