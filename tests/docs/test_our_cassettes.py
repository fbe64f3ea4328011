"""The cassettes of this repository: their page's commands record them again, byte for byte."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from vcr.persisters.filesystem import FilesystemPersister  # type: ignore[import-untyped]
from vcr.serializers import jsonserializer  # type: ignore[import-untyped]

from tests.docs.pages import ROOT, Project, blocks_of

if TYPE_CHECKING:
    from pathlib import Path

PAGE = "cassettes/README.md"
OURS = sorted((ROOT / "cassettes").rglob("*.json"))


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.json")
    }


def test_the_commands_of_their_page_record_them_byte_for_byte(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(
        ROOT / "tests" / "examples",
        folder / "tests" / "examples",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    shutil.copy(ROOT / "pyproject.toml", folder)
    with Project(folder) as project:
        for block in blocks_of(PAGE):
            project.follow(block)
    assert contents(folder / "cassettes") == contents(ROOT / "cassettes")


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
def test_vcrpy_loads_each_of_them(path: Path) -> None:
    requests, responses = FilesystemPersister.load_cassette(path, serializer=jsonserializer)
    assert len(requests) == len(responses) > 0


def test_their_page_names_files_that_exist() -> None:
    page = (ROOT / PAGE).read_text("utf-8")
    named = [path for path in OURS if path.relative_to(ROOT / "cassettes").as_posix() in page]
    assert len(named) == 2
