from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_avatar.core import wire
from pytest_avatar.core.wire import Operation, read_answer, read_opened
from pytest_avatar.emulator.faults import Body, Drop, Fault, FaultScript, parse_fault, spoil

CREATED = wire.json_response(200, {"success": True, "sessionId": "s", "token": "t"})


def optional(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


TIMING: dict[str, st.SearchStrategy[Any]] = {
    "operation": st.sampled_from([None, *Operation]),
    "times": optional(st.integers(1, 10**6)),
    "skip": st.integers(0, 10**6),
    "delay": st.floats(0.001, 1e9),
}
FAULTS = st.builds(
    Fault,
    **TIMING,
    status=optional(st.integers(200, 599).filter(lambda status: status not in (204, 304))),
    error=optional(st.text()),
    body=optional(st.sampled_from(get_args(Body))),
    effect=optional(st.booleans()),
) | st.builds(Fault, **TIMING, drop=st.sampled_from(get_args(Drop)))


@settings(max_examples=200)
@given(FAULTS)
def test_the_text_of_a_fault_reads_back_as_the_fault(fault: Fault) -> None:
    assert parse_fault(str(fault)) == fault


@settings(max_examples=200)
@given(st.text() | st.from_regex(r"(any|end|create):(\w+=\w*,?)*", fullmatch=True))
def test_any_text_is_a_fault_or_a_value_error(text: str) -> None:
    with suppress(ValueError):
        fault = parse_fault(text)
        assert parse_fault(str(fault)) == fault


@settings(max_examples=100)
@given(FAULTS.filter(lambda fault: fault.body != "huge"), st.sampled_from([None, CREATED]))
def test_a_spoilt_answer_can_be_read(fault: Fault, answer: wire.Response | None) -> None:
    spoilt = spoil(fault, answer)

    assert read_answer(spoilt).status == (fault.status or spoilt.status)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("end:status=500,times=2", Fault("end", status=500, times=2)),
        ("create:drop=after", Fault("create", drop="after")),
        ("any:delay=1.5,times=forever", Fault(delay=1.5, times=None)),
        (
            "create:status=429,error=Five, no more",
            Fault("create", status=429, error="Five, no more"),
        ),
        ("end:status=500,effect=yes,skip=1", Fault("end", status=500, effect=True, skip=1)),
    ],
)
def test_faults_are_written_as_people_write_them(text: str, fault: Fault) -> None:
    assert parse_fault(text) == fault


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "operation must be any, create, init-client, say-text"),
        ("stop:status=500", "operation must be any, create, init-client, say-text"),
        ("end", "a fault needs delay, status, error, body or drop"),
        ("end:times=2", "a fault needs delay, status, error, body or drop"),
        (
            "end:state=500",
            "there is no 'state'; known are status, body, drop, delay, effect, times, skip, error",
        ),
        ("end:status=many", "status must be a whole number"),
        ("end:status=99", "status must be 200 to 599, and not 204 or 304"),
        ("end:status=204", "status must be 200 to 599, and not 204 or 304"),
        ("end:status=500,times=0", "times must be 1 or more, or forever"),
        ("end:status=500,times=often", "times must be a whole number or forever"),
        ("end:status=500,skip=-1", "skip must be 0 or more"),
        ("end:delay=nan", "delay must be a number of seconds, 0 or more"),
        ("end:delay=-1", "delay must be a number of seconds, 0 or more"),
        ("end:delay=long", "delay must be a number of seconds"),
        ("end:body=odd", "body must be not-json, truncated, wrong-types, missing-fields"),
        ("end:drop=never", "drop must be before or after"),
        ("end:status=500,effect=maybe", "effect must be yes or no"),
        ("end:drop=after,status=500", "drop leaves no answer"),
        ("end:drop=after,effect=no", "drop leaves no answer"),
    ],
)
def test_a_refusal_says_what_is_accepted(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        parse_fault(text)


@pytest.mark.parametrize(
    ("fault", "takes_effect"),
    [
        (Fault(status=500), False),
        (Fault(status=500, effect=True), True),
        (Fault(error="No"), False),
        (Fault(status=201), True),
        (Fault(delay=1), True),
        (Fault(drop="before"), False),
        (Fault(drop="after"), True),
        (Fault(body="refused"), False),
        (Fault(body="contradiction"), True),
        (Fault(body="contradiction", status=500), True),
        (Fault(body="truncated"), True),
        (Fault(body="not-json", effect=False), False),
    ],
)
def test_a_fault_says_whether_what_was_asked_is_done(fault: Fault, takes_effect: bool) -> None:
    assert fault.takes_effect is takes_effect


@pytest.mark.parametrize(
    ("fault", "status", "data"),
    [
        (Fault(status=500), 500, {"success": False, "error": "Internal server error"}),
        (Fault(status=503, error="Full"), 503, {"success": False, "error": "Full"}),
        (Fault(error="Full"), 500, {"success": False, "error": "Full"}),
        (Fault(body="refused"), 200, {"success": False, "error": "Internal server error"}),
        (Fault(body="refused", error="No"), 200, {"success": False, "error": "No"}),
        (Fault(status=200, effect=False), 200, {"success": True}),
    ],
)
def test_an_answer_without_effect_is_made_up(
    fault: Fault, status: int, data: dict[str, object]
) -> None:
    answer = read_answer(spoil(fault, None))

    assert (answer.status, answer.data) == (status, data)


def test_a_status_without_a_refusal_keeps_the_answer() -> None:
    answer = read_answer(spoil(Fault(status=201), CREATED))

    assert (answer.status, answer.data["sessionId"]) == (201, "s")


@pytest.mark.parametrize("status", [None, 500])
def test_a_contradiction_names_the_session_and_says_failure(status: int | None) -> None:
    answer = read_answer(spoil(Fault(body="contradiction", status=status), CREATED))

    opened = read_opened(answer)
    assert opened is not None
    assert opened.token == "t"
    assert (answer.ok, answer.error) == (False, "Internal server error")


@pytest.mark.parametrize(
    ("body", "problem"),
    [("not-json", "the body is not JSON"), ("wrong-types", "`success` is a number")],
)
def test_a_malformed_body_cannot_be_understood(body: Body, problem: str) -> None:
    answer = read_answer(spoil(Fault(body=body, status=502), CREATED))

    assert answer.status == 502
    assert answer.problem is not None
    assert answer.problem.startswith(problem)
    assert read_opened(answer) is None


def test_a_body_can_miss_all_its_fields() -> None:
    assert spoil(Fault(body="missing-fields"), CREATED).body == b"{}"


def test_a_huge_body_holds_10_mb_beside_the_answer() -> None:
    body = spoil(Fault(body="huge"), CREATED).body

    assert len(body) > 10_000_000
    assert json.loads(body)["sessionId"] == "s"


def test_faults_are_consumed_in_order() -> None:
    first, second = Fault("end", status=500, times=2), Fault("end", status=503)
    script = FaultScript([first, second])

    struck = [script.take(Operation.END) for _ in range(4)]

    assert [fault and fault.status for fault in struck] == [500, 500, 503, None]


def test_a_fault_lets_requests_pass_first() -> None:
    script = FaultScript([Fault("end", status=500, skip=2), Fault("end", status=503)])

    struck = [script.take(Operation.END) for _ in range(5)]

    assert [fault and fault.status for fault in struck] == [None, None, 500, 503, None]


def test_a_fault_for_ever_stays() -> None:
    script = FaultScript([Fault(status=500, times=None)])

    assert all(script.take(operation) for operation in Operation)
    assert script.pending == (Fault(status=500, times=None),)


def test_a_fault_strikes_its_own_operation_only() -> None:
    script = FaultScript([Fault("end", status=500)])

    assert script.take(Operation.CREATE) is None
    assert script.take(Operation.END) is not None
    assert script.pending == ()


def test_what_is_pending_can_be_added_to_and_cleared() -> None:
    script = FaultScript()
    script.add(Fault("end", drop="before", times=3))
    script.take(Operation.END)

    assert script.pending == (Fault("end", drop="before", times=2),)
    script.clear()
    assert script.take(Operation.END) is None


def test_threads_share_a_script_without_losing_a_fault() -> None:
    script = FaultScript([Fault("end", status=500, times=500, skip=100)])

    with ThreadPoolExecutor(8) as pool:
        struck = list(pool.map(lambda _: script.take(Operation.END), range(1000)))

    assert sum(fault is not None for fault in struck) == 500
