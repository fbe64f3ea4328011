"""Who is on stage: the test, the phase and the fixture that run now, for attribution."""

# ruff: noqa: ANN401 - work that is submitted takes and returns what it likes

from __future__ import annotations

import itertools
from contextvars import ContextVar
from threading import current_thread
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from weakref import WeakKeyDictionary

from pytest_avatar.adapters.strands import current_task
from pytest_avatar.core.attribution import calling_line
from pytest_avatar.core.events import Opener

if TYPE_CHECKING:
    from asyncio import Task
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path
    from threading import Thread

    import pytest

__all__ = ["FixtureCue", "Stage"]


class FixtureCue(NamedTuple):
    """A fixture that is being set up or torn down.

    Attributes:
        name: Its name.
        scope: Its scope.
        scope_id: Node id of the scope it lives in; empty for the run.
        home: Node id of the module or folder that defines it; empty for the root and for plugins.
    """

    name: str
    scope: str
    scope_id: str
    home: str = ""

    @property
    def place(self) -> str:
        """Node id of where its cassette belongs.

        What lives longer than a module belongs to where it is defined: two modules may each define
        a fixture of the same name for the whole run.
        """
        return self.scope_id if self.scope in ("class", "module") else self.home

    def is_namesake(self, other: FixtureCue) -> bool:
        """Whether both would have the same cassette."""
        return (self.name, self.scope, self.place) == (other.name, other.scope, other.place)


class _Scene(NamedTuple):
    """Who is on stage: outside tests nobody, or a fixture alone."""

    test: str | None = None
    phase: str | None = None
    attempt: int = 1
    cue: FixtureCue | None = None


_NOBODY: Final = _Scene()


class _Origin(NamedTuple):
    """Who started a thread, a task or a work item, and from which line; its number grows."""

    number: int
    scene: _Scene
    line: tuple[str, int] | None = None


class _Act:
    """A block in which what is started inherits who is on stage.

    Several pass in each test, and a generator would take three times as long.

    Args:
        origin: What is inherited.
        now: What it is in the block.
        leave: Called when the block is over.
    """

    def __init__(
        self, origin: ContextVar[_Origin | None], now: _Origin, leave: Callable[[], None]
    ) -> None:
        self._origin = origin
        self._now = now
        self._leave = leave
        self._before: _Origin | None = None

    def __enter__(self) -> None:
        self._before = self._origin.get()
        self._origin.set(self._now)

    def __exit__(self, *_: object) -> None:
        self._origin.set(self._before)
        self._leave()


class Stage:
    """What runs now, and on whose behalf threads and tasks run that were started before.

    A thread or task acts for whoever is on stage as long as the scope is open in which it was
    started: a server that a module's fixture runs in a thread works for each test in turn. Once
    that scope has closed it acts for whoever started it, not for the test that runs by then.

    Args:
        root: The root directory.
        worker: The pytest-xdist worker; `None` without xdist.

    Attributes:
        worker: The same.
        item: The test that runs; `None` between tests.
        phase: `setup`, `call` or `teardown`; `None` between tests.
    """

    def __init__(self, root: Path, worker: str | None) -> None:
        self.worker: Final = worker
        self.item: pytest.Item | None = None
        self.phase: str | None = None
        self._root: Final = str(root)
        self._attempts: Final[dict[str, int]] = {}
        self._fixtures: Final[list[FixtureCue]] = []
        self._now = _Scene()
        self._numbers: Final = itertools.count()
        self._started: Final[WeakKeyDictionary[Any, _Origin]] = WeakKeyDictionary()
        # Inherited by tasks and callbacks, also by those that are handed to another thread's loop.
        self._origin: Final[ContextVar[_Origin | None]] = ContextVar("avatar_origin", default=None)

    def running(self, item: pytest.Item, phase: str) -> AbstractContextManager[None]:
        """Put a phase of a test on stage, for a block."""
        if phase == "setup":
            self._attempts[item.nodeid] = self._attempts.get(item.nodeid, 0) + 1
        self.item, self.phase = item, phase
        return _Act(self._origin, self._begin(), self._clear)

    def working(self, cue: FixtureCue) -> AbstractContextManager[None]:
        """Put the setup of a fixture on stage, for a block."""
        self._fixtures.append(cue)
        return _Act(self._origin, self._begin(), lambda: self.leave(cue))

    def enter(self, cue: FixtureCue) -> None:
        """Put a fixture on stage."""
        self._fixtures.append(cue)
        self._look()

    def leave(self, cue: FixtureCue) -> None:
        """Take a fixture off the stage."""
        self._fixtures.remove(cue)
        self._look()

    def opener(self, client: str) -> Opener:
        """Return who opens a session now, through `client`."""
        here = self._here()
        (test, phase, attempt, cue), (file, line) = here.scene, here.line or (None, None)
        return Opener(
            scope_id=_scope_id(here.scene),
            test=test,
            phase=phase,
            attempt=attempt,
            fixture=cue.name if cue else None,
            fixture_scope=cue.scope if cue else None,
            file=file,
            line=line,
            worker=self.worker,
            client=client,
        )

    def test_now(self) -> str | None:
        """Return the node id of the test for which this thread or task acts; `None` if for none."""
        return self._scene(self._latest()).test

    def thread_starts(self, thread: Thread) -> None:
        """Remember who starts a thread."""
        self._started[thread] = self._here()

    def task_starts(self, create: Callable[[], Task[Any]]) -> Task[Any]:
        """Remember who starts a task."""
        here, task = self._here(), create()
        self._started[task] = here
        return task

    def work_starts(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Remember who submits work, while a thread of the pool is at it."""
        here = self._here()

        def run(*args: Any, **kwargs: Any) -> Any:
            __tracebackhide__ = True
            thread = current_thread()
            before = self._started.get(thread)
            self._started[thread] = here
            try:
                return function(*args, **kwargs)
            finally:
                if before is not None:
                    self._started[thread] = before

        return run

    def _begin(self) -> _Origin:
        """Take note of who is on stage; return what is inherited by all that is started now."""
        self._look()
        return _Origin(next(self._numbers), self._now)

    def _clear(self) -> None:
        """Take the test off the stage."""
        self.item, self.phase = None, None
        self._look()

    def _look(self) -> None:
        """Take note of who is on stage."""
        cue = self._fixtures[-1] if self._fixtures else None
        if self.item is None:
            self._now = _NOBODY if cue is None else _Scene(cue=cue)
        else:
            test = self.item.nodeid
            self._now = _Scene(test, self.phase, self._attempts[test], cue)

    def _here(self) -> _Origin:
        """Return for whom this thread or task acts now, and from which line."""
        number, line, origin = next(self._numbers), calling_line(self._root), self._latest()
        return _Origin(number, self._scene(origin), line or (origin and origin.line))

    def _scene(self, origin: _Origin | None) -> _Scene:
        """Return for whom somebody with that origin acts now."""
        return origin.scene if origin and self._is_over(origin.scene) else self._now

    def _latest(self) -> _Origin | None:
        """Return what this thread or task goes back to: the last that was started on the way."""
        latest = self._origin.get()
        for strand in (current_task(), current_thread()):
            known = self._started.get(strand) if strand is not None else None
            if known is not None and (latest is None or known.number > latest.number):
                latest = known
        return latest

    def _is_over(self, origin: _Scene) -> bool:
        """Whether the scope has closed in which something was started; that of imports has."""
        if self.item is None or (origin.test is None and origin.cue is None):
            return True
        scope_id = _scope_id(origin)
        if scope_id == origin.test:
            return (origin.test, origin.attempt) != (self._now.test, self._now.attempt)
        if not scope_id:
            return False
        return all(node.nodeid != scope_id for node in self.item.listchain())


def _scope_id(scene: _Scene) -> str:
    """Return the node id of what has to end what is opened now; empty for the run."""
    return scene.cue.scope_id if scene.cue else scene.test or ""
