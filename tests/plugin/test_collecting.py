"""The cassette folder costs no run any time, and hides no test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.downstream import PLAIN

if TYPE_CHECKING:
    from pathlib import Path

LISTS_FILES: Final = """
    asked = []

    def pytest_ignore_collect(collection_path):
        asked.append(collection_path.name)

    def pytest_terminal_summary(terminalreporter):
        terminalreporter.write_line("asked: " + " ".join(sorted(asked)))
"""


@pytest.fixture
def folder(clean_environment: None, pytester: pytest.Pytester) -> Path:
    """A cassette folder with cassettes, beside a test."""
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function")
    pytester.makeconftest(LISTS_FILES)
    pytester.makepyfile(test_beside="def test_beside(): ...")
    folder = pytester.mkdir("cassettes")
    (folder / "test_it").mkdir()
    for name in ("a.json", "b.yaml", "test_it/c.yml"):
        (folder / name).write_text("{}")
    return folder


def asked(result: pytest.RunResult) -> set[str]:
    (line,) = [line for line in result.outlines if line.startswith("asked: ")]
    return set(line.split()[1:])


def test_nobody_is_asked_about_a_cassette(folder: Path, pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_inprocess(*PLAIN)
    result.assert_outcomes(passed=1)
    assert asked(result) >= {"cassettes", "test_it", "test_beside.py"}
    assert not asked(result) & {"a.json", "b.yaml", "c.yml"}


def test_tests_in_the_folder_are_collected(folder: Path, pytester: pytest.Pytester) -> None:
    (folder / "test_it" / "test_deep.py").write_text("def test_deep(answer): assert answer == 42")
    (folder / "conftest.py").write_text(
        "import pytest\n@pytest.fixture\ndef answer(): return 42\n"
        "collect_ignore = ['test_ignored.py']"
    )
    (folder / "test_ignored.py").write_text("def test_ignored(): assert False")
    result = pytester.runpytest_inprocess(*PLAIN, "-v")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["cassettes/test_it/test_deep.py::test_deep PASSED*"])


def test_a_file_in_the_folder_that_is_named_is_run(folder: Path, pytester: pytest.Pytester) -> None:
    (folder / "test_it" / "test_deep.py").write_text("def test_deep(): ...")
    result = pytester.runpytest_inprocess(*PLAIN, "cassettes/test_it/test_deep.py::test_deep")
    result.assert_outcomes(passed=1)


def test_a_package_of_that_name_stays_one(folder: Path, pytester: pytest.Pytester) -> None:
    (folder / "__init__.py").touch()
    (folder / "test_inside.py").write_text("from . import __name__ as name\ndef test_in(): ...")
    result = pytester.runpytest_inprocess(*PLAIN, "--import-mode=prepend")
    result.assert_outcomes(passed=2)


def test_a_folder_whose_name_begins_alike_is_none_of_ours(
    folder: Path, pytester: pytest.Pytester
) -> None:
    (pytester.mkdir("cassettes_of_others") / "d.json").touch()
    assert "d.json" in asked(pytester.runpytest_inprocess(*PLAIN))
