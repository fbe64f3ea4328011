"""How a token file is written: all that the courier of the watchdog has to know of token files."""

from __future__ import annotations

import os

from pytest_avatar.core.lean_json import write_texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["write_token_file"]


def write_token_file(path: str | Path, session: Mapping[str, str]) -> None:
    """Write a token file, readable by its owner only; one that is there is left as it is.

    Raises:
        OSError: It cannot be written.
    """
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    try:
        os.write(file, write_texts(session))
    finally:
        os.close(file)
