"""What a replay brings into the process: a run of one test is mostly imports."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.plugin.test_unused import LISTS_MODULES, QUIET

if TYPE_CHECKING:
    from tests.plugin.cassettes.project import Project


def replayed_modules(project: Project) -> set[str]:
    """Record a test, and return what a replay of it imports."""
    project.write("test_it.py", "def test_it(avatar_session): avatar_session.say_text('Hello')")
    project.record().assert_outcomes(passed=1)
    project.write("conftest.py", LISTS_MODULES)
    quiet = [option for name in QUIET for option in ("-p", f"no:{name}")]
    project.replay(*quiet, apart=True).assert_outcomes(passed=1)
    return set(json.loads((project.root / "modules.json").read_text()))


def test_a_replay_of_fixtures_imports_no_http_client(project: Project) -> None:
    tops = {name.partition(".")[0] for name in replayed_modules(project)}
    assert "pytest_avatar" in tops
    assert not tops & {"httpx", "httpcore", "anyio", "asyncio", "ssl", "vcr", "yaml"}


def test_a_replay_imports_neither_recording_nor_comparing(project: Project) -> None:
    modules = replayed_modules(project)
    assert "pytest_avatar.adapters.cassettes.replay" in modules
    others = ("adapters.cassettes.record", "adapters.cassettes.verify", "adapters.cassettes.lanes")
    of_core = ("core.recording", "core.ordering", "core.drift", "core.misses")
    assert not modules & {f"pytest_avatar.{name}" for name in (*others, *of_core)}
