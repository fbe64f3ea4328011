"""What is counted in instructions: the same number on a busy machine, and so fit for a gate."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tests.benchmarks.figures import Figure
from tests.benchmarks.processes import count_instructions, pytest_command, run
from tests.benchmarks.subjects import EMPTY, OUR_FIXTURE, OUR_PLUGIN, OURS, Variant

if TYPE_CHECKING:
    from tests.benchmarks.subjects import Subject
    from tests.benchmarks.workshop import Workshop

__all__ = ["goals", "guarded", "per_test"]

_NOTHING: Final = "nothing"
_SHARED: Final = Variant(shares_tls=True)
_MOST_PER_TEST: Final = 11.0
_MOST_UNUSED: Final = 8.0
_MOST_UNUSED_PER_TEST: Final = 0.03  # 0.01 ms where a second has 3,000 million
_GUARDED: Final = (6.0, 9.7, 12.2, 0.03)
"""What is not exceeded today, by figure; the page says why some of it is more than it should be."""


def guarded(workshop: Workshop) -> list[Figure]:
    """Count what must not grow, against what it is today."""
    figures = zip(goals(workshop), _GUARDED, strict=True)
    return [replace(figure, limit=limit) for figure, limit in figures]


def goals(workshop: Workshop) -> list[Figure]:
    """Count the same, against what it should be."""
    tests = [
        Figure(
            f"{ours.name}: a replayed test",
            workshop.instructions_per_test(ours, _SHARED),
            "M instructions",
            _MOST_PER_TEST,
        )
        for ours in (OUR_FIXTURE, OURS)
    ]
    one, many = (_unused(workshop, tests) for tests in (1, 501))
    return [
        *tests,
        Figure("unused: a run", one, "M instructions", _MOST_UNUSED),
        Figure("unused: a test", (many - one) / 500, "M instructions", _MOST_UNUSED_PER_TEST),
    ]


def per_test(workshop: Workshop, *subjects: Subject) -> dict[str, float]:
    """Return the instructions of a test in millions, by subject, with a shared TLS context."""
    return {subject.name: workshop.instructions_per_test(subject, _SHARED) for subject in subjects}


def _unused(workshop: Workshop, tests: int) -> float:
    """Return how many more instructions a run takes beside the plugin, in millions.

    More than beside an empty file: for every `-p`, pytest reads what each installed distribution
    declares, and that depends on how many there are. Both go without Python's garbage collector: one
    pass over all that pytest holds takes millions, and whether it comes before the end or not is chance.
    """
    project = workshop.project(EMPTY, Variant(), tests)
    (project.folder / f"{_NOTHING}.py").touch()
    (project.folder / "sitecustomize.py").write_text("import gc; gc.disable()")
    counted = []
    for plugin in (_NOTHING, OUR_PLUGIN):
        command = pytest_command((plugin,))
        run(command, project.folder)  # compiles what is not yet compiled
        counted.append(count_instructions(command, project.folder, PYTHONPATH=str(project.folder)))
    return (counted[1] - counted[0]) / 1e6
