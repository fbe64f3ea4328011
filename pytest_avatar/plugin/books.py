"""The ledger as test authors see it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from pytest_avatar.core.errors import LeakError
from pytest_avatar.core.summary import assertion_text

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

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

        One that the ledger knows already is not counted again. In a replay nothing is open
        anywhere, but the code has to end it all the same.

        Args:
            session_id: Its id.
            token: What authorises calls to it.

        Returns:
            What the books say of it.

        Raises:
            ValueError: The id or the token is empty.
        """
        if not session_id or not token:
            raise ValueError(
                "avatar_ledger.adopt: expected the id and the token that the service gave, got an "
                f"empty {'token' if session_id else 'id'}"
            )
        ledger = self._run.ledger
        self._run.secrets.add(token, "token")
        known = ledger.find(session_id)
        if known is None:
            key = ledger.creating(self._run.stage.opener("avatar_ledger.adopt"))
            ledger.opened(key, session_id, token, status=None)
            known = ledger.find(session_id)
        assert known is not None
        ledger.learn_token(known.key, token)
        return known

    @contextmanager
    def expect_ended(self) -> Generator[None]:
        """Fail unless every session that is opened inside the block has ended when it is left.

        Raises:
            LeakError: One is open, or is being opened.
        """
        __tracebackhide__ = True
        before = set(self._run.ledger.records)
        yield
        self._fail_over(
            [record for record in self._run.ledger.unsettled if record not in before],
            "every session opened inside the block has ended (avatar_ledger.expect_ended)",
        )

    def assert_no_leaks(self) -> None:
        """Fail unless every session seen so far has ended.

        Raises:
            LeakError: A session is open, or is being opened.
        """
        __tracebackhide__ = True
        self._fail_over(
            self._run.ledger.unsettled, "no session is open now (avatar_ledger.assert_no_leaks)"
        )

    def _fail_over(self, left: Sequence[SessionRecord], expected: str) -> None:
        __tracebackhide__ = True
        if any(record.is_pending for record in left):
            raise LeakError(assertion_text(left, expected))
