"""What to say when a request is not in the cassette, or a recorded one was never sent."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pytest_avatar.core.text import count, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_avatar.core.cassette import Ask

__all__ = [
    "Miss",
    "Place",
    "describe",
    "describe_miss",
    "describe_unplayed",
    "differences",
    "distance",
]

_MOST_DIFFERENCES: Final = 5
_MOST_UNPLAYED: Final = 10
_LONGEST: Final = 100


@dataclass(frozen=True, slots=True)
class Miss:
    """A request that was not answered from the cassette.

    Attributes:
        request: The request in a few words.
        message: All there is to say, redacted; at most 25 lines.
    """

    request: str
    message: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a cassette is played.

    Attributes:
        test: Node id of the test.
        cassette: The file, as people should see it.
        record_command: What records it again.
    """

    test: str
    cassette: str
    record_command: str

    @property
    def lines(self) -> list[str]:
        """The lines that stand in every message."""
        return [f"  test:      {printable(self.test)}", f"  cassette:  {printable(self.cassette)}"]


def describe(ask: Ask) -> str:
    """Return a request in a few words."""
    return f"{ask.route} of {ask.session}" if ask.session is not None else ask.route


def describe_miss(
    place: Place, ask: Ask, nearest: tuple[int, Ask] | None, reason: str | None, recorded: int
) -> str:
    """Return the message of a miss, not yet redacted.

    Args:
        place: Where it happened.
        ask: What was asked.
        nearest: Index and request of the recorded interaction that is most like it.
        reason: Why an equal interaction does not play; `None` if there is no equal one.
        recorded: How many interactions the cassette holds.
    """
    lines = [
        "The cassette holds no answer to this request, and replay sends nothing.",
        *place.lines,
    ]
    lines += [f"  request:   {printable(describe(ask))}", f"             {_short(ask.data)}"]
    if nearest is None:
        lines.append(f"  recorded:  nothing like it, in {count(recorded, 'interaction')}")
    else:
        index, other = nearest
        lines.append(
            f"  nearest:   interaction {index + 1} of {recorded}, {printable(describe(other))}"
        )
        if reason is None:
            lines += _difference_lines(ask, other)
    if reason is not None:
        lines.append(f"  but:       {reason}")
    return "\n".join([*lines, f"Record it again: {place.record_command}"])


def describe_unplayed(place: Place, unplayed: Sequence[tuple[int, Ask]]) -> str:
    """Return the message about recorded requests that were never sent, not yet redacted."""
    lines = [f"The test did not send {count(len(unplayed), 'recorded request')}.", *place.lines]
    for index, ask in unplayed[:_MOST_UNPLAYED]:
        lines.append(f"  unplayed:  interaction {index + 1}, {printable(describe(ask))}")
    if len(unplayed) > _MOST_UNPLAYED:
        lines.append(f"             and {len(unplayed) - _MOST_UNPLAYED} more")
    lines.append(
        "A request that is sent no more may be a session that is ended no more. "
        f"If it is meant, record again: {place.record_command}"
    )
    return "\n".join(lines)


def differences(sent: Any, recorded: Any) -> Iterator[tuple[str, Any, Any]]:  # noqa: ANN401 - JSON data
    """Yield path, sent and recorded value where two JSON values differ; `...` if it is absent."""
    if isinstance(sent, dict) and isinstance(recorded, dict):
        for key in dict.fromkeys([*recorded, *sent]):
            for path, mine, theirs in differences(sent.get(key, ...), recorded.get(key, ...)):
                yield _joined(key, path), mine, theirs
    elif isinstance(sent, list) and isinstance(recorded, list) and len(sent) == len(recorded):
        for place, (mine, theirs) in enumerate(zip(sent, recorded, strict=True)):
            for path, one, other in differences(mine, theirs):
                yield _joined(f"[{place}]", path), one, other
    elif sent != recorded or type(sent) is not type(recorded):
        yield "", sent, recorded


def distance(ask: Ask, other: Ask) -> int:
    """Return how little two requests have in common; 0 if they are equal."""
    far = 100 * (ask.route != other.route) + 10 * (ask.session != other.session)
    return far + sum(1 for _ in differences(ask.data, other.data))


def _difference_lines(ask: Ask, other: Ask) -> Iterator[str]:
    found: list[tuple[str, Any, Any]] = []
    if ask.route != other.route:
        found.append(("operation", ask.route, other.route))
    if ask.session != other.session:
        found.append(("session", ask.session, other.session))
    found += differences(ask.data, other.data)
    for path, sent, recorded in found[:_MOST_DIFFERENCES]:
        yield f"  differs:   {printable(path) or 'body'}"
        yield f"    recorded {_short(recorded)}"
        yield f"    sent     {_short(sent)}"
    if len(found) > _MOST_DIFFERENCES:
        yield f"             and {len(found) - _MOST_DIFFERENCES} more"


def _short(value: Any) -> str:  # noqa: ANN401 - JSON data
    if value is ...:
        return "(absent)"
    return printable(json.dumps(value, ensure_ascii=False), _LONGEST)


def _joined(key: str, path: str) -> str:
    return f"{key}{'' if path.startswith('[') or not path else '.'}{path}"
