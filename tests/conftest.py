from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

# pytester forgets what inner runs import. What is imported here is not imported again by each of
# them (1 s), and does not come to exist twice, which httpx2 cannot bear.
import httpcore2  # noqa: F401
import pytest
import trio  # noqa: F401
from hypothesis import HealthCheck, settings

import pytest_avatar.plugin.journals
import pytest_avatar.plugin.sessions
import pytest_avatar.plugin.tapes  # noqa: F401
from tests.downstream import PREFIXES, Downstream, EmulatorProcess
from tests.reports import REPORT_BEGINS, read_report

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytest_plugins = ["pytester"]

# A busy machine is no failure.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def pytest_sessionstart() -> None:
    """Heed the signals that inner runs must heed: a shell's background ignores them, for all."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="session", autouse=True)
def every_report_fits_the_schema(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Read every JSON report that the tests of this process have written, when all are over."""
    yield
    for path in tmp_path_factory.getbasetemp().rglob("*.json"):
        if path.is_file() and path.read_bytes().startswith(REPORT_BEGINS):
            read_report(path)


@pytest.fixture(scope="session")
def emulator_of_the_run() -> Iterator[EmulatorProcess]:
    with EmulatorProcess() as running:
        yield running


@pytest.fixture
def emulator_process(emulator_of_the_run: EmulatorProcess) -> Iterator[EmulatorProcess]:
    """The emulator in a process of its own, with a fresh page in its books and no faults."""
    emulator_of_the_run.turn_page()
    yield emulator_of_the_run
    emulator_of_the_run.mend()


@pytest.fixture
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let inner runs inherit no setting of this run, and leave the user's state alone."""
    for name in os.environ:
        if name.startswith(PREFIXES):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PYTEST_AVATAR_STATE_DIR", str(tmp_path / "state"))


@pytest.fixture
def downstream(
    clean_environment: None, pytester: pytest.Pytester, emulator_process: EmulatorProcess
) -> Downstream:
    """A project that has the plugin installed, with nothing in it."""
    project = Downstream(pytester, emulator_process)
    project.configure()
    return project
