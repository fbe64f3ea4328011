"""What one session may still play."""

from __future__ import annotations

from pytest_avatar.core.track import Entry, Track
from pytest_avatar.core.wire import Operation


def track(*requests: str) -> Track:
    """Return a track of requests such as `say a@1`: operation, key and lane."""
    entries = []
    for index, text in enumerate(requests):
        key, _, lane = text.partition("@")
        operation = Operation(key.split()[0])
        entries.append(Entry(index, key, operation, int(lane or 1), None))
    return Track(entries)


def played(track: Track, *keys: str) -> list[int | None]:
    found: list[int | None] = []
    for key in keys:
        entry = track.find(key)
        found.append(None if entry is None else entry.place)
        if entry is not None:
            track.play(entry)
    return found


def test_equal_requests_play_in_their_order() -> None:
    assert played(track("say-text a", "say-text a"), *["say-text a"] * 3) == [0, 1, None]


def test_what_was_left_out_is_passed_over() -> None:
    assert played(track("say-text a", "say-text b"), "say-text b", "say-text a") == [1, None]


def test_lanes_are_free_against_each_other() -> None:
    assert played(track("say-text a@1", "say-text b@2"), "say-text b", "say-text a") == [1, 0]


def test_nothing_recorded_before_an_end_plays_after_it() -> None:
    assert played(
        track("say-text a@1", "end@2", "say-text c@3"), "end", "say-text a", "say-text c"
    ) == [
        1,
        None,
        2,
    ]


def test_keep_alives_are_not_passed_over() -> None:
    assert played(track("keep-alive", "say-text a"), "say-text a", "keep-alive") == [1, 0]


def test_the_last_one_repeats_until_the_session_ends() -> None:
    one = track("say-text a", "end")
    played(one, "say-text a")
    repeated = one.find("say-text a", repeats=True)
    assert repeated is not None
    played(one, "end")
    assert one.find("say-text a", repeats=True) is None


def test_the_same_history_can_be_tried_on_another_track() -> None:
    after = track("say-text a", "say-text b").after(["say-text a"])
    assert after is not None
    assert after.is_played(0)
    assert track("say-text b").after(["say-text a"]) is None
