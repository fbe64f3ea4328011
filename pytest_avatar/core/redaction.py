"""What is secret, and how to keep it out of everything that leaves the process."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["Secrets"]

_SHAPES: Final = (
    (re.compile(r"djJ8[A-Za-z0-9_\-+/=]{16,}"), "<ks>"),
    (re.compile(r"eyJ[A-Za-z0-9_\-]+\.eyJ[A-Za-z0-9_\-]+\.[A-Za-z0-9_\-]*"), "<token>"),
)


class Secrets:
    """The secrets that this run has seen, by value; and every shape that a secret can have."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def add(self, value: str, name: str) -> None:
        """Make a secret known.

        Args:
            value: The secret. Empty ones are passed over.
            name: What stands in its place, in angle brackets (`ks`, `token`).
        """
        if value:
            self._names[value] = name

    def scrub(self, text: str) -> str:
        """Return a text without any secret in it."""
        for value in sorted(self._names, key=len, reverse=True):
            text = text.replace(value, f"<{self._names[value]}>")
        for shape, placeholder in _SHAPES:
            text = shape.sub(placeholder, text)
        return text
