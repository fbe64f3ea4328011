from __future__ import annotations

import marshal
import os
import select
import socket
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_avatar.adapters.watchdog.relay import CreateRelay, RelayError
from pytest_avatar.core.http import Request
from tests.adapters.watchdog.harness import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no relay on Windows")

CREATE = Request("POST", "http://127.0.0.1:1/v1", (("Authorization", "KS the-ks"),), b"{}")
ANSWER = {"answer": (200, "OK", [("X", "y")], b"opened")}


class Courier:
    """The other side, which says what it is told to."""

    def __init__(self, channel: socket.socket) -> None:
        self.channel = channel
        self.asked: list[dict[str, Any]] = []

    def hear(self) -> None:
        size = int.from_bytes(self.channel.recv(4), "big")
        self.asked.append(marshal.loads(self.channel.recv(size)))

    def say(self, key: str, **answer: object) -> None:
        frame = marshal.dumps({"key": key, **answer})
        self.channel.sendall(len(frame).to_bytes(4, "big") + frame)


@pytest.fixture
def ends() -> Iterator[tuple[CreateRelay, Courier]]:
    ours, its = socket.socketpair()
    its.settimeout(10)
    with ours, its:
        yield CreateRelay(ours, Path("/run/main-9.jsonl")), Courier(its)


@pytest.fixture
def relay(ends: tuple[CreateRelay, Courier]) -> CreateRelay:
    return ends[0]


@pytest.fixture
def courier(ends: tuple[CreateRelay, Courier]) -> Courier:
    return ends[1]


def send(relay: CreateRelay, key: str = "main-1", timeout: float = 5) -> bytes:
    return relay.send(CREATE, key=key, base_url="http://127.0.0.1:1/v1", timeout=timeout).body


def answering(courier: Courier, *deeds: Callable[[], object]) -> threading.Thread:
    """Let the courier hear a create, and then do something."""

    def run() -> None:
        courier.hear()
        for deed in deeds:
            deed()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_a_create_is_handed_over_whole_and_its_answer_comes_back(
    relay: CreateRelay, courier: Courier
) -> None:
    thread = answering(courier, lambda: courier.say("main-1", **ANSWER))
    answer = relay.send(CREATE, key="main-1", base_url="http://x/v1", timeout=5)
    thread.join()
    assert (answer.status, answer.headers, answer.body) == (200, (("X", "y"),), b"opened")
    assert courier.asked == [
        {
            "key": "main-1",
            "file": str(Path("/run/main-9.main-1.token")),
            "base_url": "http://x/v1",
            "timeout": 5,
            "address": ("http", "127.0.0.1", 1),
            "request": b"POST /v1 HTTP/1.1\r\nhost: 127.0.0.1:1\r\ncontent-length: 2\r\n"
            b"authorization: KS the-ks\r\n\r\n{}",
        }
    ]
    assert (answer.reason, answer.headers) == ("OK", (("X", "y"),))
    assert relay.is_free


def test_what_went_wrong_is_an_error_of_httpx_by_name(relay: CreateRelay, courier: Courier) -> None:
    failure = {"kind": "ConnectError", "error": "refused", "sent": False}
    thread = answering(courier, lambda: courier.say("main-1", **failure))
    with pytest.raises(RelayError, match=r"^refused$") as caught:
        send(relay)
    thread.join()
    assert (caught.value.kind, caught.value.sent) == ("ConnectError", False)
    assert relay.is_free


def test_while_a_late_answer_is_owed_the_relay_is_busy(
    relay: CreateRelay, courier: Courier
) -> None:
    late = {"kind": "ReadTimeout", "error": "late", "sent": True, "more": True}
    thread = answering(courier, lambda: courier.say("main-1", **late))
    with pytest.raises(RelayError, match=r"^late$") as caught:
        send(relay)
    thread.join()
    assert caught.value.sent
    assert relay.is_busy
    courier.say("main-1", **ANSWER)
    assert until(lambda: relay.is_free)
    assert not relay.is_busy


def test_a_relay_that_says_nothing_is_not_waited_for_for_ever(
    relay: CreateRelay, courier: Courier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pytest_avatar.adapters.watchdog.relay._GRACE", 0.1)
    with pytest.raises(RelayError, match="says nothing") as caught:
        send(relay, timeout=0.05)
    assert (caught.value.kind, caught.value.sent) == ("ReadTimeout", True)
    assert relay.is_busy


def test_no_answer_is_taken_for_that_of_another_create(
    relay: CreateRelay, courier: Courier
) -> None:
    thread = answering(
        courier,
        lambda: courier.say("main-1", answer=(200, "OK", [], b"another")),
        lambda: courier.say("main-2", **ANSWER),
    )
    assert send(relay, "main-2") == b"opened"
    thread.join()


def test_an_answer_that_comes_in_pieces_and_after_an_interrupt_is_read(
    relay: CreateRelay, courier: Courier, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupted(BaseException): ...

    def interrupt(*_: object) -> bytes:
        raise Interrupted

    with monkeypatch.context() as patched:
        patched.setattr(relay, "_read", interrupt)
        with pytest.raises(Interrupted):
            send(relay)
    courier.hear()
    frame = marshal.dumps({"key": "main-1", **ANSWER})
    courier.channel.sendall(len(frame).to_bytes(4, "big") + frame[:9])
    assert relay.is_busy
    courier.channel.sendall(frame[9:])
    assert until(lambda: relay.is_free)


def test_a_relay_that_has_gone_is_of_no_use_and_nothing_was_sent(
    relay: CreateRelay, courier: Courier
) -> None:
    courier.channel.close()
    with pytest.raises(RelayError, match="has gone") as caught:
        send(relay)
    assert (caught.value.kind, caught.value.sent) == ("", False)
    assert not relay.is_free
    assert not relay.is_busy


def test_its_going_is_noticed_without_asking(relay: CreateRelay, courier: Courier) -> None:
    assert relay.is_free
    courier.channel.close()
    assert not relay.is_free


def test_a_relay_that_dies_in_between_may_have_opened_a_session(
    relay: CreateRelay, courier: Courier
) -> None:
    thread = answering(courier, courier.channel.close)
    with pytest.raises(RelayError, match=r"^the relay has gone$") as caught:
        send(relay)
    thread.join()
    assert (caught.value.kind, caught.value.sent) == ("ReadError", True)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells that nobody has read it")
def test_a_relay_that_dies_before_it_reads_a_create_has_sent_nothing(
    relay: CreateRelay, courier: Courier
) -> None:
    def die() -> None:
        select.select([courier.channel], [], [], 10)
        courier.channel.close()

    thread = threading.Thread(target=die)
    thread.start()
    with pytest.raises(RelayError, match="has gone") as caught:
        send(relay)
    thread.join()
    assert (caught.value.kind, caught.value.sent) == ("", False)
    assert not relay.is_busy


def test_a_message_that_an_interrupt_cut_off_is_never_finished(
    relay: CreateRelay, courier: Courier, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Half:
        def settimeout(self, _seconds: float) -> None:
            raise KeyboardInterrupt

        def close(self) -> None:
            courier.channel.close()

    monkeypatch.setattr(relay, "_channel", Half())
    with pytest.raises(KeyboardInterrupt):
        send(relay)
    assert courier.channel.fileno() == -1
    with pytest.raises(RelayError, match="has been stopped"):
        send(relay)


def test_a_forked_child_is_not_served(relay: CreateRelay) -> None:
    child = os.fork()
    if child == 0:
        try:
            assert not relay.is_free
            send(relay)
        except RelayError as error:
            os._exit(7 if "another process" in str(error) else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
