"""What the service may answer to `end`, and what a run makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from pytest_avatar.core import conversation
from tests.downstream import until

if TYPE_CHECKING:
    from tests.downstream import Downstream

CLEAN = "avatar: 1 session, all ended (1 by their fixture)"
GONE = "avatar: 1 session, all ended (1 already gone)"
LOST = "*avatar: 1 lost of 1 session*"


@dataclass(frozen=True, slots=True)
class Trouble:
    """What goes wrong with every end of a run, and what has to come of it.

    Attributes:
        faults: What goes wrong.
        lines: Lines of the output, in order.
        status: Exit status of a run whose test passes.
        speaks: Whether the test speaks before the end.
    """

    faults: tuple[str, ...]
    lines: tuple[str, ...]
    status: int = 0
    speaks: bool = True


TROUBLES = {
    "500 twice, then 200": Trouble(("end:status=500,times=2",), (CLEAN,)),
    "success false with 200, then 200": Trouble(("end:body=refused",), (CLEAN,)),
    "no JSON, then 200": Trouble(("end:status=502,body=not-json",), (CLEAN,)),
    "429, then 200": Trouble(("end:status=429",), (CLEAN,)),
    "a connection that drops before the effect": Trouble(("end:drop=before",), (CLEAN,)),
    "a connection that drops after the effect": Trouble(("end:drop=after",), (GONE,)),
    "a time-out": Trouble(("end:delay=1",), (GONE,)),
    "a truncated answer": Trouble(("end:body=truncated",), (GONE,)),
    "404 after other calls": Trouble(("end:status=404,effect=yes",), (GONE,)),
    "404 to the first call": Trouble(
        ("end:status=404,effect=yes",),
        (
            f"*{GONE}*",
            (
                "1 session answered 404 to the very first call: a wrong base URL answers 404 too, "
                "and then the session is still open"
            ),
        ),
        speaks=False,
    ),
    "410": Trouble(("end:status=410,effect=yes",), (GONE,)),
    "500 for ever": Trouble(
        ("end:status=500,times=forever",),
        (
            LOST,
            "1 session lost, opened by fixture avatar_session*",
            "  in test_it.py::test_it",
            "  at ?*; not ended after * attempts: 500 Internal server error (*)",
            "lost: end it with `pytest-avatar reap`; until it is over it may cost money",
        ),
        status=1,
    ),
    "401 for ever": Trouble(
        ("end:status=401,times=forever",),
        (LOST, "  at ?*; not ended after * attempts: 401 Invalid or expired token (*)"),
        status=1,
    ),
    "connections that drop for ever": Trouble(
        ("end:drop=before,times=forever",),
        (LOST, "  at ?*; not ended after * attempts: RemoteProtocolError: * (*)"),
        status=1,
    ),
    "time-outs for ever": Trouble(
        ("end:delay=1,times=forever,status=500",),
        (LOST, "  at ?*; not ended after * attempts: ReadTimeout: * (*)"),
        status=1,
    ),
}

TEST = """
    def test_it(avatar_session):
        if {speaks}:
            avatar_session.say_text("hello")
        assert {holds}
"""


@pytest.fixture
def impatient(downstream: Downstream, monkeypatch: pytest.MonkeyPatch) -> Downstream:
    """A project whose runs in this process give up after half a second, not after four."""
    monkeypatch.setattr(conversation, "END_BUDGET_SECONDS", 0.5)
    downstream.configure(avatar_timeout=0.2, avatar_watchdog="off")
    return downstream


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
def test_end_meets(impatient: Downstream, trouble: Trouble) -> None:
    impatient.write(TEST.format(speaks=trouble.speaks, holds=True))
    impatient.emulator.add_faults(*trouble.faults)
    result = impatient.run_live("-rA")

    result.stdout.fnmatch_lines(["PASSED test_it.py::test_it"])
    result.stdout.fnmatch_lines(list(trouble.lines))
    assert result.ret == trouble.status
    assert len(impatient.emulator.open_sessions) == trouble.status


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
def test_no_trouble_hides_why_a_test_failed(impatient: Downstream, trouble: Trouble) -> None:
    impatient.write(TEST.format(speaks=trouble.speaks, holds="avatar_session is None"))
    impatient.emulator.add_faults(*trouble.faults)
    result = impatient.run_live()

    result.stdout.fnmatch_lines(["E *assert <AvatarSession * open> is None"])
    result.stdout.fnmatch_lines(["FAILED test_it.py::test_it - assert <AvatarSession *"])
    result.stdout.fnmatch_lines(list(trouble.lines))
    assert result.ret == 1
    assert len(impatient.emulator.open_sessions) == trouble.status


def test_a_token_that_is_refused_is_not_tried_in_vain(impatient: Downstream) -> None:
    """Once by the fixture, and once more at the end of the run."""
    impatient.write(TEST.format(speaks=True, holds=True))
    impatient.emulator.add_faults("end:status=401,times=forever")
    impatient.run_live()

    (session,) = impatient.emulator.sessions
    assert session["calls"]["end"] == 2


def test_what_the_run_could_not_end_falls_to_the_watchdog(downstream: Downstream) -> None:
    downstream.write(TEST.format(speaks=True, holds=True))
    downstream.emulator.add_faults("end:status=500,times=forever")
    result = downstream.run_apart()

    assert result.ret == 1
    result.stdout.fnmatch_lines([LOST])
    assert len(downstream.emulator.open_sessions) == 1
    downstream.emulator.mend()
    until(lambda: not downstream.emulator.open_sessions)
    downstream.emulator.assert_all_ended(1)
