"""Which line of the code under test is running: the first one on the stack outside libraries."""

from __future__ import annotations

import functools
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["calling_line", "is_library"]

_INSTALLED: Final = frozenset({"site-packages", "dist-packages"})
_LIBRARIES: Final = (Path(os.__file__).parent, Path(__file__).parents[1])
"""The standard library, and this package."""

_EVENT_LOOP: Final = "Handle._run"
"""Where asyncio calls what a task or a callback does next: what is further out runs the loop."""


def calling_line(root: Path | str) -> tuple[str, int] | None:
    """Return the file and line of the innermost caller that belongs to no library.

    Args:
        root: Files below it are named relative to it, with forward slashes.

    Returns:
        File and line, from 1; `None` if the whole stack of this thread or task is libraries.
    """
    root = str(root)  # a path takes longer to be looked up by
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - `inspect` would read every source
    while frame is not None:
        code = frame.f_code  # once: audit hooks hear of it
        name = _own_name(code.co_filename, root)
        if name is not None:
            return name, frame.f_lineno
        if code.co_qualname == _EVENT_LOOP:
            return None
        frame = frame.f_back
    return None


def is_library(path: Path | str) -> bool:
    """Whether a file of code is installed, part of Python or part of this package."""
    return _own_path(str(path)) is None


@functools.cache
def _own_name(filename: str, root: str) -> str | None:
    """Return how the file of some code is named; `None` if it is a library's, or there is none."""
    path = _own_path(filename)
    if path is None:
        return None
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


@functools.cache
def _own_path(filename: str) -> Path | None:
    """Return the file of some code; `None` if it is a library's, or there is no file."""
    if filename.startswith("<"):
        return None
    path = Path(filename).absolute()
    if _INSTALLED.intersection(path.parts) or any(path.is_relative_to(top) for top in _LIBRARIES):
        return None
    return path
