"""What is paid once: the first replayed test, and having the plugin without using it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from tests.benchmarks.figures import Figure, interleaved, ratio
from tests.benchmarks.processes import pytest_command, run
from tests.benchmarks.projects import Project
from tests.benchmarks.subjects import EMPTY, OUR_FIXTURE, OUR_PLUGIN, OURS, RECORDING, Variant

if TYPE_CHECKING:
    from tests.benchmarks.workshop import Workshop

__all__ = ["first_test", "folder_is_not_walked", "unused"]

_UNUSED_FILES: Final = 5000


def first_test(workshop: Workshop) -> list[Figure]:
    """Compare whole processes that run one test."""
    subjects = (RECORDING, OUR_FIXTURE, OURS)
    projects = {subject.name: workshop.project(subject, Variant(), 1) for subject in subjects}
    jobs = {name: partial(_cpu, project) for name, project in projects.items()}
    found = interleaved(jobs, 3 * workshop.repeats)
    return [
        ratio(
            f"first test: {ours.name} / {RECORDING.name}",
            found[ours.name],
            found[RECORDING.name],
            0.8,
        )
        for ours in (OUR_FIXTURE, OURS)
    ]


def folder_is_not_walked(workshop: Workshop) -> list[Figure]:
    """Compare one test beside many cassettes with one beside its own."""
    bare = workshop.project(OUR_FIXTURE, Variant(), 1)
    full = workshop.project(OUR_FIXTURE, Variant(shares_tls=True), 1)
    folder = next(full.folder.rglob("test_0.json")).parent
    unused_files = [folder / f"unused_{number}.json" for number in range(_UNUSED_FILES)]
    jobs = {"full": partial(_cpu, full), "bare": partial(_cpu, bare)}
    for path in unused_files:
        path.touch()
    found = interleaved(jobs, 3 * workshop.repeats)
    for path in unused_files:
        path.unlink()
    what = f"first test beside {_UNUSED_FILES:,} unused cassettes / beside none"
    return [ratio(what, found["full"], found["bare"], 1.05)]


def unused(workshop: Workshop) -> list[Figure]:
    """Count what a run imports that has the plugin and does not use it."""
    folder = workshop.project(EMPTY, Variant(), 1).folder
    modules = _modules(Project(folder, (OUR_PLUGIN,), 1))
    return [Figure("unused: modules of ours", modules, "modules", 11)]


def _modules(project: Project) -> int:
    """Return how many modules of ours a run imports."""
    listing = project.folder / "modules.txt"
    conftest = project.folder / "conftest.py"
    conftest.write_text(
        "import sys\n"
        "def pytest_unconfigure():\n"
        f"    with open({str(listing)!r}, 'w') as file:\n"
        "        print(*sys.modules, sep='\\n', file=file)\n"
    )
    try:
        run(pytest_command(project.plugins), project.folder)
    finally:
        conftest.unlink()
    return sum(name.startswith("pytest_avatar") for name in listing.read_text().splitlines())


def _cpu(project: Project) -> float:
    return project.run().cpu
