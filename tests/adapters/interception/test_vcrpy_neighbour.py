"""Cassettes and mocks that users keep for other hosts, in the same test as ours."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import TYPE_CHECKING

import httpx
import pytest
import respx
import vcr  # type: ignore[import-untyped]
import vcr.patch  # type: ignore[import-untyped]

from tests.adapters.interception.loopback import (
    AnsweringTape,
    ListeningTape,
    Server,
    installed_for,
    make_interceptor,
    replaced_by_a_count,
)
from tests.adapters.interception.senders import SENDERS

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_httpx import HTTPXMock

    from pytest_avatar.core.interception import Interceptor

SEEN_BY_VCRPY = [name for name in SENDERS if name != "http_client_early_bound"]


@pytest.mark.parametrize("made", ["before", "after"])
@pytest.mark.parametrize("name", SEEN_BY_VCRPY)
def test_a_users_cassette_holds_other_hosts_and_nothing_of_ours(
    name: str, made: str, server: Server, other_server: Server, tmp_path: Path
) -> None:
    """Recorded and played by both at once; the client is older or younger than the cassette."""
    ours, others, tape = f"{server.base}/x/say-text", f"{other_server.base}/x/echo", ListeningTape()
    path = str(tmp_path / "users.json")
    users = vcr.VCR(serializer="json", record_mode="once")

    def talk(stack: ExitStack) -> list[tuple[int, bytes]]:
        if made == "before":
            send = stack.enter_context(SENDERS[name]())
        stack.enter_context(users.use_cassette(path))
        if made == "after":
            send = stack.enter_context(SENDERS[name]())
        return [send(url, body) for body in (b"1", b"2") for url in (ours, others)]

    with installed_for(make_interceptor(server.base, tape)), ExitStack() as stack:
        recorded = talk(stack)
    kept = json.loads((tmp_path / "users.json").read_text())["interactions"]
    assert [interaction["request"]["uri"] for interaction in kept] == [others, others]
    assert [response.body for _, response in tape.finished] == [recorded[0][1], recorded[2][1]]

    player = make_interceptor(server.base, AnsweringTape(server.base, tape), offline=True)
    with (
        replaced_by_a_count(server) as our_port,
        replaced_by_a_count(other_server) as other_port,
        installed_for(player),
        ExitStack() as stack,
    ):
        assert talk(stack) == recorded
        assert (our_port.connections(), other_port.connections()) == (0, 0)


def test_nested_cassettes_of_the_user_hear_nothing_of_ours(
    server: Server, tape: ListeningTape, installed: object, tmp_path: Path
) -> None:
    for name in ("outer", "inner", "outer"):
        with vcr.use_cassette(str(tmp_path / "outer")), vcr.use_cassette(str(tmp_path / name)):
            httpx.post(f"{server.base}/x/echo")
    httpx.post(f"{server.base}/x/echo")
    assert len(tape.finished) == 4
    assert not list(tmp_path.iterdir())


def test_while_vcrpy_puts_back_what_it_found_ours_are_still_there(
    server: Server, tape: ListeningTape, installed: object
) -> None:
    with vcr.patch.force_reset():
        httpx.post(f"{server.base}/x/echo")
    assert len(tape.finished) == 1


def test_vcrpy_is_as_before_once_uninstalled(interceptor: Interceptor) -> None:
    names = ("can_play_response_for", "filter_request", "append")
    before = [vars(vcr.cassette.Cassette)[name] for name in names]
    build, reset = vcr.patch.CassettePatcherBuilder.build, vcr.patch.force_reset
    with installed_for(interceptor):
        assert vcr.patch.force_reset is not reset
    assert [vars(vcr.cassette.Cassette)[name] for name in names] == before
    assert vcr.patch.CassettePatcherBuilder.build is build
    assert vcr.patch.force_reset is reset


@pytest.mark.vcr
def test_a_test_with_the_marker_of_pytest_recording_is_heard(
    server: Server, tape: ListeningTape, installed: object
) -> None:
    """Its mode is `none`, so a cassette that saw our URL would refuse it."""
    assert httpx.post(f"{server.base}/x/echo").status_code == 200
    assert len(tape.finished) == 1


def test_respx_mocks_other_hosts(server: Server, tape: ListeningTape, installed: object) -> None:
    with respx.mock(assert_all_mocked=False) as mock:
        mock.get("https://other.example/").respond(json={"mocked": True})
        mock.route(host="127.0.0.1").pass_through()
        assert httpx.get("https://other.example/").json() == {"mocked": True}
        assert httpx.post(f"{server.base}/x/echo").status_code == 200
    assert len(tape.finished) == 1


@pytest.mark.httpx_mock(should_mock=lambda request: request.url.host == "other.example")
def test_pytest_httpx_mocks_other_hosts(
    server: Server, tape: ListeningTape, installed: object, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_response(url="https://other.example/", json={"mocked": True})
    assert httpx.get("https://other.example/").json() == {"mocked": True}
    assert httpx.post(f"{server.base}/x/echo").status_code == 200
    assert len(tape.finished) == 1
