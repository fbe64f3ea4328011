from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from pytest_avatar.core.events import Actor, Opener
from pytest_avatar.core.ledger import Ledger
from pytest_avatar.core.limits import held_at_the_limit, limit_text
from pytest_avatar.core.wire import Ending


@given(st.lists(st.sampled_from(["open", "end", "limit", "refuse"]), max_size=30))
def test_what_was_held_at_the_limit_is_what_was_open_then(steps: list[str]) -> None:
    ticks = itertools.count(1000)
    ledger = Ledger(clock=lambda: float(next(ticks)))
    open_now, expected = list[str](), list[int]()
    for step in steps:
        if step == "end":
            if open_now:
                ledger.end_tried(open_now.pop(), Ending.ENDED, Actor.CODE, 200)
            continue
        key = ledger.creating(Opener())
        if step == "open":
            ledger.opened(key, f"session of {key}", "token", 200)
            open_now.append(key)
        elif step == "limit":
            ledger.refused(key, 429, "429 Too many sessions")
            expected.append(len(open_now))
        else:
            ledger.refused(key, 401, "401 Invalid Kaltura Session")
    assert list(held_at_the_limit(ledger.records)) == expected


def test_the_limit_is_told_with_what_was_held() -> None:
    assert limit_text([5]) == (
        "the service refused 1 create with 429, its limit of sessions that are open at once: "
        "this run held 5 then; avatar_max_sessions has tests wait for a free one"
    )
    assert "refused 3 creates" in limit_text([4, 1, 2])
    assert "held 1 to 4 then" in limit_text([4, 1, 2])
