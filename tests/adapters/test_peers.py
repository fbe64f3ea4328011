from __future__ import annotations

import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

from pytest_avatar.adapters.peers import Peers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux tells who is at the other end of a connection"
)

CONNECTS: Final = """
import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as connection:
    connection.recv(1)
"""


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def port_of(listener: socket.socket) -> int:
    port: int = listener.getsockname()[1]
    return port


def test_a_process_is_named_while_it_is_connected(listener: socket.socket, tmp_path: Path) -> None:
    script = tmp_path / "announce.py"
    script.write_text(CONNECTS, "utf-8")
    peers = Peers(port_of(listener))
    arguments = [sys.executable, str(script), str(port_of(listener)), "--ks=djJ8c2VjcmV0"]
    for _ in range(2):  # the second is found among those that are known
        with subprocess.Popen(arguments) as process:
            connection, (_host, port) = listener.accept()
            with connection:
                name = peers.name(port)
        assert name is not None
        assert name.startswith(f"process {process.pid} (python")
        assert name.endswith(" announce.py)")
        assert peers.name(port) is None


def test_arguments_that_are_no_file_are_not_shown(listener: socket.socket) -> None:
    arguments = [sys.executable, "-c", CONNECTS, str(port_of(listener))]
    with subprocess.Popen(arguments) as process:
        connection, (_host, port) = listener.accept()
        with connection:
            name = Peers(port_of(listener)).name(port)
    assert name is not None
    assert name.startswith(f"process {process.pid} (python")
    assert "import" not in name


def test_a_socket_of_both_families_is_found_too(listener: socket.socket) -> None:
    with socket.socket(socket.AF_INET6) as both:
        both.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        both.connect(("::ffff:127.0.0.1", port_of(listener)))
        connection, (_host, port) = listener.accept()
        with connection:
            assert Peers(port_of(listener)).name(port) is not None


def test_nobody_is_named_where_the_system_does_not_tell(tmp_path: Path) -> None:
    assert Peers(1, tmp_path).name(2) is None
