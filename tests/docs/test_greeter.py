"""The demonstration: `sh docs/examples/run` runs a small project of the kind our users have."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.docs.pages import ROOT, Project

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone whose set-up is done: `.ci/venv` needs the package index, this test does not."""
    folder = tmp_path / "clone"
    shutil.copytree(
        ROOT / "docs" / "examples",
        folder / "docs" / "examples",
        ignore=shutil.ignore_patterns("__pycache__", ".pytest_cache"),
    )
    write_script(folder / ".ci" / "venv", "true")
    write_script(folder / ".venv" / "bin" / "python", f'exec {shlex.quote(sys.executable)} "$@"')
    return folder


def write_script(path: Path, command: str) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(f"#!/bin/sh\n{command}\n", "utf-8")
    path.chmod(0o755)


@pytest.mark.skipif(os.name == "nt", reason="the command is a shell script")
def test_the_demonstration_lists_the_forgotten_session_and_says_where_to_read_on(
    clone: Path,
) -> None:
    done = subprocess.run(
        ["sh", "docs/examples/run"],
        cwd=clone,
        env=Project(clone).environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "8 passed" in done.stdout
    assert "avatar: 1 allowed of 9 sessions" in done.stdout
    assert "1 session allowed, opened at greeter/service.py:" in done.stdout
    assert "in tests/test_service.py::test_the_old_way_still_greets" in done.stdout
    assert "ended by pytest-avatar" in done.stdout
    where = done.stdout.splitlines()[-1].removeprefix("Read on: ")
    assert (ROOT / where).is_file()


def test_the_readme_has_both_commands_word_for_word() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    for command in ("sh docs/examples/run", "sh tests/run"):
        assert f"```sh\n{command}\n```" in readme
        assert (ROOT / command.removeprefix("sh ")).is_file()
