from __future__ import annotations

import ssl
import time
from typing import TYPE_CHECKING

import pytest

from pytest_avatar.adapters.stdlib_http import StdlibSender
from pytest_avatar.core import wire
from pytest_avatar.core.wire import BaseUrl
from pytest_avatar.emulator import Emulator
from pytest_avatar.emulator.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(ks="the-ks") as running:
        yield running


def create(emulator: Emulator, ks: str = "the-ks") -> wire.Request:
    return wire.create_request(BaseUrl(emulator.base_url), ks, avatar_id="ada")


def test_an_answer_comes_back_whole(emulator: Emulator) -> None:
    response = StdlibSender().send(create(emulator), 5)
    assert wire.read_opened(wire.read_answer(response))
    assert wire.header(response.headers, "content-type") == "application/json"


def test_an_error_status_is_an_answer(emulator: Emulator) -> None:
    answer = wire.read_answer(StdlibSender().send(create(emulator, "wrong"), 5))
    assert (answer.status, answer.error) == (401, "Invalid Kaltura Session")


def test_a_redirect_is_an_answer_too(emulator: Emulator) -> None:
    emulator.add_fault(Fault(status=307))
    assert StdlibSender().send(create(emulator), 5).status == 307


@pytest.mark.parametrize("fault", [Fault(drop="before"), Fault(body="truncated")])
def test_a_connection_that_drops_is_an_os_error(emulator: Emulator, fault: Fault) -> None:
    emulator.add_fault(fault)
    with pytest.raises(OSError, match=r"."):
        StdlibSender().send(create(emulator), 5)


def test_an_answer_that_is_late_is_an_os_error(emulator: Emulator) -> None:
    emulator.add_fault(Fault(delay=2))
    started = time.monotonic()
    with pytest.raises(OSError, match="timed out"):
        StdlibSender().send(create(emulator), 0.2)
    assert time.monotonic() - started < 1.5


def test_nobody_listening_is_an_os_error(emulator: Emulator) -> None:
    request = create(emulator)
    emulator.stop()
    with pytest.raises(OSError, match="refused"):
        StdlibSender().send(request, 5)


def test_no_proxy_stands_between_us_and_this_machine(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert StdlibSender().send(create(emulator), 5).status == 200


def test_other_machines_are_reached_through_the_proxy(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", emulator.url)
    request = wire.create_request(
        BaseUrl("http://avatar.invalid/v1/avatar-session"), "the-ks", avatar_id="ada"
    )
    assert StdlibSender().send(request, 5).status != 0


def test_a_file_of_authorities_that_is_none_is_refused(tmp_path: object) -> None:
    with pytest.raises((OSError, ssl.SSLError)):
        StdlibSender(str(tmp_path))
