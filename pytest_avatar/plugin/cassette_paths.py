"""Which cassette belongs to a test or a fixture, as pytest's nodes tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_avatar.core.cassette_names import cassette_name, fixture_cassette_name
from pytest_avatar.plugin.siblings import has_clash

if TYPE_CHECKING:
    from pytest_avatar.plugin.stage import FixtureCue

__all__ = ["fixture_path", "item_path"]


def item_path(item: pytest.Item, name: str | None) -> str:
    """Return the path of a test's cassette, below the cassette folder.

    Args:
        item: The test.
        name: What its marker calls the cassette; `None` takes the test's name.
    """
    module = _module_path(item)
    if name is not None:
        return cassette_name(module, [], name)
    return cassette_name(module, _class_names(item), item.name, clashes=has_clash(item))


def fixture_path(
    cue: FixtureCue,
    node: pytest.Item | pytest.Collector,
    parameter: int | None = None,
    *,
    number: int = 1,
) -> str:
    """Return the path of the cassette of a fixture that outlives a test.

    Args:
        cue: The fixture.
        node: The node whose scope it lives in.
        parameter: Which of its parameters it has; `None` if it has none.
        number: More than 1 if it extends a fixture of its own name, which lives already.
    """
    index = "" if parameter is None else f"[{parameter}]"
    again = "" if number == 1 else f"~{number}"
    place = cue.place.partition("::")[0]
    return fixture_cassette_name(
        cue.scope,
        f"{cue.name}{index}{again}",
        place=place,
        class_names=_class_names(node) if cue.scope == "class" else (),
        clashes=has_clash(node),
    )


def _module_path(node: pytest.Item | pytest.Collector) -> str:
    return node.nodeid.partition("::")[0]


def _class_names(node: pytest.Item | pytest.Collector) -> list[str]:
    return [parent.name for parent in node.listchain() if isinstance(parent, pytest.Class)]
