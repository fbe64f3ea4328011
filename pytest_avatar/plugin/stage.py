"""Who is on stage: the test, the phase and the fixture that run now, for attribution."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pytest_avatar.core.attribution import calling_line
from pytest_avatar.core.events import Opener

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    import pytest

__all__ = ["FixtureCue", "Stage"]


_line: Final[ContextVar[tuple[str, int] | None]] = ContextVar("avatar_line", default=None)


@dataclass(frozen=True, slots=True)
class FixtureCue:
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


@dataclass(slots=True)
class Stage:
    """What runs now. Threads see the same stage: they are not asked who started them.

    Attributes:
        root: The root directory.
        worker: The pytest-xdist worker; `None` without xdist.
        item: The test that runs; `None` between tests.
        phase: `setup`, `call` or `teardown`; `None` between tests.
        attempts: How often each test was begun, by node id.
        fixtures: The fixtures in work, the innermost last.
    """

    root: Path
    worker: str | None
    item: pytest.Item | None = None
    phase: str | None = None
    attempts: dict[str, int] = field(default_factory=dict)
    fixtures: list[FixtureCue] = field(default_factory=list)

    @contextmanager
    def running(self, item: pytest.Item, phase: str) -> Generator[None]:
        """Put a phase of a test on stage."""
        if phase == "setup":
            self.attempts[item.nodeid] = self.attempts.get(item.nodeid, 0) + 1
        self.item, self.phase = item, phase
        try:
            yield
        finally:
            self.item, self.phase = None, None

    @contextmanager
    def working(self, cue: FixtureCue) -> Generator[None]:
        """Put the setup or the teardown of a fixture on stage."""
        self.fixtures.append(cue)
        try:
            yield
        finally:
            self.fixtures.remove(cue)

    @contextmanager
    def calling_from_here(self) -> Generator[None]:
        """Have what other threads send on behalf of this one attributed to its line."""
        before = _line.set(calling_line(self.root))
        try:
            yield
        finally:
            _line.reset(before)

    def opener(self, client: str) -> Opener:
        """Return who opens a session now, through `client`."""
        cue = self.fixtures[-1] if self.fixtures else None
        test = None if self.item is None else self.item.nodeid
        file, line = _line.get() or calling_line(self.root) or (None, None)
        return Opener(
            scope_id=cue.scope_id if cue else test or "",
            test=test,
            phase=self.phase,
            attempt=self.attempts.get(test or "", 1),
            fixture=cue.name if cue else None,
            fixture_scope=cue.scope if cue else None,
            file=file,
            line=line,
            worker=self.worker,
            client=client,
        )
