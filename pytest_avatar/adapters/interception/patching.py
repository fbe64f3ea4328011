"""Replacing attributes of other people's classes, and putting the very same objects back."""

from __future__ import annotations

import functools
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import ModuleType

__all__ = ["Patches"]

_ITSELF: Final = "_avatar_wrapper"
"""An attribute of every wrapper that is the wrapper: whoever copies attributes is found out."""


class Patches:
    """What was replaced, so that `undo` can put it back."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []
        self._wraps: list[tuple[type | ModuleType, str, Callable[[Any], Any]]] = []
        self._wrappers: set[object] = set()

    def wrap(self, owner: type | ModuleType, name: str, make: Callable[[Any], Any]) -> None:
        """Replace a function.

        Args:
            owner: The class or module that defines or inherits it.
            name: Its name there.
            make: Takes the original and returns what stands in its place.
        """
        self._wraps.append((owner, name, make))
        self.on_undo(self._put(owner, name, make))

    def on_undo(self, undo: Callable[[], None]) -> None:
        """Add something to be undone before all that was added earlier."""
        self._undo.append(undo)

    def undo(self) -> None:
        """Put everything back, newest first. Harmless when repeated."""
        while self._undo:
            self._undo.pop()()

    def is_ours(self, value: object) -> bool:
        """Whether something is one of the functions that stand in place of an original."""
        return callable(value) and value in self._wrappers

    @contextmanager
    def on_top(self) -> Generator[None]:
        """Wrap once more, for a while, whatever somebody has put in place of our wrappers."""
        undo = [
            self._put(owner, name, make)
            for owner, name, make in self._wraps
            if not self._is_heard(getattr(owner, name))
        ]
        try:
            yield
        finally:
            while undo:
                undo.pop()()

    def _is_heard(self, value: object) -> bool:
        """Whether a wrapper of ours is on top, or under nothing but those of other patches."""
        while getattr(value, _ITSELF, None) is value:
            if self.is_ours(value):
                return True
            value = getattr(value, "__wrapped__", None)
        return False

    def _put(
        self, owner: type | ModuleType, name: str, make: Callable[[Any], Any]
    ) -> Callable[[], None]:
        original, inherited = getattr(owner, name), name not in vars(owner)
        wrapper = functools.wraps(original)(make(original))

        def put_back() -> None:
            self._wrappers.discard(wrapper)
            if inherited:
                delattr(owner, name)
            else:
                setattr(owner, name, original)

        self._wrappers.add(wrapper)
        setattr(wrapper, _ITSELF, wrapper)
        setattr(owner, name, wrapper)
        return put_back
