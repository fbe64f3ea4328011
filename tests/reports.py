"""Runs to report on: books kept by a real ledger, one of every ending, and names that mean harm."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import jsonschema
from hypothesis import strategies as st

from pytest_avatar.core.events import Actor, Opener, Verdict
from pytest_avatar.core.ledger import Ledger
from pytest_avatar.core.report import Allowance, Report, RunFacts, build_report
from pytest_avatar.core.schema import load_schema
from pytest_avatar.core.wire import Ending, Operation

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

START = 1_795_000_000.0

FRAGMENTS = (
    *("<script>alert(1)</script>", "</script>", "<!--", "-->", "]]>", "&amp;", '"', "'", "<", ">"),
    *("\n", "\r\n", "\t", "\x00", "\x1b[31m", "\x7f", "\u2028", "\u202e", "\u2066", "\ud800", "😀"),
    *("::error::", "::set-output name=x::", "%0A", "%", ",", ":", "|", "\\|", "\\", "`", "```"),
    *("@octocat", "https://evil.example", "www.evil.example", "[x](javascript:x)", "**", "_x_"),
    *("&#60;", "# x", "- ", "x" * 10_000, "אבג", "::", "{{", "${{ x }}"),
)
HOSTILE = st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=8), max_size=4).map("".join)


def _ended(actor: Actor, ending: Ending = Ending.ENDED, status: int = 200) -> Callable[..., None]:
    def end(ledger: Ledger, key: str, reason: str) -> None:
        failure = None if ending is Ending.ENDED else reason
        ledger.end_tried(key, ending, actor, status, failure)

    return end


def _left_open(verdict: Verdict, ending: Ending = Ending.ENDED) -> Callable[..., None]:
    def judge(ledger: Ledger, key: str, reason: str) -> None:
        ledger.judged(key, verdict, reason)
        failure = None if ending.is_over else reason
        ledger.end_tried(key, ending, Actor.PLUGIN, 200 if ending.is_over else 500, failure)

    return judge


def _never_ended(ledger: Ledger, key: str, reason: str) -> None:
    del ledger, key, reason


ENDS: dict[str, Callable[[Ledger, str, str], None]] = {
    "fixture": _ended(Actor.FIXTURE),
    "code": _ended(Actor.CODE),
    "watchdog": _ended(Actor.WATCHDOG),
    "gone": _ended(Actor.FIXTURE, Ending.ALREADY_ENDED, 410),
    "suspicious": _ended(Actor.CODE, Ending.SUSPICIOUS, 404),
    "leaked": _left_open(Verdict.LEAKED),
    "allowed": _left_open(Verdict.ALLOWED),
    "lost": _left_open(Verdict.LEAKED, Ending.NOT_ENDED),
    "open": _never_ended,
}
"""What can become of a session that was opened."""


@dataclass(frozen=True)
class Life:
    """One session, from create to what became of it: a key of `ENDS`, `unknown` or `refused`."""

    end: str
    opener: Opener = field(default_factory=Opener)
    session_id: str | None = None
    reason: str = "500 Internal server error"
    calls: int = 1


class Clock:
    """A clock that moves by a quarter of a second whenever somebody looks."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        self.now += 0.25
        return self.now


def keep_books(*lives: Life, name: str = "main", clock: Clock | None = None) -> Ledger:
    """Return the books of a process in which sessions lived so, one after the other."""
    ledger = Ledger(name, clock=clock or Clock())
    for number, life in enumerate(lives):
        key = ledger.creating(life.opener)
        if life.end == "unknown":
            ledger.unknown(key, 503, life.reason)
        elif life.end == "refused":
            ledger.refused(key, 401, life.reason)
        else:
            ledger.opened(key, life.session_id or f"session-{name}-{number}", "token", 200)
            for _ in range(life.calls):
                ledger.called(key, Operation.SAY_TEXT, 200)
            ENDS[life.end](ledger, key, life.reason)
    return ledger


def run_facts(**changes: Any) -> RunFacts:  # noqa: ANN401 - JSON data
    """Return the facts of a live run, changed as asked."""
    facts: dict[str, Any] = {
        "mode": "live",
        "base_url": "https://api.example/v1/avatar-session",
        "versions": {"pytest-avatar": "1.2.3", "python": "3.11.9", "pytest": "9.2.0"},
        "started_at": START,
        "ended_at": START + 600,
        "exit_status": 0,
    }
    return RunFacts(**(facts | changes))


def report_of(*lives: Life, **changes: Any) -> Report:  # noqa: ANN401 - JSON data
    """Return the report of a run in which sessions lived so."""
    return build_report(run_facts(**changes), keep_books(*lives).records)


def from_fixture(number: int, worker: str) -> Life:
    test = f"tests/test_greeting.py::test_greeting[{number}]"
    opener = Opener(
        scope_id=test,
        test=test,
        phase="setup",
        fixture="avatar_session",
        fixture_scope="function",
        worker=worker,
        client="httpx",
    )
    return Life("fixture", opener)


def from_code(end: str, line: int, test: str, worker: str = "gw0") -> Life:
    node = f"tests/test_chat.py::{test}"
    return Life(
        end,
        Opener(
            scope_id=node,
            test=node,
            phase="call",
            file="app/chat.py",
            line=line,
            worker=worker,
            client="httpx",
        ),
    )


def mixed_run() -> Report:
    """Return a run of two workers, one of them killed, with 200 clean sessions and each finding."""
    first = [from_fixture(number, "gw0") for number in range(100)]
    second = [from_fixture(number, "gw1") for number in range(100, 200)]
    first[40:40] = [from_code("leaked", 41, f"test_error[{number}]") for number in range(2)]
    first[60:60] = [from_code("allowed", 99, "test_kept"), from_code("gone", 12, "test_twice")]
    second[50:50] = [
        from_code("unknown", 41, "test_busy", "gw1"),
        from_code("lost", 77, "test_slow", "gw1"),
        from_code("watchdog", 12, "test_crash", "gw1"),
    ]
    records = [
        *keep_books(*first, name="gw0").records,
        *keep_books(*second, name="gw1").records,
    ]
    return build_report(
        run_facts(died=("worker gw1",), exit_status=1),
        records,
        allowances=[Allowance(place="tests/test_chat.py::test_kept", reason="shown to a visitor")],
    )


_OPENERS = st.builds(
    Opener,
    scope_id=HOSTILE,
    test=st.none() | HOSTILE,
    phase=st.none() | HOSTILE,
    attempt=st.integers(1, 3),
    fixture=st.none() | HOSTILE,
    file=st.none() | HOSTILE,
    line=st.none() | st.integers(1, 9),
    worker=st.none() | HOSTILE,
    client=st.none() | HOSTILE,
    process=st.none() | HOSTILE,
)
_LIVES = st.builds(
    Life,
    end=st.sampled_from([*ENDS, "unknown", "refused"]),
    opener=_OPENERS,
    session_id=HOSTILE.filter(bool),
    reason=HOSTILE,
    calls=st.integers(0, 2),
)


@st.composite
def hostile_reports(draw: st.DrawFn) -> Report:
    """Return a report in which every name may mean harm."""
    texts = st.lists(HOSTILE, max_size=2).map(tuple)
    facts = run_facts(
        mode=draw(st.sampled_from(["live", "replay", "emulator"])),
        base_url=draw(HOSTILE),
        versions={"pytest": draw(HOSTILE)},
        exit_status=draw(st.none() | st.integers(-15, 5)),
        died=draw(texts),
        missing=draw(texts),
    )
    lives = draw(st.lists(_LIVES, max_size=6))
    ledger = keep_books(*lives, name=draw(HOSTILE))
    allowances = [Allowance(place=draw(HOSTILE), reason=draw(HOSTILE))]
    return build_report(facts, ledger.records, allowances=allowances)


REPORT_BEGINS = b'{\n"version": 1,\n"failures": '
"""How a JSON report begins, and no other file: cassettes have a version too."""


def read_report(path: Path) -> Any:  # noqa: ANN401 - JSON data
    """Return the JSON report in a file, which has to fit the published schema."""
    data = json.loads(path.read_bytes())
    jsonschema.Draft202012Validator(load_schema()).validate(data)
    return data
