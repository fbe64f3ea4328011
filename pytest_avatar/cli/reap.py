"""`pytest-avatar reap`: end the sessions that dead test runs left open."""

from __future__ import annotations

import argparse
import json
import re
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from pytest_avatar.adapters.journal import forget_run, read_run
from pytest_avatar.adapters.leftovers import Budget, Leftovers, end_all
from pytest_avatar.adapters.state import find_state_dir
from pytest_avatar.adapters.watchdog.launcher import trusted_authorities
from pytest_avatar.core.errors import SettingError
from pytest_avatar.core.events import Actor, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_avatar.adapters.journal import JournalContents
    from pytest_avatar.adapters.state import StateDir
    from pytest_avatar.core.ledger import SessionRecord

__all__ = ["Line", "add_arguments", "run"]

_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True, slots=True)
class Line:
    """What is said of one session.

    Attributes:
        session_id: Its id; `None` if nobody knows it.
        opened_by: The test, fixture or place that opened it.
        opened_at: When, as an ISO date; `None` if unknown.
        run: The directory of its run.
        ok: Whether nothing more has to be done about it.
        outcome: What became of it, in words.
    """

    session_id: str | None
    opened_by: str
    opened_at: str | None
    run: str
    ok: bool
    outcome: str

    def __str__(self) -> str:
        session = self.session_id or "a session without a name"
        return f"{session}: {self.outcome} (opened by {self.opened_by}, {self.opened_at or 'once'})"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the subcommand."""
    parser.description = (
        "End the sessions that test runs left open when they died and their watchdog could not, "
        "then remove their journals. Runs that still work, and those of other users and machines, "
        "are left alone. Exit status 1 if a session could not be ended."
    )
    parser.add_argument("--dry-run", action="store_true", help="only say what would be ended")
    parser.add_argument(
        "--older-than",
        metavar="AGE",
        type=_age,
        default=0.0,
        help="only runs without a sign of life for so long: 90s, 30m, 12h, 7d",
    )
    parser.add_argument("--json", action="store_true", help="print a JSON list")


def run(arguments: argparse.Namespace) -> int:
    """End what can be ended and print one line per session."""
    try:
        state = find_state_dir()
    except OSError as error:
        raise SettingError(
            f"there is no private state directory: {error}", setting="state"
        ) from None
    leftovers = tuple(_find(state, arguments.older_than))
    if not arguments.dry_run and any(left.sessions for left in leftovers):
        _end(leftovers)
    lines = [line for left in leftovers for line in _lines(left, dry_run=arguments.dry_run)]
    _print(lines, as_json=arguments.json)
    if not arguments.dry_run:
        _tidy(leftovers)
    return 0 if all(line.ok for line in lines) else 1


def _find(state: StateDir, older_than: float) -> Iterator[Leftovers]:
    """Yield what each dead process of this user on this machine left."""
    for run_dir in state.runs:
        with suppress(PermissionError, NotADirectoryError):
            journals = read_run(run_dir)
            watchdogs = [journal for journal in journals if journal.is_watchdog]
            for journal in journals:
                if not journal.is_watchdog and _is_due(journal, older_than):
                    yield Leftovers(journal, *watchdogs)


def _is_due(journal: JournalContents, older_than: float) -> bool:
    if journal.is_foreign or journal.lives:
        return False
    try:
        return time.time() - journal.path.stat().st_mtime >= older_than
    except FileNotFoundError:
        return False


def _end(leftovers: tuple[Leftovers, ...]) -> None:
    from pytest_avatar.adapters.stdlib_http import StdlibSender  # noqa: PLC0415 - heavy

    end_all(leftovers, StdlibSender(trusted_authorities()).send, Actor.PLUGIN, Budget())


def _lines(left: Leftovers, *, dry_run: bool) -> Iterator[Line]:
    """Say what became of each session that a process left."""
    for session in left.sessions:
        record = left.ledger.find(session.session_id)
        ok, outcome = (True, "would be ended") if dry_run else _outcome(record)
        yield _line(left, record, session.session_id, ok=ok, outcome=outcome)
    for path in left.unreadable:
        outcome = f"nobody can end it, as its token file {path.name} is cut off"
        yield _line(left, None, None, ok=dry_run, outcome=outcome)
    told = {session.key for session in left.sessions}
    for record in left.ledger.records:
        if record.key in told:
            continue
        if record.ended_by is Actor.WATCHDOG:
            yield _line(left, record, record.session_id, ok=True, outcome="ended by the watchdog")
        elif record.verdict is Verdict.UNKNOWN:
            yield _line(left, record, None, ok=True, outcome="unknown, as create was not answered")


def _outcome(record: SessionRecord | None) -> tuple[bool, str]:
    if record is None or not record.end_attempts:
        return False, "could not be ended: no try was finished in time"
    last = record.end_attempts[-1]
    if last.ending.is_over:
        return True, str(last.ending)
    return False, f"could not be ended: {last.reason or last.ending}"


def _line(
    left: Leftovers, record: SessionRecord | None, session_id: str | None, *, ok: bool, outcome: str
) -> Line:
    return Line(
        session_id=session_id,
        opened_by=(record.opener.test or record.opener.place) if record else "an unknown test",
        opened_at=_date(record.created_at) if record else None,
        run=str(left.journal.parent),
        ok=ok,
        outcome=outcome,
    )


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _print(lines: list[Line], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps([asdict(line) for line in lines], indent=2))  # noqa: T201 - a command
    else:
        text = "\n".join(map(str, lines)) or "no session to end"
        print(text)  # noqa: T201 - a command


def _tidy(leftovers: tuple[Leftovers, ...]) -> None:
    """Forget what has been told and cannot be of use any more."""
    for left in leftovers:
        for path in left.unreadable:
            path.unlink(missing_ok=True)
    for run_dir in {left.journal.parent for left in leftovers}:
        forget_run(run_dir)


def _age(text: str) -> float:
    found = re.fullmatch(r"([0-9]+)([smhd])", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not an age such as 90s, 30m, 12h or 7d")
    return float(found[1]) * _SECONDS[found[2]]
