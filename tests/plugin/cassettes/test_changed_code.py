"""Code under test that is not what it was when it was recorded fails, and the message says how."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.downstream import KS

if TYPE_CHECKING:
    from tests.plugin.cassettes.project import Project

TEST = """
    import pytest
    from app import greet

    @pytest.mark.avatar_cassette()
    def test_greeting():
        greet()
"""

GREET = """    talk = Talk()
    talk.say(text)
    talk.end()
"""

PLACE = [
    "*  test:      test_it.py::test_greeting",
    "*  cassette:  cassettes/test_it/test_greeting.json",
]
COMMAND = "pytest --avatar-mode=record --avatar-ks=… --avatar-id=… test_it.py::test_greeting"


def change(project: Project, greet: str) -> pytest.RunResult:
    """Record, change the code under test, and replay."""
    project.write("test_it.py", TEST)
    project.record().assert_outcomes(passed=1)
    app = project.root / "app.py"
    text = app.read_text()
    assert GREET in text
    app.write_text(text.replace(GREET, greet))
    return project.replay()


def check_message(result: pytest.RunResult, first: str) -> None:
    """Check that a message is there, once, not too long, and tells no secret."""
    lines = [line.removeprefix("E").strip() for line in result.outlines]
    shown = re.compile(rf"([\w. ]+: )?{first}")
    starts = [place for place, line in enumerate(lines) if shown.match(line)]
    ends = [place for place, line in enumerate(lines) if line.endswith(COMMAND)]
    assert len(starts) == len(ends) == 1
    assert ends[0] - starts[0] < 25
    assert KS not in result.stdout.str()
    assert not re.search(r"eyJ[\w-]+\.eyJ", result.stdout.str())


def test_a_session_that_is_ended_no_more(project: Project) -> None:
    result = change(project, "    talk = Talk()\n    talk.say(text)\n")
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "*The test did not send 1 recorded request.",
            *PLACE,
            "*  unplayed:  interaction 3, end of session-1",
            "*record again: pytest --avatar-mode=record*",
        ]
    )
    check_message(result, "The test did not send")


def test_a_session_that_is_ended_before_it_is_created(project: Project) -> None:
    greet = """    talk = Talk.__new__(Talk)
    talk.post, talk.id, talk.token = post, "session-1", "token"
    talk.end()
    Talk().say(text)
"""
    result = change(project, greet)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*The cassette holds no answer to this request, and replay sends nothing.",
            *PLACE,
            "*  request:   end of *",
            "*  nearest:   interaction 3 of 3, end of session-1",
            "*  but:       session-1 has not been created yet",
            "*Record it again: pytest --avatar-mode=record*",
        ]
    )
    check_message(result, "The cassette holds no answer")


def test_an_id_that_was_never_given(project: Project) -> None:
    greet = """    talk = Talk.__new__(Talk)
    talk.post, talk.id, talk.token = post, "5f3a", "token"
    talk.end()
"""
    result = change(project, greet)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            *PLACE,
            "*  request:   end of *",
            "*  nearest:   interaction 3 of 3, end of session-1",
            "*  differs:   session",
            "*Record it again: pytest --avatar-mode=record*",
        ]
    )
    check_message(result, "The cassette holds no answer")


def test_another_text(project: Project) -> None:
    result = change(project, GREET.replace("say(text)", "say('Goodbye')"))
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            *PLACE,
            "*  request:   say-text of session-1",
            "*  nearest:   interaction 2 of 3, say-text of session-1",
            "*  differs:   text",
            '*    recorded "Hello"',
            '*    sent     "Goodbye"',
            "*Record it again: pytest --avatar-mode=record*",
        ]
    )
    check_message(result, "The cassette holds no answer")


def test_a_session_that_is_ended_twice(project: Project) -> None:
    result = change(project, GREET + "    talk.end()\n")
    result.assert_outcomes(failed=1)
    check_message(result, "The cassette holds no answer")


def test_words_after_the_end(project: Project) -> None:
    result = change(project, "    talk = Talk()\n    talk.end()\n    talk.say(text)\n")
    result.assert_outcomes(failed=1)
    check_message(result, "The cassette holds no answer")


def test_a_miss_that_is_swallowed(project: Project) -> None:
    greet = GREET.replace(
        "talk.say(text)", "import contextlib\n    with contextlib.suppress(Exception): talk.say('')"
    )
    result = change(project, greet)
    assert result.ret == 1
    check_message(result, "The cassette holds no answer")


@pytest.mark.parametrize("library", ["requests", "httpx2", "urllib3"])
def test_a_miss_is_never_retried_as_if_it_were_the_network(project: Project, library: str) -> None:
    posts = {
        "requests": "requests.post(base() + path, json=body, timeout=9)",
        "httpx2": "httpx2.post(base() + path, json=body)",
        "urllib3": "urllib3.PoolManager().request('POST', base() + path, json=body, retries=5)",
    }
    project.write(
        "test_it.py",
        f"""
        import pytest
        import {library}
        from app import base

        def post(path, body):
            return {posts[library]}

        @pytest.mark.avatar_cassette()
        def test_greeting():
            post("", {{}})
        """,
    )
    result = project.replay()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*There is no cassette, and replay sends nothing.", *PLACE])
    check_message(result, "There is no cassette")


def test_the_fixtures_session(project: Project) -> None:
    project.write("test_it.py", "def test_greeting(avatar_session): avatar_session.say_text('a')")
    project.record().assert_outcomes(passed=1)
    project.write("test_it.py", "def test_greeting(avatar_session): pass")
    result = project.replay()
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*  unplayed:  interaction 2, say-text of session-1"])
    check_message(result, "The test did not send")


def test_a_missing_cassette_says_what_records_it(project: Project) -> None:
    project.write("test_it.py", "def test_greeting(avatar_session): pass")
    result = project.replay()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*There is no cassette, and replay sends nothing.", *PLACE])
    check_message(result, "There is no cassette")
