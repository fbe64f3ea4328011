"""Which cassettes the tests of a project may use: asked of pytest, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pytest_avatar.core.errors import CassetteError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["LIST_OPTION", "Collected", "collect"]

LIST_OPTION: Final = "--avatar-list-cassettes"
"""The plugin's option: with a file's name, it writes there which cassettes the collected tests use.

The file holds `{"folder": <the cassette folder>, "cassettes": [<path below it>, …]}`.
"""

_NO_TESTS: Final = 5


@dataclass(frozen=True, slots=True)
class Collected:
    """What a collection knows of cassettes.

    Attributes:
        folder: The cassette folder.
        cassettes: Paths below it, with `/`, as JSON.
    """

    folder: Path
    cassettes: frozenset[str]


def collect(arguments: Sequence[str] = ()) -> Collected:
    """Collect the tests of the project in the current folder.

    Args:
        arguments: Further arguments for pytest.

    Raises:
        CassetteError: The collection failed, so nothing can be said about orphans.
    """
    with tempfile.TemporaryDirectory() as folder:
        listing = Path(folder) / "cassettes.json"
        command = [sys.executable, "-m", "pytest", "--collect-only", "-q"]
        done = subprocess.run(  # noqa: S603 - this very Python, and what the user typed
            [*command, f"{LIST_OPTION}={listing}", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode not in (0, _NO_TESTS) or not listing.is_file():
            last = (done.stdout.strip().splitlines() or ["it said nothing"])[-1]
            raise CassetteError(
                f"pytest could not collect the tests, so no orphans are known: {last}"
            )
        data = json.loads(listing.read_bytes())
    return Collected(Path(data["folder"]), frozenset(data["cassettes"]))
