"""Which names stand beside each other, of tests that are selected and tests that are not.

Two names that differ only in case are one file on some disks, whichever of them is run; so
cassettes are named with a look at all of them.
"""

from __future__ import annotations

from typing import Final

import pytest

__all__ = ["remember_siblings", "sibling_names"]

_key: Final = pytest.StashKey[dict[str, list[pytest.Item | pytest.Collector]]]()


def remember_siblings(collector: pytest.Collector, report: pytest.CollectReport) -> None:
    """Remember what a module or a class holds."""
    if isinstance(collector, (pytest.Module, pytest.Class)) and report.passed:
        collector.config.stash.setdefault(_key, {})[collector.nodeid] = report.result


def sibling_names(config: pytest.Config, parent_id: str) -> list[str]:
    """Return all names in a module or a class, by its node id; none if it is neither."""
    return [node.name for node in config.stash.get(_key, {}).get(parent_id, ())]
