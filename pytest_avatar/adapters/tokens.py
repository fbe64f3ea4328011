"""Token files: all that it takes to end one open session, kept where only its owner can read.

A journal holds no secret; the token stands in a file of its own beside it, for exactly as long as
the session is open. Whatever token file is left when its process is dead is a session to end.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from pytest_avatar.adapters.token_file import write_token_file

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["OpenSession", "drop_token", "keep_token", "kept_tokens", "read_token", "token_path"]


@dataclass(frozen=True, slots=True)
class OpenSession:
    """What it takes to end a session.

    Attributes:
        key: Its key in the ledger.
        session_id: The id that the service gave.
        base_url: Where the service lives.
        token: What authorises its end. Secret.
    """

    key: str
    session_id: str
    base_url: str
    token: str = field(repr=False)


def keep_token(journal: Path, session: OpenSession) -> None:
    """Write the token file of an open session, readable by its owner only.

    A file that is there already, from the watchdog, is left as it is: there is no moment at which
    it could be lost.

    Args:
        journal: The journal of the process that opened it.
        session: The session.

    Raises:
        OSError: It cannot be written.
    """
    texts = {name: getattr(session, name) for name in _TEXTS}
    write_token_file(token_path(journal, session.key), texts)


def drop_token(journal: Path, key: str) -> None:
    """Remove the token file of a session that is over; there may be none."""
    with suppress(FileNotFoundError):
        os.unlink(token_path(journal, key))  # noqa: PTH108 - a path object takes longer to make


def kept_tokens(journal: Path) -> list[Path]:
    """Return the token files of a process: its sessions that nobody has ended yet.

    There are none in a folder that somebody has removed.
    """
    return sorted(
        path for path in journal.parent.glob("*.token") if path.name.startswith(f"{journal.stem}.")
    )


def read_token(path: Path) -> OpenSession | None:
    """Read a token file; `None` if it was never finished, or has been removed."""
    try:
        data = json.loads(path.read_bytes())
        values = {name: data[name] for name in _TEXTS}
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None
    return OpenSession(**values) if all(isinstance(item, str) for item in values.values()) else None


def token_path(journal: Path, key: str) -> str:
    """Return where the token of a session is kept."""
    stem, _ = os.path.splitext(journal)  # noqa: PTH122 - as above
    return f"{stem}.{quote(key, safe='')}.token"


_TEXTS: Final = tuple(item.name for item in fields(OpenSession))
