"""What is found in cassettes."""

from __future__ import annotations

import json

import pytest

from pytest_avatar.core import wire
from pytest_avatar.core.cassette import Cassette, Interaction
from pytest_avatar.core.cassette_check import (
    Finding,
    Problem,
    check_cassette,
    find_orphans,
    sessions_left_open,
)
from pytest_avatar.core.placeholders import token_placeholder
from pytest_avatar.core.wire import Request, Response, json_response, refusal

BASE = wire.DEFAULT_BASE_URL


def create(session: str = "session-1") -> Interaction:
    request = Request("POST", BASE, (("Authorization", "KS <ks>"),), b"{}")
    answer = {"sessionId": session, "token": token_placeholder(session)}
    return Interaction(request, json_response(200, answer))


def end(session: str = "session-1", response: Response | None = None) -> Interaction:
    request = Request("POST", f"{BASE}/{session}/end", ())
    return Interaction(request, response or json_response(200, {"success": True}))


def findings(*interactions: Interaction, content: bytes = b"") -> list[Finding]:
    return list(check_cassette("it.json", Cassette(interactions), content))


def test_nothing_is_found_in_a_good_cassette() -> None:
    assert findings(create(), end()) == []


@pytest.mark.parametrize("response", [None, refusal(410, "Session ended"), refusal(404, "?")])
def test_a_session_has_ended_when_its_end_was_answered(response: Response | None) -> None:
    assert sessions_left_open(Cassette((create(), end(response=response)))) == []


@pytest.mark.parametrize("response", [refusal(401, "?"), refusal(500, "?")])
def test_a_session_that_could_not_be_ended_is_found(response: Response) -> None:
    assert findings(create(), end(response=response)) == [
        Finding("it.json", Problem.UNENDED, "session-1 was created and never ended")
    ]


def test_leaks_may_be_allowed() -> None:
    cassette = Cassette((create(),), leaks_allowed="that is what is tested")
    assert list(check_cassette("it.json", cassette, b"")) == []


def test_other_traffic_is_passed_over() -> None:
    other = Interaction(Request("GET", "https://b.example/", ()), Response(200, (), b"x"))
    assert findings(other) == []


def test_the_shape_of_a_secret_is_found_anywhere() -> None:
    content = b'{"x": "djJ8MTIzNDU2fGFiY2RlZmdoaWprbG1u"}'
    assert findings(content=content) == [
        Finding("it.json", Problem.SECRET, "something of the shape of a ks")
    ]


@pytest.mark.parametrize("key", ["token", "credential", "apiKey", "whepUrl"])
def test_a_secret_is_found_by_its_key(key: str) -> None:
    body = json.dumps({"list": [{key: "kaltura"}]}).encode()
    (finding,) = findings(Interaction(Request("POST", BASE, (), body), Response(200, ())))
    assert finding.text == f"interaction 1: {key} is no placeholder"


def test_a_header_with_a_secret_is_found() -> None:
    request = Request("POST", f"{BASE}/s/end", (("authorization", "Bearer abc"),))
    (finding,) = findings(Interaction(request, Response(200, ())))
    assert finding.text == "interaction 1: the header Authorization is no placeholder"


@pytest.mark.parametrize(
    ("path", "is_orphan"),
    [
        ("t/test_a.json", False),
        ("t/test_a.yaml", False),
        ("t/test_b.json", True),
        ("t/f[x-1]@module.json", False),
        ("t/f[x_1]~0123456789ab@module.json", False),
        ("t/g@module.json", True),
        ("test_a.json", True),
    ],
)
def test_a_cassette_that_no_test_uses_is_an_orphan(path: str, is_orphan: bool) -> None:
    assert find_orphans([path], {"t/test_a.json", "t/f@module.json"}) == [path] * is_orphan
