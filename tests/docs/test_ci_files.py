"""The files for CI services that the documentation shows are what those services take."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.docs.pages import ROOT, blocks_of, pages

if TYPE_CHECKING:
    from pathlib import Path

REASON = "sh tests/run installs it"
pytest.importorskip("check_jsonschema", reason=REASON)
tree_sitter = pytest.importorskip("tree_sitter", reason=REASON)
groovy = pytest.importorskip("tree_sitter_groovy", reason=REASON)

FILES = [(page, block.name, block.content) for page in pages() for block in blocks_of(page)]
GITHUB = [file for file in FILES if file[1].startswith(".github/workflows/")]
GITLAB = [file for file in FILES if file[1] == ".gitlab-ci.yml"]
JENKINS = [file for file in FILES if file[1] == "Jenkinsfile"]


def problems_in(path: Path, content: str, *options: str) -> str:
    """Return what a schema that comes with check-jsonschema has against a file."""
    path.write_text(content, "utf-8")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", *options, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode else ""


def github_problems(folder: Path, content: str) -> str:
    return problems_in(folder / "test.yml", content, "vendor.github-workflows")


def gitlab_problems(folder: Path, content: str) -> str:
    options = ("vendor.gitlab-ci", "--data-transform", "gitlab-ci")
    return problems_in(folder / ".gitlab-ci.yml", content, *options)


def pipeline_of(source: str) -> dict[str, Any]:
    """Return the steps of a Jenkinsfile, in the blocks that they stand in; it has to be Groovy."""
    language = tree_sitter.Language(groovy.language())
    tree = tree_sitter.Parser(language).parse(source.encode()).root_node
    assert not tree.has_error
    return steps_in(tree)


def steps_in(node: Any) -> dict[str, Any]:  # noqa: ANN401 - untyped
    found: dict[str, Any] = {}
    for child in node.named_children:
        if child.type in ("method_invocation", "juxt_function_call"):
            body = child.child_by_field_name("body")
            name = child.child_by_field_name("name").text.decode()
            found[name] = {} if body is None else steps_in(body)
        else:
            found |= steps_in(child)
    return found


@pytest.mark.parametrize(("page", "name", "content"), GITHUB)
def test_a_workflow_is_one_for_github(page: str, name: str, content: str, tmp_path: Path) -> None:
    assert github_problems(tmp_path, content) == ""


@pytest.mark.parametrize(("page", "name", "content"), GITLAB)
def test_a_pipeline_is_one_for_gitlab(page: str, name: str, content: str, tmp_path: Path) -> None:
    assert gitlab_problems(tmp_path, content) == ""


@pytest.mark.parametrize(("page", "name", "content"), JENKINS)
def test_a_jenkinsfile_is_groovy_and_a_declarative_pipeline(
    page: str, name: str, content: str
) -> None:
    assert pipeline_of(content) == {
        "pipeline": {
            "agent": {"docker": {"image": {}}},
            "stages": {"stage": {"steps": {"sh": {}}}},
            "post": {"always": {"junit": {}, "publishHTML": {}}},
        }
    }


def test_each_service_has_a_file() -> None:
    assert [bool(files) for files in (GITHUB, GITLAB, JENKINS)] == [True, True, True]


def test_what_is_no_file_of_theirs_is_found(tmp_path: Path) -> None:
    assert "runs-on" in github_problems(tmp_path, "on: push\njobs:\n  test:\n    run-on: x\n")
    assert gitlab_problems(tmp_path, "test:\n  script: 1\n") != ""
    with pytest.raises(AssertionError):
        pipeline_of("pipeline { agent any")


@pytest.mark.parametrize("image", sorted((ROOT / "docs" / "images").iterdir()))
def test_a_picture_is_small_and_says_nothing_of_the_machine_that_took_it(image: Path) -> None:
    data = image.read_bytes()
    assert data.startswith(b"\x89PNG")
    assert len(data) < 100_000
    assert b"tEXt" not in data
    assert b"iTXt" not in data
