from __future__ import annotations

import logging
import signal
import socket
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from typing import TYPE_CHECKING

import httpx

from pytest_avatar.emulator import Emulator, Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from tests.emulator.conftest import OpenSession, Session


def test_a_connection_is_kept_open_between_requests(port: int) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    connection.connect()
    first = connection.sock
    for _ in range(3):
        connection.request("GET", "/v1/avatar-session")
        connection.getresponse().read()

    assert connection.sock is first
    connection.close()


def test_an_answer_does_not_wait_for_the_client_to_confirm_its_headers(port: int) -> None:
    """Such a wait takes 40 ms; the first answers of a connection are spared it."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    times: list[float] = []
    for _ in range(20):
        started = time.monotonic()
        connection.request("POST", "/v1/avatar-session")
        connection.getresponse().read()
        times.append(time.monotonic() - started)
    connection.close()

    assert statistics.median(times) < 0.03


def test_stop_does_not_wait_for_clients(emulator: Emulator, session: Session, port: int) -> None:
    """One client keeps its connection open, one waits for an answer, one is half way."""
    emulator.add_fault(Fault("end", delay=60))
    half_way = socket.create_connection(("127.0.0.1", port), timeout=5)
    half_way.sendall(b"POST /v1/avatar-session HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(session.post, "end", timeout=30)
        wait_until(lambda: emulator.books.totals.ended == 1)
        started = time.monotonic()
        emulator.stop()
        assert time.monotonic() - started < 2
        assert isinstance(waiting.exception(5), httpx.RemoteProtocolError)
    assert half_way.recv(1) == b""
    half_way.close()


def test_bad_http_and_lost_clients_are_survived(
    emulator: Emulator, client: httpx.Client, capfd: pytest.CaptureFixture[str], port: int
) -> None:
    for sent in (b"\x16\x03\x01\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n{"):
        with socket.create_connection(("127.0.0.1", port), timeout=5) as raw:
            raw.sendall(sent)

    assert client.get(emulator.url).status_code == 200
    assert capfd.readouterr() == ("", "")


def test_the_host_process_keeps_its_signals_and_its_logging(open_session: OpenSession) -> None:
    names = ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi", "asyncio", None)

    def state() -> list[object]:
        loggers = [logging.getLogger(name) for name in names]
        handlers = [(list(one.handlers), one.level, one.propagate) for one in loggers]
        return [signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM), handlers]

    before = state()
    with Emulator() as emulator:
        open_session(emulator.base_url)
        assert state() == before
    assert state() == before


def test_a_process_with_an_emulator_leaves_no_warning() -> None:
    code = """
import http.client
from pytest_avatar.emulator import Emulator, Fault
with Emulator(faults=[Fault("create", delay=60)]) as emulator:
    port = int(emulator.url.rpartition(":")[2])
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/")
    connection.getresponse().read()
    waiting = http.client.HTTPConnection("127.0.0.1", port)
    waiting.request("POST", "/v1/avatar-session")
connection.close()
waiting.close()
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end, "the condition never came true"
        time.sleep(0.01)
