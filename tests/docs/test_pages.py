"""Everything that the documentation shows is run, or is a command that is run elsewhere."""

from __future__ import annotations

import configparser
import json
import shutil
import tomllib
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml

from tests.docs.pages import Block, Project, blocks_of, matches, pages

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

PAGES: Final = pages()
BLOCKS: Final = [(page, block) for page in PAGES for block in blocks_of(page)]

FOLLOWED_ELSEWHERE: Final = {"cassettes/README.md"}  # test_our_cassettes.py
RUN_ELSEWHERE: Final = {
    'pip install "pytest-avatar[otel]"',  # the sessions of nox, with the extra's name
    'pip install "pytest-avatar[emulator]"',  # the build session of nox, from the wheel
    "sh docs/examples/run",  # test_greeter.py
    "sh tests/run",  # this run
}


def read_ini(text: str) -> object:
    parser = configparser.ConfigParser()
    parser.read_string(text)
    return parser.sections()


READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "ini": read_ini,
    "json": json.loads,
    "toml": tomllib.loads,
    "yaml": yaml.safe_load,
}


@pytest.mark.slow
@pytest.mark.parametrize("page", sorted({page for page, _ in BLOCKS} - FOLLOWED_ELSEWHERE))
def test_what_a_page_shows_is_what_happens(page: str, tmp_path: Path) -> None:
    if any(block.language == "js" for block in blocks_of(page)) and shutil.which("node") is None:
        pytest.skip("node is not installed")
    with Project(tmp_path / "project") as project:
        for block in blocks_of(page):
            project.follow(block)


@pytest.mark.parametrize(("page", "block"), BLOCKS, ids=lambda one: getattr(one, "line", one))
def test_every_block_is_run_or_read(page: str, block: Block) -> None:
    if block.language in READERS:
        assert READERS[block.language](block.content)
    elif block.language == "sh":
        assert set(block.content.splitlines()) <= RUN_ELSEWHERE
    elif block.language in {"js", "python"}:
        assert block.name, "a block of code needs the name of its file, or nobody runs it"
    else:
        assert block.language in {"console", "groovy", "text"}  # Groovy in test_ci_files.py


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("=== 1 passed in 0.12s ===", "======= 1 passed in 3.40s ======="),
        ("first\n...\nlast", "first\none\ntwo\nlast"),
        ("first\n...", "first"),
        ("test_it.py . [100%]", "test_it.py .            [100%]"),
    ],
)
def test_what_differs_from_run_to_run_is_passed_over(shown: str, printed: str) -> None:
    assert matches(shown, printed)


@pytest.mark.parametrize(
    ("shown", "printed"),
    [("1 passed", "1 passed, 1 failed"), ("first\n...\nlast", "first\nlast\nmore"), ("a", "")],
)
def test_what_differs_otherwise_is_found(shown: str, printed: str) -> None:
    assert not matches(shown, printed)


def test_a_command_that_could_spend_money_is_not_run_without_an_emulator(tmp_path: Path) -> None:
    block = Block(1, "console", "", "$ pytest --avatar-ks=secret\n")
    with Project(tmp_path / "project") as project, pytest.raises(AssertionError):
        project.follow(block)
