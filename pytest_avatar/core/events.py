"""What happens to sessions, as plain events: the only form in which books are kept or merged."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pytest_avatar.core.wire import Ending, Operation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Actor", "Event", "Kind", "Opener", "Verdict"]


class Actor(StrEnum):
    """Who sent a request; the value is the phrase used in reports."""

    CODE = "the code under test"
    FIXTURE = "its fixture"
    PLUGIN = "pytest-avatar"
    KEEPER = "keep-alive"
    WATCHDOG = "the watchdog"

    @property
    def is_background(self) -> bool:
        """Whether neither a test nor its fixtures sent it, so that cassettes pass it over."""
        return self in (Actor.PLUGIN, Actor.KEEPER, Actor.WATCHDOG)


class Verdict(StrEnum):
    """What a session means for the run, once its scope has closed."""

    CLEAN = "clean"
    LEAKED = "leaked"
    ALLOWED = "allowed"
    UNKNOWN = "unknown"
    LOST = "lost"


class Kind(StrEnum):
    """What an event says."""

    CREATING = "creating"
    OPENED = "opened"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    CALLED = "called"
    END_TRIED = "end-tried"
    JUDGED = "judged"


class Opener(NamedTuple):
    """Who opened a session.

    Attributes:
        scope_id: Node id of the scope that has to end it; empty for the run.
        test: Node id of the test that ran; `None` outside tests.
        phase: `setup`, `call` or `teardown` of that test; `None` outside tests.
        attempt: 1, or more if the test was run again.
        fixture: Name of the fixture that was being set up or torn down; `None` if none was.
        fixture_scope: That fixture's scope.
        file: File of the first frame outside libraries, relative to the root directory.
        line: Line in that file, from 1.
        worker: The pytest-xdist worker; `None` without xdist.
        client: The HTTP client that sent the request.
        process: Number and command of the process that sent it, if that is not pytest's own.
    """

    scope_id: str = ""
    test: str | None = None
    phase: str | None = None
    attempt: int = 1
    fixture: str | None = None
    fixture_scope: str | None = None
    file: str | None = None
    line: int | None = None
    worker: str | None = None
    client: str | None = None
    process: str | None = None

    @property
    def owner(self) -> str:
        """What has to see to its end: a test, the class or module of a fixture, or the run."""
        return self.scope_id or "the run"

    @property
    def place(self) -> str:
        """Where to look first: the line, the fixture, or the test. Findings are grouped by it."""
        line = None if self.file is None else f"{self.file}:{self.line}"
        if self.fixture is not None:
            return f"fixture {self.fixture}{f' at {line}' if line else ''}"
        return line or self.test or "outside any test"


class Event(NamedTuple):
    """One line of the books; what does not apply is `None`.

    Attributes:
        kind: What happened.
        key: Which session, unique over all processes of the run.
        at: When, in seconds since the epoch, from a clock that never runs backwards.
        session_id: The id that the service gave.
        opener: Who sent the create.
        operation: What was called.
        status: HTTP status of the answer.
        ending: How the answer to an end is to be read.
        actor: Who sent the end.
        test: Node id of the test on whose behalf the end was sent.
        verdict: The judgement.
        reason: Why, in words, redacted.
    """

    kind: Kind
    key: str
    at: float
    session_id: str | None = None
    opener: Opener | None = None
    operation: Operation | None = None
    status: int | None = None
    ending: Ending | None = None
    actor: Actor | None = None
    test: str | None = None
    verdict: Verdict | None = None
    reason: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the event as JSON data, without what does not apply."""
        data: dict[str, Any] = {
            name: value
            for name, value in zip(_EVENT_FIELDS, self, strict=True)
            if value is not None
        }
        if self.opener is not None:
            data["opener"] = {
                name: value
                for name in _OPENER_FIELDS
                if (value := getattr(self.opener, name)) is not None
            }
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Event:
        """Read an event written by this or another version: unknown keys are passed over.

        Raises:
            ValueError: It is no event.
        """
        try:
            known = {
                name: _EVENT_TYPES.get(name, _same)(value)
                for name, value in data.items()
                if name in _EVENT_FIELDS
            }
            return cls(**known)
        except (TypeError, AttributeError) as error:
            raise ValueError("not an event of the ledger") from error


def _same(value: Any) -> Any:  # noqa: ANN401 - JSON data
    return value


def _read_opener(data: Mapping[str, Any]) -> Opener:
    return Opener(**{name: value for name, value in data.items() if name in _OPENER_FIELDS})


_OPENER_FIELDS: Final = Opener._fields
_EVENT_FIELDS: Final = Event._fields
_EVENT_TYPES: Final[Mapping[str, Callable[[Any], Any]]] = {
    "kind": Kind,
    "opener": _read_opener,
    "operation": Operation,
    "ending": Ending,
    "actor": Actor,
    "verdict": Verdict,
}
