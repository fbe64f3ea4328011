"""The cassette folder, as pytest collects: its cassettes are passed over without asking anybody.

pytest asks every plugin about every file that it meets, 30 µs each, and a suite may have thousands
of cassettes. Whatever else lies in the folder is collected as ever.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["CassetteCollecting"]

_CASSETTES: Final = (".json", ".yaml", ".yml")


class CassetteCollecting:
    """Collects the cassette folder, unless it is a package.

    Args:
        folder: The cassette folder.
    """

    def __init__(self, folder: str) -> None:
        self._folder: Final = folder

    @pytest.hookimpl(tryfirst=True)
    def pytest_collect_directory(
        self, path: Path, parent: pytest.Collector
    ) -> pytest.Collector | None:
        """Collect the cassette folder, and each folder below it."""
        if not path.is_relative_to(self._folder) or (path / "__init__.py").exists():
            return None
        collector: pytest.Collector = _CassetteFolder.from_parent(parent, path=path)
        return collector


class _CassetteFolder(pytest.Directory):
    """The cassette folder, or a folder below it."""

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        """Collect what pytest would, but for the cassettes."""
        entries = [entry for entry in os.scandir(self.path) if not entry.name.endswith(_CASSETTES)]
        for entry in sorted(entries, key=lambda one: one.name):
            path = Path(entry.path)
            if self._is_ignored(path):
                continue
            if entry.is_dir():
                yield from self._collect_folder(path)
            elif entry.is_file():
                yield from self.ihook.pytest_collect_file(file_path=path, parent=self)

    def _is_ignored(self, path: Path) -> bool:
        """Whether somebody has pytest pass over a file or folder that was not asked for by name."""
        if self.session.isinitpath(path, with_parents=True):
            return False
        ignored: bool | None = self.ihook.pytest_ignore_collect(
            collection_path=path, config=self.config
        )
        return bool(ignored)

    def _collect_folder(self, path: Path) -> Iterator[pytest.Collector]:
        collector = self.ihook.pytest_collect_directory(path=path, parent=self)
        if collector is not None:
            yield collector
