from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_avatar.core.wire import Operation
from pytest_avatar.emulator.books import Books, SpokenAudio, SpokenText

if TYPE_CHECKING:
    from tests.emulator.conftest import Clock


@pytest.fixture
def books(clock: Clock) -> Books:
    return Books(clock)


def test_a_session_is_open_until_it_is_ended(books: Books, clock: Clock) -> None:
    books.opened("s", avatar_id="ada", voice_id="v", by="client/1")
    assert [one.session_id for one in books.open_sessions] == ["s"]

    clock.advance(5)
    books.ended("s", by="watchdog/2")

    [record] = books.sessions
    assert books.open_sessions == ()
    assert record.ended_at is not None
    assert (record.ended_at - record.opened_at).total_seconds() == 5
    assert (record.opened_by, record.ended_by) == ("client/1", "watchdog/2")


def test_ids_that_were_never_given_out_are_not_kept(books: Books) -> None:
    books.called("eyJ.secret.x", Operation.END)
    books.refuse(Operation.END, "eyJ.secret.x", status=404, reason="Session not found")
    books.struck(Operation.END, "eyJ.secret.x", fault="end:status=500")

    assert "secret" not in json.dumps(books.as_data())


def test_totals_are_one_line(books: Books) -> None:
    books.opened("s", avatar_id="ada", voice_id=None, by=None)
    books.spoke("s", SpokenText("t", "Hi", is_final=True))
    books.refuse(None, None, status=404, reason="Not found")

    assert str(books.totals) == (
        "sessions: 1 opened, 0 ended, 1 open; requests: 1 spoken, 1 refused, 0 struck by a fault"
    )


def test_the_books_are_json_with_stable_keys(books: Books) -> None:
    books.opened("s", avatar_id="ada", voice_id=None, by=None)
    books.called("s", Operation.SAY_TEXT)
    books.spoke("s", SpokenText("t", "Hi", is_final=True))
    books.spoke("s", SpokenAudio("u", 1.5, "audio/mpeg", 3, "ba78"))
    books.ended("s", by=None)
    books.called("s", Operation.END)
    books.refuse(Operation.END, "s", status=410, reason="Session ended")
    books.struck(Operation.END, "s", fault="end:drop=after")

    at = "2026-01-01T00:00:00.000+00:00"
    assert json.loads(json.dumps(books.as_data())) == {
        "totals": {"opened": 1, "ended": 1, "open": 0, "spoken": 2, "refused": 1, "faults": 1},
        "sessions": [
            {
                "session_id": "s",
                "avatar_id": "ada",
                "voice_id": None,
                "opened_at": at,
                "opened_by": None,
                "ended_at": at,
                "ended_by": None,
                "spoken": [
                    {"turn_id": "t", "text": "Hi", "is_final": True},
                    {
                        "turn_id": "u",
                        "duration": 1.5,
                        "media_type": "audio/mpeg",
                        "length": 3,
                        "sha256": "ba78",
                    },
                ],
                "calls": {"say-text": 1, "end": 1},
                "late_calls": 1,
            }
        ],
        "refused": [
            {
                "at": at,
                "operation": "end",
                "session_id": "s",
                "status": 410,
                "reason": "Session ended",
            }
        ],
        "faults": [{"at": at, "operation": "end", "session_id": "s", "fault": "end:drop=after"}],
    }


@settings(max_examples=50)
@given(st.lists(st.tuples(st.sampled_from(["open", "say", "end"]), st.integers(0, 4))))
def test_the_totals_agree_with_the_records(events: list[tuple[str, int]]) -> None:
    books = Books()
    still_open: set[str] = set()
    opened = spoken = 0
    for event, number in events:
        if event == "open":
            session_id = f"s{opened}"
            opened += 1
            books.opened(session_id, avatar_id="ada", voice_id=None, by=None)
            still_open.add(session_id)
        elif still_open:
            session_id = sorted(still_open)[number % len(still_open)]
            if event == "say":
                books.spoke(session_id, SpokenText(None, "Hi", is_final=True))
                spoken += 1
            else:
                books.ended(session_id, by=None)
                still_open.discard(session_id)

    totals = books.totals
    assert {one.session_id for one in books.open_sessions} == still_open
    assert (totals.opened, totals.ended) == (opened, opened - len(still_open))
    assert (totals.open, totals.spoken) == (len(still_open), spoken)
