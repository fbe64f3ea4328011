"""One order for what was sent concurrently."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_avatar.core.ordering import Step, canonical_order


def order(
    *requests: tuple[int, str, str | None], after: dict[int, tuple[int, ...]] | None = None
) -> list[str]:
    """Return contents in canonical order; a request is its lane, content and session."""
    steps = [Step(n, lane, (after or {}).get(n, ())) for n, (lane, _, _) in enumerate(requests)]
    contents = [content for _, content, _ in requests]
    groups = [group for _, _, group in requests]
    closing = [content.startswith("end") for content in contents]
    return [contents[index] for index in canonical_order(steps, contents, groups, closing)]


def test_one_lane_keeps_its_order() -> None:
    assert order((1, "c", None), (1, "a", None), (1, "b", None)) == ["c", "a", "b"]


def test_lanes_are_sorted_by_content() -> None:
    assert order((1, "b", None), (2, "a", None)) == ["a", "b"]


def test_what_was_over_comes_first() -> None:
    assert order((1, "b", None), (2, "a", None), after={1: (0,)}) == ["b", "a"]


def test_a_session_begins_with_what_opened_it() -> None:
    assert order((1, "create", "s"), (2, "after", "s")) == ["create", "after"]


def test_an_end_comes_after_what_was_sent_before_it() -> None:
    assert order((1, "z-create", "s"), (2, "say", "s"), (1, "end", "s")) == [
        "z-create",
        "say",
        "end",
    ]


@settings(max_examples=60, deadline=None)
@given(
    texts=st.lists(st.lists(st.sampled_from("ab"), min_size=1, max_size=3), min_size=1, max_size=5),
    seed=st.randoms(use_true_random=False),
)
def test_the_order_does_not_depend_on_timing(texts: list[list[str]], seed: random.Random) -> None:
    """Also where sessions are equal in part: what follows says which is which."""

    def recorded() -> list[tuple[str, int]]:
        waiting = {lane: ["create", *said, "end"] for lane, said in enumerate(texts)}
        numbers = random.sample(range(1000), len(texts))
        steps: list[Step] = []
        contents: list[str] = []
        groups: list[str] = []
        while waiting:
            lane = seed.choice(sorted(waiting))
            steps.append(Step(len(steps), numbers[lane]))
            contents.append(waiting[lane].pop(0))
            groups.append(f"s{lane}")
            if not waiting[lane]:
                del waiting[lane]
        closing = [content == "end" for content in contents]
        found = canonical_order(steps, contents, groups, closing)
        names: dict[str, int] = {}
        return [(contents[index], names.setdefault(groups[index], len(names))) for index in found]

    assert recorded() == recorded()
