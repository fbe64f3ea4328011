"""Projects of users, run by a real pytest, and the emulator in a process of its own as witness."""

from __future__ import annotations

import concurrent.futures.thread  # noqa: F401 - see `Downstream.run`
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

__all__ = ["AVATAR", "KS", "Downstream", "EmulatorProcess", "until"]

KS: Final = "djJ8MTIzNDU2fHNlY3JldC1vZi10aGUtcnVuLTEyMzQ1Njc4OTA="
"""The Kaltura Session of the inner runs, of the form that the service gives."""

AVATAR: Final = "ada"

PLAIN: Final = tuple(
    f"-pno:{plugin}"
    for plugin in (
        *("cacheprovider", "hypothesispytest"),
        *("pyreqwest", "pytest_httpx", "recording", "respx"),
    )
)
"""Options that spare inner runs what has nothing to do with avatars: 0.2 s each, for imports."""

PREFIXES: Final = ("AVATAR_", "CI", "COV_CORE", "GITHUB_", "OTEL_", "PYTEST_", "RUNNER_", "TRACE")
"""Beginnings of the variables that inner runs must not inherit."""


class EmulatorProcess:
    """`pytest-avatar emulator`; its books begin anew with each `turn_page`."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "pytest_avatar", "emulator", "--port", "0"]
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self._process.stdout is not None
        self.base_url = self._process.stdout.readline().rstrip("\n")
        self._client = httpx.Client(
            base_url=self.base_url.partition("/v1/")[0],
            headers={"Accept": "application/json"},
            timeout=10,
            trust_env=False,
        )
        self._read_before: dict[str, int] = {}

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process.terminate()
        self._process.wait(10)

    def turn_page(self) -> None:
        """Forget the faults, and what is in the books so far."""
        self._client.delete("/faults").raise_for_status()
        books = self._client.get("/").raise_for_status().json()
        self._read_before = {name: len(books[name]) for name in ("sessions", "refused", "faults")}

    def add_faults(self, *faults: str) -> None:
        """Have requests go wrong, as `pytest-avatar emulator --fault` has them."""
        self._client.post("/faults", json=faults).raise_for_status()

    def mend(self) -> None:
        """Let nothing go wrong any more."""
        self._client.delete("/faults").raise_for_status()

    def read(self, page: str) -> list[dict[str, Any]]:
        """Return the `sessions`, `refused` or `faults` since the page was turned."""
        books = self._client.get("/").raise_for_status().json()
        records: list[dict[str, Any]] = books[page][self._read_before.get(page, 0) :]
        return records

    @property
    def sessions(self) -> list[dict[str, Any]]:
        """The sessions since the page was turned, oldest first."""
        return self.read("sessions")

    @property
    def open_sessions(self) -> list[str]:
        """The ids of those that are open."""
        return [one["session_id"] for one in self.sessions if one["ended_at"] is None]

    def assert_all_ended(self, opened: int) -> None:
        """Check that so many sessions were opened, and that every one has ended."""
        assert len(self.sessions) == opened
        assert self.open_sessions == []

    def assert_untouched(self) -> None:
        """Check that nothing of the Control API was asked."""
        assert (self.sessions, self.read("refused"), self.read("faults")) == ([], [], [])


@dataclass(frozen=True, slots=True)
class Downstream:
    """A project that has the plugin installed.

    Attributes:
        pytester: Its folder, and what runs pytest there.
        emulator: The service that it drives.
    """

    pytester: pytest.Pytester
    emulator: EmulatorProcess

    @property
    def live(self) -> tuple[str, ...]:
        """The options that have its tests drive the service."""
        return (
            f"--avatar-ks={KS}",
            f"--avatar-id={AVATAR}",
            f"--avatar-base-url={self.emulator.base_url}",
        )

    def configure(self, **ini: object) -> None:
        """Write its ini file."""
        settings = {"asyncio_default_fixture_loop_scope": "function", **ini}
        lines = (f"{name} = {value}" for name, value in settings.items())
        self.pytester.makeini("\n".join(["[pytest]", *lines]))

    def write(self, source: str, name: str = "test_it") -> None:
        """Write a module of its tests."""
        self.pytester.makepyfile(**{name: source})

    def run(self, *options: str) -> pytest.RunResult:
        """Run its tests in this process, without credentials.

        pytest forgets the modules that a run imports, but `concurrent.futures` keeps the pool that it
        found in one of them: what the next run imports would be another.
        """
        return self.pytester.runpytest_inprocess(*PLAIN, *options)

    def run_live(self, *options: str) -> pytest.RunResult:
        """Run its tests in this process, against the service."""
        return self.run(*self.live, *options)

    def run_apart(self, *options: str) -> pytest.RunResult:
        """Run its tests in a process of their own, against the service."""
        return self.pytester.runpytest_subprocess(*PLAIN, *self.live, *options, timeout=60)


def until(condition: Callable[[], object], seconds: float = 10) -> None:
    """Wait for something to become true.

    Raises:
        TimeoutError: It did not.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"still not true after {seconds} s")
        time.sleep(0.02)
