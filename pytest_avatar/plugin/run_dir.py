"""Where the processes of a run meet on disk."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_avatar.adapters.state import find_state_dir, make_private_dir

if TYPE_CHECKING:
    from pytest_avatar.core.settings import Mode

__all__ = ["run_dir"]


def run_dir(mode: Mode, run_id: str) -> Path:
    """Return the directory that the processes of a run share, made if need be.

    Args:
        mode: Where real sessions are opened, the directory must outlive a crash of the machine.
        run_id: The name of the run.

    Raises:
        OSError: It cannot be made, or is not private.
    """
    if mode.is_live:
        return find_state_dir().make_run_dir(run_id)
    return make_private_dir(Path(tempfile.gettempdir(), f"pytest-avatar-{run_id}"))
