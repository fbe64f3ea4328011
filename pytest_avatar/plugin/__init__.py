"""The pytest plugin: the only place that imports pytest."""

from __future__ import annotations

import atexit
import sys
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

__all__ = [
    "async_avatar_session",
    "avatar_cassette",
    "avatar_gateway",
    "avatar_ks",
    "avatar_ledger",
    "avatar_session",
    "avatar_session_factory",
    "avatar_settings",
    "pytest_addoption",
    "pytest_collection_modifyitems",
    "pytest_configure",
    "pytest_load_initial_conftests",
    "pytest_make_collect_report",
    "pytest_report_header",
]


class _Finder:
    """Finds the modules of this package as Python does.

    pytest reads every module of a plugin with a loader of its own, which rewrites assertions. It
    takes five times as long, in every run of every project that has us installed.
    """

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return PathFinder.find_spec(name, path, target) if name.startswith(_OURS) else None


_OURS = "pytest_avatar."

sys.meta_path.insert(0, _Finder)


@atexit.register
def _stop_finding() -> None:
    """Let go of this module, and so of all that it knows, before Python takes itself apart."""
    if _Finder in sys.meta_path:
        sys.meta_path.remove(_Finder)


from pytest_avatar.plugin.fixtures import (  # noqa: E402 - the finder comes first
    async_avatar_session,
    avatar_cassette,
    avatar_gateway,
    avatar_ks,
    avatar_ledger,
    avatar_session,
    avatar_session_factory,
    avatar_settings,
)
from pytest_avatar.plugin.hooks import (  # noqa: E402 - the same
    pytest_addoption,
    pytest_collection_modifyitems,
    pytest_configure,
    pytest_load_initial_conftests,
    pytest_make_collect_report,
    pytest_report_header,
)
