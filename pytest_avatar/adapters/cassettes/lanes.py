"""Which thread, task or submitted work item sends a request, and what was over by then."""

# ruff: noqa: ANN401 - what is wrapped here takes and returns what it likes

from __future__ import annotations

import itertools
from contextvars import ContextVar
from threading import Lock, Thread, current_thread, local
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

from pytest_avatar.adapters.shield import ShieldedThread
from pytest_avatar.adapters.strands import current_task, follow
from pytest_avatar.core.ordering import Step

if TYPE_CHECKING:
    from asyncio import Task
    from collections.abc import Callable, Iterator

__all__ = ["Lanes"]


class _WorkItem:
    """What was submitted to a pool of threads."""

    __slots__ = ("__weakref__", "is_over")

    def __init__(self) -> None:
        self.is_over = False


class _Lane:
    """What one strand (thread, task or work item) sends.

    Attributes:
        number: Unique in this run.
        is_thread: Whether the strand is a whole thread.
        after: Requests that were over before the first of this lane, until that is sent.
        origin: What `after` was when it sent its first request.
        last: Number of the request it sent last; `None` if it sent none yet.
        children: The lanes that were forked off and not yet joined.
        over: The last requests of the tasks that were joined since `last`.
    """

    def __init__(
        self,
        number: int,
        strand: Thread | Task[Any] | _WorkItem,
        fork: _Fork | None,
    ) -> None:
        self.number = number
        self.is_thread = isinstance(strand, Thread)
        self.after: tuple[int, ...] = () if fork is None else fork.after
        self.origin: tuple[int, ...] = ()
        self.last: int | None = None
        self.children: list[_Lane] = []
        self.over: tuple[int, ...] = ()
        self._strand = ref(strand)

    @property
    def is_over(self) -> bool:
        return _is_over(self._strand()) and all(child.is_over for child in self.children)

    @property
    def tails(self) -> Iterator[int]:
        """The requests after which nothing more comes from here or from children."""
        if self.last is not None:
            yield self.last
        yield from self.over
        for child in self.children:
            yield from child.tails

    def send(self, number: int) -> tuple[int, ...]:
        """Note a request; return those that were over before, apart from the last one here."""
        if self.last is None:
            self.origin = self.after
        after = self.after + self.over
        self.after = self.over = ()
        if self.children and all(child.is_over for child in self.children):
            after += tuple(tail for child in self.children for tail in child.tails)
            self.children.clear()
        self.last = number
        return after

    def join_tasks(self) -> tuple[int, ...]:
        """Take in the children that are over; return the last requests of all that were so far.

        What came before a child's first request need not be named beside its last one.
        """
        for child in [child for child in self.children if child.is_over]:
            self.children.remove(child)
            if tails := tuple(child.tails):
                self.over = (*(one for one in self.over if one not in child.origin), *tails)
        return self.over


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
        self._callers: WeakKeyDictionary[Any, Thread | Task[Any] | _WorkItem] = WeakKeyDictionary()
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
        return follow(self)

    def thread_starts(self, thread: Thread) -> None:
        """Note who starts a thread."""
        if isinstance(thread, ShieldedThread):
            self._callers[thread] = self._current_strand()
        else:
            self._note_fork(thread)

    def task_starts(self, create: Callable[[], Task[Any]]) -> Task[Any]:
        """Note who starts a task."""
        task = create()
        self._note_fork(task)
        return task

    def work_starts(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Note who submits a work item."""
        item = _WorkItem()
        self._note_fork(item)

        def run(*args: Any, **kwargs: Any) -> Any:
            __tracebackhide__ = True
            self._local.item = item
            try:
                return function(*args, **kwargs)
            finally:
                del self._local.item
                item.is_over = True

        return run

    def _note_fork(self, strand: object) -> None:
        with self._lock:
            here = self._here.get()
            parent = self._current_strand()
            if here is None or parent in self._lanes or not isinstance(parent, Thread):
                here = _Fork(self._current_lane())
            self._forks[strand] = here

    def _current_lane(self) -> _Lane:
        strand = self._current_strand()
        lane = self._lanes.get(strand)
        if lane is None:
            lane = self._lanes[strand] = self._new_lane(strand)
        return lane

    def _new_lane(self, strand: Thread | Task[Any] | _WorkItem) -> _Lane:
        fork = self._forks.pop(strand, None) or self._here.get()
        lane = _Lane(next(self._lane_numbers), strand, fork)
        if fork is None:
            return lane
        if fork.lane.is_thread and strand is current_task():
            # A thread runs such tasks one after another, as pytest-asyncio runs its fixtures.
            lane.after += fork.lane.join_tasks()
        fork.lane.children.append(lane)
        return lane

    def _current_strand(self) -> Thread | Task[Any] | _WorkItem:
        item: _WorkItem | None = getattr(self._local, "item", None)
        thread = current_thread()
        return current_task() or item or self._callers.get(thread, thread)


def _is_over(strand: Thread | Task[Any] | _WorkItem | None) -> bool:
    if strand is None:
        return True
    if isinstance(strand, _WorkItem):
        return strand.is_over
    return not strand.is_alive() if isinstance(strand, Thread) else strand.done()
