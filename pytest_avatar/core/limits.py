"""The service's limit of sessions that are open at once, which it tells by refusing a create."""

from __future__ import annotations

from bisect import bisect
from typing import TYPE_CHECKING, Final

from pytest_avatar.core.ledger import State
from pytest_avatar.core.text import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_avatar.core.ledger import SessionRecord

__all__ = ["LIMIT_STATUS", "held_at_the_limit", "limit_text"]

LIMIT_STATUS: Final = 429
"""The HTTP status of a create that is refused because of the limit."""


def held_at_the_limit(records: Sequence[SessionRecord]) -> Iterator[int]:
    """Yield for each create that met the limit how many sessions were open when it was sent."""
    opened = sorted(one.opened_at for one in records if one.opened_at is not None)
    ended = sorted(one.ended_at for one in records if one.ended_at is not None)
    for record in records:
        if record.state is State.REFUSED and record.status == LIMIT_STATUS:
            yield bisect(opened, record.created_at) - bisect(ended, record.created_at)


def limit_text(held: Sequence[int]) -> str:
    """Return what to say of creates that met the limit.

    Args:
        held: How many sessions were ours when each was sent; at least one number.
    """
    least, most = min(held), max(held)
    span = f"{least:,}" if least == most else f"{least:,} to {most:,}"
    return (
        f"the service refused {count(len(held), 'create')} with {LIMIT_STATUS}, its limit of "
        f"sessions that are open at once: this run held {span} then; "
        "avatar_max_sessions has tests wait for a free one"
    )
