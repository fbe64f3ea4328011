"""Code under test in other processes and languages: recorded, replayed without a service, judged."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest

from tests.downstream import KS
from tests.plugin.cassettes.backends import FASTAPI, NODE, repaired
from tests.plugin.cassettes.project import counted_connections, free_base_url, other_emulator

if TYPE_CHECKING:
    from tests.downstream import EmulatorProcess
    from tests.plugin.cassettes.project import Project

TESTS: Final = """
    import re
    import subprocess

    import httpx
    import pytest

    {mark}

    @pytest.fixture(scope="module")
    def backend(avatar_gateway):
        with subprocess.Popen({command}, stderr=subprocess.PIPE, text=True) as process:
            try:
                for line in process.stderr:
                    if found := re.search(r"running on (http://\\S+)", line):
                        yield found[1]
                        break
            finally:
                process.terminate()

    @pytest.mark.parametrize(("name", "status"), [("ada", 200), ("stranger", 500)])
    def test_greeting(backend, name, status):
        assert httpx.post(f"{{backend}}/greetings/{{name}}").status_code == status
"""

NO_LEAKS: Final = "pytestmark = pytest.mark.avatar_no_leaks"
STRANGER: Final = "test_it/test_greeting[stranger-500].json"


@dataclass(frozen=True, slots=True)
class Backend:
    """A backend of a project, whose tests start it.

    Attributes:
        project: The project.
        file: The backend's file.
        source: What stands in it; it leaks.
        command: What starts it.
        client: How its HTTP client calls itself.
    """

    project: Project
    file: str
    source: str
    command: list[str]
    client: str

    def write(self, *, mark: str = NO_LEAKS, leaks: bool = True) -> None:
        self.project.write(self.file, self.source if leaks else repaired(self.source))
        self.project.write("test_it.py", TESTS.format(mark=mark, command=self.command))

    @property
    def leak(self) -> list[str]:
        """What the run says of the leak."""
        return [
            "*ERROR at teardown of test_greeting?stranger-500?*",
            "1 session left open",
            (
                f"* opened in test_it.py::test_greeting?stranger-500? with {self.client} "
                "through the gateway by process * (*), in call of *"
            ),
        ]


@pytest.fixture(params=["fastapi", "node"])
def backend(request: pytest.FixtureRequest, project: Project) -> Backend:
    if request.param == "fastapi":
        command = [sys.executable, "-m", "uvicorn", "backend:app", "--port", "0"]
        return Backend(project, "backend.py", FASTAPI, command, "python-httpx")
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    return Backend(project, "backend.mjs", NODE, ["node", "backend.mjs"], "node")


def test_a_leak_is_found_live_and_ended_for_the_backend(
    backend: Backend, emulator_process: EmulatorProcess
) -> None:
    backend.write()
    result = backend.project.run("--avatar-mode=live")
    result.assert_outcomes(passed=2, errors=1, failed=1)
    result.stdout.fnmatch_lines(backend.leak)
    result.stdout.fnmatch_lines(["*: *ended by pytest-avatar"])
    emulator_process.assert_all_ended(opened=2)


def test_a_leak_is_found_while_recording_and_replaying(backend: Backend) -> None:
    project = backend.project
    with other_emulator() as service:
        backend.write()
        result = project.record(service=service)
        result.assert_outcomes(passed=2, errors=1, failed=1)
        result.stdout.fnmatch_lines(backend.leak)
        assert STRANGER not in project.cassettes
        backend.write(mark="")
        result = project.record(service=service)
        result.assert_outcomes(passed=2, failed=1)
        result.stdout.fnmatch_lines(["avatar: 1 leaked of 2 sessions"])
        assert project.requests(STRANGER) == ["avatar-session"]
    backend.write()
    with counted_connections(service) as connections:
        result = project.replay(service=service)
    result.assert_outcomes(passed=2, errors=1, failed=1)
    result.stdout.fnmatch_lines(backend.leak)
    assert connections == []


def test_a_backend_that_ends_its_sessions_passes(backend: Backend) -> None:
    project = backend.project
    backend.write(leaks=False)
    with other_emulator() as service:
        project.record(service=service).assert_outcomes(passed=2)
        recorded = project.cassettes
        project.record(service=service).assert_outcomes(passed=2)
        project.verify(service=service).assert_outcomes(passed=2)
    assert project.cassettes == recorded
    assert KS.encode() not in b"".join(recorded.values())
    assert project.requests(STRANGER) == ["avatar-session", "end"]
    with counted_connections(service) as connections:
        result = project.replay(service=service)
    result.assert_outcomes(passed=2)
    assert result.ret == 0
    assert connections == []
    backend.write()
    result = project.replay()
    result.assert_outcomes(passed=2, errors=1, failed=1)
    result.stdout.fnmatch_lines(backend.leak)


def test_a_leak_is_found_in_the_emulator(backend: Backend) -> None:
    backend.write()
    result = backend.project.run("--avatar-mode=emulator")
    result.assert_outcomes(passed=2, errors=1, failed=1)
    result.stdout.fnmatch_lines(backend.leak)


CHILD: Final = """
import json
import os
import sys
import urllib.error
import urllib.request


def post(path, authorization, body):
    url = os.environ["AVATAR_BASE_URL"] + path
    headers = {"Authorization": authorization, "Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        print("child got", error.code, json.load(error)["error"])
        raise SystemExit


create = {"visualConfig": {"avatarId": sys.argv[1]}}
session = post("", "KS " + os.environ["AVATAR_KS"], create)
post("/" + session["sessionId"] + "/end", "Bearer " + session["token"], {})
"""

ONE_CHILD: Final = """
    import os
    import subprocess
    import sys

    import pytest

    @pytest.mark.avatar_no_leaks
    @pytest.mark.parametrize("number", [1, 2])
    def test_it(avatar_gateway, number):
        assert os.environ["AVATAR_BASE_URL"] == avatar_gateway.base_url
        print("gateway at", avatar_gateway.base_url)
        command = [sys.executable, "child.py", "{avatar}"]
        print(subprocess.check_output(command, text=True))
"""


def test_the_address_stays_for_the_run_and_a_miss_is_a_502(
    project: Project, emulator_process: EmulatorProcess
) -> None:
    project.write("child.py", CHILD)
    project.write("test_it.py", ONE_CHILD.format(avatar="ada"))
    result = project.record("-rP")
    result.assert_outcomes(passed=2)
    addresses = {line for line in result.outlines if line.startswith("gateway at ")}
    assert len(addresses) == 1
    project.replay().assert_outcomes(passed=2)

    project.write("test_it.py", ONE_CHILD.format(avatar="grace"))
    result = project.replay("-rA")
    result.assert_outcomes(passed=2, errors=2)
    result.stdout.fnmatch_lines(["child got 502 *", "*ERROR at teardown of test_it*"])
    result.stdout.fnmatch_lines(["*create*", "*grace*"])
    emulator_process.assert_all_ended(opened=2)


def test_a_service_that_is_down_is_a_502_for_the_other_process(project: Project) -> None:
    project.write("child.py", CHILD)
    project.write("test_it.py", ONE_CHILD.format(avatar="ada"))
    nowhere = free_base_url()
    result = project.run("--avatar-mode=live", "-rP", "-k", "1", service=nowhere)
    result.assert_outcomes(passed=1, deselected=1)
    said = f"child got 502 the avatar gateway got no answer from {nowhere}: ConnectError: *"
    result.stdout.fnmatch_lines([said])


def test_the_environment_names_the_service_again_when_the_gateway_is_closed(
    project: Project, emulator_process: EmulatorProcess
) -> None:
    project.write("child.py", CHILD)
    project.write("test_it.py", ONE_CHILD.format(avatar="ada"))
    project.write(
        "conftest.py",
        """
        import os

        def pytest_sessionfinish():
            print("the run left", os.environ["AVATAR_BASE_URL"])
        """,
    )
    result = project.run("--avatar-mode=live", "-s", apart=True)
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines([f"*the run left {project.service}"])
    emulator_process.assert_all_ended(opened=2)
