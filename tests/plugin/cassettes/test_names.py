"""No two tests share a cassette, whatever their names."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.plugin.cassettes.project import Project

PARAMETERS = [
    *("a/b", "a:b", "a?b", "a-b", "a\\b", "a*b", "a|b", "a<b", 'a"b', "a b", "a.b", "a_b"),
    *("case", "CASE", "Case", "é", "e\u0301", "..", "../../x", "/etc/passwd", "con", "nul.json"),
    *("", " ", ".", "x.", "x ", "\n", "\x00", "☃", "\U0001f600", "ß", "ss", "SS", "[", "]", "a]["),
    *("y" * 300, "y" * 301, "ü" * 150, "~", "x~0123456789ab", "test[1]", "%2F", "$HOME", "'"),
]


def test_hostile_parameters_have_cassettes_of_their_own(project: Project) -> None:
    project.write(
        "test_it.py",
        f"""
        import pytest
        from app import greet

        @pytest.mark.avatar_cassette()
        @pytest.mark.parametrize("text", {PARAMETERS!r}, ids=str)
        def test_it(text):
            greet(repr(text))
        """,
    )
    project.record().assert_outcomes(passed=len(PARAMETERS))
    names = list(project.cassettes)
    assert len({unicodedata.normalize("NFC", name.casefold()) for name in names}) == len(PARAMETERS)
    assert all(name.startswith("test_it/") and name.count("/") == 1 for name in names)
    assert all(len(name.rpartition("/")[2].encode()) <= 255 for name in names)
    project.replay().assert_outcomes(passed=len(PARAMETERS))


NESTED = """
    import pytest
    from app import greet

    pytestmark = pytest.mark.avatar_cassette()

    def test_it(request):
        greet(request.node.nodeid)

    def test_IT(request):
        greet(request.node.nodeid)

    class TestOuter:
        def test_it(self, request):
            greet(request.node.nodeid)

        class TestInner:
            def test_it(self, request):
                greet(request.node.nodeid)

    class TestInner:
        def test_it(self, request):
            greet(request.node.nodeid)

    class TESTOuter:
        def test_it(self, request):
            greet(request.node.nodeid)
"""


def test_the_same_names_in_classes_and_modules_are_told_apart(project: Project) -> None:
    project.write("pytest.ini", (project.root / "pytest.ini").read_text() + "python_classes = T*\n")
    for folder in ("one", "two", "one/deep"):
        project.write(f"{folder}/__init__.py", "")
        project.write(f"{folder}/test_deep.py", NESTED)
    project.write("conftest.py", "")
    project.record().assert_outcomes(passed=18)
    assert len({name.casefold() for name in project.cassettes}) == 18
    assert "one/test_deep/TestInner.test_it.json" in project.cassettes
    project.replay().assert_outcomes(passed=18)
    project.replay("one/test_deep.py::TestInner::test_it").assert_outcomes(passed=1)


def test_one_selected_test_finds_what_the_whole_run_recorded(project: Project) -> None:
    project.write("conftest.py", "")
    project.write("checks/test_deep.py", NESTED)
    project.record().assert_outcomes(passed=5)
    before = project.cassettes
    for node in ("test_it", "test_IT", "TestOuter::test_it"):
        project.replay(f"checks/test_deep.py::{node}").assert_outcomes(passed=1)
        project.record(f"checks/test_deep.py::{node}").assert_outcomes(passed=1)
    assert project.cassettes == before
