"""What comes of a tape when its test or its fixture is over: a file, complaints, or notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_avatar.adapters.cassettes import RecordTape, ReplayTape, VerifyTape
from pytest_avatar.core.errors import CassetteError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_avatar.core.interception import Tape
    from pytest_avatar.plugin.findings import Findings

__all__ = ["settle"]


def settle(tape: Tape, findings: Findings, *, failed: bool, sat_out: bool) -> list[str]:
    """Settle with a tape.

    Args:
        tape: The tape.
        findings: Told what is worth a note.
        failed: Whether the test failed, or the fixture.
        sat_out: Whether the test was skipped.

    Returns:
        What is wrong with what was sent.
    """
    return list(_settle(tape, findings, failed=failed, sat_out=sat_out))


def _settle(tape: Tape, findings: Findings, *, failed: bool, sat_out: bool) -> Iterator[str]:
    if isinstance(tape, RecordTape):
        yield from _save(tape, failed=failed, sat_out=sat_out)
    elif isinstance(tape, ReplayTape):
        yield from (miss.message for miss in tape.misses)
        if not failed and not sat_out and not tape.misses:
            yield from _unplayed(tape)
    elif isinstance(tape, VerifyTape):
        findings.notes += tape.notes
        yield from tape.failures
        if not failed and not sat_out and not tape.failures:
            yield from _unplayed(tape)


def _save(tape: RecordTape, *, failed: bool, sat_out: bool) -> Iterator[str]:
    """Write a recording, unless the test failed, or was skipped before it sent anything."""
    if failed or (sat_out and tape.is_empty):
        tape.discard()
        return
    try:
        tape.save()
    except (CassetteError, OSError) as error:
        yield str(error)


def _unplayed(tape: ReplayTape | VerifyTape) -> Iterator[str]:
    try:
        if tape.unplayed:
            yield tape.unplayed_message
    except CassetteError as error:
        yield str(error)
