"""Which cassette belongs to a test or a fixture, as pytest's nodes tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from pytest_avatar.core.cassette_names import cassette_name, clashing, fixture_cassette_name

if TYPE_CHECKING:
    from pytest_avatar.plugin.stage import FixtureCue

__all__ = ["fixture_path", "item_path", "remember_siblings"]

_siblings_key: Final = pytest.StashKey[dict[str, list[str]]]()


def remember_siblings(collector: pytest.Collector, report: pytest.CollectReport) -> None:
    """Remember all names beside a test, also of those that are not selected.

    Two names that differ only in case are one file on some disks, whichever of them is run.
    """
    if isinstance(collector, (pytest.Module, pytest.Class)) and report.passed:
        siblings = collector.config.stash.setdefault(_siblings_key, {})
        siblings[collector.nodeid] = [node.name for node in report.result]


def item_path(item: pytest.Item, name: str | None) -> str:
    """Return the path of a test's cassette, below the cassette folder.

    Args:
        item: The test.
        name: What its marker calls the cassette; `None` takes the test's name.
    """
    module = _module_path(item)
    if name is not None:
        return cassette_name(module, [], name)
    return cassette_name(module, _class_names(item), item.name, clashes=_clashes(item))


def fixture_path(cue: FixtureCue, request: pytest.FixtureRequest) -> str:
    """Return the path of the cassette of a fixture that outlives a test."""
    node = request.node
    index = f"[{getattr(request, 'param_index', 0)}]" if hasattr(request, "param") else ""
    place = _module_path(node) if cue.scope in ("class", "module") else cue.scope_id
    return fixture_cassette_name(
        cue.scope,
        f"{cue.name}{index}",
        place=place,
        class_names=_class_names(node) if cue.scope == "class" else (),
        clashes=_clashes(node),
    )


def _module_path(node: pytest.Item | pytest.Collector) -> str:
    return node.nodeid.partition("::")[0]


def _class_names(node: pytest.Item | pytest.Collector) -> list[str]:
    return [parent.name for parent in node.listchain() if isinstance(parent, pytest.Class)]


def _clashes(node: pytest.Item | pytest.Collector) -> bool:
    siblings = node.config.stash.get(_siblings_key, {})
    return any(
        own.name in clashing(siblings.get(own.parent.nodeid, ()))
        for own in node.listchain()
        if own.parent is not None and own.parent.nodeid in siblings
    )
