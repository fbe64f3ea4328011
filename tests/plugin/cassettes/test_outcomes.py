"""What becomes of a cassette depends on how its test fares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugin.cassettes.project import Project

HEAD = """
import pytest
from app import Talk

pytestmark = pytest.mark.avatar_cassette()

@pytest.fixture
def talk():
    talk = Talk()
    yield talk
    talk.end()

@pytest.fixture
def breaks_in_setup(talk):
    raise RuntimeError

@pytest.fixture
def breaks_in_teardown(talk):
    yield
    raise RuntimeError
"""

PASSES = HEAD + "def test_it(talk): talk.say('Hello')\n"


@pytest.mark.parametrize(
    ("test", "outcomes"),
    [
        pytest.param(
            "def test_it(talk):\n    talk.say('Bye')\n    assert False\n", {"failed": 1}, id="call"
        ),
        pytest.param(
            "def test_it(talk, breaks_in_setup):\n    talk.say('Bye')\n", {"errors": 1}, id="setup"
        ),
        pytest.param(
            "def test_it(talk, breaks_in_teardown):\n    talk.say('Bye')\n",
            {"passed": 1, "errors": 1},
            id="teardown",
        ),
        pytest.param(
            "@pytest.mark.xfail(strict=True)\ndef test_it(talk):\n    talk.say('Bye')\n",
            {"failed": 1},
            id="strict xfail that passes",
        ),
        pytest.param(
            "@pytest.mark.avatar_no_leaks\ndef test_it(talk):\n    talk.say('Bye')\n    Talk()\n",
            {"passed": 1, "errors": 1, "failed": 1},
            id="leak",
        ),
    ],
)
def test_a_failing_test_keeps_the_old_cassette(
    project: Project, test: str, outcomes: dict[str, int]
) -> None:
    project.write("test_it.py", PASSES)
    project.record().assert_outcomes(passed=1)
    before = project.cassettes
    project.write("test_it.py", HEAD + test)
    project.record().assert_outcomes(**outcomes)
    assert project.cassettes == before


def test_a_test_that_never_passed_has_no_cassette(project: Project) -> None:
    project.write("test_it.py", HEAD + "def test_it(talk): assert False\n")
    project.record().assert_outcomes(failed=1)
    assert project.cassettes == {}


@pytest.mark.parametrize(
    ("test", "outcomes"),
    [
        pytest.param(
            "def test_it(talk):\n    talk.say('Hello')\n    pytest.skip('half way')\n",
            {"skipped": 1},
            id="skipped half way",
        ),
        pytest.param(
            "@pytest.mark.xfail\ndef test_it(talk):\n    talk.say('Hello')\n    assert False\n",
            {"xfailed": 1},
            id="xfail",
        ),
        pytest.param(
            "@pytest.mark.xfail\ndef test_it(talk):\n    talk.say('Hello')\n",
            {"xpassed": 1},
            id="xpass",
        ),
    ],
)
def test_a_test_that_ends_as_it_should_is_recorded(
    project: Project, test: str, outcomes: dict[str, int]
) -> None:
    project.write("test_it.py", HEAD + test)
    project.record().assert_outcomes(**outcomes)
    assert project.requests("test_it/test_it.json") == ["avatar-session", "say-text", "end"]
    project.replay().assert_outcomes(**outcomes)


@pytest.mark.parametrize(
    "test",
    ["@pytest.mark.skip\ndef test_it(talk): pass\n", "def test_it(): pytest.skip('at once')\n"],
)
def test_a_test_that_sits_out_keeps_its_cassette(project: Project, test: str) -> None:
    project.write("test_it.py", PASSES)
    project.record().assert_outcomes(passed=1)
    before = project.cassettes
    project.write("test_it.py", HEAD + test)
    project.record().assert_outcomes(skipped=1)
    project.replay().assert_outcomes(skipped=1)
    assert project.cassettes == before


def test_a_rerun_records_the_attempt_that_passed(project: Project) -> None:
    project.write(
        "test_it.py",
        HEAD + "tries = []\n"
        "def test_it(talk):\n"
        "    tries.append(1)\n"
        "    talk.say(str(len(tries)))\n"
        "    assert len(tries) == 2\n",
    )
    result = project.record("-p", "rerunfailures", "--reruns=1")
    assert result.ret == 0
    assert '"text":"2"' in project.cassettes["test_it/test_it.json"].decode().replace('\\"', '"')


def test_a_run_that_is_interrupted_keeps_what_was_there(project: Project) -> None:
    project.write("test_it.py", PASSES)
    project.record().assert_outcomes(passed=1)
    before = project.cassettes
    test = "def test_it(talk):\n    talk.say('Bye')\n    raise KeyboardInterrupt\n"
    project.write("test_it.py", HEAD + test)
    assert project.record(apart=True).ret == pytest.ExitCode.INTERRUPTED
    assert project.cassettes == before
