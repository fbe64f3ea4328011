from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_avatar.adapters.journal import Journal, read_run
from pytest_avatar.adapters.stdlib_http import StdlibSender
from pytest_avatar.adapters.tokens import OpenSession, keep_token, kept_tokens
from pytest_avatar.adapters.watchdog.duty import Duty
from pytest_avatar.core import wire
from pytest_avatar.core.events import Actor, Opener
from pytest_avatar.core.ledger import Ledger
from pytest_avatar.core.wire import BaseUrl
from tests.adapters.watchdog.harness import books

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from pytest_avatar.emulator import Emulator


def open_journal(run_dir: Path, base_url: str) -> tuple[Ledger, Journal]:
    ledger = Ledger()
    journal = Journal.open(run_dir, "main", base_url=base_url, root="/project")
    ledger.add_sink(journal.write)
    return ledger, journal


def test_what_is_open_is_ended_and_told_in_a_journal_beside(
    run_dir: Path, emulator: Emulator
) -> None:
    ledger, journal = open_journal(run_dir, emulator.base_url)
    create = wire.create_request(BaseUrl(emulator.base_url), "ks", avatar_id="ada")
    opened = wire.read_opened(wire.read_answer(StdlibSender().send(create, 5)))
    assert opened is not None
    assert opened.token is not None
    key = ledger.creating(Opener())
    ledger.opened(key, opened.session_id, None, 200)
    keep_token(journal.path, OpenSession(key, opened.session_id, emulator.base_url, opened.token))
    journal.close(clean=False)
    Duty(str(journal.path), 5, 1, None).end_what_is_open()
    assert emulator.books.totals.ended == 1
    assert [contents.is_watchdog for contents in read_run(run_dir)] == [False, True]
    assert books(run_dir).records[0].ended_by is Actor.WATCHDOG
    assert kept_tokens(journal.path) == []


def test_nothing_open_is_nothing_to_do(run_dir: Path) -> None:
    _, journal = open_journal(run_dir, "http://127.0.0.1:1/v1")
    journal.close(clean=False)
    Duty(str(journal.path), 5, 1, None).end_what_is_open()
    assert len(read_run(run_dir)) == 1


def test_a_journal_that_cannot_be_written_does_not_stop_it(
    run_dir: Path, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = run_dir / "main-1.jsonl"
    path.touch()
    keep_token(path, OpenSession("main-1", "session-x", emulator.base_url, "token"))

    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Journal, "open", refuse)
    Duty(str(path), 5, 1, None).end_what_is_open()
    (refusal,) = emulator.books.refused
    assert refusal.operation == "end"


def test_a_run_that_has_been_removed_is_nothing_to_do(tmp_path: Path) -> None:
    Duty(str(tmp_path / "gone" / "main-1.jsonl"), 5, 1, None).end_what_is_open()


def test_a_journal_without_a_header_is_worked_on_all_the_same(
    run_dir: Path, emulator: Emulator
) -> None:
    path = run_dir / "main-1.jsonl"
    path.touch()
    keep_token(path, OpenSession("main-1", "session-x", emulator.base_url, "token"))
    Duty(str(path), 5, 1, None).end_what_is_open()
    assert books(run_dir).records[0].end_attempts[0].actor is Actor.WATCHDOG


def test_some_time_is_kept_for_a_last_try() -> None:
    assert 0 < Duty("main-1.jsonl", 5, 1, None).seconds_left <= 4
    assert Duty("main-1.jsonl", 1, 2, None).seconds_left == 0
