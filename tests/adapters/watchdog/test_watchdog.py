"""The watchdog at work: real processes that die, and a service that keeps books."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_avatar.adapters.tokens import kept_tokens
from pytest_avatar.core.events import Actor, Verdict
from pytest_avatar.core.wire import Ending
from pytest_avatar.emulator.faults import Fault
from tests.adapters.watchdog.harness import books, lives, until

if TYPE_CHECKING:
    from pytest_avatar.emulator import Emulator
    from tests.adapters.watchdog.conftest import MakeOwner

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def all_ended(emulator: Emulator) -> bool:
    return emulator.books.totals.open == 0


@pytest.mark.parametrize("fate", ["exit", "segfault"])
def test_a_process_that_dies_by_itself_leaves_nothing_open(
    fate: str, make_owner: MakeOwner, emulator: Emulator
) -> None:
    owner = make_owner(fate=fate)
    owner.wait()
    assert until(lambda: all_ended(emulator))
    assert until(lambda: not lives(owner.watchdog))


def test_a_killed_process_leaves_nothing_open_and_its_books_say_who_ended_it(
    make_owner: MakeOwner, emulator: Emulator, run_dir: Path
) -> None:
    owner = make_owner()
    owner.kill()
    assert until(lambda: not lives(owner.watchdog))
    assert emulator.books.totals.ended == 2
    records = books(run_dir).records
    assert {record.ended_by for record in records} == {Actor.WATCHDOG}
    assert {record.verdict for record in records} == {Verdict.CLEAN}
    assert not list(run_dir.glob("*.token"))


def test_a_forked_child_that_holds_the_pipe_does_not_hold_up_the_watchdog(
    make_owner: MakeOwner, emulator: Emulator
) -> None:
    owner = make_owner(fate="fork")
    owner.kill()
    assert until(lambda: all_ended(emulator))
    assert lives(owner.child)


def test_the_watchdog_survives_a_signal_to_the_whole_group_and_to_itself(
    make_owner: MakeOwner, emulator: Emulator
) -> None:
    owner = make_owner()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(owner.watchdog, number)
    os.killpg(owner.process.pid, signal.SIGTERM)
    assert owner.wait() == -signal.SIGTERM
    assert until(lambda: all_ended(emulator))


def test_an_owner_that_closes_every_file_is_not_taken_for_dead(
    make_owner: MakeOwner, emulator: Emulator
) -> None:
    owner = make_owner(fate="close-pipes")
    assert owner.read() == {"closed": True}
    assert not until(lambda: emulator.books.totals.ended or not lives(owner.watchdog), 0.7)
    owner.kill()
    assert until(lambda: all_ended(emulator))


def test_twenty_sessions_end_in_the_time_of_one(make_owner: MakeOwner, emulator: Emulator) -> None:
    owner = make_owner(sessions=20)
    emulator.add_fault(Fault("end", times=None, delay=0.5))
    started = time.monotonic()
    owner.kill()
    assert until(lambda: not lives(owner.watchdog))
    assert emulator.books.totals.ended == 20
    assert time.monotonic() - started < 5


def test_an_end_that_fails_is_tried_again(
    make_owner: MakeOwner, emulator: Emulator, run_dir: Path
) -> None:
    owner = make_owner(sessions=1)
    emulator.add_fault(Fault("end", times=2, status=500))
    owner.kill()
    assert until(lambda: not lives(owner.watchdog))
    assert all_ended(emulator)
    (record,) = books(run_dir).records
    tries = [(attempt.ending, attempt.status) for attempt in record.end_attempts]
    assert tries == [(Ending.NOT_ENDED, 500)] * 2 + [(Ending.ENDED, 200)]


def test_a_service_that_has_gone_costs_no_more_than_the_budget(
    make_owner: MakeOwner, emulator: Emulator, run_dir: Path
) -> None:
    owner = make_owner(sessions=1, total=1)
    emulator.stop()
    started = time.monotonic()
    owner.kill()
    assert until(lambda: not lives(owner.watchdog))
    assert time.monotonic() - started < 4
    (record,) = books(run_dir).records
    assert record.verdict is Verdict.LOST
    assert len(list(run_dir.glob("*.token"))) == 1


def test_a_session_that_was_lost_is_left_to_the_watchdog(
    make_owner: MakeOwner, emulator: Emulator
) -> None:
    owner = make_owner(fate="leave")
    assert owner.wait() == 0
    assert until(lambda: all_ended(emulator))


def test_a_run_that_ends_well_leaves_nothing_behind(
    make_owner: MakeOwner, emulator: Emulator, run_dir: Path
) -> None:
    owner = make_owner(fate="clean")
    assert owner.wait() == 0
    assert not lives(owner.watchdog)
    assert not run_dir.exists()
    assert emulator.books.totals.ended == 2


def test_a_create_in_flight_when_its_process_is_killed_is_ended(
    make_owner: MakeOwner, emulator: Emulator, run_dir: Path
) -> None:
    emulator.add_fault(Fault("create", delay=1))
    owner = make_owner(sessions=0, fate="relay")
    assert until(lambda: emulator.books.totals.opened == 1)
    owner.kill()
    assert until(lambda: not lives(owner.watchdog))
    assert all_ended(emulator)
    (record,) = books(run_dir).records
    assert (record.ended_by, record.opener.test) == (Actor.WATCHDOG, "test_it.py::test_it")


@pytest.mark.parametrize("milliseconds", range(100, 180, 8))
def test_a_process_killed_at_any_moment_leaves_nothing_open(
    milliseconds: int, make_owner: MakeOwner, emulator: Emulator, run_dir: Path
) -> None:
    owner = make_owner(sessions=0, fate="churn")
    time.sleep(milliseconds / 1000)  # no wait for anything: the moment is what is tried
    owner.kill()
    assert until(lambda: not lives(owner.watchdog))
    assert all_ended(emulator)
    verdicts = [record.verdict for record in books(run_dir).records]
    assert set(verdicts[:-1]) <= {Verdict.CLEAN}
    assert set(verdicts[-1:]) <= {Verdict.CLEAN, Verdict.UNKNOWN}


def test_the_watchdog_holds_no_secret_and_nothing_of_the_user(make_owner: MakeOwner) -> None:
    owner = make_owner(
        env={
            "AVATAR_KS": "the-ks-in-the-environment",
            "RUNNER_TRACKING_ID": "github_1",
            "BUILD_ID": "7",
            "JENKINS_NODE_COOKIE": "cookie",
            "HTTPS_PROXY": "http://proxy.invalid",
        }
    )
    proc = Path("/proc", str(owner.watchdog))
    children = proc / "task" / proc.name / "children"
    assert until(children.read_text)
    (courier,) = children.read_text().split()
    for pid in (proc.name, courier):
        assert_holds_nothing(Path("/proc", pid))
        assert os.getsid(int(pid)) == owner.watchdog
    assert until(lambda: {open_files(Path("/proc", courier))[file] for file in "012"} == {"null"})
    kinds = open_files(proc)
    assert kinds.pop("2") == "null"
    assert set(kinds.values()) <= {"pipe", "anon_inode"}


def assert_holds_nothing(proc: Path) -> None:
    environ = proc.joinpath("environ").read_text().split("\0")
    names = {line.partition("=")[0] for line in environ if line}
    assert "HTTPS_PROXY" in names
    assert not names & {"AVATAR_KS", "RUNNER_TRACKING_ID", "BUILD_ID", "JENKINS_NODE_COOKIE"}
    command = proc.joinpath("cmdline").read_text()
    assert "ks" not in command
    assert "eyJ" not in command
    assert (proc / "cwd").readlink() == Path("/")


def open_files(proc: Path) -> dict[str, str]:
    """What kind of thing a process has open, by number."""
    links: dict[str, str] = {}
    for link in (proc / "fd").iterdir():
        with suppress(FileNotFoundError):  # it imports a module, say, and closes its file
            links[link.name] = str(link.readlink())
    return {
        name: "null" if target == os.devnull else target.partition(":")[0]
        for name, target in links.items()
    }


def test_the_journals_of_a_killed_run_hold_no_secret(
    make_owner: MakeOwner, emulator: Emulator, run_dir: Path
) -> None:
    owner = make_owner()
    tokens = [path.read_text() for path in run_dir.glob("*.token")]
    assert len(tokens) == 2
    owner.kill()
    assert until(lambda: not lives(owner.watchdog))
    written = "".join(path.read_text() for path in run_dir.iterdir())
    assert "eyJ" in "".join(tokens)
    assert "eyJ" not in written
    assert "the-ks" not in written
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in run_dir.iterdir())


def test_when_the_shell_of_a_ci_step_dies_its_pytest_is_asked_to_stop(
    make_owner: MakeOwner, emulator: Emulator
) -> None:
    shell = make_owner(prefix=("/bin/sh", "-c", '"$@"; exit', "sh"))
    number = shell.process.pid
    (owner,) = map(int, Path(f"/proc/{number}/task/{number}/children").read_text().split())
    shell.process.kill()
    assert until(lambda: not lives(owner))
    assert until(lambda: all_ended(emulator))


def test_twenty_runs_leave_no_process_behind(make_owner: MakeOwner, emulator: Emulator) -> None:
    owners = [make_owner(sessions=1, fate="exit") for _ in range(20)]
    for owner in owners:
        owner.wait()
    assert until(lambda: not any(lives(owner.watchdog) for owner in owners))
    assert emulator.books.totals.ended == 20


def test_an_end_whose_answer_was_lost_is_confirmed_by_the_next(
    make_owner: MakeOwner, emulator: Emulator, run_dir: Path
) -> None:
    emulator.add_fault(Fault("end", drop="after"))
    owner = make_owner(sessions=1)
    owner.kill()
    assert until(lambda: not lives(owner.watchdog))
    (record,) = books(run_dir).records
    assert [attempt.ending for attempt in record.end_attempts] == [
        Ending.NOT_ENDED,
        Ending.ALREADY_ENDED,
    ]
    assert not any(kept_tokens(path) for path in run_dir.glob("*.jsonl"))
