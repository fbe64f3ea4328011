"""Which cassettes the tests of a project may use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_avatar.adapters.cassettes import collection
from pytest_avatar.core.errors import CassetteError

if TYPE_CHECKING:
    from pathlib import Path

CONFTEST = """
import json, pathlib

def pytest_addoption(parser):
    parser.addoption("--list-for-this-test")

def pytest_collection_finish(session):
    folder = str(session.config.rootpath / "c")
    listing = {"folder": folder, "cassettes": [item.name for item in session.items]}
    pathlib.Path(session.config.getoption("--list-for-this-test")).write_text(json.dumps(listing))
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_a.py").write_text("def test_a(): pass\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -p no:cassetter\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    monkeypatch.setattr(collection, "LIST_OPTION", "--list-for-this-test")
    return tmp_path


def test_the_tests_are_collected_in_a_process_of_their_own(project: Path) -> None:
    collected = collection.collect(["test_a.py"])
    assert collected == collection.Collected(project / "c", frozenset({"test_a"}))


def test_a_project_without_tests_has_no_cassettes(project: Path) -> None:
    (project / "test_a.py").unlink()
    assert collection.collect().cassettes == frozenset()


def test_a_collection_that_fails_says_nothing_of_orphans(project: Path) -> None:
    (project / "test_b.py").write_text("import nothing_of_that_name\n")
    with pytest.raises(CassetteError, match="pytest could not collect the tests, so no orphans"):
        collection.collect()
