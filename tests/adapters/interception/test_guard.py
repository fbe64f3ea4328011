"""An audit hook stays for the life of its process, so every case has a process of its own."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

PROLOGUE = """
import asyncio, socket, threading
from pytest_avatar.adapters.interception.guard import Guard
from pytest_avatar.core.errors import CassetteError
from pytest_avatar.core.http import BaseUrl

refusals = []

def guard_for(url):
    return Guard(BaseUrl(url), refusals.append)

def listener(host="127.0.0.1"):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    server = socket.create_server((host, 0), family=family)
    server.settimeout(10)
    return server, server.getsockname()[1]

def is_refused(call):
    before = len(refusals)
    try:
        call()
    except CassetteError as error:
        assert refusals[before:] == [str(error)], refusals
        return True
    except OSError as error:
        print("let through, then", error)
    assert len(refusals) == before
    return False

server, port = listener()
here = f"http://127.0.0.1:{port}/v1/avatar-session"
there = "https://api.avatar.example/v1/avatar-session"
"""


def run(code: str) -> str:
    """Run code behind the prologue in a process of its own, and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", PROLOGUE + textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        cwd=Path(__file__).parents[3],
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "spelling",
    ["127.0.0.1", "127.1", "0.0.0.0", "2130706433", "0x7f.1", "localhost", "LOCALHOST", ""],
)
def test_every_spelling_of_the_literal_address_is_refused(spelling: str) -> None:
    run(f"""
    guard_for(here).on()
    with socket.socket() as client:
        assert is_refused(lambda: client.connect(({spelling!r}, port)))
    """)


def test_a_mapped_address_is_refused() -> None:
    run("""
    guard_for(here).on()
    with socket.socket(socket.AF_INET6) as client:
        assert is_refused(lambda: client.connect(("::ffff:127.0.0.1", port)))
    """)


def test_both_addresses_of_localhost_are_refused() -> None:
    run("""
    guard_for(f"http://localhost:{port}/v1").on()
    with socket.socket() as client:
        assert is_refused(lambda: client.connect(("127.0.0.1", port)))
    with socket.socket(socket.AF_INET6) as client:
        assert is_refused(lambda: client.connect(("::1", port)))
        assert is_refused(lambda: client.connect(("::", port)))
    """)


def test_every_way_to_connect_is_refused() -> None:
    run("""
    guard_for(here).on()
    address = ("127.0.0.1", port)
    with socket.socket() as client:
        assert is_refused(lambda: client.connect_ex(address))
    assert is_refused(lambda: socket.create_connection(address))
    assert is_refused(lambda: asyncio.run(asyncio.open_connection(*address)))
    import _socket
    raw = _socket.socket()
    assert is_refused(lambda: raw.connect(address))
    raw.close()
    import http.client
    connection = http.client.HTTPConnection(*address)
    assert is_refused(lambda: connection.request("GET", "/"))
    server.setblocking(False)
    try:
        server.accept()
    except BlockingIOError:
        print("nobody came")
    """)


def test_other_ports_of_this_machine_stay_open() -> None:
    run("""
    other, other_port = listener()
    guard_for(here).on()
    with socket.create_connection(("localhost", other_port), timeout=10):
        other.accept()[0].close()
    assert socket.getaddrinfo("localhost", port)
    assert not refusals
    """)


@pytest.mark.parametrize(
    "look_up",
    [
        "socket.getaddrinfo('api.avatar.example', 443)",
        "socket.getaddrinfo(b'API.Avatar.Example.', None)",
        "socket.gethostbyname('api.avatar.example')",
        "socket.gethostbyname_ex('api.avatar.example')",
        "socket.create_connection(('api.avatar.example', 8443))",
        "asyncio.run(asyncio.open_connection('api.avatar.example', 443))",
    ],
)
def test_the_name_of_the_service_is_not_looked_up(look_up: str) -> None:
    run(f"""
    guard_for(there).on()
    assert is_refused(lambda: {look_up})
    """)


def test_another_name_is_looked_up() -> None:
    run("""
    guard_for(there).on()
    for name in ("localhost", "127.0.0.1", "::1"):
        socket.getaddrinfo(name, 443)
    assert not refusals
    """)


def test_an_international_name_is_refused_in_both_spellings() -> None:
    run("""
    guard_for("https://xn--bcher-kva.example/v1").on()
    assert is_refused(lambda: socket.getaddrinfo("bücher.example", 443))
    assert is_refused(lambda: socket.getaddrinfo("xn--bcher-kva.example", 443))
    """)


def test_threads_are_refused_and_named() -> None:
    printed = run("""
    guard_for(here).on()
    def work():
        is_refused(lambda: socket.create_connection(("127.0.0.1", port)))
    thread = threading.Thread(target=work, name="worker-7")
    thread.start()
    thread.join(10)
    print(refusals[0].replace(str(port), "PORT"))
    """)
    assert printed == (
        "pytest-avatar refused a connection to 127.0.0.1:PORT, in thread worker-7: in this mode "
        "nothing of this run may reach the avatar service at "
        "http://127.0.0.1:PORT/v1/avatar-session. Expected: an answer from a cassette, which "
        "httpx, requests, urllib3, http.client, urllib.request, httplib2, aiohttp and tornado get. Seen: a "
        "client that goes around them. Send the request through one of these or through the "
        "avatar_gateway fixture, or run with --avatar-mode=live.\n"
    )


def test_the_error_is_not_taken_for_a_fault_of_the_network() -> None:
    run("""
    guard_for(here).on()
    try:
        socket.create_connection(("127.0.0.1", port))
    except OSError:
        raise SystemExit("an OSError would be tried again")
    except CassetteError:
        pass
    """)


def test_what_is_refused_leaves_no_socket_open() -> None:
    run("""
    import gc, warnings
    guard_for(here).on()
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        assert is_refused(lambda: socket.create_connection(("127.0.0.1", port)))
        gc.collect()
    assert heard == [], heard
    """)


def test_it_can_be_turned_off_and_on_again() -> None:
    run("""
    guard = guard_for(here)
    def connect():
        socket.create_connection(("127.0.0.1", port), timeout=10).close()
    assert not is_refused(connect)
    for _ in range(2):
        guard.on()
    assert is_refused(connect)
    for _ in range(2):
        guard.off()
    assert not is_refused(connect)
    guard.on()
    assert is_refused(connect)
    """)


def test_two_guards_mind_their_own_business() -> None:
    run("""
    other, other_port = listener()
    first, second = guard_for(here), guard_for(f"http://127.0.0.1:{other_port}/v1")
    first.on()
    second.on()
    first.off()
    socket.create_connection(("127.0.0.1", port), timeout=10).close()
    assert is_refused(lambda: socket.create_connection(("127.0.0.1", other_port)))
    """)


def test_other_kinds_of_sockets_are_let_through(tmp_path: object) -> None:
    run(f"""
    guard_for(here).on()
    path = {str(tmp_path)!r} + "/s"
    unix, client = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
    unix.bind(path)
    unix.listen()
    client.connect(path)
    client.close()
    unix.close()
    assert not refusals
    """)


def test_clients_that_are_played_to_need_neither_a_name_nor_a_connection() -> None:
    run("""
    from pytest_avatar.adapters.interception import install
    from pytest_avatar.core.http import Response
    from tests.adapters.interception.loopback import FixedTape, make_interceptor
    from tests.adapters.interception.senders import SENDERS
    install(make_interceptor(there, FixedTape(Response(200, (), b"{}")), offline=True))
    guard_for(there).on()
    for client in SENDERS.values():
        if "http_client" not in client.__name__:  # those speak http only
            with client() as send:
                assert send(f"{there}/create", b"{}") == (200, b"{}"), client
    assert not refusals
    """)


def test_uvloop_is_refused_too() -> None:
    pytest.importorskip("uvloop", reason="uvloop is not installed")
    run("""
    guard = guard_for(here)
    guard.on()
    import uvloop
    def run(coroutine):
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(coroutine)
    assert is_refused(lambda: run(asyncio.open_connection("127.0.0.1", port)))
    guard.off()
    assert "create_connection" not in vars(uvloop.Loop)
    named = guard_for(there)
    named.on()
    async def look_up():
        await asyncio.get_running_loop().getaddrinfo("api.avatar.example", 443)
    assert is_refused(lambda: run(look_up()))
    """)
