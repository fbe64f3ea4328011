from __future__ import annotations

import json
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx
import pytest

from pytest_avatar.core.errors import SettingError
from pytest_avatar.emulator import Emulator, Fault, Switches

if TYPE_CHECKING:
    from tests.emulator.conftest import OpenSession

AVATAR = {"visualConfig": {"avatarId": "ada"}}


def test_switches_and_ks_reach_the_service(client: httpx.Client) -> None:
    switches = Switches(create_path="/create")
    with Emulator(ks="only", unauthorised_ks=["user"], switches=switches) as emulator:
        statuses = [
            client.post(
                emulator.base_url + path, headers={"Authorization": f"KS {ks}"}, json=AVATAR
            ).status_code
            for path, ks in (
                ("", "only"),
                ("/create", "only"),
                ("/create", "x"),
                ("/create", "user"),
            )
        ]

    assert statuses == [404, 200, 401, 403]


def test_faults_can_be_cleared_in_process(emulator: Emulator) -> None:
    emulator.add_fault(Fault("end", status=500))
    emulator.clear_faults()

    assert emulator.pending_faults == ()


def test_no_secret_stands_in_the_books(client: httpx.Client, open_session: OpenSession) -> None:
    with Emulator(ks="djJ8the-ks") as emulator:
        session = open_session(emulator.base_url, "djJ8the-ks")
        session.post("end")
        token = session.token
        page = client.get(emulator.url).text + json.dumps(emulator.books.as_data())

    for secret in ("djJ8the-ks", token):
        assert secret not in page
        assert secret not in repr(emulator.books.sessions)


def test_an_emulator_starts_again_on_its_port(
    emulator: Emulator, client: httpx.Client, open_session: OpenSession
) -> None:
    before = emulator.base_url
    open_session(before)
    emulator.stop()
    emulator.stop()
    with pytest.raises(httpx.ConnectError):
        client.post(before)

    assert emulator.start() is emulator
    assert emulator.start().base_url == before
    open_session(before)
    assert emulator.books.totals.opened == 2


def test_a_taken_port_is_one_line(emulator: Emulator, port: int) -> None:
    with pytest.raises(SettingError, match="another port, or 0 for any free one") as caught:
        Emulator(port=port).start()

    assert str(caught.value).startswith(f"the emulator cannot listen on port {port} of 127.0.0.1: ")
    assert "\n" not in str(caught.value)
    assert caught.value.setting == "port"


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 70_000), ("192.0.2.1", 0)])
def test_an_impossible_address_is_one_line(host: str, port: int) -> None:
    with pytest.raises(SettingError, match="the emulator cannot listen on port"):
        Emulator(host=host, port=port).start()


def test_ipv6_is_written_in_brackets() -> None:
    if not has_ipv6_loopback():
        pytest.skip("this machine has no IPv6 loopback")
    with Emulator(host="::1") as emulator:
        assert httpx.post(emulator.base_url).status_code == 401
        assert emulator.url.startswith("http://[::1]:")


def test_without_the_extra_one_line_says_what_to_install() -> None:
    code = """
import sys
sys.modules["starlette"] = None
from pytest_avatar.core.errors import SettingError
from pytest_avatar.emulator import Emulator
try:
    Emulator().start()
except SettingError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True
    )

    assert done.stdout == (
        "the emulator needs starlette, which is not installed. "
        'Install it: pip install "pytest-avatar[emulator]"\n'
    )


def has_ipv6_loopback() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True
