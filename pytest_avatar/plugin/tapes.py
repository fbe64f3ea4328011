"""Which tape hears what: the test's, that of a fixture which outlives it, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pytest_avatar.adapters.interception import install
from pytest_avatar.core.interception import Interceptor, LiveTape, Tape
from pytest_avatar.core.settings import Mode
from pytest_avatar.plugin.refusing import RefusingTape
from pytest_avatar.plugin.window import Window

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from pytest_avatar.plugin.run import AvatarRun
    from pytest_avatar.plugin.stage import FixtureCue
    from pytest_avatar.plugin.tape_maker import TapeMaker

__all__ = ["Tapes"]


class Tapes:
    """Gives every test and every fixture its tape, and settles with them when they are over.

    Args:
        run: The run of this process.

    Attributes:
        interceptor: Hears of every request.
    """

    def __init__(self, run: AvatarRun) -> None:
        self._run: Final = run
        self._offline: Final = run.settings.mode is Mode.REPLAY
        self._idle: Final[Tape] = (
            RefusingTape(run.findings.refusals) if self._offline else LiveTape()
        )
        self._maker: Final = self._tape_maker()
        self.interceptor: Final = Interceptor(
            run.settings.base_url,
            run.ledger,
            run.secrets,
            run.stage.opener,
            self._idle,
            test_now=run.stage.test_now,
            offline=self._offline,
        )
        self._of_test: Tape = self._idle
        self._reports: Final[list[pytest.TestReport]] = []
        self._failures = ""
        self._live: Final[list[Window]] = []
        self._finished: Final[list[Window]] = []

    def install(self) -> Callable[[], None]:
        """Begin to listen; return what stops it."""
        undo_lanes = self._maker.install() if self._maker is not None else None
        undo_clients = install(self.interceptor)

        def undo() -> None:
            undo_clients()
            if undo_lanes is not None:
                undo_lanes()

        return undo

    @property
    def of_test(self) -> Tape:
        """The tape of the test that runs."""
        return self._of_test

    def begin_test(self, item: pytest.Item) -> None:
        """Put in a fresh tape for an attempt of a test."""
        self._reports.clear()
        self._failures = ""
        self._of_test = self.interceptor.tape = self._tape_for(item)

    def watch_now(self, item: pytest.Item) -> None:
        """Put in the tape of a test that turned out only now to use avatars."""
        if self._of_test is self._idle:
            self._of_test = self.interceptor.tape = self._tape_for(item)

    def window(self, cue: FixtureCue, request: pytest.FixtureRequest) -> Window:
        """Return the time in which a fixture that outlives a test is set up or torn down."""
        if self._maker is None:
            return Window(cue, self._idle, self.interceptor, self._finish)
        number = 1 + sum(window.cue.is_namesake(cue) for window in self._live)
        tape = self._maker.for_fixture(cue, request, number)
        window = Window(cue, tape, self.interceptor, self._finish)
        self._live.append(window)
        return window

    def _finish(self, window: Window) -> None:
        if window in self._live:
            self._live.remove(window)
            self._finished.append(window)

    def note(self, report: pytest.TestReport, call: pytest.CallInfo[None]) -> None:
        """Remember how a phase of the test fared, and what it failed with."""
        self._reports.append(report)
        if report.failed and call.excinfo is not None:
            self._failures += str(call.excinfo.value)

    def end_test(self, *, failed: bool) -> list[str]:
        """Take the tape of a test out, and settle with it and with the fixtures that are over.

        Args:
            failed: Whether the teardown failed, or a leak fails the test.

        Returns:
            What is wrong with what was sent, apart from what the test failed with anyway.
        """
        tape, self._of_test = self._of_test, self._idle
        self.interceptor.tape = self._idle
        went_wrong = failed or any(report.failed for report in self._reports)
        complaints = self._settle(tape, failed=went_wrong, sat_out=self._was_skipped)
        while self._finished:
            window = self._finished.pop(0)
            complaints += self._settle(window.tape, failed=failed or window.failed, sat_out=False)
        complaints += self._run.findings.refusals
        self._run.findings.refusals.clear()
        return [one for one in dict.fromkeys(complaints) if one not in self._failures]

    @property
    def _was_skipped(self) -> bool:
        return any(report.skipped for report in self._reports)

    def _tape_for(self, item: pytest.Item) -> Tape:
        if self._maker is None or not self._run.is_watched(item):
            return self._idle
        return self._maker.for_test(item)

    def _settle(self, tape: Tape, *, failed: bool, sat_out: bool) -> list[str]:
        if self._maker is None or tape is self._idle:
            return []
        return self._maker.settle(tape, failed=failed, sat_out=sat_out)

    def _tape_maker(self) -> TapeMaker | None:
        """Return what makes tapes of cassettes; `None` in the modes without."""
        if not self._run.settings.mode.uses_cassettes:
            return None
        from pytest_avatar.plugin.tape_maker import TapeMaker  # noqa: PLC0415 - a live run has none

        return TapeMaker(self._run)
