"""The marker `avatar_cassette`: which cassette, and how requests are matched with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugin.cassettes.project import Project


def replayed(
    project: Project, recorded: str, code: str, marker: str = "", *, says: str = ""
) -> pytest.RunResult:
    """Record the body of a test, then replay another one with a marker."""
    head = "import pytest\nfrom app import Talk, greet\n\n"
    test = head + "@pytest.mark.avatar_cassette({})\ndef test_it():\n    {}\n"
    project.write("test_it.py", test.format("", recorded))
    project.record().assert_outcomes(passed=1)
    project.write("test_it.py", test.format(marker, code))
    return project.replay()


TALK = "talk = Talk(); talk.say('a'); talk.end()"
TWICE = "talk = Talk(); talk.say('a'); talk.say('a'); talk.end()"
OTHER_TURN = "talk = Talk(); talk.say('a', turn='another'); talk.end()"
OTHER_TEXT = "talk = Talk(); talk.say('b'); talk.end()"


@pytest.mark.parametrize(
    ("recorded", "code", "marker", "passes"),
    [
        pytest.param(TALK, TALK, "", True, id="the same"),
        pytest.param(TALK, OTHER_TURN, "", True, id="another turn"),
        pytest.param(TALK, OTHER_TEXT, "", False, id="another text"),
        pytest.param(
            TALK, OTHER_TEXT, "match_on=['operation', 'session']", True, id="without bodies"
        ),
        pytest.param(TALK, TWICE, "", False, id="twice"),
        pytest.param(TALK, TWICE, "allow_repeats=True", True, id="repeats allowed"),
        pytest.param(TWICE, TALK, "", False, id="unplayed"),
        pytest.param(TWICE, TALK, "allow_repeats=True", False, id="unplayed, repeats allowed"),
        pytest.param(
            "talk = Talk(); talk.say('a', 't'); talk.say('b', 't'); talk.end()",
            "talk = Talk(); talk.say('a', 't'); talk.say('b', 'u'); talk.end()",
            "match_on=['operation', 'session', 'body', 'turn']",
            False,
            id="turns matched",
        ),
        pytest.param(
            "talk = Talk(); talk.call('keep-alive'); talk.end()",
            "talk = Talk(); talk.end()",
            "",
            True,
            id="keep-alive aside",
        ),
        pytest.param(
            "talk = Talk(); talk.call('keep-alive'); talk.end()",
            "talk = Talk(); [talk.call('keep-alive') for _ in range(9)]; talk.end()",
            "",
            True,
            id="more keep-alives",
        ),
        pytest.param(
            "first, second = Talk(), Talk(); first.say('1'); second.say('2'); "
            "first.end(); second.end()",
            "first, second = Talk(), Talk(); second.say('2'); second.end(); "
            "first.say('1'); first.end()",
            "",
            True,
            id="sessions free against each other",
        ),
    ],
)
def test_requests_are_matched_as_the_marker_says(
    project: Project, recorded: str, code: str, marker: str, passes: bool
) -> None:
    result = replayed(project, recorded, code, marker)
    assert (result.ret == 0) == passes


def test_tests_may_name_a_cassette(project: Project) -> None:
    project.write(
        "test_it.py",
        """
        import pytest
        from app import greet

        @pytest.mark.avatar_cassette("a greeting")
        def test_it():
            greet()

        @pytest.mark.avatar_cassette(name="a greeting")
        class TestIt:
            def test_it(self):
                greet()

            @pytest.mark.avatar_cassette(name="../../outside")
            def test_outside(self):
                greet()
        """,
    )
    project.record().assert_outcomes(passed=3)
    names = list(project.cassettes)
    assert "test_it/a greeting.json" in names
    assert len(names) == 2
    assert not (project.root.parent / "outside.json").exists()
    project.replay().assert_outcomes(passed=3)


@pytest.mark.parametrize(
    "arguments",
    ["nmae='x'", "match_on=['bodies']", "match_on='operation'", "name=7", "allow_repeats='no'"],
)
def test_a_wrong_argument_is_an_error_at_collection(project: Project, arguments: str) -> None:
    project.write(
        "test_it.py", f"import pytest\n@pytest.mark.avatar_cassette({arguments})\ndef test_it(): 0"
    )
    result = project.replay()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*test_it.py::test_it: @pytest.mark.avatar_cassette: *"])
