from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import pytest_avatar
from pytest_avatar.adapters.tokens import kept_tokens, read_token
from pytest_avatar.adapters.watchdog.relay import CreateRelay, RelayError
from pytest_avatar.core import wire
from pytest_avatar.core.wire import BaseUrl
from pytest_avatar.emulator.faults import Fault
from tests.adapters.watchdog.harness import lives, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_avatar.adapters.watchdog.launcher import Watchdog
    from pytest_avatar.adapters.watchdog.line import Address
    from pytest_avatar.core.http import Response
    from pytest_avatar.emulator import Emulator
    from pytest_avatar.emulator.faults import Body

if sys.platform == "win32":
    pytest.skip("there is no courier on Windows", allow_module_level=True)

from pytest_avatar.adapters.watchdog.courier import serve
from pytest_avatar.adapters.watchdog.line import Line


class Client:
    """What hands creates over, and to whom."""

    def __init__(self, relay: CreateRelay, emulator: Emulator) -> None:
        self.relay = relay
        self.base = BaseUrl(emulator.base_url)

    def create(self, key: str = "main-1", timeout: float = 5) -> Response:
        request = wire.create_request(self.base, "the-ks", avatar_id="ada")
        return self.relay.send(request, key=key, base_url=str(self.base), timeout=timeout)


@pytest.fixture
def apart(watchdog: Watchdog, emulator: Emulator) -> Client:
    """The courier is what it is in a run: a child of the watchdog."""
    assert watchdog.relay is not None
    return Client(watchdog.relay, emulator)


@contextmanager
def serving(journal: Path, emulator: Emulator) -> Iterator[Client]:
    ours, its = socket.socketpair()
    leash, hand = os.pipe()
    arguments = (its.fileno(), leash, None, "http")
    thread = threading.Thread(target=serve, args=arguments)
    thread.start()
    relay = CreateRelay(ours, journal)
    yield Client(relay, emulator)
    os.close(hand)
    thread.join(10)
    relay.close()
    its.close()
    os.close(leash)
    assert not thread.is_alive()


@pytest.fixture
def within(journal: Path, emulator: Emulator) -> Iterator[Client]:
    """The courier is a thread of this process."""
    with serving(journal, emulator) as client:
        yield client


@pytest.mark.parametrize("way", ["apart", "within"])
def test_a_session_is_written_down_before_its_owner_hears_of_it(
    way: str, journal: Path, request: pytest.FixtureRequest
) -> None:
    client: Client = request.getfixturevalue(way)
    opened = wire.read_opened(wire.read_answer(client.create()))
    assert opened is not None
    (path,) = kept_tokens(journal)
    session = read_token(path)
    assert session is not None
    assert (session.key, session.session_id) == ("main-1", opened.session_id)
    assert (session.token, session.base_url) == (opened.token, str(client.base))
    assert "the-ks" not in path.read_text()


@pytest.mark.parametrize("way", ["apart", "within"])
def test_a_refusal_is_an_answer(
    way: str, emulator: Emulator, journal: Path, request: pytest.FixtureRequest
) -> None:
    client: Client = request.getfixturevalue(way)
    emulator.add_fault(Fault("create", status=403))
    assert client.create().status == 403
    assert kept_tokens(journal) == []


@pytest.mark.parametrize("way", ["apart", "within"])
def test_a_refused_connection_sent_nothing(
    way: str, emulator: Emulator, request: pytest.FixtureRequest
) -> None:
    client: Client = request.getfixturevalue(way)
    emulator.stop()
    with pytest.raises(RelayError, match="Connection refused") as caught:
        client.create()
    assert (caught.value.kind, caught.value.sent) == ("ConnectError", False)


@pytest.mark.parametrize("way", ["apart", "within"])
def test_a_lost_answer_may_have_opened_a_session(
    way: str, emulator: Emulator, request: pytest.FixtureRequest
) -> None:
    client: Client = request.getfixturevalue(way)
    emulator.add_fault(Fault("create", drop="after"))
    with pytest.raises(RelayError, match="hung up without a whole answer") as caught:
        client.create()
    assert (caught.value.kind, caught.value.sent) == ("RemoteProtocolError", True)
    assert client.create("main-2").status == 200


def test_a_connection_is_kept_and_one_that_has_closed_is_made_anew(
    within: Client, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected: list[int] = []
    connect = Line.connect

    def counted(line: Line, address: Address, timeout: float) -> None:
        before = line._socket
        connect(line, address, timeout)
        if line._socket is not before:
            connected.append(1)

    monkeypatch.setattr(Line, "connect", counted)
    for number in range(3):
        within.create(f"main-{number}")
    assert len(connected) == 1
    emulator.stop()
    emulator.start()
    within.base = BaseUrl(emulator.base_url)
    within.create("main-3")
    assert len(connected) == 2


@pytest.mark.parametrize("way", ["apart", "within"])
def test_an_answer_that_comes_too_late_still_names_its_session(
    way: str, emulator: Emulator, journal: Path, request: pytest.FixtureRequest
) -> None:
    client: Client = request.getfixturevalue(way)
    emulator.add_fault(Fault("create", delay=1))
    with pytest.raises(RelayError, match=r"^no answer came within 0\.3 s$") as caught:
        client.create(timeout=0.3)
    assert (caught.value.kind, caught.value.sent) == ("ReadTimeout", True)
    assert client.relay.is_busy
    assert until(lambda: kept_tokens(journal))
    assert until(lambda: client.relay.is_free)
    assert client.create("main-2").status == 200


def test_an_answer_that_never_comes_is_given_up(
    within: Client, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pytest_avatar.adapters.watchdog.courier._LATE", 0.1)
    emulator.add_fault(Fault("create", delay=1))
    with pytest.raises(RelayError, match="no answer came"):
        within.create(timeout=0.1)
    assert until(lambda: within.relay.is_free)
    assert within.create("main-2").status == 200


@pytest.mark.parametrize("body", ["not-json", "wrong-types", "missing-fields"])
def test_what_names_no_session_is_written_nowhere(
    body: Body, within: Client, emulator: Emulator, journal: Path
) -> None:
    emulator.add_fault(Fault("create", body=body))
    assert wire.read_opened(wire.read_answer(within.create())) is None
    assert kept_tokens(journal) == []


def test_without_its_watchdog_the_courier_leaves(apart: Client, watchdog: Watchdog) -> None:
    assert apart.create().status == 200
    os.kill(watchdog.pid, signal.SIGKILL)
    assert until(lambda: not lives(watchdog.pid))
    assert until(lambda: not apart.relay.is_free)


def test_a_full_disk_does_not_keep_the_answer_from_its_owner(
    emulator: Emulator, tmp_path: Path
) -> None:
    with serving(tmp_path / "gone" / "main-1.jsonl", emulator) as client:
        assert client.create().status == 200


def test_it_imports_no_more_than_it_takes(emulator: Emulator) -> None:
    base = BaseUrl(emulator.base_url)
    code = f"""
import sys
sys.path.append({str(Path(pytest_avatar.__file__).parents[1])!r})
from pytest_avatar.adapters.watchdog.courier import Line
Line(None).connect({(base.scheme, base.host, base.port)}, 5)
print(*sys.modules)
"""
    command = [sys.executable, "-I", "-S", "-c", code]
    modules = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    heavy = {"dataclasses", "email", "enum", "http.client", "json", "pathlib", "re", "socket"}
    heavy |= {"ssl", "typing", "urllib.parse"}
    assert heavy.isdisjoint(modules)
    assert "encodings.idna" not in modules
    assert len([name for name in modules if name.startswith("pytest_avatar.")]) < 10
