"""What holds for every client, whichever library it comes from."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from pytest_avatar.core.errors import CassetteError
from tests.adapters.interception.loopback import (
    AnsweringTape,
    ListeningTape,
    Server,
    installed_for,
    make_interceptor,
    replaced_by_a_count,
)
from tests.adapters.interception.senders import SENDERS, THREADED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_avatar.core.interception import Interceptor
    from tests.adapters.interception.senders import Sender

BODIES = [b"%d" % number for number in range(5)]


@pytest.fixture(params=SENDERS)
def sender(request: pytest.FixtureRequest, interceptor: Interceptor) -> Iterator[Sender]:
    """A client made after the wrappers were installed."""
    with installed_for(interceptor), SENDERS[request.param]() as send:
        yield send


@pytest.mark.parametrize("made", ["before", "after"])
@pytest.mark.parametrize("name", SENDERS)
def test_a_client_is_recorded_and_replayed(name: str, made: str, server: Server) -> None:
    """Made, and connected, before the wrappers are installed; or made after that."""
    url, tape = f"{server.base}/x/say-text", ListeningTape()
    with ExitStack() as stack:
        if made == "before":
            send = stack.enter_context(SENDERS[name]())
            send(f"{server.base}/x/warm-up", b"")
        with installed_for(make_interceptor(server.base, tape)):
            if made == "after":
                send = stack.enter_context(SENDERS[name]())
            recorded = [send(url, body) for body in BODIES]
        player = make_interceptor(server.base, AnsweringTape(server.base, tape), offline=True)
        with replaced_by_a_count(server) as port, installed_for(player):
            assert [send(url, body) for body in BODIES] == recorded
            assert port.connections() == 0
    assert [exchange.request.body for exchange, _ in tape.finished] == BODIES
    assert [(response.status, response.body) for _, response in tape.finished] == recorded


def test_what_is_not_on_the_tape_reaches_the_caller_and_is_asked_for_once(
    sender: Sender, server: Server, interceptor: Interceptor
) -> None:
    interceptor.tape = AnsweringTape(server.base, ListeningTape())
    with pytest.raises(CassetteError, match="not on this tape"):
        sender(f"{interceptor.base}/create", b"{}")
    assert not server.log


def test_another_path_of_the_same_host_is_left_alone(
    sender: Sender, server: Server, tape: ListeningTape
) -> None:
    assert sender(f"{server.base}-2/x/echo", b"")[0] == 200
    assert not tape.finished


@pytest.mark.parametrize("method", ["finish", "abort"])
def test_a_tape_that_fails_is_reported_and_the_client_is_not_disturbed(
    method: str,
    sender: Sender,
    server: Server,
    interceptor: Interceptor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("out of tape")

    interceptor.tape = tape = ListeningTape()
    reported: list[str] = []
    monkeypatch.setattr(tape, method, fail)
    monkeypatch.setattr(threading, "excepthook", lambda args: reported.append(str(args.exc_value)))
    if method == "finish":
        assert sender(f"{server.base}/x/echo", b"hello")[0] == 200
    else:
        with pytest.raises(
            Exception, match=r"(?i)disconnect|closed|aborted|connection error|empty"
        ):
            sender(f"{server.base}/x/dropped", b"hello")
    assert set(reported) == {"out of tape"}  # httplib2 tries again by itself


@pytest.mark.parametrize("name", THREADED)
def test_eight_threads_get_every_answer_from_the_tape(name: str, server: Server) -> None:
    url, tape = f"{server.base}/x/say-text", ListeningTape()
    bodies = [b"%d" % number for number in range(60)]
    with THREADED[name]() as send, ThreadPoolExecutor(8) as pool:

        def send_all(bodies: list[bytes]) -> list[tuple[int, bytes]]:
            return list(pool.map(lambda body: send(url, body), bodies))

        with installed_for(make_interceptor(server.base, tape)):
            recorded = send_all(bodies)
        answers = AnsweringTape(server.base, tape, times=8)
        player = make_interceptor(server.base, answers, offline=True)
        with replaced_by_a_count(server) as port, installed_for(player):
            assert send_all(bodies * 8) == recorded * 8
            assert port.connections() == 0
    assert len(tape.finished) == 60
