"""Where a benchmark does its work: its folder, its service, and how much it repeats."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.benchmarks.processes import count_instructions
from tests.benchmarks.projects import Project, make_project

if TYPE_CHECKING:
    from pathlib import Path

    from tests.benchmarks.subjects import Subject, Variant

__all__ = ["Workshop"]


@dataclass(slots=True)
class Workshop:
    """What all benchmarks share.

    Attributes:
        folder: Theirs.
        service: Base URL of a lean service.
        tests: How many tests a project has.
        repeats: How often each process is run.
    """

    folder: Path
    service: str
    tests: int
    repeats: int
    _projects: dict[tuple[str, Variant, int], Project] = field(default_factory=dict)
    _counted: dict[tuple[str, Variant], float] = field(default_factory=dict)

    def project(
        self, subject: Subject, variant: Variant, tests: int, *, warm: bool = True
    ) -> Project:
        """Return a project; it is made when it is first asked for, and then run once if `warm`."""
        key = (subject.name, variant, tests)
        if key not in self._projects:
            place = self.folder / f"project-{len(self._projects)}"
            project = self._projects[key] = make_project(
                place, subject, variant, tests, self.service
            )
            if warm:
                project.run()
        return self._projects[key]

    def per_test(
        self, subject: Subject, variant: Variant, *options: str, tests: int | None = None
    ) -> float:
        """Return the CPU time of a test, in seconds, without that of starting and ending."""
        tests = tests or self.tests
        many = self.project(subject, variant, tests).run(*options)
        one = self.project(subject, variant, 1).run(*options)
        return (many.cpu - one.cpu) / (tests - 1)

    def instructions_per_test(self, subject: Subject, variant: Variant) -> float:
        """Return the instructions of a test, in millions, without those of starting and ending.

        Both counts run at once, which changes neither, and are made only once.
        """
        key = (subject.name, variant)
        if key not in self._counted:
            few, many = (self.project(subject, variant, tests) for tests in (10, 60))
            with ThreadPoolExecutor() as pool:
                less, more = pool.map(_count, (few, many))
            self._counted[key] = (more - less) / (many.tests - few.tests) / 1e6
        return self._counted[key]


def _count(project: Project) -> int:
    return count_instructions(project.command(), project.folder)
