"""Projects with many tests of one subject, and their cassettes."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.benchmarks.processes import pytest_command, run
from tests.benchmarks.subjects import BASE, OUR_PLUGIN, TALK

if TYPE_CHECKING:
    from pathlib import Path

    from tests.benchmarks.processes import Cost
    from tests.benchmarks.subjects import Subject, Variant

__all__ = ["Project", "make_project"]

_ASYNC_INI: Final = """
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
"""


@dataclass(frozen=True, slots=True)
class Project:
    """A project in a folder of its own.

    Attributes:
        folder: Where it is.
        plugins: What is loaded into pytest.
        tests: How many tests it has.
    """

    folder: Path
    plugins: tuple[str, ...]
    tests: int

    def command(self, *options: str) -> list[str]:
        """Return the command that runs its tests."""
        return pytest_command(self.plugins, *options)

    def run(self, *options: str, **variables: str) -> Cost:
        """Run its tests; they pass."""
        return run(self.command(*options), self.folder, **variables)


def make_project(
    folder: Path, subject: Subject, variant: Variant, tests: int, service: str
) -> Project:
    """Write a project, and record its cassettes if it has any.

    One test is recorded, with the subject's own tools; the others have copies of its cassette.

    Args:
        folder: Where; made.
        subject: Who is measured.
        variant: How the tests are written.
        tests: How many.
        service: Base URL of a service to record from.
    """
    folder.mkdir(parents=True)
    plugins = subject.plugins
    ini = "[pytest]\n"
    if variant.is_async:
        plugins = ("pytest_asyncio.plugin", *plugins)
        ini += _ASYNC_INI
    if OUR_PLUGIN in plugins:
        ini += "avatar_id = ada\n"
    project = Project(folder, plugins, tests)
    (folder / "pytest.ini").write_text(ini)
    (folder / "talk.py").write_text(TALK.format(**variant.words))
    _write_tests(project, subject, variant, 1)
    if subject.record is not None:
        _record(project, subject, service)
    _write_tests(project, subject, variant, tests)
    return project


def _write_tests(project: Project, subject: Subject, variant: Variant, tests: int) -> None:
    words = variant.words
    source = [subject.head.format(**words)]
    source += [subject.test.format(number=n, fixtures="", **words) for n in range(tests)]
    (project.folder / "test_it.py").write_text("\n".join(source))


def _record(project: Project, subject: Subject, service: str) -> None:
    assert subject.record is not None
    options = list(subject.record)
    if OUR_PLUGIN in project.plugins:
        options.append(f"--avatar-base-url={service}")
    project.run(*options, BENCHMARK_BASE_URL=service)
    shutil.rmtree(project.folder / "__pycache__", ignore_errors=True)
    recorded = [path for path in project.folder.rglob("test_0.*") if path.is_file()]
    assert len(recorded) == 1, recorded
    text = recorded[0].read_text("utf-8").replace(service, BASE)
    for number in range(project.tests):
        path = recorded[0].with_name(recorded[0].name.replace("test_0", f"test_{number}"))
        path.write_text(re.sub(r"\btest_0\b", f"test_{number}", text), "utf-8")
