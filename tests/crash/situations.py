"""The ways in which a run may end, as `docs/explanation/guarantees.md` lists them."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pytest_avatar.core.events import Actor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.downstream import EmulatorProcess

__all__ = ["SITUATIONS", "Outcome", "Situation", "Strike", "in_test"]

_NEVER: Final = "import time; time.sleep(60)"
"""What a test does that waits for its fate."""


@dataclass(frozen=True, slots=True)
class Strike:
    """What somebody does to a run from outside.

    Attributes:
        when: Whether it is time, as the emulator's books tell.
        number: The signal.
        to_group: Whether all processes of the run get it, not only the first.
    """

    when: Callable[[EmulatorProcess], bool]
    number: signal.Signals
    to_group: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run.

    Attributes:
        status: Exit status.
        created: Sessions that the service opened.
        left_open: Those that were open 5 s after the end of the run.
        ended_by: How many were ended by whom, as our own books tell.
        unknown: Creates without an answer, as our own books tell.
        by_the_watchdog: How many the watchdog ended, as the service tells.
        wrote_report: Whether the run wrote its report.
    """

    status: int
    created: int
    left_open: int
    ended_by: Mapping[Actor, int]
    unknown: int
    by_the_watchdog: int
    wrote_report: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """One way to end, and what has to come of it.

    Attributes:
        number: Its row; letters mark variants.
        title: What happens.
        source: The tests of the project.
        status: Exit status; a signal that killed the run is negative.
        ended_by: How many sessions were ended by whom, as our own books tell.
        options: Options of pytest.
        faults: What goes wrong at the service.
        strikes: What happens to the run from outside, in order.
        ci_variable: By which variable a CI system finds the processes of a job, if the run is a
            step of one which is cancelled: its shell is killed, then all that carries that.
        unknown: Creates whose reply was lost: the session is open, and nobody can name it.
        writes_report: Whether the run lives to write its report.
    """

    number: str
    title: str
    source: str
    status: int
    ended_by: Mapping[Actor, int]
    options: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    strikes: tuple[Strike, ...] = ()
    ci_variable: str | None = None
    unknown: int = 0
    writes_report: bool = True

    @property
    def expected(self) -> Outcome:
        """What has to come of it."""
        return Outcome(
            status=self.status,
            created=sum(self.ended_by.values()) + self.unknown,
            left_open=self.unknown,
            ended_by=self.ended_by,
            unknown=self.unknown,
            by_the_watchdog=self.ended_by.get(Actor.WATCHDOG, 0),
            wrote_report=self.writes_report,
        )


def _test(deed: str, before: str = "") -> str:
    """Return a module with a test that does something while two sessions are open."""
    return f"""{before}
def test_it(avatar_session, avatar_session_factory):
    avatar_session_factory().say_text("Here I am")
    {deed}
"""


def _fixture(deed: str, *, late: bool) -> str:
    """Return a module with a fixture that does something after its test, or instead of it."""
    return f"""
import asyncio, os, signal, sys, time, pytest

@pytest.fixture
def other(avatar_session, another):
    {"yield" if late else ""}
    {deed}

@pytest.fixture
def another(avatar_session_factory):
    return avatar_session_factory()

def test_it(other): ...
"""


def _kill(number: signal.Signals, pid: str = "os.getpid()") -> str:
    return f"import os, time; os.kill({pid}, {int(number)}); time.sleep(30)"


def _opened(count: int) -> Callable[[EmulatorProcess], bool]:
    return lambda emulator: len(emulator.sessions) >= count


def in_test(count: int = 1) -> Callable[[EmulatorProcess], bool]:
    """Whether so many tests have come to the point at which all their sessions are open."""
    return lambda emulator: sum(bool(one["spoken"]) for one in emulator.sessions) >= count


def _struck(count: int) -> Callable[[EmulatorProcess], bool]:
    return lambda emulator: len(emulator.read("faults")) >= count


_TWO_WORKERS: Final = f"""
def test_one(avatar_session, avatar_session_factory):
    avatar_session_factory().say_text("Here I am")
    {_NEVER}

def test_two(avatar_session):
    avatar_session.say_text("Here I am")
    {_NEVER}
"""

_KILLED_WORKER: Final = """
import json, os, signal, time, urllib.request

def ended():
    request = urllib.request.Request(os.environ["BOOKS"], headers={"Accept": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return sum(one["ended_at"] is not None for one in json.load(answer)["sessions"])

def test_one(avatar_session, avatar_session_factory):
    avatar_session_factory()
    os.kill(os.getpid(), signal.SIGKILL)

def test_two(avatar_session):
    deadline = time.monotonic() + 20
    while ended() < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
"""

_RERUN: Final = """
import os, signal, time

attempts = []

def test_it(avatar_session, avatar_session_factory):
    avatar_session_factory()
    attempts.append(1)
    if len(attempts) == 2:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(30)
    assert False
"""

_FORK: Final = """
import os, sys

def test_it(avatar_session, avatar_session_factory):
    other = avatar_session_factory()
    child = os.fork()
    if child == 0:
        {deed}
    os.waitpid(child, 0)
    avatar_session.say_text("still there")
    other.say_text("still there")
    assert {parent}
"""

_CLOSED_LOOP: Final = """
import asyncio, pytest_asyncio

@pytest_asyncio.fixture
async def loop(async_avatar_session, avatar_session):
    await async_avatar_session.say_text("hello")
    return asyncio.get_running_loop()

def test_it(loop):
    loop.close()
"""

_OWN_CLIENT: Final = """
import os, httpx

def test_it(avatar_settings):
    httpx.post(
        str(avatar_settings.base_url),
        headers={"Authorization": "KS " + avatar_settings.ks},
        json={"visualConfig": {"avatarId": "ada"}},
    ).raise_for_status()
"""

_DEAF: Final = f"""
import signal

def test_it(avatar_session, avatar_session_factory):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    avatar_session_factory().say_text("Here I am")
    {_NEVER}
"""

_BROKEN_PLUGIN: Final = """
class Broken:
    def pytest_runtest_logreport(self, report):
        raise OSError("broken")

def test_it(request, avatar_session, avatar_session_factory):
    avatar_session_factory()
    request.config.pluginmanager.register(Broken())
"""

_IMPATIENT: Final = """
import json, os, signal, threading, time, urllib.request, pytest

strikes = []

def interrupt(number, frame):
    strikes.append(number)
    raise KeyboardInterrupt

def opened():
    request = urllib.request.Request(os.environ["BOOKS"], headers={"Accept": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return len(json.load(answer)["sessions"])

def strike():
    for number in range(2):
        while not opened() or len(strikes) < number:
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

@pytest.fixture(scope="session", autouse=True)
def impatience():
    signal.signal(signal.SIGINT, interrupt)
    threading.Thread(target=strike).start()

def test_it(impatience, avatar_session): ...
"""

_BY_FIXTURE: Final = {Actor.FIXTURE: 2}
_BY_PLUGIN: Final = {Actor.PLUGIN: 2}
_BY_WATCHDOG: Final = {Actor.WATCHDOG: 2}
_SLOW_END: Final = "end:delay=1.5,status=500"
_SLOW_CREATE: Final = "create:delay=1.5"
_TIMEOUT: Final = ("--timeout=1", "-o", "timeout_func_only=true")

SITUATIONS: Final = (
    Situation(
        number="1", title="all tests pass", source=_test("pass"), status=0, ended_by=_BY_FIXTURE
    ),
    Situation(
        number="2",
        title="a test fails with `-x`",
        source=_test("assert False"),
        options=("-x",),
        status=1,
        ended_by=_BY_FIXTURE,
    ),
    Situation(
        number="3",
        title="SIGINT in a test",
        source=_test(_kill(signal.SIGINT)),
        status=2,
        ended_by=_BY_FIXTURE,
    ),
    Situation(
        number="3a",
        title="`sys.exit` in a test",
        source=_test("import sys; sys.exit(0)"),
        status=1,
        ended_by=_BY_FIXTURE,
    ),
    Situation(
        number="3b",
        title="`pytest.exit` in a test",
        source=_test("import pytest; pytest.exit('enough', 5)"),
        status=5,
        ended_by=_BY_FIXTURE,
    ),
    Situation(
        number="3c",
        title="an internal error in a plugin",
        source=_BROKEN_PLUGIN,
        status=3,
        ended_by=_BY_FIXTURE,
    ),
    Situation(
        number="4",
        title="pytest-timeout by signal in a test",
        source=_test(_NEVER),
        options=(*_TIMEOUT, "--timeout-method=signal"),
        status=1,
        ended_by=_BY_FIXTURE,
    ),
    Situation(
        number="5",
        title="a later fixture's setup fails",
        source=_fixture("raise OSError", late=False),
        status=1,
        ended_by=_BY_FIXTURE,
    ),
    Situation(
        number="5a",
        title="SIGINT in a later fixture's setup",
        source=_fixture(_kill(signal.SIGINT), late=False),
        status=2,
        ended_by=_BY_FIXTURE,
    ),
    Situation(
        number="5b",
        title="`sys.exit` in a later fixture's setup",
        source=_fixture("sys.exit(3)", late=False),
        status=1,
        ended_by=_BY_FIXTURE,
    ),
    Situation(
        number="5c",
        title="`CancelledError` in a later fixture's setup",
        source=_fixture("raise asyncio.CancelledError", late=False),
        status=1,
        ended_by=_BY_FIXTURE,
    ),
    Situation(
        number="6",
        title="SIGTERM in a test",
        source=_test(_kill(signal.SIGTERM)),
        status=2,
        ended_by=_BY_FIXTURE,
    ),
    Situation(
        number="6a",
        title="SIGHUP in a test",
        source=_test(_kill(signal.SIGHUP)),
        status=2,
        ended_by=_BY_FIXTURE,
    ),
    Situation(
        number="7",
        title="SIGKILL",
        source=_test(_kill(signal.SIGKILL)),
        status=-signal.SIGKILL,
        ended_by=_BY_WATCHDOG,
        writes_report=False,
    ),
    Situation(
        number="8",
        title="`os._exit(0)`",
        source=_test("import os; os._exit(0)"),
        status=0,
        ended_by=_BY_WATCHDOG,
        writes_report=False,
    ),
    Situation(
        number="9",
        title="segmentation fault",
        source=_test("import ctypes; ctypes.string_at(0)"),
        status=-signal.SIGSEGV,
        ended_by=_BY_WATCHDOG,
        writes_report=False,
    ),
    Situation(
        number="10",
        title="pytest-timeout by thread",
        source=_test(_NEVER),
        options=(*_TIMEOUT, "--timeout-method=thread"),
        status=1,
        ended_by=_BY_WATCHDOG,
        writes_report=False,
    ),
    Situation(
        number="10a",
        title="`faulthandler_exit_on_timeout`",
        source=_test(_NEVER),
        options=("-o", "faulthandler_timeout=3", "-o", "faulthandler_exit_on_timeout=true"),
        status=1,
        ended_by=_BY_WATCHDOG,
        writes_report=False,
    ),
    Situation(
        number="11",
        title="pytest-timeout by signal while `end` is slow",
        source=_test("pass"),
        options=("--timeout=3", "--timeout-method=signal"),
        faults=("end:delay=1.8,status=500,times=4",),
        status=1,
        ended_by={Actor.FIXTURE: 1, Actor.PLUGIN: 1},
    ),
    Situation(
        number="12",
        title="`end` answers 500 once",
        source=_test("pass"),
        faults=("end:status=500",),
        status=0,
        ended_by=_BY_FIXTURE,
    ),
    Situation(
        number="13",
        title="`end` answers 500 eight times",
        source=_test("pass"),
        faults=("end:status=500,times=8",),
        status=0,
        ended_by=_BY_FIXTURE,
    ),
    Situation(
        number="14",
        title="the reply to create is lost",
        source="def test_it(avatar_session): ...",
        faults=("create:drop=after",),
        status=1,
        ended_by={},
        unknown=1,
    ),
    Situation(
        number="15",
        title="SIGINT while create is in flight",
        source="def test_it(avatar_session): ...",
        faults=(_SLOW_CREATE,),
        strikes=(Strike(_opened(1), signal.SIGINT),),
        status=2,
        ended_by={Actor.FIXTURE: 1},
    ),
    Situation(
        number="15a",
        title="SIGTERM while create is in flight",
        source="def test_it(avatar_session): ...",
        faults=(_SLOW_CREATE,),
        strikes=(Strike(_opened(1), signal.SIGTERM),),
        status=2,
        ended_by={Actor.FIXTURE: 1},
    ),
    Situation(
        number="15b",
        title="two SIGINTs while create is in flight",
        source=_IMPATIENT,
        faults=("create:delay=3",),
        status=2,
        ended_by={Actor.WATCHDOG: 1},
    ),
    Situation(
        number="16",
        title="SIGKILL while create is in flight",
        source="def test_it(avatar_session): ...",
        faults=(_SLOW_CREATE,),
        strikes=(Strike(_opened(1), signal.SIGKILL),),
        status=-signal.SIGKILL,
        ended_by={Actor.WATCHDOG: 1},
        writes_report=False,
    ),
    Situation(
        number="17",
        title="`sys.exit` in another fixture's teardown",
        source=_fixture("sys.exit(3)", late=True),
        status=1,
        ended_by=_BY_PLUGIN,
    ),
    Situation(
        number="17a",
        title="`CancelledError` in another fixture's teardown",
        source=_fixture("raise asyncio.CancelledError", late=True),
        status=1,
        ended_by=_BY_PLUGIN,
    ),
    Situation(
        number="18",
        title="SIGINT in another fixture's teardown",
        source=_fixture(_kill(signal.SIGINT), late=True),
        status=2,
        ended_by=_BY_FIXTURE,
    ),
    Situation(
        number="19",
        title="second SIGINT while `end` is slow",
        source=_test(_NEVER),
        faults=(_SLOW_END,),
        strikes=(Strike(in_test(), signal.SIGINT), Strike(_struck(1), signal.SIGINT)),
        status=-signal.SIGINT,
        ended_by=_BY_PLUGIN,
    ),
    Situation(
        number="20",
        title="SIGINT in a rerun",
        source=_RERUN,
        options=("--reruns=1",),
        status=2,
        ended_by={Actor.FIXTURE: 2, Actor.PLUGIN: 1},
    ),
    Situation(
        number="21",
        title="xdist worker killed",
        source=_KILLED_WORKER,
        options=("-n2",),
        status=1,
        ended_by={Actor.WATCHDOG: 2, Actor.FIXTURE: 1},
    ),
    Situation(
        number="22",
        title="xdist controller killed",
        source=_test(_kill(signal.SIGKILL, "os.getppid()")),
        options=("-n1",),
        status=-signal.SIGKILL,
        ended_by=_BY_FIXTURE,
        writes_report=False,
    ),
    Situation(
        number="22a",
        title="SIGINT to the xdist controller",
        source=_TWO_WORKERS,
        options=("-n2",),
        strikes=(Strike(in_test(2), signal.SIGINT),),
        status=2,
        ended_by={Actor.FIXTURE: 3},
    ),
    Situation(
        number="23",
        title="SIGTERM to the whole xdist group",
        source=_TWO_WORKERS,
        options=("-n2",),
        strikes=(Strike(in_test(2), signal.SIGTERM, to_group=True),),
        status=2,
        ended_by={Actor.FIXTURE: 3},
    ),
    Situation(
        number="23a",
        title="SIGTERM to the xdist controller alone",
        source=_TWO_WORKERS,
        options=("-n2",),
        strikes=(Strike(in_test(2), signal.SIGTERM),),
        status=2,
        ended_by={Actor.FIXTURE: 3},
    ),
    Situation(
        number="24",
        title="SIGKILL to the whole xdist group",
        source=_TWO_WORKERS,
        options=("-n2",),
        strikes=(Strike(in_test(2), signal.SIGKILL, to_group=True),),
        status=-signal.SIGKILL,
        ended_by={Actor.WATCHDOG: 3},
        writes_report=False,
    ),
    Situation(
        number="25",
        title="forked child exits in a test",
        source=_FORK.format(deed="sys.exit(0)", parent=True),
        status=0,
        ended_by=_BY_FIXTURE,
    ),
    Situation(
        number="25a",
        title="forked child runs to the end of pytest, in a test that fails",
        source=_FORK.format(deed="return", parent=False),
        status=1,
        ended_by=_BY_FIXTURE,
    ),
    Situation(
        number="26",
        title="async fixture, event loop closed by the test",
        source=_CLOSED_LOOP,
        status=0,
        ended_by=_BY_FIXTURE,
    ),
    Situation(
        number="27",
        title="CI step cancelled: the shell dies, then everything with the CI's tracking variable",
        source=_DEAF,
        ci_variable="RUNNER_TRACKING_ID",
        status=-signal.SIGKILL,
        ended_by=_BY_WATCHDOG,
        writes_report=False,
    ),
    Situation(
        number="27a",
        title="the same, and the tests heed the SIGTERM that they get from the watchdog",
        source=_test(_NEVER),
        ci_variable="RUNNER_TRACKING_ID",
        status=-signal.SIGKILL,
        ended_by=_BY_FIXTURE,
    ),
    Situation(
        number="27b",
        title="CI step cancelled by Jenkins",
        source=_DEAF,
        ci_variable="JENKINS_NODE_COOKIE",
        status=-signal.SIGKILL,
        ended_by=_BY_WATCHDOG,
        writes_report=False,
    ),
    Situation(
        number="27c",
        title="CI step cancelled while pytest-xdist runs",
        source=_test(_NEVER),
        options=("-n1",),
        ci_variable="RUNNER_TRACKING_ID",
        status=-signal.SIGKILL,
        ended_by=_BY_WATCHDOG,
        writes_report=False,
    ),
    Situation(
        number="28",
        title="code under test with its own client never ends its session",
        source=_OWN_CLIENT,
        status=1,
        ended_by={Actor.PLUGIN: 1},
    ),
)
