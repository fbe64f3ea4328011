"""Live sessions on loopback: what the fixture costs beside a bare client, and the end of a run."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from pytest_avatar.core.text import count
from tests.benchmarks.figures import Figure, difference, interleaved, ratio
from tests.benchmarks.lean_service import lean_service
from tests.benchmarks.subjects import OUR_FIXTURE, OUR_PLUGIN, Subject, Variant

if TYPE_CHECKING:
    from tests.benchmarks.projects import Project
    from tests.benchmarks.workshop import Workshop

__all__ = ["end_of_run", "suite", "watchdog"]

_TESTS: Final = 100
_LEFT_OPEN: Final = 20
_ROUND_TRIP: Final = 1.0

_OURS: Final = replace(OUR_FIXTURE, name="live", record=None)
_BARE: Final = Subject(
    "a bare pooled httpx client",
    (),
    "import httpx\nfrom talk import talk\nCLIENT = httpx.Client()\n",
    "\ndef test_{number}():\n    talk(CLIENT)\n",
)
_FORGETFUL: Final = Subject(
    "code that ends nothing",
    (OUR_PLUGIN,),
    "import httpx\nimport pytest\nfrom talk import BASE, KS\npytestmark = pytest.mark.avatar()\n",
    f"""
def test_{{number}}():
    with httpx.Client() as client:
        for _ in range({_LEFT_OPEN}):
            client.post(BASE, json={{{{"visualConfig": {{{{"id": "ada"}}}}}}}}, headers=KS)
""",
)


def suite(workshop: Workshop) -> list[Figure]:
    """Compare a suite of live sessions with one that sends the same by a bare client."""
    ours, bare = (
        workshop.project(subject, Variant(), _TESTS, warm=False) for subject in (_OURS, _BARE)
    )
    jobs = {
        "ours": partial(_cpu, ours, workshop.service, *_live(workshop.service)),
        "bare": partial(_cpu, bare, workshop.service),
    }
    found = interleaved(jobs, 3 * workshop.repeats)
    what = f"{_TESTS} live tests through `avatar_session` / {_BARE.name}, whole processes"
    return [ratio(what, found["ours"], found["bare"], 1.25)]


def watchdog(workshop: Workshop) -> list[Figure]:
    """Compare the wall time of live suites with a watchdog and without."""
    figures = []
    for tests in (_TESTS, 1):
        project = workshop.project(_OURS, Variant(), tests, warm=False)
        live = _live(workshop.service)
        watched = partial(_wall, project, workshop.service, *live)
        unwatched = partial(_wall, project, workshop.service, *live, "-o", "avatar_watchdog=off")
        seconds = difference(watched, unwatched, 12 * workshop.repeats)
        what = f"the watchdog: wall time added to a live suite of {count(tests, 'test')}"
        figures.append(Figure(what, seconds * 1000, "ms", 15))
    return figures


def end_of_run(workshop: Workshop) -> list[Figure]:
    """Measure how much longer a run takes if ending a session does, with many left open."""
    with lean_service(_ROUND_TRIP) as slow:
        project = workshop.project(_FORGETFUL, Variant(), 1, warm=False)
        jobs = {
            "slow": partial(_wall, project, slow, *_live(slow), "--avatar-leaks=warn"),
            "quick": partial(
                _wall, project, workshop.service, *_live(workshop.service), "--avatar-leaks=warn"
            ),
        }
        found = interleaved(jobs, workshop.repeats)
    trips = (found["slow"] - found["quick"]) / _ROUND_TRIP
    what = f"ending {_LEFT_OPEN} open sessions at the end of a run"
    return [Figure(what, trips, "round trips", 1.5)]


def _live(service: str) -> tuple[str, ...]:
    return ("--avatar-mode=live", "--avatar-ks=benchmark-ks", f"--avatar-base-url={service}")


def _cpu(project: Project, service: str, *options: str) -> float:
    return project.run(*options, BENCHMARK_BASE_URL=service).cpu


def _wall(project: Project, service: str, *options: str) -> float:
    return project.run(*options, BENCHMARK_BASE_URL=service).wall
