from __future__ import annotations

import json
import os
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from pytest_avatar.adapters.tokens import kept_tokens, read_token
from pytest_avatar.adapters.watchdog import launcher
from pytest_avatar.adapters.watchdog.launcher import Watchdog
from pytest_avatar.adapters.watchdog.relay import CreateRelay, RelayError, create_for_owner
from pytest_avatar.core import wire
from pytest_avatar.core.wire import BaseUrl
from pytest_avatar.emulator.faults import Fault
from tests.adapters.watchdog.harness import lives, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_avatar.emulator import Emulator


@pytest.fixture
def journal(run_dir: Path) -> Path:
    path = run_dir / "main-1.jsonl"
    path.touch()
    return path


@pytest.fixture
def watchdog(journal: Path) -> Iterator[Watchdog]:
    started = Watchdog.start(journal)
    assert isinstance(started, Watchdog)
    yield started
    started.stop()


@pytest.fixture
def create(emulator: Emulator) -> wire.Request:
    return wire.create_request(BaseUrl(emulator.base_url), "the-ks", avatar_id="ada")


@pytest.fixture
def relay(watchdog: Watchdog, emulator: Emulator) -> CreateRelay:
    return CreateRelay(watchdog.ask, emulator.base_url)


@pytest.fixture
def in_process(journal: Path, emulator: Emulator) -> CreateRelay:
    """A relay whose other side is in this process."""
    return CreateRelay(
        lambda message, _: create_for_owner(message, str(journal), None), emulator.base_url
    )


@pytest.mark.parametrize("way", ["relay", "in_process"])
def test_the_answer_comes_back_and_the_session_is_written_down_first(
    way: str, create: wire.Request, journal: Path, request: pytest.FixtureRequest
) -> None:
    relay: CreateRelay = request.getfixturevalue(way)
    response = relay.send(create, key="main-1", timeout=5)
    opened = wire.read_opened(wire.read_answer(response))
    assert opened is not None
    (path,) = kept_tokens(journal)
    session = read_token(path)
    assert session is not None
    assert (session.key, session.session_id) == ("main-1", opened.session_id)
    assert session.token == opened.token
    assert "the-ks" not in path.read_text()


def test_a_refusal_is_an_answer(
    in_process: CreateRelay, create: wire.Request, emulator: Emulator, journal: Path
) -> None:
    emulator.add_fault(Fault("create", status=403))
    assert in_process.send(create, key="main-1", timeout=5).status == 403
    assert kept_tokens(journal) == []


def test_a_refused_connection_sent_nothing(
    in_process: CreateRelay, create: wire.Request, emulator: Emulator
) -> None:
    emulator.stop()
    with pytest.raises(RelayError, match="Connection refused") as caught:
        in_process.send(create, key="main-1", timeout=5)
    assert not caught.value.sent


def test_a_lost_answer_may_have_opened_a_session(
    in_process: CreateRelay, create: wire.Request, emulator: Emulator
) -> None:
    emulator.add_fault(Fault("create", drop="after"))
    with pytest.raises(RelayError) as caught:
        in_process.send(create, key="main-1", timeout=5)
    assert caught.value.sent


def test_an_answer_that_comes_too_late_still_names_its_session(
    relay: CreateRelay, create: wire.Request, emulator: Emulator, journal: Path
) -> None:
    emulator.add_fault(Fault("create", delay=1))
    started = time.monotonic()
    with pytest.raises(RelayError, match=r"^no answer came within 0\.3 s$"):
        relay.send(create, key="main-1", timeout=0.3)
    assert time.monotonic() - started < 1
    assert until(lambda: kept_tokens(journal))


def test_a_watchdog_that_has_died_is_an_error(
    relay: CreateRelay, watchdog: Watchdog, create: wire.Request
) -> None:
    os.kill(watchdog.pid, 9)
    assert until(lambda: not lives(watchdog.pid))
    with pytest.raises(RelayError, match="Broken pipe") as caught:
        relay.send(create, key="main-1", timeout=5)
    assert not caught.value.sent


def test_a_watchdog_that_dies_in_between_may_have_opened_a_session(
    relay: CreateRelay, watchdog: Watchdog, create: wire.Request, emulator: Emulator
) -> None:
    emulator.add_fault(Fault("create", delay=3))
    killer = threading.Timer(1, os.kill, (watchdog.pid, 9))
    killer.start()
    with pytest.raises(RelayError, match=r"^the watchdog has gone$") as caught:
        relay.send(create, key="main-1", timeout=5)
    killer.join()
    assert caught.value.sent


def test_after_an_interrupt_no_answer_is_taken_for_that_of_another_create(
    relay: CreateRelay,
    create: wire.Request,
    journal: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupt(_file: int) -> bytes:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(launcher, "read_frame", interrupt)
        with pytest.raises(KeyboardInterrupt):
            relay.send(create, key="main-1", timeout=5)
    assert until(lambda: kept_tokens(journal))
    with pytest.raises(RelayError, match="interrupted before") as caught:
        relay.send(create, key="main-2", timeout=5)
    assert not caught.value.sent


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
def test_a_forked_child_is_not_served(relay: CreateRelay, create: wire.Request) -> None:
    child = os.fork()
    if child == 0:
        try:
            relay.send(create, key="main-1", timeout=5)
        except RelayError as error:
            os._exit(7 if "another process" in str(error) else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


@pytest.mark.skipif(sys.platform == "win32", reason="another way to fill a disk is needed")
def test_a_full_disk_does_not_keep_the_answer_from_its_owner(
    create: wire.Request, emulator: Emulator, tmp_path: Path
) -> None:
    nowhere = str(tmp_path / "gone" / "main-1.jsonl")
    relay = CreateRelay(
        lambda message, _: create_for_owner(message, nowhere, None), emulator.base_url
    )
    assert relay.send(create, key="main-1", timeout=5).status == 200


def test_a_watchdog_that_was_stopped_is_an_error(
    relay: CreateRelay, watchdog: Watchdog, create: wire.Request
) -> None:
    watchdog.stop()
    with pytest.raises(RelayError, match="has been stopped"):
        relay.send(create, key="main-1", timeout=5)


def test_the_message_is_json_of_one_frame(create: wire.Request) -> None:
    asked: list[bytes] = []

    def ask(message: bytes, _timeout: float) -> bytes:
        asked.append(message)
        return b'{"error": "no", "sent": false}'

    with pytest.raises(RelayError, match=r"^no$"):
        CreateRelay(ask, "http://x").send(create, key="main-1", timeout=5)
    assert json.loads(asked[0])["key"] == "main-1"
