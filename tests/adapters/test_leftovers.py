from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from pytest_avatar.adapters.journal import Journal, JournalContents, read_journal
from pytest_avatar.adapters.leftovers import Budget, Leftovers, end_all
from pytest_avatar.adapters.tokens import OpenSession, keep_token, kept_tokens
from pytest_avatar.core import wire
from pytest_avatar.core.events import Actor, Opener, Verdict
from pytest_avatar.core.ledger import Ledger
from pytest_avatar.core.wire import Ending, Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BASE = "http://127.0.0.1:1/v1"
QUICK = Budget(total=2, each=0.1)


def dead_journal(run_dir: Path, sessions: int = 1, *, written: bool = True) -> JournalContents:
    """Return the journal of a process that opened sessions and did not end them."""
    ledger = Ledger()
    journal = Journal.open(run_dir, "main", base_url=BASE, root="/project")
    ledger.add_sink(journal.write)
    for number in range(1, sessions + 1):
        key = ledger.creating(Opener(test="test_it"))
        if written:
            ledger.opened(key, f"session-{number}", None, 200)
        keep_token(journal.path, OpenSession(key, f"session-{number}", BASE, f"secret-{number}"))
    journal.close(clean=False)
    return read_journal(journal.path)


def answering(*answers: Response | Exception) -> Callable[[Request, float], Response]:
    """Return a sender that gives these answers, the last one for ever."""
    rest = list(answers)

    def send(_request: Request, _timeout: float) -> Response:
        answer = rest.pop(0) if len(rest) > 1 else rest[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return send


OK = wire.json_response(200, {"success": True})


@pytest.mark.parametrize(
    ("answers", "endings"),
    [
        ([OK], [Ending.ENDED]),
        ([wire.refusal(410, "Session ended")], [Ending.ALREADY_ENDED]),
        ([wire.refusal(404, "Session not found")], [Ending.SUSPICIOUS]),
        ([wire.refusal(401, "Invalid or expired token")], [Ending.UNCONFIRMED]),
        ([wire.refusal(500, "oops"), OK], [Ending.NOT_ENDED, Ending.ENDED]),
        ([TimeoutError("slow"), wire.refusal(404, "x")], [Ending.NOT_ENDED, Ending.ALREADY_GONE]),
    ],
)
def test_each_answer_to_end_is_read_as_it_is_meant(
    tmp_path: Path, answers: list[Response | Exception], endings: list[Ending]
) -> None:
    contents = dead_journal(tmp_path)
    left = Leftovers(contents)
    end_all([left], answering(*answers), Actor.WATCHDOG, QUICK)
    (record,) = left.ledger.records
    assert [attempt.ending for attempt in record.end_attempts] == endings
    assert bool(kept_tokens(contents.path)) is not endings[-1].is_over


def test_the_request_is_the_end_of_the_wire_format(tmp_path: Path) -> None:
    sent: list[Request] = []

    def send(request: Request, _timeout: float) -> Response:
        sent.append(request)
        return OK

    end_all([Leftovers(dead_journal(tmp_path))], send, Actor.WATCHDOG, QUICK)
    assert sent == [
        wire.session_request(wire.BaseUrl(BASE), wire.Operation.END, "session-1", "secret-1")
    ]


def test_tries_stop_when_time_is_up(tmp_path: Path) -> None:
    left = Leftovers(dead_journal(tmp_path))
    started = time.monotonic()
    end_all([left], answering(OSError("no")), Actor.WATCHDOG, Budget(total=0.6, each=0.1))
    assert time.monotonic() - started < 2
    (record,) = left.ledger.records
    assert record.verdict is Verdict.LOST
    assert len(record.end_attempts) == 2


def test_a_sender_that_hangs_does_not_hold_us_up(tmp_path: Path) -> None:
    released = threading.Event()

    def hang(_request: Request, _timeout: float) -> Response:
        released.wait(10)
        return OK

    started = time.monotonic()
    end_all([Leftovers(dead_journal(tmp_path))], hang, Actor.WATCHDOG, Budget(0.2, 0.1))
    assert time.monotonic() - started < 2
    released.set()


def test_sessions_are_ended_at_the_same_time(tmp_path: Path) -> None:
    together = threading.Barrier(20)

    def send(_request: Request, _timeout: float) -> Response:
        together.wait(5)
        return OK

    left = Leftovers(dead_journal(tmp_path, sessions=20))
    end_all([left], send, Actor.WATCHDOG, Budget(10, 1))
    assert {record.ended_by for record in left.ledger.records} == {Actor.WATCHDOG}


def test_reasons_hold_no_token(tmp_path: Path) -> None:
    left = Leftovers(dead_journal(tmp_path))
    refused = wire.refusal(401, "secret-1 is no token")
    end_all([left], answering(refused), Actor.WATCHDOG, QUICK)
    assert left.ledger.records[0].end_attempts[0].reason == "401 <token> is no token"


def test_a_session_that_was_not_written_down_is_put_into_the_books(tmp_path: Path) -> None:
    left = Leftovers(dead_journal(tmp_path, written=False))
    end_all([left], answering(OK), Actor.WATCHDOG, QUICK)
    (record,) = left.ledger.records
    assert (record.session_id, record.opener.test) == ("session-1", "test_it")
    assert record.ended_by is Actor.WATCHDOG


def test_a_session_of_which_the_journal_knows_nothing_is_ended_too(tmp_path: Path) -> None:
    contents = dead_journal(tmp_path)
    contents.path.write_text("")
    left = Leftovers(read_journal(contents.path))
    end_all([left], answering(OK), Actor.WATCHDOG, QUICK)
    assert left.ledger.records[0].ended_by is Actor.WATCHDOG


def test_a_base_url_that_is_none_is_a_failure_and_no_crash(tmp_path: Path) -> None:
    contents = dead_journal(tmp_path, sessions=0)
    keep_token(contents.path, OpenSession("main-1", "session-1", "nonsense", "secret-1"))
    left = Leftovers(contents)
    end_all([left], answering(OK), Actor.WATCHDOG, Budget(0.1, 0.1))
    (attempt,) = left.ledger.records[0].end_attempts
    assert attempt.reason == "ValueError: does not begin with https:// or http://"


def test_a_token_file_that_was_cut_off_is_told_apart(tmp_path: Path) -> None:
    contents = dead_journal(tmp_path)
    (path,) = kept_tokens(contents.path)
    path.write_text('{"key": "main-1", "sess')
    left = Leftovers(contents)
    assert (left.sessions, left.unreadable) == ((), (path,))
