"""The two moments in which a fixture that outlives a test sends: its setup and its teardown."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from pytest_avatar.core.interception import Interceptor, Tape
    from pytest_avatar.plugin.stage import FixtureCue

__all__ = ["Window"]


class Window:
    """Puts a fixture's tape in for its setup, and again for its teardown.

    It is never in while tests run: they have tapes of their own.

    Args:
        cue: The fixture.
        tape: The fixture's tape.
        interceptor: Where it is put in.
        finished: Told when the fixture is over.

    Attributes:
        cue: The fixture.
        tape: The fixture's tape.
        failed: Whether the setup failed.
    """

    def __init__(
        self,
        cue: FixtureCue,
        tape: Tape,
        interceptor: Interceptor,
        finished: Callable[[Window], None],
    ) -> None:
        self.cue: Final = cue
        self.tape: Final = tape
        self.failed: bool = False
        self._interceptor: Final = interceptor
        self._finished: Final = finished
        self._before = interceptor.tape

    @contextmanager
    def open(self) -> Generator[None]:
        """Put the tape in for the setup."""
        self._before, self._interceptor.tape = self._interceptor.tape, self.tape
        try:
            yield
        except BaseException:
            self.failed = True
            raise
        finally:
            self._interceptor.tape = self._before

    def reopen(self) -> None:
        """Put the tape in for the teardown; call before anything of it runs."""
        self._before, self._interceptor.tape = self._interceptor.tape, self.tape

    def close(self) -> None:
        """Take the tape out; call when the teardown is over."""
        self._interceptor.tape = self._before
        self._finished(self)
