"""Doing something to a module as soon as somebody has imported it, and importing none for that."""

from __future__ import annotations

import importlib
import importlib.abc
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    from _typeshed.importlib import MetaPathFinderProtocol

__all__ = ["when_imported"]


def when_imported(hooks: Mapping[str, Callable[[ModuleType], None]]) -> Callable[[], None]:
    """Call a hook for each module: now if it is imported already, else right after its import.

    Args:
        hooks: What to call with the module, by the module's full name.

    Returns:
        Stops waiting for imports that have not happened yet.
    """
    finder = _Finder(hooks)
    sys.meta_path.insert(0, finder)
    try:
        for name, hook in hooks.items():
            if name in sys.modules:
                # Another thread may be in the middle of importing it: this waits until it is whole.
                hook(importlib.import_module(name))
    except BaseException:
        sys.meta_path.remove(finder)
        raise
    return lambda: sys.meta_path.remove(finder)


class _Finder(importlib.abc.MetaPathFinder):
    """Finds nothing itself: lets those behind it find, and hooks in behind their loader."""

    def __init__(self, hooks: Mapping[str, Callable[[ModuleType], None]]) -> None:
        self._hooks = hooks

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        hook = self._hooks.get(fullname)
        if hook is None:
            return None
        for finder in self._those_behind():
            if spec := finder.find_spec(fullname, path, target):
                if spec.loader is not None:
                    spec.loader = _HookedLoader(spec.loader, hook)
                return spec
        return None

    def _those_behind(self) -> list[MetaPathFinderProtocol]:
        """Return the finders after this one: those before it may be of our kind, and ask us."""
        finders = list(sys.meta_path)
        return finders[finders.index(self) + 1 :] if self in finders else []


class _HookedLoader(importlib.abc.Loader):
    """A loader that steps aside before the module runs, and calls the hook after it."""

    def __init__(self, loader: importlib.abc.Loader, hook: Callable[[ModuleType], None]) -> None:
        self._loader = loader
        self._hook = hook

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        assert module.__spec__ is not None
        module.__spec__.loader = module.__loader__ = self._loader
        self._loader.exec_module(module)
        self._hook(module)
