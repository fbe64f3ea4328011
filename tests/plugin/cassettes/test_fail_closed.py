"""In a replay nothing reaches the service: from any thread, fixture or import, at any time."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING

import pytest

from tests.plugin.cassettes.project import INI, counted_connections, free_base_url

if TYPE_CHECKING:
    from tests.plugin.cassettes.project import Project

IMPORT = "import app\napp.greet()\n"

SWALLOWED_IMPORT = "import app\ntry:\n    app.greet()\nexcept Exception:\n    pass\n"

SWALLOWED_MISS = """
import pytest
from app import greet

@pytest.mark.avatar_cassette()
def test_it():
    try:
        greet()
    except Exception:
        pass
"""

UNWATCHED = SWALLOWED_MISS.replace("@pytest.mark.avatar_cassette()", "")

FIXTURE = """
import pytest
from app import Talk

@pytest.fixture(scope="session", autouse=True)
def talk():
    try:
        Talk()
    except Exception:
        pass
    yield

def test_it():
    pass
"""

TEARDOWN = """
import pytest
from app import greet

@pytest.fixture(scope="session", autouse=True)
def talk():
    yield
    try:
        greet()
    except Exception:
        pass

def test_it():
    pass
"""

RAW_SOCKET = """
import os, socket
from urllib.parse import urlsplit

def test_it():
    parts = urlsplit(os.environ["AVATAR_BASE_URL"])
    try:
        socket.create_connection((parts.hostname, parts.port))
    except Exception:
        pass
"""

THREAD = """
import threading
import pytest
from app import greet

tried = threading.Event()
go = threading.Event()

def late():
    go.wait(10)
    try:
        greet()
    except Exception:
        pass
    tried.set()

@pytest.mark.avatar_cassette()
def test_it():
    threading.Thread(target=late).start()
"""

OUTLIVING_THREAD = (
    THREAD
    + """
def test_next():
    go.set()
    assert tried.wait(10)
"""
)

BETWEEN_TESTS = (
    THREAD
    + """
@pytest.hookimpl(trylast=True)
def pytest_runtest_logfinish():
    go.set()
    assert tried.wait(10)
"""
)

AT_THE_END = (
    THREAD
    + """
def pytest_sessionfinish():
    go.set()
    assert tried.wait(10)
"""
)


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
@pytest.mark.parametrize(
    "files",
    [
        pytest.param({"test_it.py": IMPORT}, id="import"),
        pytest.param(
            {"test_it.py": SWALLOWED_IMPORT + "def test_it(): pass"}, id="swallowed import"
        ),
        pytest.param({"conftest.py": IMPORT, "test_it.py": "def test_it(): pass"}, id="conftest"),
        pytest.param(
            {"conftest.py": SWALLOWED_IMPORT, "test_it.py": "def test_it(): pass"},
            id="swallowed in conftest",
        ),
        pytest.param({"test_it.py": SWALLOWED_MISS}, id="swallowed miss"),
        pytest.param({"test_it.py": UNWATCHED}, id="unwatched test"),
        pytest.param({"test_it.py": FIXTURE}, id="session fixture"),
        pytest.param({"test_it.py": TEARDOWN}, id="teardown of a session fixture"),
        pytest.param({"test_it.py": RAW_SOCKET}, id="raw socket"),
        pytest.param({"test_it.py": OUTLIVING_THREAD}, id="thread in the next test"),
        pytest.param(
            {"conftest.py": BETWEEN_TESTS, "test_it.py": "from conftest import test_it"},
            id="thread between tests",
        ),
        pytest.param(
            {"conftest.py": AT_THE_END, "test_it.py": "from conftest import test_it"},
            id="thread at the end",
        ),
    ],
)
def test_what_has_no_cassette_fails_the_run_and_reaches_nobody(
    project: Project, files: dict[str, str]
) -> None:
    project.write("pytest.ini", INI + "filterwarnings = ignore:unclosed <socket:ResourceWarning\n")
    for name, text in files.items():
        project.write(name, text)
    base_url = free_base_url()
    with counted_connections(base_url) as connections:
        result = project.replay(service=base_url)
    assert result.ret not in (0, pytest.ExitCode.INTERNAL_ERROR)
    assert connections == []
    told = result.stdout.str() + result.stderr.str()
    assert "cassette" in told or "refused" in told
    gc.collect()  # the sockets that were refused: the next test would hear of them


def test_child_processes_see_a_placeholder(project: Project) -> None:
    project.write(
        "test_it.py",
        f"""
        import os, subprocess

        def seen():
            command = [{sys.executable!r}, "-c", "import os; print(os.environ['AVATAR_KS'])"]
            return subprocess.run(command, capture_output=True, text=True).stdout.strip()

        AT_IMPORT = seen()

        def test_it():
            assert AT_IMPORT == seen() == os.environ["AVATAR_KS"] == "<ks>"
        """,
    )
    project.replay().assert_outcomes(passed=1)


def test_traffic_to_another_port_of_the_same_machine_is_untouched(
    project: Project, other_service: str
) -> None:
    project.write(
        "test_it.py",
        f"""
        import httpx

        def test_it():
            assert httpx.get("{other_service.partition("/v1")[0]}").status_code == 200
        """,
    )
    project.replay().assert_outcomes(passed=1)


def test_a_miss_does_not_keep_the_session_from_being_ended(project: Project) -> None:
    project.write("test_it.py", "def test_it(avatar_session): avatar_session.say_text('Hello')")
    project.record().assert_outcomes(passed=1)
    project.write("test_it.py", "def test_it(avatar_session): avatar_session.say_text('Bye')")
    result = project.replay()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["avatar: 1 session, all ended*"])
