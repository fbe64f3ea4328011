"""Backends in the process of the tests, with HTTP clients of their own: live and in replay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest

from tests.plugin.cassettes.backends import DJANGO, FASTAPI, repaired

if TYPE_CHECKING:
    from tests.downstream import EmulatorProcess
    from tests.plugin.cassettes.project import Project

ASGI: Final = """
    import httpx
    import pytest
    from backend import app

    pytestmark = [pytest.mark.asyncio{mark}]

    async def ask(name):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://backend") as client:
            return await client.post(f"/greetings/{{name}}")

    async def test_ada():
        assert (await ask("ada")).json() == {{"said": "Hello, Ada!"}}

    async def test_stranger():
        assert (await ask("stranger")).status_code == 500
"""

VIEW: Final = """
    import backend
    import pytest
    from django.test import Client

    pytestmark = [pytest.mark.avatar{mark}]

    def ask(name):
        return Client(raise_request_exception=False).get(f"/greetings/{{name}}")

    def test_ada():
        assert ask("ada").json() == {{"said": "Hello, Ada!"}}

    def test_stranger():
        assert ask("stranger").status_code == 500
"""

NO_LEAKS: Final = ", pytest.mark.avatar_no_leaks"
ALLOWED: Final = ", pytest.mark.avatar_allow_leaks(reason='not repaired yet')"


@dataclass(frozen=True, slots=True)
class Backend:
    """A backend of a project, whose tests call it in their own process.

    Attributes:
        project: The project.
        source: What stands in its file; it leaks.
        tests: Its tests.
        create: What the line that opens the session holds.
    """

    project: Project
    source: str
    tests: str
    create: str

    def write(self, *, mark: str = NO_LEAKS, leaks: bool = True) -> None:
        self.project.write("backend.py", self.source if leaks else repaired(self.source))
        self.project.write("test_it.py", self.tests.format(mark=mark))

    @property
    def leak(self) -> list[str]:
        """What the run says of the leak: it names the line of the create."""
        lines = self.project.root.joinpath("backend.py").read_text("utf-8").splitlines()
        line = 1 + next(number for number, text in enumerate(lines) if self.create in text)
        return [
            "*ERROR at teardown of test_stranger*",
            "1 session left open",
            f"* opened at backend.py:{line} with *, in call of test_it.py::test_stranger, *",
        ]


@pytest.fixture(params=["fastapi", "django"])
def backend(request: pytest.FixtureRequest, project: Project) -> Backend:
    if request.param == "fastapi":
        return Backend(project, FASTAPI, ASGI, "client.post(url, headers=")
    return Backend(project, DJANGO, VIEW, "client.post(url, headers=")


def test_a_leak_in_the_error_path_is_found_live_and_ended_by_us(
    backend: Backend, emulator_process: EmulatorProcess
) -> None:
    backend.write()
    result = backend.project.run("--avatar-mode=live")
    result.assert_outcomes(passed=2, errors=1, failed=1)
    result.stdout.fnmatch_lines([*backend.leak, "1 session leaked, opened at backend.py:*"])
    result.stdout.fnmatch_lines(
        ["2 sessions opened: 1 by the code under test, 1 by pytest-avatar*"]
    )
    emulator_process.assert_all_ended(opened=2)


def test_a_leak_in_the_error_path_is_found_in_replay(backend: Backend) -> None:
    backend.write(mark=ALLOWED)
    backend.project.record().assert_outcomes(passed=2)
    backend.write()
    result = backend.project.replay()
    result.assert_outcomes(passed=2, errors=1, failed=1)
    result.stdout.fnmatch_lines(backend.leak)


def test_the_repaired_backend_passes_live_and_in_replay(
    backend: Backend, emulator_process: EmulatorProcess
) -> None:
    backend.write(leaks=False)
    result = backend.project.record()
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["avatar: 2 sessions, all ended (2 by the code under test)"])
    emulator_process.assert_all_ended(opened=2)
    result = backend.project.replay()
    result.assert_outcomes(passed=2)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["avatar: 2 sessions, all ended (2 by the code under test)"])
