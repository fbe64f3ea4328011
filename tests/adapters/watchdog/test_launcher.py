from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from pytest_avatar.adapters.watchdog import launcher
from pytest_avatar.adapters.watchdog.launcher import Watchdog, ci_shell, trusted_authorities
from tests.adapters.watchdog.harness import lives, until

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@linux
def test_it_leaves_at_once_when_told_to(watchdog: Watchdog) -> None:
    started = time.monotonic()
    watchdog.stop()
    assert time.monotonic() - started < 1
    assert not Path(f"/proc/{watchdog.pid}").exists()


def test_stopping_twice_is_harmless(watchdog: Watchdog) -> None:
    watchdog.stop()
    watchdog.stop()


@linux
def test_a_watchdog_that_has_died_can_be_stopped(watchdog: Watchdog) -> None:
    os.kill(watchdog.pid, signal.SIGKILL)
    assert until(lambda: not lives(watchdog.pid))
    watchdog.stop()
    assert not Path(f"/proc/{watchdog.pid}").exists()


@linux
def test_a_watchdog_that_does_not_leave_is_made_to(
    watchdog: Watchdog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launcher, "_GONE_WITHIN", 0.1)
    os.kill(watchdog.pid, signal.SIGSTOP)
    watchdog.stop()
    assert not Path(f"/proc/{watchdog.pid}").exists()


@linux
def test_twenty_of_them_leave_no_process_and_are_ready_soon(
    journal: Path,
) -> None:
    seconds, kilobytes, pids = [], [], []
    for _ in range(20):
        started = time.perf_counter()
        watchdog = Watchdog.start(journal)
        assert isinstance(watchdog, Watchdog)
        assert watchdog.why_not_ready() is None
        seconds.append(time.perf_counter() - started)
        status = Path(f"/proc/{watchdog.pid}/status").read_text()
        kilobytes.append(int(status.partition("VmHWM:")[2].split()[0]))
        pids.append(watchdog.pid)
        watchdog.stop()
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert min(seconds) < 0.5
    assert max(kilobytes) < 30_000
    sys.stdout.write(f"ready in {min(seconds) * 1000:.1f} ms, {max(kilobytes) / 1000:.1f} MB\n")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
def test_a_forked_child_does_not_stop_it(watchdog: Watchdog) -> None:
    child = os.fork()
    if child == 0:
        watchdog.stop()
        os._exit(0)
    os.waitpid(child, 0)
    assert lives(watchdog.pid)


def test_an_interpreter_that_is_not_there_is_a_reason(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert Watchdog.start(journal) == (
        "the watchdog could not be started: [Errno 2] No such file or directory: '/nowhere/python'"
    )


def test_an_interpreter_that_nobody_knows_is_a_reason(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "")
    assert "could not be started" in str(Watchdog.start(journal))


def test_an_interpreter_that_says_nothing_is_a_reason(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/true")
    watchdog = Watchdog.start(journal)
    assert isinstance(watchdog, Watchdog)
    assert watchdog.why_not_ready() == "the watchdog was not ready within 5 s (exit status 0)"


@linux
def test_an_interpreter_that_is_too_slow_is_a_reason(
    journal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = tmp_path / "python"
    slow.write_text("#!/bin/sh\nexec sleep 30\n")
    slow.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(slow))
    monkeypatch.setattr(launcher, "_READY_WITHIN", 0.2)
    watchdog = Watchdog.start(journal)
    assert isinstance(watchdog, Watchdog)
    assert watchdog.why_not_ready() == "the watchdog was not ready within 0.2 s (exit status -9)"


def test_where_no_process_can_fork_there_is_no_relay(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "fork", raising=False)
    watchdog = Watchdog.start(journal)
    assert isinstance(watchdog, Watchdog)
    assert watchdog.why_not_ready() is None
    assert watchdog.relay is None
    watchdog.stop()
    assert not lives(watchdog.pid)


def test_the_authorities_are_those_of_httpx(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    assert Path(str(trusted_authorities())).name == "cacert.pem"
    monkeypatch.setenv("SSL_CERT_FILE", "/mine.pem")
    assert trusted_authorities() is None


def test_a_job_in_the_background_outlives_its_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal, "getsignal", lambda _: signal.SIG_IGN)
    assert ci_shell({"GITHUB_ACTIONS": "true"}) == 0


def test_only_a_ci_job_has_a_shell_to_watch() -> None:
    assert ci_shell({}) == 0
    assert ci_shell({"GITHUB_ACTIONS": "true"}) == os.getppid()
    assert ci_shell({"JENKINS_URL": "https://ci.invalid"}) == os.getppid()
