"""Whatever outlives a test, its setup and its teardown are in one cassette."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final

import pytest

from tests.plugin.cassettes.project import INI

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.plugin.cassettes.project import Project

SESSIONS: Final = {"function": 4, "class": 2, "module": 2, "package": 1, "session": 1}
"""How many sessions two modules with one class of two tests use, by scope."""

OURS: Final = """
    import httpx

    class TestIt:
        def test_a(self, avatar_session):
            avatar_session.say_text("a")
            assert httpx.get("{other}").text == "other"

        def test_b(self, avatar_session):
            avatar_session.say_text("b")

    def test_c():
        assert httpx.get("{other}").text == "other"
"""

THEIRS: Final = """
    import httpx
    import pytest
    from app import Talk

    @pytest.fixture(scope="{scope}")
    def talk():
        assert httpx.get("{other}").text == "other"
        talk = Talk()
        talk.say("setup")
        yield talk
        talk.say("teardown")
        talk.end()
        assert httpx.get("{other}").text == "other"

    @pytest.mark.avatar_cassette()
    class TestIt:
        def test_a(self, talk):
            talk.say("a")
            assert httpx.get("{other}").text == "other"

        def test_b(self, talk):
            talk.say("b")

        def test_without_it(self):
            pass

    def test_c():
        assert httpx.get("{other}").text == "other"
"""


class Other(BaseHTTPRequestHandler):
    """A host that is not the service."""

    def do_GET(self) -> None:
        self.server.asked += 1  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"other")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def other() -> Iterator[ThreadingHTTPServer]:
    with serving() as server:
        yield server


@contextmanager
def serving() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Other) as server:
        server.asked = 0  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join(5)


def write(project: Project, source: str, other: ThreadingHTTPServer, scope: str) -> None:
    project.write("checks/__init__.py", "")
    text = source.replace("{other}", f"http://127.0.0.1:{other.server_port}")
    for module in ("one", "two"):
        project.write(f"checks/test_{module}.py", text.replace("{scope}", scope))
    project.write("conftest.py", "")


@pytest.mark.parametrize("scope", SESSIONS)
def test_our_session_is_recorded_from_setup_to_teardown(
    project: Project, other: ThreadingHTTPServer, scope: str
) -> None:
    write(project, OURS, other, scope)
    given = f"--avatar-session-scope={scope}"
    project.record(given).assert_outcomes(passed=6)
    ending = [name for name in project.cassettes if "end" in project.requests(name)]
    assert len(ending) == SESSIONS[scope]
    for name in ending:
        asked = project.requests(name)
        assert (asked[0], asked[-1]) == ("avatar-session", "end")
    project.replay(given).assert_outcomes(passed=6)
    assert other.asked == 8  # type: ignore[attr-defined]


@pytest.mark.parametrize("scope", SESSIONS)
def test_a_users_own_fixture_is_recorded_from_setup_to_teardown(
    project: Project, other: ThreadingHTTPServer, scope: str
) -> None:
    write(project, THEIRS, other, scope)
    project.record().assert_outcomes(passed=8)
    ending = [name for name in project.cassettes if "end" in project.requests(name)]
    assert len(ending) == (4 if scope == "function" else 2)
    said = ["say-text"] * (3 if scope == "function" else 2)
    for name in ending:
        assert project.requests(name) == ["avatar-session", *said, "end"]
    project.replay().assert_outcomes(passed=8)


EXTENDED: Final = """
    import pytest
    from app import Talk

    @pytest.fixture(scope="module")
    def talk({argument}):
        talk = Talk()
        talk.say("{text}")
        yield talk
        talk.end()
"""


def test_a_fixture_that_extends_one_of_its_name_has_a_cassette_of_its_own(project: Project) -> None:
    project.write("conftest.py", EXTENDED.format(argument="", text="from the conftest"))
    test = "\n    @pytest.mark.avatar_cassette()\n    def test_it(talk): talk.say('Hello')\n"
    project.write("test_it.py", EXTENDED.format(argument="talk", text="from the module") + test)
    project.record().assert_outcomes(passed=1)
    assert len(project.cassettes) == 3
    project.replay().assert_outcomes(passed=1)


@pytest.mark.slow
@pytest.mark.parametrize("source", [OURS, THEIRS], ids=["ours", "theirs"])
def test_workers_replay_what_one_process_recorded(
    project: Project, other: ThreadingHTTPServer, source: str
) -> None:
    for scope in SESSIONS:
        folder = f"{scope}_tests"
        project.write(f"{folder}/__init__.py", "")
        text = source.replace("{other}", f"http://127.0.0.1:{other.server_port}")
        project.write(f"{folder}/test_it.py", text.replace("{scope}", scope))
    project.write("conftest.py", "")
    passed = 15 if source is OURS else 20
    given = "--avatar-session-scope=module"
    project.record(given).assert_outcomes(passed=passed)
    before = project.cassettes
    workers = ("-n2", "--dist=loadfile", given)
    project.replay(*workers, apart=True).assert_outcomes(passed=passed)
    project.record(*workers, apart=True).assert_outcomes(passed=passed)
    assert project.cassettes == before


def test_a_session_scope_of_two_workers_replays_in_both(project: Project) -> None:
    tests = "".join(
        f"def test_{name}(avatar_session): avatar_session.say_text('{name}')\n" for name in "abcd"
    )
    project.write("test_it.py", tests)
    given = "--avatar-session-scope=session"
    project.record(given).assert_outcomes(passed=4)
    project.replay(given, "-n2", apart=True).assert_outcomes(passed=4)


XUNIT: Final = """
    from app import Talk

    def setup_module():
        global talk
        talk = Talk()

    def teardown_module():
        talk.end()

    class TestIt:
        @classmethod
        def setup_class(cls):
            cls.talk = Talk()
            cls.talk.say("setup")

        @classmethod
        def teardown_class(cls):
            cls.talk.end()

        def setup_method(self):
            self.own = Talk()

        def teardown_method(self):
            self.own.end()

        def test_a(self):
            talk.say("to the module's")
            self.talk.say("to the class's")
            self.own.say("to the test's")

        def test_b(self):
            talk.say("again")
"""


def test_xunit_setup_is_recorded(project: Project) -> None:
    project.write("pytest.ini", INI + "avatar_watch = true\n")
    project.write("test_it.py", XUNIT)
    project.record().assert_outcomes(passed=2)
    assert len(project.cassettes) == 4
    before = project.cassettes
    project.record().assert_outcomes(passed=2)
    assert project.cassettes == before
    project.replay().assert_outcomes(passed=2)


def test_unittest_setup_is_recorded(project: Project) -> None:
    project.write("pytest.ini", INI + "avatar_watch = true\n")
    project.write(
        "test_it.py",
        """
        from unittest import TestCase
        from app import Talk

        class TestIt(TestCase):
            @classmethod
            def setUpClass(cls):
                cls.talk = Talk()

            @classmethod
            def tearDownClass(cls):
                cls.talk.end()

            def setUp(self):
                self.own = Talk()
                self.addCleanup(self.own.end)

            def test_a(self):
                self.talk.say("a")
                self.own.say("a")
        """,
    )
    project.record().assert_outcomes(passed=1)
    assert len(project.cassettes) == 2
    project.replay().assert_outcomes(passed=1)


def test_parametrized_fixtures_have_a_cassette_for_each_instance(project: Project) -> None:
    project.write(
        "test_it.py",
        """
        import pytest
        from app import Talk

        @pytest.fixture(scope="module", params=["a/b", "a:b", "A/B", object()])
        def talk(request):
            talk = Talk()
            yield talk
            talk.end()

        @pytest.mark.avatar_cassette()
        def test_it(talk):
            talk.say("Hello")
        """,
    )
    project.record().assert_outcomes(passed=4)
    assert len(project.cassettes) == 8
    project.replay().assert_outcomes(passed=4)
