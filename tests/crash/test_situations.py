"""Every way in which a run may end, with real processes, and what is open 5 s later."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.crash.project import Project
from tests.crash.situations import SITUATIONS
from tests.crash.table import ROW, row

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.crash.situations import Situation
    from tests.downstream import EmulatorProcess


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda one: one.number)
def test_what_is_open_after(
    situation: Situation,
    tmp_path: Path,
    service: EmulatorProcess,
    record_property: Callable[[str, object], None],
) -> None:
    project = Project(tmp_path, service)
    outcome = project.meet(situation)
    record_property(ROW, row(situation, outcome))
    assert outcome == situation.expected, project.output
