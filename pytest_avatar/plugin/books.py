"""The ledger as test authors see it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from pytest_avatar.core.errors import LeakError
from pytest_avatar.core.summary import assertion_text

if TYPE_CHECKING:
    from collections.abc import Generator

    from pytest_avatar.core.ledger import SessionRecord
    from pytest_avatar.plugin.run import AvatarRun

__all__ = ["AvatarLedger"]


class AvatarLedger:
    """The sessions of this run, as far as this process has seen them."""

    def __init__(self, run: AvatarRun) -> None:
        self._run: Final = run

    @property
    def sessions(self) -> tuple[SessionRecord, ...]:
        """All sessions that were opened, or may have been, oldest first."""
        return self._run.ledger.sessions

    @property
    def open_sessions(self) -> tuple[SessionRecord, ...]:
        """The sessions that are open now, newest first."""
        return self._run.ledger.open_sessions

    def adopt(self, session_id: str, token: str) -> SessionRecord:
        """Take in a session that no wire showed; it has to end like any other.

        Args:
            session_id: Its id.
            token: What authorises calls to it.
        """
        ledger = self._run.ledger
        self._run.secrets.add(token, "token")
        key = ledger.creating(self._run.stage.opener("avatar_ledger.adopt"))
        ledger.opened(key, session_id, token, status=None)
        record = ledger.find(session_id)
        assert record is not None
        return record

    @contextmanager
    def expect_ended(self) -> Generator[None]:
        """Fail unless every session that is opened inside the block has ended when it is left.

        Raises:
            LeakError: One is open, or may be.
        """
        __tracebackhide__ = True
        before = set(self._run.ledger.records)
        yield
        left = [record for record in self._run.ledger.unsettled if record not in before]
        if left:
            raise LeakError(assertion_text(left))

    def assert_no_leaks(self) -> None:
        """Fail unless every session seen so far has ended.

        Raises:
            LeakError: A session is open, or may be.
        """
        __tracebackhide__ = True
        left = self._run.ledger.unsettled
        if left:
            raise LeakError(assertion_text(left))
