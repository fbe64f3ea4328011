"""Where what must survive a crash is kept: the user's own state directory, private to the user."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pytest_avatar.adapters.ownership import user_id

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["STATE_DIR_VARIABLE", "StateDir", "find_state_dir", "make_private_dir"]

STATE_DIR_VARIABLE: Final = "PYTEST_AVATAR_STATE_DIR"
_NAME: Final = "pytest-avatar"


@dataclass(frozen=True, slots=True)
class StateDir:
    """The directory under which runs write their journals.

    Attributes:
        path: The directory; it exists, and only its owner may enter.
        problem: Why it is not the usual one, and what that means; `None` if it is.
    """

    path: Path
    problem: str | None = None

    @property
    def runs(self) -> tuple[Path, ...]:
        """The directories of all runs that left something, by name."""
        folder = self.path / "runs"
        return tuple(sorted(folder.iterdir())) if folder.is_dir() else ()

    def make_run_dir(self, run_id: str) -> Path:
        """Make the directory that all processes of a run share; it may exist.

        Args:
            run_id: What tells this run from all others; used as a file name.

        Raises:
            OSError: It cannot be made, or is not private.
        """
        make_private_dir(self.path / "runs")
        return make_private_dir(self.path / "runs" / run_id)


def find_state_dir(environ: Mapping[str, str] = os.environ) -> StateDir:
    """Return the state directory, made if need be.

    Args:
        environ: Where `PYTEST_AVATAR_STATE_DIR` may name another than the user's usual one.

    Raises:
        OSError: Neither the usual directory nor a temporary one can be made private.
    """
    chosen = environ.get(STATE_DIR_VARIABLE)
    path = Path(chosen).absolute() if chosen else _user_state_dir()
    try:
        return StateDir(_writable(path))
    except OSError as error:
        spare = Path(tempfile.gettempdir(), f"{_NAME}-{user_id()}")
        return StateDir(
            _writable(spare),
            f"{path} cannot be used ({error.strerror}), so journals go to {spare}: they do not "
            f"outlive a cleaning of that place. Set {STATE_DIR_VARIABLE} to a directory of yours.",
        )


def make_private_dir(path: Path) -> Path:
    """Make a directory that only its owner may enter; it may exist.

    Raises:
        OSError: It cannot be made, is no directory, or belongs to somebody else.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if sys.platform != "win32":
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            raise PermissionError(1, "it is not a directory of this user", str(path))
        if stat.S_IMODE(found.st_mode) & 0o077:
            path.chmod(0o700)
    return path


def _writable(path: Path) -> Path:
    make_private_dir(path)
    if not os.access(path, os.W_OK | os.X_OK):
        raise PermissionError(13, "it may not be written", str(path))
    return path


def _user_state_dir() -> Path:
    import platformdirs  # noqa: PLC0415 - only runs that open sessions need it

    return platformdirs.user_state_path(_NAME, appauthor=False)
