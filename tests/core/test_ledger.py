"""The books are a fold over events: whoever folds the same events has the same books."""

# ruff: noqa: ANN401 - what hypothesis gives has no public type

from __future__ import annotations

import itertools
import os
import threading
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_avatar.core.events import Actor, Event, Kind, Opener, Verdict
from pytest_avatar.core.ledger import Ledger, SessionRecord, State
from pytest_avatar.core.wire import Ending, Operation

if TYPE_CHECKING:
    from collections.abc import Callable

OPENER = Opener(test="test_a.py::test_it")

Step = tuple[str, Any]

steps = st.lists(
    st.one_of(
        st.just(("opened", None)),
        st.tuples(st.just("refused"), st.sampled_from([None, 401])),
        st.tuples(st.just("unknown"), st.sampled_from([None, 500])),
        st.tuples(st.just("called"), st.sampled_from([Operation.SAY_TEXT, Operation.KEEP_ALIVE])),
        st.tuples(st.just("end_tried"), st.tuples(st.sampled_from(Ending), st.sampled_from(Actor))),
        st.tuples(st.just("judged"), st.sampled_from([Verdict.LEAKED, Verdict.ALLOWED])),
    ),
    max_size=6,
)


def ticking() -> Callable[[], float]:
    ticks = itertools.count(1000)
    return lambda: float(next(ticks))


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(clock=ticking())


def opened(ledger: Ledger, session_id: str = "s1", token: str | None = "t0ken") -> str:
    key = ledger.creating(OPENER)
    ledger.opened(key, session_id, token, 200)
    return key


def record_of(ledger: Ledger, key: str) -> SessionRecord:
    return next(record for record in ledger.records if record.key == key)


def act(ledger: Ledger, key: str, step: Step) -> None:
    name, argument = step
    if name == "opened":
        ledger.opened(key, f"session of {key}", "t0ken", 200)
    elif name == "called":
        ledger.called(key, argument, 200)
    elif name == "end_tried":
        ending, actor = argument
        ledger.end_tried(key, ending, actor, 200)
    else:
        getattr(ledger, name)(key, argument, "because")


def contents(ledger: Ledger) -> list[dict[str, Any]]:
    names = [name for name in SessionRecord.__slots__ if not name.startswith("_")]
    return [{name: getattr(record, name) for name in names} for record in ledger.records]


@given(st.lists(steps, max_size=4), st.randoms(use_true_random=False))
def test_the_books_are_a_replay_of_their_own_events(sessions: list[list[Step]], dice: Any) -> None:
    ledger, heard = Ledger(clock=ticking()), list[Event]()
    ledger.add_sink(heard.append)
    waiting = [(ledger.creating(OPENER), list(one)) for one in sessions]
    while waiting := [(key, left) for key, left in waiting if left]:
        key, left = dice.choice(waiting)
        act(ledger, key, left.pop(0))
    copy = Ledger("copy")
    copy.fold_all(Event.from_dict(event.to_dict()) for event in heard)
    assert contents(copy) == contents(ledger)
    assert [r.key for r in copy.open_sessions] == [r.key for r in ledger.open_sessions]
    assert [r.key for r in copy.unsettled] == [r.key for r in ledger.unsettled]


@given(st.lists(steps, min_size=1, max_size=3), st.randoms(use_true_random=False))
def test_the_books_do_not_depend_on_how_sessions_interleave(
    sessions: list[list[Step]], dice: Any
) -> None:
    histories: list[list[Event]] = []
    for number, one in enumerate(sessions):
        alone = Ledger(f"gw{number}", clock=ticking())
        heard: list[Event] = []
        alone.add_sink(heard.append)
        key = alone.creating(OPENER)
        for step in one:
            act(alone, key, step)
        histories.append(heard)
    in_turn = Ledger()
    for history in histories:
        in_turn.fold_all(history)
    mixed = Ledger()
    while waiting := [history for history in histories if history]:
        mixed.fold(dice.choice(waiting).pop(0))
    by_key = sorted(contents(mixed), key=lambda record: str(record["key"]))
    assert by_key == sorted(contents(in_turn), key=lambda record: str(record["key"]))


@given(steps)
def test_a_session_is_settled_once_it_is_over_and_its_token_forgotten(one: list[Step]) -> None:
    ledger = Ledger()
    key = opened(ledger)
    for step in one:
        if step[0] in ("called", "end_tried", "judged"):
            act(ledger, key, step)
    record = record_of(ledger, key)
    assert record.is_open == (record in ledger.open_sessions) == (record in ledger.unsettled)
    assert ledger.token_of(record) == ("t0ken" if record.is_open else None)


def test_a_session_from_create_to_end(ledger: Ledger) -> None:
    key = opened(ledger)
    ledger.called(key, Operation.SAY_TEXT, 200)
    ledger.called(key, Operation.SAY_TEXT, 503)
    record = record_of(ledger, key)
    assert ledger.open_sessions == (record,)
    assert ledger.find("s1") is record
    assert ledger.token_of(record) == "t0ken"
    ledger.end_tried(key, Ending.NOT_ENDED, Actor.CODE, 500, "500 oh")
    ledger.end_tried(key, Ending.ENDED, Actor.FIXTURE, 200)
    assert (record.state, record.verdict, record.ended_by) == (
        State.ENDED,
        Verdict.CLEAN,
        Actor.FIXTURE,
    )
    assert record.calls[Operation.KEEP_ALIVE] == 0
    assert record.calls == {Operation.SAY_TEXT: 2}
    assert [attempt.status for attempt in record.end_attempts] == [500, 200]
    assert record.seconds_open == 4.0
    assert ledger.open_sessions == ledger.unsettled == ()
    assert ledger.sessions == (record,)
    assert ledger.token_of(record) is None


def test_a_second_end_changes_neither_when_nor_by_whom(ledger: Ledger) -> None:
    key = opened(ledger)
    ledger.end_tried(key, Ending.ENDED, Actor.CODE, 200)
    ledger.end_tried(key, Ending.ALREADY_ENDED, Actor.FIXTURE, 410)
    record = record_of(ledger, key)
    assert record.ended_by is Actor.CODE
    assert record.seconds_open == 1.0
    assert len(record.end_attempts) == 2


def test_a_refused_create_is_no_session(ledger: Ledger) -> None:
    key = ledger.creating(OPENER)
    ledger.refused(key, 401, "401 Invalid Kaltura Session")
    assert ledger.sessions == ledger.unsettled == ()
    assert [record.reason for record in ledger.records] == ["401 Invalid Kaltura Session"]
    assert record_of(ledger, key).verdict is Verdict.CLEAN


def test_a_create_without_an_outcome_is_unknown(ledger: Ledger) -> None:
    lost, under_way = ledger.creating(OPENER), ledger.creating(OPENER)
    ledger.unknown(lost, None, "ReadTimeout")
    assert [record.key for record in ledger.unsettled] == [under_way, lost]
    assert [record.verdict for record in ledger.sessions] == [Verdict.UNKNOWN, Verdict.UNKNOWN]
    assert ledger.open_sessions == ()


def test_a_leak_stays_a_leak_after_we_have_ended_it(ledger: Ledger) -> None:
    key = opened(ledger)
    record = record_of(ledger, key)
    verdicts = [record.verdict]
    ledger.judged(key, Verdict.LEAKED, "left open")
    verdicts.append(record.verdict)
    ledger.end_tried(key, Ending.NOT_ENDED, Actor.PLUGIN, 500, "500")
    verdicts.append(record.verdict)
    ledger.end_tried(key, Ending.ENDED, Actor.PLUGIN, 200)
    verdicts.append(record.verdict)
    assert verdicts == [Verdict.LOST, Verdict.LEAKED, Verdict.LOST, Verdict.LEAKED]
    assert record.reason == "left open"


def test_open_sessions_are_listed_newest_first(ledger: Ledger) -> None:
    keys = [opened(ledger, f"s{number}") for number in range(3)]
    assert [record.key for record in ledger.open_sessions] == keys[::-1]


def test_a_404_is_no_surprise_once_anything_was_answered_or_an_end_tried(ledger: Ledger) -> None:
    called, tried, fresh = (opened(ledger, name) for name in "abc")
    ledger.called(called, Operation.KEEP_ALIVE, 200)
    ledger.end_tried(tried, Ending.NOT_ENDED, Actor.CODE, None, "timeout")
    assert record_of(ledger, called).answered_before
    assert record_of(ledger, tried).answered_before
    assert not record_of(ledger, fresh).answered_before


def test_events_of_sessions_that_were_never_begun_are_passed_over(ledger: Ledger) -> None:
    ledger.fold(Event(kind=Kind.OPENED, key="gw7-1", at=1.0, session_id="s"))
    ledger.fold(Event(kind=Kind.CREATING, key="gw7-2", at=1.0))
    assert ledger.records == ()
    assert ledger.find("s") is None


def test_half_written_events_change_nothing(ledger: Ledger) -> None:
    key = opened(ledger)
    ledger.fold(Event(kind=Kind.CALLED, key=key, at=1.0))
    ledger.fold(Event(kind=Kind.END_TRIED, key=key, at=1.0))
    record = record_of(ledger, key)
    assert record.is_open
    assert not record.answered_before


def test_no_token_is_in_an_event_or_a_repr(ledger: Ledger) -> None:
    heard: list[Event] = []
    ledger.add_sink(heard.append)
    key = opened(ledger, token="s3cret-t0ken")
    assert "s3cret-t0ken" not in repr(heard) + repr(record_of(ledger, key))
    assert "s3cret-t0ken" not in "".join(str(event.to_dict()) for event in heard)


def test_a_sink_hears_of_a_create_before_it_is_sent(ledger: Ledger) -> None:
    def full(_event: Event) -> None:
        raise OSError("no space left")

    ledger.add_sink(full)
    with pytest.raises(OSError, match="no space left"):
        ledger.creating(OPENER)


def test_waiting_for_ends_stops_at_the_last_one(ledger: Ledger) -> None:
    keys = [opened(ledger, name) for name in "ab"]

    def end_all() -> None:
        for key in keys:
            ledger.end_tried(key, Ending.ENDED, Actor.CODE, 200)

    helper = threading.Thread(target=end_all)
    helper.start()
    ledger.wait_for_ends(lambda _record: True, 30)
    assert ledger.open_sessions == ()
    helper.join()


@pytest.mark.parametrize("outcome", ["opened and ended", "refused", "unknown"])
def test_waiting_for_ends_waits_for_what_is_being_opened(ledger: Ledger, outcome: str) -> None:
    key = ledger.creating(OPENER)
    waiting = threading.Thread(target=ledger.wait_for_ends, args=(lambda _record: True, 30))
    waiting.start()
    assert waiting.is_alive()
    if outcome == "refused":
        ledger.refused(key, 429, "429")
    elif outcome == "unknown":
        ledger.unknown(key, None, "timeout")
    else:
        ledger.opened(key, "s1", "t0ken", 200)
        ledger.end_tried(key, Ending.ENDED, Actor.CODE, 200)
    waiting.join(10)
    assert not waiting.is_alive()


def test_waiting_for_ends_has_a_limit(ledger: Ledger) -> None:
    opened(ledger)
    ledger.wait_for_ends(lambda _record: True, 0.01)
    assert len(ledger.open_sessions) == 1


def test_waiting_for_ends_does_not_wait_for_others(ledger: Ledger) -> None:
    opened(ledger)
    ledger.wait_for_ends(lambda record: record.session_id != "s1", 300)
    assert len(ledger.open_sessions) == 1


def test_a_token_is_learnt_once_and_only_while_the_session_is_open(ledger: Ledger) -> None:
    key = opened(ledger, token=None)
    ledger.learn_token(key, "first")
    ledger.learn_token(key, "second")
    assert ledger.token_of(record_of(ledger, key)) == "first"
    ledger.end_tried(key, Ending.ENDED, Actor.CODE, 200)
    ledger.learn_token(key, "third")
    assert ledger.token_of(record_of(ledger, key)) is None


def test_threads_that_open_and_end_sessions_lose_none() -> None:
    ledger = Ledger()

    def work(name: int) -> None:
        for number in range(50):
            key = opened(ledger, f"{name}-{number}")
            ledger.end_tried(key, Ending.ENDED, Actor.CODE, 200)

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({record.key for record in ledger.sessions}) == 200
    assert ledger.unsettled == ()


def test_only_the_process_that_opened_the_books_may_act(monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = Ledger()
    assert ledger.is_ours
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert not ledger.is_ours


def test_the_usual_clock_gives_the_date_and_never_runs_backwards() -> None:
    ledger = Ledger()
    first, second = (record_of(ledger, ledger.creating(OPENER)).created_at for _ in range(2))
    assert 1.7e9 < first <= second
