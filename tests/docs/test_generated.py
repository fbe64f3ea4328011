"""What the documentation takes from the code is what the code says now."""

from __future__ import annotations

import re
import runpy
from typing import Any

import pytest

from pytest_avatar.cli import main
from tests.docs.pages import ROOT, pages

GENERATE: dict[str, Any] = runpy.run_path(str(ROOT / "docs" / "generate.py"))
COMMANDS = (
    "emulator",
    "cassettes list",
    "cassettes check",
    "cassettes prune",
    "reap",
    "report",
)


def test_everything_that_is_made_from_the_code_is_up_to_date() -> None:
    stale = [
        path.relative_to(ROOT).as_posix()
        for path, content in GENERATE["contents"]().items()
        if path.read_text("utf-8") != content
    ]
    assert stale == [], "run python docs/generate.py"


def test_every_part_is_used_by_a_page() -> None:
    used = [name for page in pages() for name in re.findall(r"from the code: (\w+)", read(page))]
    assert sorted(used) == sorted(GENERATE["PARTS"])


def test_every_page_below_docs_is_in_the_index() -> None:
    linked = set(re.findall(r"\]\((.+?\.md)\)", read("docs/README.md")))
    below = {page.removeprefix("docs/") for page in pages() if page.startswith("docs/")}
    assert below - linked == {"README.md", "examples/greeter/README.md"}


def test_every_fixture_has_words_of_its_own() -> None:
    page = read("docs/reference/fixtures.md")
    told = set(re.findall(r"^## `(\w+)`$", page, re.MULTILINE))
    assert told == set(GENERATE["source"].FIXTURES)


def test_every_error_has_its_place_in_the_reference() -> None:
    page = read("docs/reference/errors.md")
    assert [name for name in GENERATE["errors"].__all__ if name not in page] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_of_a_command_is_in_the_reference(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([*command.split(), "--help"])
    options = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", capsys.readouterr().out)) - {"--help"}
    page = read("docs/reference/command-line.md")
    section = page.partition(f"## `pytest-avatar {command}`\n")[2].partition("\n## ")[0]
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", section)) == options


def read(page: str) -> str:
    return (ROOT / page).read_text("utf-8")
