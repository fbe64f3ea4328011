"""What comes of a tape when its test or its fixture is over: a file, complaints, or notes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pytest_avatar.core.errors import CassetteError
from pytest_avatar.core.settings import Mode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pytest_avatar.adapters.cassettes.record import RecordTape
    from pytest_avatar.adapters.cassettes.replay import ReplayTape
    from pytest_avatar.adapters.cassettes.verify import VerifyTape
    from pytest_avatar.core.interception import Tape
    from pytest_avatar.plugin.findings import Findings

__all__ = ["settle"]


def settle(tape: Tape, mode: Mode, findings: Findings, *, failed: bool, sat_out: bool) -> list[str]:
    """Settle with a tape.

    Args:
        tape: The tape.
        mode: That of the run, which says what kind of tape it is.
        findings: Told what is worth a note.
        failed: Whether the test failed, or the fixture.
        sat_out: Whether the test was skipped.

    Returns:
        What is wrong with what was sent.
    """
    return list(_WAYS[mode](tape, findings, failed=failed, sat_out=sat_out))


def _save(
    tape: RecordTape,
    _findings: Findings,
    *,
    failed: bool,
    sat_out: bool,
) -> Iterator[str]:
    """Write a recording, unless the test failed, or was skipped before it sent anything."""
    if failed or (sat_out and tape.is_empty):
        tape.discard()
        return
    try:
        tape.save()
    except (CassetteError, OSError) as error:
        yield str(error)


def _complain(
    tape: ReplayTape,
    _findings: Findings,
    *,
    failed: bool,
    sat_out: bool,
) -> Iterator[str]:
    yield from (miss.message for miss in tape.misses)
    if not failed and not sat_out and not tape.misses:
        yield from _unplayed(tape)


def _compare(
    tape: VerifyTape,
    findings: Findings,
    *,
    failed: bool,
    sat_out: bool,
) -> Iterator[str]:
    findings.notes += tape.notes
    yield from tape.failures
    if not failed and not sat_out and not tape.failures:
        yield from _unplayed(tape)


def _unplayed(tape: ReplayTape | VerifyTape) -> Iterator[str]:
    try:
        if tape.unplayed:
            yield tape.unplayed_message
    except CassetteError as error:
        yield str(error)


_WAYS: Final[Mapping[Mode, Callable[..., Iterator[str]]]] = {
    Mode.RECORD: _save,
    Mode.REPLAY: _complain,
    Mode.VERIFY: _compare,
}
