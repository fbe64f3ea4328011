from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_avatar.core import wire
from pytest_avatar.core.wire import Operation, read_answer, read_opened
from pytest_avatar.emulator.faults import Fault, FaultScript
from pytest_avatar.emulator.stage import Performance, Stage

if TYPE_CHECKING:
    from pytest_avatar.emulator.service import Service
    from tests.emulator.conftest import Caller


def create(service: Service, *faults: Fault) -> Performance:
    request = wire.create_request(service.base, "any", avatar_id="ada")
    return Stage(service, FaultScript(faults)).perform(request)


def test_without_a_fault_the_service_answers(caller: Caller) -> None:
    performance = create(caller.service)

    assert performance.answer is not None
    assert (performance.answer.status, performance.delay) == (200, 0)
    assert caller.service.books.faults == ()


@pytest.mark.parametrize(("drop", "opened"), [("before", 0), ("after", 1)])
def test_a_drop_is_before_or_after_the_effect(caller: Caller, drop: str, opened: int) -> None:
    performance = create(caller.service, Fault(drop=drop, delay=2))  # type: ignore[arg-type]

    assert performance == Performance(None, delay=2)
    assert caller.service.books.totals.opened == opened


def test_a_status_has_no_effect_unless_asked_for(caller: Caller) -> None:
    create(caller.service, Fault("create", status=500))
    assert caller.service.books.totals.opened == 0

    create(caller.service, Fault("create", status=500, effect=True))
    assert caller.service.books.totals.opened == 1


def test_a_contradiction_names_a_session_that_is_open(caller: Caller) -> None:
    performance = create(caller.service, Fault(body="contradiction"))

    assert performance.answer is not None
    opened = read_opened(read_answer(performance.answer))
    assert opened is not None
    assert [one.session_id for one in caller.service.books.open_sessions] == [opened.session_id]


def test_a_truncated_answer_is_marked_as_such(caller: Caller) -> None:
    assert create(caller.service, Fault(body="truncated")).is_truncated


def test_a_struck_request_is_counted_and_named(caller: Caller) -> None:
    session = caller.open()
    stage = Stage(caller.service, FaultScript([Fault("end", status=500)]))

    stage.perform(
        wire.session_request(caller.service.base, Operation.END, session.session_id, session.token)
    )

    [record] = caller.service.books.sessions
    [struck] = caller.service.books.faults
    assert record.calls == {"create": 1, "end": 1}
    assert record.is_open
    assert (struck.operation, struck.session_id) == ("end", session.session_id)
    assert struck.fault == "end:status=500"


def test_no_fault_strikes_what_is_no_operation(caller: Caller) -> None:
    script = FaultScript([Fault(status=500)])
    request = wire.Request("GET", str(caller.service.base), ())

    performance = Stage(caller.service, script).perform(request)

    assert performance.answer is not None
    assert performance.answer.status == 404
    assert len(script.pending) == 1
