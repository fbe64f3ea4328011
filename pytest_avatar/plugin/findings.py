"""What a process has to say at the end besides its sessions; workers send it to the controller."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_avatar.core.dialect import Dialect

__all__ = ["Findings"]


class Findings:
    """Plain data, so that it travels between processes.

    Args:
        refusals: What was refused so far; the list may grow.

    Attributes:
        refusals: What was refused outside the tests that are watched, in words.
        allowances: Why which tests may leave sessions open, by node id.
        notes: What verifying found that breaks nothing, in words.
        problems: Why the report may be incomplete, or sessions may stay open after a crash.
        died: Which processes died before the end of the run.
        is_strict: Whether a marker demands of more than one test that nothing leaks.
        negotiated: Create path and id field that the service took; `None` if no create was
            accepted.
    """

    def __init__(self, refusals: list[str]) -> None:
        self.refusals: list[str] = refusals
        self.allowances: dict[str, str] = {}
        self.notes: list[str] = []
        self.problems: list[str] = []
        self.died: list[str] = []
        self.is_strict: bool = False
        self.negotiated: list[str] | None = None

    def hear(self, dialect: Dialect) -> None:
        """Note what this process has learnt of the service."""
        if dialect.is_confirmed:
            self.negotiated = [dialect.create_path, dialect.id_field]

    def to_dict(self) -> dict[str, Any]:
        """Return the findings as plain data."""
        return vars(self).copy()

    def add(self, data: Mapping[str, Any]) -> None:
        """Take in the findings of another process."""
        self.refusals += data["refusals"]
        self.allowances |= data["allowances"]
        self.notes += data["notes"]
        self.problems += data["problems"]
        self.died += data["died"]
        self.is_strict |= data["is_strict"]
        self.negotiated = data["negotiated"] or self.negotiated
