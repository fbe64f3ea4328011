"""What a run did with its sessions, as plain data: the one model that every report draws from.

::

    Report
    ├── run            RunFacts: mode, base URL, versions, times, what died, what is missing
    ├── sessions       SessionFacts, in the order in which create was sent
    ├── allowances     Allowance: what may be left open, and how often that was used
    └── derived: totals, groups of equal findings, warnings

Words used here and in every report: *leaked* is what was open when its scope closed, and stays so
after somebody ended it; *lost* is what could not be ended; *unknown* is a create that was sent and
got no usable answer; *allowed* is what was left open with an allowance.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import cache, cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pytest_avatar.core.events import Verdict
from pytest_avatar.core.ledger import State
from pytest_avatar.core.limits import held_at_the_limit, limit_text
from pytest_avatar.core.text import count, listed, printable
from pytest_avatar.core.totals import Totals, count_sessions
from pytest_avatar.core.wire import Ending

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from pytest_avatar.core.events import Actor, Opener
    from pytest_avatar.core.ledger import EndAttempt, SessionRecord

__all__ = [
    "FAILURES",
    "FINDINGS",
    "SCHEMA_VERSION",
    "Allowance",
    "Group",
    "Report",
    "RunFacts",
    "SessionFacts",
    "build_report",
]

SCHEMA_VERSION: Final = 1
"""Raised whenever a program that reads reports would have to change."""

FINDINGS: Final = (Verdict.LOST, Verdict.LEAKED, Verdict.UNKNOWN, Verdict.ALLOWED)
"""What is not clean, worst first."""

FAILURES: Final = (Verdict.LOST, Verdict.LEAKED)
"""What fails the run."""

_UNBILLED_MODES: Final = frozenset({"replay", "emulator"})


class RunFacts(NamedTuple):
    """What the report says of the run itself.

    Attributes:
        mode: How the run met the service; several, with commas, after a merge.
        base_url: Where the service lives.
        versions: Of `pytest-avatar`, `python`, `pytest`.
        started_at: In seconds since the epoch.
        ended_at: In seconds since the epoch.
        exit_status: Of pytest; `None` if it is not known.
        died: What died before its time (`worker gw1`).
        missing: Which data this report lacks, and why.
        limited_at: For each create that the service refused with 429, its limit of sessions that
            are open at once: how many the run held when it was sent.
    """

    mode: str
    base_url: str
    versions: Mapping[str, str]
    started_at: float
    ended_at: float
    exit_status: int | None = None
    died: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    limited_at: tuple[int, ...] = ()

    @property
    def is_billed(self) -> bool:
        """Whether a session of this run may cost money."""
        return not _UNBILLED_MODES.issuperset(self.mode.split(", "))


class SessionFacts(NamedTuple):
    """What the report says of one session. Times are in seconds since the epoch.

    Attributes:
        key: Unique in the report; its part before the last dash names the process.
        opener: Who opened it.
        verdict: What it means for the run.
        created_at: When create was sent.
        session_id: The id that the service gave; `None` if none is known.
        opened_at: When create was answered; `None` if it never was.
        ended_at: When it was known to be over; `None` if it is not.
        ended_by: Who ended it; `None` if it is not over.
        calls: How often each operation was answered, end apart.
        end_attempts: Every try to end it, oldest first.
        reason: Why it is unknown, or was judged so; `None` if it is clean.
    """

    key: str
    opener: Opener
    verdict: Verdict
    created_at: float
    session_id: str | None = None
    opened_at: float | None = None
    ended_at: float | None = None
    ended_by: Actor | None = None
    calls: Mapping[str, int] = MappingProxyType({})
    end_attempts: tuple[EndAttempt, ...] = ()
    reason: str | None = None

    @classmethod
    def of(cls, record: SessionRecord, *, offline: bool = False) -> SessionFacts:
        """Return what the books say now.

        Args:
            record: The books.
            offline: In a replay nothing is open anywhere, so that nothing can be lost.
        """
        verdict = record.verdict
        if offline and verdict is Verdict.LOST:
            verdict = record.judged or Verdict.LEAKED
        return cls(
            key=record.key,
            opener=record.opener,
            verdict=verdict,
            created_at=record.created_at,
            session_id=record.session_id,
            opened_at=record.opened_at,
            ended_at=record.ended_at,
            ended_by=record.ended_by,
            calls={operation.value: times for operation, times in record.calls.items()},
            end_attempts=record.end_attempts,
            reason=record.reason,
        )

    @property
    def process(self) -> str:
        """The process that saw it (`main`, `gw0`)."""
        return self.key.rpartition("-")[0]

    @property
    def name(self) -> str:
        """What to call it: the service's id, or our key."""
        return self.session_id or self.key

    @property
    def seconds_open(self) -> float | None:
        """How long it was open; `None` if it never was, or still is."""
        if self.opened_at is None or self.ended_at is None:
            return None
        return self.ended_at - self.opened_at

    @property
    def ending(self) -> Ending | None:
        """How the answer that ended it is to be read; `None` if none did."""
        last = self._last_word
        return None if last is None else last.ending

    @property
    def ended_elsewhere(self) -> str | None:
        """Node id of the test that ended it, if another one opened it for itself."""
        last, home = self._last_word, self.opener.test
        if last is None or home is None or home != self.opener.scope_id:
            return None
        return None if last.test == home else last.test

    @property
    def _last_word(self) -> EndAttempt | None:
        """The attempt that ended it; `None` if none did."""
        for attempt in self.end_attempts:
            if attempt.ending.is_over:
                return attempt
        return None

    @property
    def outcome(self) -> str:
        """How it ended, in words."""
        if self.verdict is Verdict.UNKNOWN:
            return f"create was sent, no usable answer came: {self.reason or 'no answer'}"
        if self.ended_by is None:
            return self._failure
        where = self.ended_elsewhere
        whereabouts = "" if where is None else f", in another test: {where}"
        if self.ending in (None, Ending.ENDED):
            return f"ended by {self.ended_by}{whereabouts}"
        return f"{self.ending} when {self.ended_by} ended it{whereabouts}"

    @property
    def _failure(self) -> str:
        if not self.end_attempts:
            return "never ended"
        last = self.end_attempts[-1]
        tries = count(len(self.end_attempts), "attempt")
        return f"not ended after {tries}: {last.reason or last.ending}"


class Allowance(NamedTuple):
    """Leave to keep sessions open.

    Attributes:
        place: Node id of the test, class or module that has it.
        reason: Why, in the author's words.
        uses: How many sessions were left open under it.
    """

    place: str
    reason: str
    uses: int = 0


class Group(NamedTuple):
    """Findings with the same verdict that were opened at the same place.

    Attributes:
        verdict: What they mean for the run.
        place: Where they were opened.
        sessions: At least one, in the order of their creation.
    """

    verdict: Verdict
    place: str
    sessions: tuple[SessionFacts, ...]

    @property
    def owners(self) -> tuple[str, ...]:
        """The tests, classes and modules that had to see to their end, or the run, each once."""
        return tuple(dict.fromkeys(session.opener.owner for session in self.sessions))

    @property
    def outcomes(self) -> tuple[str, ...]:
        """How they ended, each way once."""
        return tuple(dict.fromkeys(session.outcome for session in self.sessions))

    @property
    def lives(self) -> tuple[float, float] | None:
        """The shortest and the longest life in seconds; `None` if none is over."""
        known = [seconds for one in self.sessions if (seconds := one.seconds_open) is not None]
        return (min(known), max(known)) if known else None


@dataclass(frozen=True)
class Report:
    """The run as plain data.

    Attributes:
        run: The run itself.
        sessions: Every session, in the order in which create was sent.
        allowances: What may be left open, and how often that was used.
    """

    run: RunFacts
    sessions: tuple[SessionFacts, ...] = ()
    allowances: tuple[Allowance, ...] = ()

    @cached_property
    def totals(self) -> Totals:
        """The run in numbers."""
        return count_sessions(self.sessions, self.run.ended_at)

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """Everything that is not clean, worst and largest first."""
        return _group(self.sessions)

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """What is no failure, and yet may mean that this report is wrong."""
        return tuple(_warnings(self))

    @property
    def worst_first(self) -> Iterator[SessionFacts]:
        """Every session, the findings in front."""
        for group in self.groups:
            yield from group.sessions
        yield from (one for one in self.sessions if one.verdict is Verdict.CLEAN)

    @property
    def failures(self) -> int:
        """How many sessions fail the run: the leaked and the lost."""
        return sum(map(self.totals.found, FAILURES))

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON data that `report.schema.json` describes."""
        from pytest_avatar.core.report_data import report_to_dict  # noqa: PLC0415 - it imports us

        return report_to_dict(self)

    @classmethod
    def from_dict(cls, data: Any) -> Report:  # noqa: ANN401 - JSON data
        """Read a report that `to_dict` gave; what is derived is counted anew.

        Raises:
            ValueError: It is no report of a version we know; the text says where and why.
        """
        from pytest_avatar.core.report_data import report_from_dict  # noqa: PLC0415 - it imports us

        return report_from_dict(data)


def build_report(
    run: RunFacts,
    records: Iterable[SessionRecord],
    *,
    allowances: Iterable[Allowance] = (),
    scrub: Callable[[str], str] | None = None,
) -> Report:
    """Return the report of a run.

    Args:
        run: What is known of the run; what it met of the service's limit is counted here.
        records: The books; creates that were refused opened nothing and are passed over.
        allowances: Every allowance that applied to a test that ran; their uses are counted here.
        scrub: Takes the secrets out of a text, of several on lines of their own too; `None` if
            every text came redacted.
    """
    offline = run.mode == "replay"
    records = tuple(records)
    sessions = tuple(
        SessionFacts.of(record, offline=offline)
        for record in records
        if record.state is not State.REFUSED
    )
    run = run._replace(limited_at=tuple(held_at_the_limit(records)))
    report = Report(run, sessions, _count_uses(allowances, sessions))
    return report if scrub is None else _scrubbed(report, scrub)


def _scrubbed(report: Report, scrub: Callable[[str], str]) -> Report:
    from pytest_avatar.core.report_data import map_texts, scrub_sessions  # noqa: PLC0415 - it imports us

    remembering = cache(scrub)
    head: Report = map_texts(replace(report, sessions=()), remembering)
    return replace(head, sessions=scrub_sessions(report.sessions, remembering))


def _count_uses(
    allowances: Iterable[Allowance], sessions: Iterable[SessionFacts]
) -> tuple[Allowance, ...]:
    """Count how often each allowance was used; one that only a session tells of is added."""
    given = {allowance.place: allowance for allowance in allowances}
    uses: Counter[str] = Counter()
    for session in sessions:
        if session.verdict is Verdict.ALLOWED:
            node = session.opener.test or session.opener.scope_id
            place = _nearest(node, given) or node
            given.setdefault(place, Allowance(place=place, reason=session.reason or ""))
            uses[place] += 1
    return tuple(allowance._replace(uses=uses[place]) for place, allowance in given.items())


def _nearest(node: str, given: Mapping[str, Allowance]) -> str:
    """Return the closest of the node and its parents that has an allowance; empty if none has."""
    while node and node not in given:
        node = node.rpartition("::")[0]
    return node


def _group(sessions: Iterable[SessionFacts]) -> tuple[Group, ...]:
    found: dict[tuple[Verdict, str], list[SessionFacts]] = {}
    for session in sessions:
        if session.verdict is not Verdict.CLEAN:
            found.setdefault((session.verdict, session.opener.place), []).append(session)
    groups = (Group(verdict, place, tuple(group)) for (verdict, place), group in found.items())
    return tuple(
        sorted(groups, key=lambda group: (FINDINGS.index(group.verdict), -len(group.sessions)))
    )


def _warnings(report: Report) -> Iterable[str]:
    lost_from_sight = sum(one.ending is Ending.SUSPICIOUS for one in report.sessions)
    if lost_from_sight:
        yield (
            f"{count(lost_from_sight, 'session')} answered 404 to the very first call: "
            "a wrong base URL answers 404 too, and then the session is still open"
        )
    if report.run.limited_at:
        yield limit_text(report.run.limited_at)
    for died in report.run.died:
        yield f"{printable(died)} died before its time"
    for missing in report.run.missing:
        yield f"missing here: {printable(missing)}"
    unused = [printable(one.place, 80) for one in report.allowances if not one.uses]
    if unused:
        more = [f"{len(unused) - 3:,} more"] if len(unused) > 3 else []
        yield f"avatar_allow_leaks without a leak: {listed(unused[:3] + more)}"
