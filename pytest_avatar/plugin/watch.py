"""What happens around each test and each fixture of a run that uses avatars."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Final

import pytest

from pytest_avatar.core.summary import session_text
from pytest_avatar.core.text import count
from pytest_avatar.plugin.judge import Judge
from pytest_avatar.plugin.scrubbing import scrub_report, shorten
from pytest_avatar.plugin.stage import FixtureCue

if TYPE_CHECKING:
    import warnings
    from collections.abc import Generator

    from pytest_avatar.plugin.run import AvatarRun

__all__ = ["Watch"]

_MOST_NOTED: Final = 20
"""Sessions among the properties of one test."""


class Watch:
    """Puts tests and fixtures on stage, and judges them when they leave it.

    Args:
        run: The run of this process.
    """

    def __init__(self, run: AvatarRun) -> None:
        self._run: Final = run
        self._judge: Final = Judge(run)
        self._noted = 0

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None]:
        """Put the test's setup on stage."""
        self._run.tapes.begin_test(item)
        with self._run.stage.running(item, "setup"):
            yield

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None]:
        """Put the test on stage."""
        with self._run.stage.running(item, "call"):
            yield

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> Generator[None]:
        """Put the test's teardown on stage, then judge what it left open and what it sent."""
        try:
            with self._run.stage.running(item, "teardown"):
                yield
        except BaseException:
            for complaint in self._complaints(item, nextitem, failed=True):
                item.add_report_section("teardown", "avatar", complaint)
            raise
        complaints = self._complaints(item, nextitem, failed=False)
        if complaints:
            pytest.fail("\n\n".join(complaints), pytrace=False)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
    ) -> Generator[None, object, object]:
        """Put a fixture on stage for its setup and its teardown.

        One that outlives a test has a tape of its own. The teardown is framed by finalizers: they
        run in the reverse order of their adding.
        """
        scope_id = request.node.nodeid if request.scope != "session" else ""
        home = getattr(fixturedef, "baseid", "")
        cue, stage = FixtureCue(fixturedef.argname, request.scope, scope_id, home), self._run.stage
        window = None if request.scope == "function" else self._run.tapes.window(cue, request)
        fixturedef.addfinalizer(lambda: stage.leave(cue))
        if window is not None:
            fixturedef.addfinalizer(window.close)
        try:
            with nullcontext() if window is None else window.open(), stage.working(cue):
                return (yield)
        finally:
            if window is not None:
                fixturedef.addfinalizer(window.reopen)
            fixturedef.addfinalizer(lambda: stage.enter(cue))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Remember how the test fares, and take secrets out of what will be shown."""
        report = yield
        self._run.tapes.note(report, call)
        shorten(report, call)
        scrub_report(report, self._run.secrets.scrub)
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage) -> None:
        """Take secrets out of a warning before it is listed."""
        text = str(warning_message.message)
        scrubbed = self._run.secrets.scrub(text)
        if scrubbed != text:
            warning_message.message = scrubbed

    def _complaints(
        self, item: pytest.Item, nextitem: pytest.Item | None, *, failed: bool
    ) -> list[str]:
        """Return what is wrong with a test that is over. Forked children have no say."""
        if not self._run.ledger.is_ours:
            return []
        leak = self._judge.after_test(item, nextitem)
        self._note_sessions(item)
        if leak is None:
            return self._run.tapes.end_test(failed=failed)
        return [leak, *self._run.tapes.end_test(failed=True)]

    def _note_sessions(self, item: pytest.Item) -> None:
        """Say how the test's sessions stand in the properties of its last report."""
        ledger, scrub = self._run.ledger, self._run.secrets.scrub
        fresh = ledger.newer_than(self._noted)
        self._noted += len(fresh)
        own = [one for one in reversed(fresh) if one.opener.scope_id == item.nodeid]
        for record in own[:_MOST_NOTED]:
            item.user_properties.append(("avatar_session", scrub(session_text(record))))
        if len(own) > _MOST_NOTED:
            more = count(len(own) - _MOST_NOTED, "more session")
            item.user_properties.append(("avatar_session", f"and {more}"))
