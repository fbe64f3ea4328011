from __future__ import annotations

import json
import os
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_avatar.adapters.journal import Journal, forget_run, read_journal, read_run
from pytest_avatar.adapters.ownership import OwnerLock, process_start
from pytest_avatar.adapters.tokens import kept_tokens, read_token
from pytest_avatar.core.events import Actor, Event, Kind, Opener
from pytest_avatar.core.ledger import Ledger
from pytest_avatar.core.wire import Ending

posix = pytest.mark.skipif(sys.platform == "win32", reason="no fork, and other modes")


class Books:
    """A ledger that writes a journal, as in a run."""

    def __init__(self, run_dir: Path, name: str = "main") -> None:
        self.ledger = Ledger(name)
        self.journal = Journal.open(
            run_dir, name, base_url="http://127.0.0.1:1/v1", root="/project", token_of=self.token_of
        )
        self.ledger.add_sink(self.journal.write)

    def token_of(self, session_id: str) -> str | None:
        record = self.ledger.find(session_id)
        return None if record is None else self.ledger.token_of(record)

    def open_session(self, session_id: str = "session-1") -> str:
        key = self.ledger.creating(Opener(test="test_it"))
        self.ledger.opened(key, session_id, f"token-of-{session_id}", 200)
        return key


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    path = tmp_path / "run"
    path.mkdir()
    return path


@pytest.fixture
def books(run_dir: Path) -> Books:
    return Books(run_dir)


def write_journal(run_dir: Path, name: str = "main-1", **header: str | int | None) -> Path:
    """Write the journal of another process, as it stands after its death."""
    journal = Journal.open(run_dir, "ours", base_url="http://x/v1", root="/project")
    found = read_journal(journal.path).header
    assert found is not None
    journal.close(clean=True)
    run_dir.mkdir(exist_ok=True)
    path = run_dir / f"{name}.jsonl"
    values = {**asdict(found), "pid": 1, "process_started": "0", **header}
    path.write_text(json.dumps(values) + "\n")
    path.with_suffix(".lock").touch()
    return path


def test_what_the_ledger_learns_can_be_read_back(books: Books) -> None:
    key = books.open_session()
    contents = read_journal(books.journal.path)
    assert contents.header is not None
    assert contents.header.pid == os.getpid()
    assert contents.header.process_started == process_start(os.getpid())
    assert (contents.header.base_url, contents.header.root) == ("http://127.0.0.1:1/v1", "/project")
    assert [(event.kind, event.key) for event in contents.events] == [
        (Kind.CREATING, key),
        (Kind.OPENED, key),
    ]
    assert not contents.torn
    assert not contents.is_foreign
    assert not contents.is_watchdog


def test_the_token_of_an_open_session_stands_in_a_file_of_its_own(books: Books) -> None:
    key = books.open_session()
    (path,) = kept_tokens(books.journal.path)
    session = read_token(path)
    assert session is not None
    assert (session.key, session.token) == (key, "token-of-session-1")
    assert "token-of" not in books.journal.path.read_text()


@pytest.mark.parametrize("ending", list(Ending))
def test_a_token_is_kept_for_as_long_as_the_session_is_open(books: Books, ending: Ending) -> None:
    key = books.open_session()
    books.ledger.end_tried(key, ending, Actor.FIXTURE, 200)
    assert bool(kept_tokens(books.journal.path)) is not ending.is_over


def test_a_session_without_a_token_keeps_none(books: Books) -> None:
    key = books.ledger.creating(Opener())
    books.ledger.opened(key, "session-1", None, 200)
    assert kept_tokens(books.journal.path) == []


@posix
def test_only_the_owner_may_read(books: Books, run_dir: Path) -> None:
    books.open_session()
    assert {path.stat().st_mode & 0o777 for path in run_dir.iterdir()} == {0o600}


def test_a_run_that_ended_well_leaves_nothing_behind(books: Books, run_dir: Path) -> None:
    key = books.open_session()
    books.ledger.end_tried(key, Ending.ENDED, Actor.FIXTURE, 200)
    assert books.journal.close(clean=True)
    assert books.journal.close(clean=True)
    assert not run_dir.exists()


def test_what_is_still_open_survives_a_clean_close(books: Books) -> None:
    books.open_session()
    assert not books.journal.close(clean=True)
    assert kept_tokens(books.journal.path)
    assert not read_journal(books.journal.path).lives


def test_a_worker_leaves_its_journal_to_the_controller(run_dir: Path) -> None:
    worker = Books(run_dir, "gw0")
    worker.open_session()
    worker.ledger.end_tried("gw0-1", Ending.ENDED, Actor.FIXTURE, 200)
    assert worker.journal.close(clean=False)
    (contents,) = read_run(run_dir)
    assert len(contents.events) == 3
    assert forget_run(run_dir)
    assert not run_dir.exists()


def test_events_after_the_close_are_passed_over(books: Books) -> None:
    books.journal.close(clean=False)
    books.open_session()
    assert read_journal(books.journal.path).events == ()
    assert books.journal.problem is None


@posix
def test_a_forked_child_writes_and_removes_nothing(books: Books, run_dir: Path) -> None:
    books.open_session()
    before = {path: path.read_bytes() for path in run_dir.iterdir()}
    child = os.fork()
    if child == 0:
        books.open_session("session-2")
        books.journal.close(clean=True)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert {path: path.read_bytes() for path in run_dir.iterdir()} == before


@posix
def test_a_journal_that_cannot_be_written_says_so_once(books: Books, run_dir: Path) -> None:
    for path in run_dir.iterdir():
        path.unlink()
    run_dir.rmdir()
    books.open_session()
    assert books.journal.problem == (
        "the journal could not be written ([Errno 2] No such file or directory: "
        f"'{books.journal.path.with_suffix('.main-1.token')}')"
    )
    assert books.journal.close(clean=True)


def test_the_journal_of_this_process_lives_until_it_is_closed(books: Books) -> None:
    assert read_journal(books.journal.path).lives
    books.journal.close(clean=False)
    assert not read_journal(books.journal.path).lives


def test_a_journal_whose_process_is_dead_does_not_live(run_dir: Path) -> None:
    assert not read_journal(write_journal(run_dir)).lives


def test_a_journal_of_a_reused_process_number_does_not_live(run_dir: Path) -> None:
    path = write_journal(run_dir, pid=os.getpid(), process_started="0")
    assert not read_journal(path).lives


@posix
def test_a_journal_without_a_header_lives_by_its_lock(run_dir: Path) -> None:
    path = run_dir / "main-1.jsonl"
    path.write_bytes(b"\0\0")
    lock = path.with_suffix(".lock")
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        OwnerLock(lock)
        os.write(writer, b"x")
        signal.pause()
    os.read(reader, 1)
    assert read_journal(path).lives
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(reader)
    os.close(writer)
    assert not read_journal(path).lives


@pytest.mark.parametrize("header", [{"host": "elsewhere"}, {"user": "somebody"}])
def test_journals_of_others_are_foreign_and_never_forgotten(
    run_dir: Path, header: dict[str, str]
) -> None:
    path = write_journal(run_dir, **header)
    assert read_journal(path).is_foreign
    assert not forget_run(run_dir)
    assert path.exists()


def test_living_journals_are_not_forgotten(books: Books, run_dir: Path) -> None:
    assert not forget_run(run_dir)
    assert books.journal.path.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells when a process started")
def test_a_journal_that_another_process_is_going_to_read_is_not_forgotten(run_dir: Path) -> None:
    parent = os.getppid()
    path = write_journal(run_dir, reader=parent, reader_started=process_start(parent))
    assert read_journal(path).is_awaited
    assert not forget_run(run_dir)


@pytest.mark.parametrize("reader", [1, None])
def test_a_journal_whose_reader_has_died_is_not_awaited(run_dir: Path, reader: int | None) -> None:
    path = write_journal(run_dir, reader=reader, reader_started="0")
    assert not read_journal(path).is_awaited
    assert forget_run(run_dir)


def test_its_reader_does_not_wait_for_itself(run_dir: Path) -> None:
    pid = os.getpid()
    path = write_journal(run_dir, reader=pid, reader_started=process_start(pid))
    assert not read_journal(path).is_awaited


def test_the_journal_of_a_watchdog_follows_its_owners(run_dir: Path) -> None:
    for name in ("main-1.watchdog-2", "gw0-3", "main-1"):
        write_journal(run_dir, name)
    found = read_run(run_dir)
    assert [contents.path.stem for contents in found] == ["gw0-3", "main-1", "main-1.watchdog-2"]
    assert [contents.is_watchdog for contents in found] == [False, False, True]


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_last_line_that_was_cut_off_costs_only_itself(books: Books, cut: int) -> None:
    books.open_session()
    path = books.journal.path
    path.write_bytes(path.read_bytes()[:-cut])
    contents = read_journal(path)
    assert contents.torn
    assert [event.kind for event in contents.events] == [Kind.CREATING]


def test_unknown_keys_are_passed_over(run_dir: Path) -> None:
    path = write_journal(run_dir)
    header = {**json.loads(path.read_text()), "new": 1}
    event = {**Event(kind=Kind.OPENED, key="main-1", at=1).to_dict(), "new": {}}
    path.write_text(f"{json.dumps(header)}\n{json.dumps(event)}\n")
    contents = read_journal(path)
    assert contents.header is not None
    assert contents.events == (Event(kind=Kind.OPENED, key="main-1", at=1),)
    assert not contents.torn


@pytest.mark.parametrize("pid", ["\0", None, 1.5])
def test_a_header_without_a_process_is_none(run_dir: Path, pid: object) -> None:
    path = write_journal(run_dir)
    path.write_text(json.dumps({**json.loads(path.read_text()), "pid": pid}) + "\n")
    contents = read_journal(path)
    assert contents.header is None
    assert not contents.lives


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
almost_events = st.fixed_dictionaries(
    {"kind": st.sampled_from([*Kind]) | json_values, "key": json_values, "at": json_values},
    optional=dict.fromkeys(
        ("session_id", "opener", "operation", "status", "ending", "actor", "reason"), json_values
    ),
).map(lambda data: json.dumps(data).encode())


@given(st.lists(almost_events | json_values.map(lambda v: json.dumps(v).encode()) | st.binary()))
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_read_as_far_as_they_can_be(lines: list[bytes]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "main-1.jsonl")
        path.write_bytes(b"\n".join(lines))
        contents = read_journal(path)
        assert contents.header is None
        assert contents.torn
        Ledger().fold_all(contents.events)
