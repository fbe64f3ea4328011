"""Which cassettes the collected tests may use, for whoever looks for orphans."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

import pytest

from pytest_avatar.plugin.cassette_paths import fixture_path, item_path
from pytest_avatar.plugin.markers import closest
from pytest_avatar.plugin.stage import FixtureCue
from pytest_avatar.plugin.start import run_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_avatar.plugin.demands import CassetteChoice

__all__ = ["Lister"]

_NODES: Final[Mapping[str, type[pytest.Collector]]] = {
    "class": pytest.Class,
    "module": pytest.Module,
    "package": pytest.Package,
}


class Lister:
    """Writes the cassette folder, and the paths below it, to a JSON file.

    Args:
        file: Where.
    """

    def __init__(self, file: str) -> None:
        self._file: Final = Path(file)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Write what the collected tests may use."""
        run = run_of(session.config)
        watched = [item for item in session.items if run.is_watched(item)]
        paths = {path for item in watched for path in _paths(item)}
        data = {"folder": str(run.cassette_folder), "cassettes": sorted(paths)}
        self._file.write_text(json.dumps(data), encoding="utf-8")


def _paths(item: pytest.Item) -> Iterator[str]:
    """Yield the test's own cassette, and those of its fixtures, at every scope they might have."""
    choice: CassetteChoice | None = closest(item, "avatar_cassette")
    yield item_path(item, choice.name if choice else None)
    for fixture in getattr(item, "fixturenames", ()):
        for cue, node in _cues(item, fixture):
            for number in (1, 2):
                yield fixture_path(cue, node, number=number)


def _cues(
    item: pytest.Item, fixture: str
) -> Iterator[tuple[FixtureCue, pytest.Item | pytest.Collector]]:
    for scope, kind in _NODES.items():
        node = item.getparent(kind)
        if node is not None:
            yield FixtureCue(fixture, scope, node.nodeid), node
    module = PurePosixPath(item.nodeid.partition("::")[0])
    for home in ("", *map(str, (module, *module.parents))):
        for scope in ("package", "session"):
            yield FixtureCue(fixture, scope, "", "" if home == "." else home), item.session
