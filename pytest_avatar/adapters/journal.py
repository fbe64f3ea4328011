"""Journals: the events of each process of a run, on disk as they happen.

One directory per run, and in it for each process that opens sessions::

    <name>-<pid>.jsonl        a header, then one event per line; no token
    <name>-<pid>.lock         held as long as the process lives, gone when it has finished
    <name>-<pid>.<key>.token  one per open session

An append without `fsync` survives the death of the process that made it, by whatever signal.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import quote

from pytest_avatar.adapters.ownership import (
    OwnerLock,
    is_locked,
    process_lives,
    process_start,
    user_id,
)
from pytest_avatar.adapters.tokens import OpenSession, drop_token, keep_token, kept_tokens
from pytest_avatar.core.events import Event, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

__all__ = [
    "WATCHDOG",
    "Header",
    "Journal",
    "JournalContents",
    "forget_run",
    "read_journal",
    "read_run",
    "wait_for_watchdogs",
]

WATCHDOG: Final = "watchdog"
"""What the name of a watchdog's own journal ends with, after its owner's."""

_FORMAT: Final = 1
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The first line of a journal: whose it is.

    Attributes:
        format: Version of the format.
        pid: The process that writes it.
        process_started: When that process started, as `process_start` tells; `None` if unknown.
        host: The machine on which it runs.
        user: Who runs it, as `user_id` tells.
        base_url: Where its sessions are opened.
        opened_at: When the journal was opened, in seconds since the epoch.
        root: The root directory of the run.
        reader: The process that is going to read it when its own has finished; `None` if none is.
        reader_started: When that process started.
    """

    format: int = _FORMAT
    pid: int
    process_started: str | None
    host: str
    user: str
    base_url: str
    opened_at: float
    root: str
    reader: int | None = None
    reader_started: str | None = None


@dataclass(frozen=True, slots=True)
class JournalContents:
    """A journal, read as far as it can be.

    Attributes:
        path: The file.
        header: Whose it is; `None` if that line cannot be read.
        events: What happened, oldest first.
        torn: Whether something in it could not be read, such as a line cut off by a crash.
    """

    path: Path
    header: Header | None
    events: tuple[Event, ...]
    torn: bool

    @property
    def lives(self) -> bool:
        """Whether the process that writes it is still at work."""
        lock, header = self.path.with_suffix(".lock"), self.header
        if not lock.exists():
            return False
        if header is not None and header.pid == os.getpid():
            return header.process_started == process_start(header.pid)
        return is_locked(lock) or (
            header is not None and process_lives(header.pid, header.process_started)
        )

    @property
    def is_awaited(self) -> bool:
        """Whether another living process is going to read it."""
        header = self.header
        if header is None or header.reader in (None, os.getpid()):
            return False
        assert header.reader is not None
        return process_lives(header.reader, header.reader_started)

    @property
    def is_foreign(self) -> bool:
        """Whether its process runs, or ran, on another machine or for another user."""
        header = self.header
        return header is not None and (header.host, header.user) != (
            socket.gethostname(),
            user_id(),
        )

    @property
    def is_watchdog(self) -> bool:
        """Whether a watchdog wrote it, about the sessions of another process."""
        return f".{WATCHDOG}-" in self.path.name


class Journal:
    """The journal of this process. Whatever goes wrong with it, no test ever notices.

    Attributes:
        path: The file.
        problem: What could not be written, if anything could not, in words; `None` if all is well.
    """

    def __init__(
        self, path: Path, header: Header, token_of: Callable[[str], str | None] | None
    ) -> None:
        self.path: Final = path
        self.problem: str | None = None
        self._header = header
        self._token_of = token_of
        self._guard = threading.RLock()
        self._lock = OwnerLock(path.with_suffix(".lock"))
        self._file: int | None = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._append(asdict(header))

    @classmethod
    def open(
        cls,
        run_dir: Path,
        name: str,
        *,
        base_url: str,
        root: str,
        token_of: Callable[[str], str | None] | None = None,
        reader: int | None = None,
    ) -> Journal:
        """Open the journal of this process and take its lock.

        Args:
            run_dir: The directory of the run, private to the user.
            name: What tells this process from the others of the run (`main`, `gw0`).
            base_url: Where its sessions are opened.
            root: The root directory of the run.
            token_of: Returns the token of a session by its id, `None` if nobody knows it. `None`
                keeps no token files.
            reader: The process that is going to read it, if another is.

        Raises:
            OSError: It cannot be written.
        """
        pid = os.getpid()
        header = Header(
            pid=pid,
            process_started=process_start(pid),
            host=socket.gethostname(),
            user=user_id(),
            base_url=base_url,
            opened_at=time.time(),
            root=root,
            reader=reader,
            reader_started=None if reader is None else process_start(reader),
        )
        return cls(run_dir / f"{quote(name, safe='')}-{pid}.jsonl", header, token_of)

    def write(self, event: Event) -> None:
        """Write down an event, before anybody acts on it; and keep or drop the session's token.

        Never raises, and does nothing in a forked child.
        """
        if os.getpid() != self._header.pid:
            return
        with self._guard:
            if event.kind is Kind.OPENED:
                self._attempt(lambda: self._keep_token(event))
            self._attempt(lambda: self._append(event.to_dict()))
            if event.ending is not None and event.ending.is_over:
                self._attempt(lambda: drop_token(self.path, event.key))

    def close(self, *, clean: bool) -> bool:
        """Stop writing. Does nothing in a forked child.

        Args:
            clean: Whether to leave nothing behind, unless a session is still open. `False` where
                somebody else is going to read the journal.

        Returns:
            Whether no session is left to end.
        """
        if os.getpid() != self._header.pid or self._file is None:
            return True
        with self._guard:
            os.close(self._file)
            self._file = None
            over = not kept_tokens(self.path)
            if over and clean:
                self._attempt(lambda: self.path.unlink(missing_ok=True))
            self._attempt(self._lock.release)
            if clean:
                _remove_if_empty(self.path.parent)
        return over

    def _append(self, data: Mapping[str, Any]) -> None:
        if self._file is not None:
            os.write(self._file, json.dumps(data).encode() + b"\n")

    def _keep_token(self, event: Event) -> None:
        session_id = event.session_id
        token = self._token_of(session_id) if self._token_of and session_id else None
        if session_id and token:
            session = OpenSession(event.key, session_id, self._header.base_url, str(token))
            keep_token(self.path, session)

    def _attempt(self, action: Callable[[], None]) -> None:
        try:
            action()
        except Exception as error:  # noqa: BLE001 - no fault of the books may reach a test
            self.problem = self.problem or f"the journal could not be written ({error})"


def read_journal(path: Path) -> JournalContents:
    """Read a journal of this or another version, whole or cut off; unknown keys are passed over.

    Raises:
        OSError: The file cannot be read.
    """
    lines = path.read_bytes().split(b"\n")
    last = lines.pop()
    header = _read_line(lines[0], _read_header) if lines else None
    events = [_read_line(line, _read_event) for line in lines[1:]]
    known = tuple(event for event in events if event is not None)
    torn = bool(last) or header is None or len(known) < len(events)
    return JournalContents(path, header, known, torn)


def read_run(run_dir: Path) -> list[JournalContents]:
    """Read the journals of all processes of a run, each watchdog's after its owner's.

    Files that vanish meanwhile are passed over.
    """
    found: list[JournalContents] = []
    for path in sorted(run_dir.glob("*.jsonl"), key=lambda path: path.stem):
        with suppress(FileNotFoundError):
            found.append(read_journal(path))
    return found


def wait_for_watchdogs(run_dir: Path, seconds: float = 20.0) -> None:
    """Wait until the processes of a run have finished, and so have the watchdogs of the dead.

    Args:
        run_dir: The directory of the run.
        seconds: How long to wait at most; a watchdog takes no longer.
    """
    deadline = time.monotonic() + seconds
    while not _is_settled(read_run(run_dir)) and time.monotonic() < deadline:
        time.sleep(0.05)


def _is_settled(journals: list[JournalContents]) -> bool:
    """Whether nobody works on them, and somebody has tried to end whatever was left open."""
    tended = {one.path.stem.partition(f".{WATCHDOG}-")[0] for one in journals if one.is_watchdog}
    return not any(
        one.lives or (one.path.stem not in tended and kept_tokens(one.path)) for one in journals
    )


def forget_run(run_dir: Path) -> bool:
    """Remove what finished processes left of a run, once it has been told.

    Journals of living processes, of others than this user on this machine, those that somebody is
    going to read, and those of processes that left a session open, stay.

    Returns:
        Whether nothing is left of the run.
    """
    for journal in read_run(run_dir):
        is_needed = journal.is_foreign or journal.lives or journal.is_awaited
        if not is_needed and not kept_tokens(journal.path):
            journal.path.unlink(missing_ok=True)
            journal.path.with_suffix(".lock").unlink(missing_ok=True)
    return _remove_if_empty(run_dir)


def _remove_if_empty(run_dir: Path) -> bool:
    with suppress(OSError):
        run_dir.rmdir()
    return not run_dir.exists()


def _read_line(line: bytes, read: Callable[[Any], _T]) -> _T | None:
    try:
        return read(json.loads(line))
    except (ValueError, TypeError, LookupError, RecursionError):
        return None


def _read_header(data: dict[str, Any]) -> Header:
    values = {name: data[name] for name in Header.__dataclass_fields__ if name in data}
    if not isinstance(values["pid"], int) or not isinstance(values.get("reader"), int | None):
        raise TypeError("not what this package writes")
    return Header(**values)


def _read_event(data: dict[str, Any]) -> Event:
    names = (data["key"], data.get("session_id", ""))
    if not all(isinstance(name, str) for name in names) or not isinstance(data["at"], (int, float)):
        raise TypeError("not what this package writes")
    return Event.from_dict(data)
