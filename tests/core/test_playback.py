"""Which recorded answer a request gets: sessions that are cast anew."""

from __future__ import annotations

import json
from itertools import permutations

import pytest

from pytest_avatar.core.cassette import Interaction, read_ask
from pytest_avatar.core.http import Request
from pytest_avatar.core.normalising import DEFAULT_BASE
from pytest_avatar.core.placeholders import token_placeholder
from pytest_avatar.core.playback import Playback, read_match_on
from pytest_avatar.core.wire import json_response


def request(path: str, **data: object) -> Request:
    return Request("POST", f"{DEFAULT_BASE}{path}", (), json.dumps(data).encode())


def opened(session: str) -> dict[str, object]:
    return {"sessionId": session, "token": token_placeholder(session)}


def playback(**texts: list[str]) -> Playback:
    """Return a recording of sessions (`s1`, …) that were all created alike and said these texts."""
    interactions = [
        Interaction(request(""), json_response(200, opened(session))) for session in texts
    ]
    interactions += [
        Interaction(request(f"/{session}/say-text", text=text), json_response(200, {"of": session}))
        for session, said in texts.items()
        for text in said
    ]
    return Playback(interactions, [read_ask(DEFAULT_BASE, one.request) for one in interactions])


class Player:
    def __init__(self, playback: Playback) -> None:
        self.playback = playback

    def send(self, path: str, **data: object) -> dict[str, object]:
        ask = read_ask(DEFAULT_BASE, request(path, **data))
        index = self.playback.play(ask)
        assert index is not None, (path, data)
        answer: dict[str, object] = json.loads(self.playback.answer(index, ask).body)
        return answer

    def create(self) -> str:
        answer = self.send("")
        assert answer["token"] == token_placeholder(str(answer["sessionId"]))
        return str(answer["sessionId"])

    def say(self, session: str, text: str) -> None:
        assert self.send(f"/{session}/say-text", text=text)["of"] == session


def test_what_any_session_was_asked_is_known() -> None:
    recorded = playback(s1=["a"])
    known = read_ask(DEFAULT_BASE, request("/another/say-text", text="a"))
    unknown = read_ask(DEFAULT_BASE, request("/s1/say-text", text="b"))
    assert (recorded.knows(known), recorded.knows(unknown)) == (True, False)


@pytest.mark.parametrize("order", list(permutations(["abc", "abd", "xbc"])))
def test_whoever_is_created_first_finds_its_answers(order: tuple[str, ...]) -> None:
    player = Player(playback(s1=list("abc"), s2=list("abd"), s3=list("xbc")))
    sessions = [(player.create(), said) for said in order]
    for place in range(3):
        for session, said in sessions:
            player.say(session, said[place])
    assert all(player.playback.is_played(index) for index in range(12))


def test_a_session_that_sends_before_the_others_are_created_finds_its_answers() -> None:
    player = Player(playback(s1=["a"], s2=["b"]))
    first = player.create()
    player.say(first, "b")
    second = player.create()
    player.say(second, "a")
    assert {first, second} == {"s1", "s2"}


def test_sessions_whose_past_differs_are_not_exchanged() -> None:
    player = Player(playback(s1=["a", "c"], s2=["b", "d"]))
    first, second = player.create(), player.create()
    player.say(first, "a")
    player.say(second, "b")
    ask = read_ask(DEFAULT_BASE, request(f"/{first}/say-text", text="d"))
    assert player.playback.play(ask) is None


def test_an_unknown_request_has_no_reason() -> None:
    one = playback(s1=["a"])
    assert one.why_not(read_ask(DEFAULT_BASE, request("/s1/say-text", text="zzz"))) is None
    assert one.why_not(read_ask(DEFAULT_BASE, request("/s9/say-text", text="a"))) is None


@pytest.mark.parametrize("names", [[], ["body"], ["operation", "headers"], "operation"])
def test_what_cannot_be_matched_by_is_refused(names: list[str]) -> None:
    with pytest.raises(ValueError, match="match_on takes a list of operation, session, body, turn"):
        read_match_on(names)


def test_each_name_counts_once() -> None:
    assert read_match_on(["operation", "body", "operation"]) == ("operation", "body")
