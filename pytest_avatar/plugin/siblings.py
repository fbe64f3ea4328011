"""Which names stand beside each other, of tests that are selected and tests that are not.

Two names that differ only in case are one file on some disks, whichever of them is run; so
cassettes are named with a look at all of them.
"""

from __future__ import annotations

from typing import Final

import pytest

__all__ = ["has_clash", "remember_siblings"]

_nodes_key: Final[pytest.StashKey[dict[str, list[pytest.Item | pytest.Collector]]]] = (
    pytest.StashKey()
)
_clashes_key: Final[pytest.StashKey[dict[str, frozenset[str]]]] = pytest.StashKey()


def remember_siblings(collector: pytest.Collector, report: pytest.CollectReport) -> None:
    """Remember what a module or a class holds."""
    if isinstance(collector, (pytest.Module, pytest.Class)) and report.passed:
        collector.config.stash.setdefault(_nodes_key, {})[collector.nodeid] = report.result


def has_clash(node: pytest.Item | pytest.Collector) -> bool:
    """Whether the name of a node, or of one around it, is its sibling's but for case."""
    return any(
        own.name in _clashes(node.config, own.parent.nodeid)
        for own in node.listchain()
        if own.parent is not None
    )


def _clashes(config: pytest.Config, parent_id: str) -> frozenset[str]:
    known = config.stash.setdefault(_clashes_key, {})
    if parent_id not in known:
        from pytest_avatar.core.cassette_names import clashing  # noqa: PLC0415 - with cassettes only

        nodes = config.stash.get(_nodes_key, {}).get(parent_id, ())
        known[parent_id] = clashing(node.name for node in nodes)
    return known[parent_id]
