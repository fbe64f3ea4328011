"""What is committed: where it lies, and what it may not hold. Not run from an installed wheel."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.docs.pages import pages

ROOT = Path(__file__).parents[1]

TOP_LEVEL = {
    *(".ci", ".github", ".gitignore", ".pre-commit-config.yaml"),
    *("cassettes", "docs", "pytest_avatar", "tests"),
    *("CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "README.md", "noxfile.py", "pyproject.toml"),
}

REGISTRY = re.compile(r"\b(pypi|pythonhosted|npmjs|deb\.debian)\.(org|com)\b")
HOME = re.compile(r"(?<![\w.])/(root|home|Users)/[A-Za-z.]")
LOCK_FILE = re.compile(r"(^|/)(uv\.lock|poetry\.lock|pdm\.lock|package-lock\.json)$")
PINNED_ACTION = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")
FLOOR = re.compile(r"(?P<name>[a-z0-9-]+)>=(?P<floor>[0-9.]+)")

MOST_LINES = 400
"""Of a module of the package: a longer one is more than one thing."""


def project_files() -> list[str]:
    """What is committed, and what would be with the next `git add --all`."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listing = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return sorted({name for name in listing.split("\0") if (ROOT / name).is_file()})


FILES = project_files()
WORKFLOWS = [name for name in FILES if name.startswith(".github/workflows/")]


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8", errors="replace")


def project() -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads(read("pyproject.toml"))["project"]
    return table


def requirements() -> list[str]:
    extras = project()["optional-dependencies"].values()
    return [*project()["dependencies"], *(line for extra in extras for line in extra)]


def workflow(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(read(name))
    return loaded


def steps(name: str) -> list[dict[str, Any]]:
    return [step for job in workflow(name)["jobs"].values() for step in job["steps"]]


def offences(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{name}:{number}: {line.strip()}"
        for name in FILES
        for number, line in enumerate(read(name).splitlines(), start=1)
        if pattern.search(line)
    ]


def test_the_top_level_is_as_designed() -> None:
    assert {name.partition("/")[0] for name in FILES} == TOP_LEVEL


@pytest.mark.parametrize("pattern", [REGISTRY, HOME], ids=["registry host", "home path"])
def test_no_file_names_a_place_of_its_own(pattern: re.Pattern[str]) -> None:
    assert offences(pattern) == []


def test_no_lock_file_is_committed() -> None:
    assert [name for name in FILES if LOCK_FILE.search(name)] == []


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        (REGISTRY, "https://py" + "pi.org/simple"),
        (REGISTRY, "https://files.python" + "hosted.org/packages"),
        (REGISTRY, "registry.npm" + "js.org"),
        (HOME, "cd /ro" + "ot/project"),
        (HOME, '"/Us' + 'ers/someone"'),
        (LOCK_FILE, "docs/examples/uv.lock"),
    ],
)
def test_the_patterns_find_what_they_are_for(pattern: re.Pattern[str], line: str) -> None:
    assert pattern.search(line)


def test_every_module_is_short() -> None:
    modules = [name for name in FILES if re.fullmatch(r"pytest_avatar/.*\.py", name)]
    lengths = {name: len(read(name).splitlines()) for name in modules}
    assert lengths["pytest_avatar/core/wire.py"] > 0
    assert {name: length for name, length in lengths.items() if length > MOST_LINES} == {}


def test_the_changelog_speaks_of_this_version_or_of_the_next() -> None:
    headings = re.findall(r"^## \[(.+?)\]", read("CHANGELOG.md"), re.MULTILINE)
    assert headings[0] in {"Unreleased", project()["version"]}


@pytest.mark.parametrize("requirement", requirements())
def test_every_dependency_has_a_floor_and_a_reason(requirement: str) -> None:
    found = FLOOR.fullmatch(requirement)
    assert found
    table = read("docs/explanation/dependencies.md")
    rows = re.findall(r"^\| `(.+?)` \| (.+?) \|", table, re.MULTILINE)
    assert (found["name"], found["floor"]) in rows


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_has_no_permission_by_default(name: str) -> None:
    assert workflow(name)["permissions"] == {}


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_names_each_action_by_its_commit(name: str) -> None:
    actions = [step["uses"] for step in steps(name) if "uses" in step]
    assert actions
    assert [action for action in actions if not PINNED_ACTION.fullmatch(action)] == []


def test_ci_runs_every_session_of_nox_that_can_fail() -> None:
    """Coverage and benchmarks are for people: they show what no test reaches, and what it costs."""
    sessions = set(re.findall(r"@nox\.session.*\ndef (\w+)", read("noxfile.py")))
    named = re.findall(r"for session in (.+); do|--session (\w+)", read(".ci/run"))
    run = {session for names in named for session in " ".join(names).split()}
    assert run == sessions - {"benchmarks", "coverage"}


def test_ci_runs_the_readmes_test_command() -> None:
    *_, of_the_readme = re.findall(r"^```sh\n(sh \S+)\n```", read("README.md"), re.MULTILINE)
    assert of_the_readme in re.findall(r"^step (sh \S+)", read(".ci/run"), re.MULTILINE)


def test_every_link_leads_somewhere() -> None:
    broken = [
        f"{page}: {target}"
        for page in pages()
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", read(page))
        if "://" not in target and not (ROOT / page).parent.joinpath(target).exists()
    ]
    assert broken == []
