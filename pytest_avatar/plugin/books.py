"""The ledger as test authors see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pytest_avatar.core.errors import LeakError
from pytest_avatar.core.summary import assertion_text

if TYPE_CHECKING:
    from pytest_avatar.core.ledger import Ledger, SessionRecord

__all__ = ["AvatarLedger"]


class AvatarLedger:
    """The sessions of this run, as far as this process has seen them."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger: Final = ledger

    @property
    def sessions(self) -> tuple[SessionRecord, ...]:
        """All sessions that were opened, or may have been, oldest first."""
        return self._ledger.sessions

    @property
    def open_sessions(self) -> tuple[SessionRecord, ...]:
        """The sessions that are open now, newest first."""
        return self._ledger.open_sessions

    def assert_no_leaks(self) -> None:
        """Fail unless every session seen so far has ended.

        Raises:
            LeakError: A session is open, or may be.
        """
        __tracebackhide__ = True
        left = self._ledger.unsettled
        if left:
            raise LeakError(assertion_text(left))
