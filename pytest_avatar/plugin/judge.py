"""Who must have ended what by when, and what happens to sessions that were left open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from pytest_avatar.core.events import Actor, Verdict
from pytest_avatar.core.summary import leak_text
from pytest_avatar.plugin.markers import closest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from pytest_avatar.core.ledger import SessionRecord
    from pytest_avatar.plugin.demands import AllowLeaks, NoLeaks
    from pytest_avatar.plugin.run import AvatarRun

__all__ = ["Judge"]

_NODES: Final[Mapping[str, type[pytest.Collector]]] = {
    "class": pytest.Class,
    "module": pytest.Module,
}


class Judge:
    """Judges sessions when the scope that has to end them closes.

    Args:
        run: The run of this process.
    """

    def __init__(self, run: AvatarRun) -> None:
        self._ledger: Final = run.ledger
        self._end_all: Final = run.end_all
        self._holds: Final = run.holds
        self._findings: Final = run.findings

    def after_test(self, item: pytest.Item, nextitem: pytest.Item | None) -> str | None:
        """Judge what a test left open, now that its fixtures are torn down.

        Returns:
            What the test fails with; `None` if it does not.
        """
        allowance: AllowLeaks | None = closest(item, "avatar_allow_leaks")
        if allowance is not None:
            self._findings.allowances[item.nodeid] = allowance.reason
            left = filter(_opened_by(item), self._ledger.unsettled)
            self._settle(left, Verdict.ALLOWED, allowance.reason)
            return None
        demand: NoLeaks | None = closest(item, "avatar_no_leaks")
        if demand is None:
            return None
        if demand.scope == "test":
            return self._complain(item, demand.grace)
        self._findings.is_strict = True
        if demand.scope in _NODES:
            self._close_scope(item, nextitem, demand)
        return None

    def after_run(self) -> None:
        """Judge what is still open, now that every fixture is torn down."""
        left = self._ledger.open_sessions
        ours = tuple(one for one in left if self._holds(one) or _its_fixture_tried(one))
        self._end_all(ours)
        leaked = tuple(record for record in left if record not in ours)
        self._settle(leaked, Verdict.LEAKED, "open at the end of the run")

    def after_crash(self, crashed: Collection[str]) -> None:
        """Judge what workers that died had open and nobody was about to end.

        Args:
            crashed: The tests that ran when they died: what those opened they might have ended.
        """
        for record in self._ledger.records:
            if (
                record.ended_by is Actor.WATCHDOG
                and record.judged is None
                and record.opener.fixture is None
                and record.opener.test not in crashed
            ):
                self._ledger.judged(record.key, Verdict.LEAKED, "open when its worker died")

    def _complain(self, item: pytest.Item, grace: float) -> str | None:
        left = self._close(_opened_by(item), grace, "open at the end of the test")
        if not any(record.judged for record in left):
            return None
        self._findings.is_strict = True  # or a rerun would mend it
        return leak_text(left)

    def _close_scope(
        self, item: pytest.Item, nextitem: pytest.Item | None, demand: NoLeaks
    ) -> None:
        scope = item.getparent(_NODES[demand.scope])
        if scope is None or (nextitem is not None and scope in nextitem.listchain()):
            return
        inside = (scope.nodeid + "::", scope.nodeid + "[")

        def is_inside(record: SessionRecord) -> bool:
            scope_id = record.opener.scope_id
            return scope_id == scope.nodeid or scope_id.startswith(inside)

        self._close(is_inside, demand.grace, f"open at the end of {scope.nodeid}")

    def _close(
        self, concern: Callable[[SessionRecord], bool], grace: float, reason: str
    ) -> tuple[SessionRecord, ...]:
        """Wait for ends, then judge and end what is open; return what has not ended by itself."""
        self._ledger.wait_for_ends(concern, grace)
        left = tuple(filter(concern, self._ledger.unsettled))
        self._settle(left, Verdict.LEAKED, reason)
        return left

    def _settle(self, records: Iterable[SessionRecord], verdict: Verdict, reason: str) -> None:
        """Judge those that are open, and end them for whoever should have."""
        left = tuple(record for record in records if record.is_open and record.judged is None)
        for record in left:
            self._ledger.judged(record.key, verdict, reason)
        self._end_all(left)


def _opened_by(item: pytest.Item) -> Callable[[SessionRecord], bool]:
    """Return what says whether a session was opened by a test, or by what lives as long."""
    return lambda record: record.opener.scope_id == item.nodeid


def _its_fixture_tried(record: SessionRecord) -> bool:
    """Whether the session is open although its fixture did what it could."""
    return any(attempt.actor is Actor.FIXTURE for attempt in record.end_attempts)
