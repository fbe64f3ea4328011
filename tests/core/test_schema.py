from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_avatar.core.events import Actor, Opener, Verdict
from pytest_avatar.core.ledger import EndAttempt
from pytest_avatar.core.report import SCHEMA_VERSION, Allowance, Report, RunFacts, SessionFacts
from pytest_avatar.core.schema import check, load_schema
from pytest_avatar.core.totals import Totals
from pytest_avatar.core.wire import Ending
from tests.reports import hostile_reports, mixed_run

KINDS: Any = {
    "run": RunFacts,
    "totals": Totals,
    "allowance": Allowance,
    "session": SessionFacts,
    "opener": Opener,
    "end_attempt": EndAttempt,
}
JUNK: Any = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.just([]), st.just({})
)


def validator() -> Any:  # noqa: ANN401 - JSON data
    jsonschema.Draft202012Validator.check_schema(load_schema())
    return jsonschema.Draft202012Validator(load_schema())


def fits(data: object) -> bool:
    try:
        check(data, load_schema())
    except ValueError:
        return False
    return True


def places_in(data: Any) -> list[tuple[Any, Any]]:  # noqa: ANN401 - JSON data
    """Return every container in JSON data with each of its keys."""
    keys = list(data) if isinstance(data, dict) else range(len(data))
    inner = [data[key] for key in keys if isinstance(data[key], dict | list)]
    return [(data, key) for key in keys] + [place for one in inner for place in places_in(one)]


@pytest.mark.parametrize("name", KINDS)
def test_the_schema_names_every_field(name: str) -> None:
    assert set(load_schema()["$defs"][name]["properties"]) == set(KINDS[name]._fields)


def test_the_schema_names_every_word_that_we_use() -> None:
    defs = load_schema()["$defs"]
    session, attempt = defs["session"]["properties"], defs["end_attempt"]["properties"]
    assert session["verdict"]["enum"] == list(Verdict)
    assert session["ended_by"]["enum"] == attempt["actor"]["enum"] == list(Actor)
    assert attempt["ending"]["enum"] == list(Ending)
    assert load_schema()["properties"]["version"]["maximum"] == SCHEMA_VERSION


@settings(max_examples=50)
@given(hostile_reports())
def test_every_report_fits_the_schema(report: Report) -> None:
    data = json.loads(json.dumps(report.to_dict()))
    validator().validate(data)
    check(data, load_schema())


@settings(max_examples=150)
@given(st.data())
def test_we_accept_what_jsonschema_accepts(data: st.DataObject) -> None:
    report = mixed_run()
    changed = Report(report.run, tuple(report.worst_first)[:5], report.allowances).to_dict()
    container, key = data.draw(st.sampled_from(places_in(changed)))
    if isinstance(container, dict) and data.draw(st.booleans()):
        del container[key]
    else:
        container[key] = data.draw(JUNK)
    assert fits(changed) == validator().is_valid(changed)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("run", "mode"), 7, "run.mode: expected string, found int"),
        (("run", "started_at"), -1, "run.started_at: expected 0 to 253402300799, found -1"),
        (("totals", "leaked"), True, "totals.leaked: expected integer, found bool"),
        (
            ("groups", 0, "verdict"),
            "x" * 99,
            "groups[0].verdict: expected one of leaked, allowed, unknown, lost, found '"
            + "x" * 40
            + "'",
        ),
    ],
)
def test_a_problem_is_named_with_its_place(path: tuple[Any, ...], value: Any, message: str) -> None:  # noqa: ANN401 - JSON data
    changed: Any = mixed_run().to_dict()
    container = changed
    for key in path[:-1]:
        container = container[key]
    container[path[-1]] = value
    with pytest.raises(ValueError, match="expected") as raised:
        check(changed, load_schema())
    assert str(raised.value) == message
