"""What the tests of cassettes share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.studio import Studio

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    studio = Studio(tmp_path / "cassettes" / "test_it.json")
    undo = studio.lanes.install()
    try:
        yield studio
    finally:
        undo()
