"""One order for what was sent concurrently: the same for every run of the same code.

Order within a lane (a thread, task or submitted work item) is kept, and so is what fork and join
imply; requests that may come in any order are sorted by what they are. Two requests with equal
content are told apart by what stands around them, in a few rounds of refinement.
"""

from __future__ import annotations

import hashlib
import heapq
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

__all__ = ["Step", "canonical_order"]

_ROUNDS: Final = 4


@dataclass(frozen=True, slots=True)
class Step:
    """Where a request stands among those sent concurrently.

    Attributes:
        number: Its number in this run, unique, growing with time within a lane.
        lane: Number of the thread, task or work item that sent it, unique in this run.
        after: Numbers of requests that were over before it was sent, for certain; those of its
            own lane need not be among them.
    """

    number: int
    lane: int
    after: tuple[int, ...] = ()


def canonical_order(
    steps: Sequence[Step],
    contents: Sequence[str],
    groups: Sequence[str | None],
    closing: Sequence[bool],
) -> list[int]:
    """Return indices into `steps` in an order that does not depend on timing.

    Args:
        steps: Where each request stands.
        contents: What each is, without anything that differs from run to run.
        groups: The session of each, if any; requests of one session follow its first one.
        closing: Whether it ends its session, so that what was sent to it before comes before.
    """
    earlier = _edges(steps, groups, closing)
    colours = _refine(contents, earlier, groups)
    keys = [f"{text}\0{colours[index]}" for index, text in enumerate(contents)]
    return _sort(earlier, keys, [(groups[index], step.lane) for index, step in enumerate(steps)])


def _edges(
    steps: Sequence[Step], groups: Sequence[str | None], closing: Sequence[bool]
) -> list[set[int]]:
    """Return for each request those that must come before it; they have smaller numbers."""
    places = {step.number: index for index, step in enumerate(steps)}
    last_in_lane: dict[int, int] = {}
    members: dict[str, list[int]] = defaultdict(list)
    earlier: list[set[int]] = [set() for _ in steps]
    for index in sorted(range(len(steps)), key=lambda index: steps[index].number):
        step, group = steps[index], groups[index]
        earlier[index].update(places[number] for number in step.after if number in places)
        if step.lane in last_in_lane:
            earlier[index].add(last_in_lane[step.lane])
        last_in_lane[step.lane] = index
        if group is not None:
            earlier[index].update(members[group] if closing[index] else members[group][:1])
            members[group].append(index)
    return earlier


def _refine(
    contents: Sequence[str], earlier: Sequence[Iterable[int]], groups: Sequence[str | None]
) -> list[str]:
    """Return a digest of each request's content and of its neighbourhood."""
    later = _later(earlier)
    members: dict[str, list[int]] = defaultdict(list)
    for index, group in enumerate(groups):
        if group is not None:
            members[group].append(index)
    colours = [_digest(text) for text in contents]
    for _ in range(_ROUNDS):
        of_group = {
            group: _digest(*sorted(colours[index] for index in indices))
            for group, indices in members.items()
        }
        colours = [
            _digest(
                colour,
                *sorted(colours[other] for other in earlier[index]),
                "|",
                *sorted(colours[other] for other in later[index]),
                of_group.get(groups[index] or "", ""),
            )
            for index, colour in enumerate(colours)
        ]
    return colours


def _sort(
    earlier: Sequence[set[int]], keys: Sequence[str], kin: Sequence[tuple[Hashable, ...]]
) -> list[int]:
    """Sort topologically, the smallest key first wherever there is a choice.

    Of equal keys, the one comes first whose kin (session, lane) have come first: so two equal
    threads stay apart in the same way, whichever was faster.
    """
    later = _later(earlier)
    missing = [len(befores) for befores in earlier]
    ranks: dict[tuple[int, Hashable], int] = {}

    def entry(index: int) -> tuple[str, list[int], int]:
        return keys[index], [ranks.get(one, len(keys)) for one in enumerate(kin[index])], index

    ready = [entry(index) for index, count in enumerate(missing) if not count]
    heapq.heapify(ready)
    order: list[int] = []
    while ready:
        index = heapq.heappop(ready)[-1]
        order.append(index)
        for one in enumerate(kin[index]):
            ranks.setdefault(one, len(ranks))
        for other in later[index]:
            missing[other] -= 1
            if not missing[other]:
                heapq.heappush(ready, entry(other))
    return order


def _later(earlier: Sequence[Iterable[int]]) -> list[list[int]]:
    later: list[list[int]] = [[] for _ in earlier]
    for index, befores in enumerate(earlier):
        for before in befores:
            later[before].append(index)
    return later


def _digest(*texts: str) -> str:
    return hashlib.blake2b(
        "\0".join(texts).encode("utf-8", "surrogatepass"), digest_size=16
    ).hexdigest()
