"""Which process of this machine is at the other end of a connection. Linux tells; others do not."""

from __future__ import annotations

import os
import socket
import struct
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Peers"]

# From linux/netlink.h, linux/sock_diag.h and linux/inet_diag.h.
_SOCK_DIAG: Final = 4
_BY_FAMILY: Final = 20
_REQUEST: Final = 1
_HEADER: Final = struct.Struct("=IHHII")
_QUESTION: Final = struct.Struct("=BBBBI")
_ENDS: Final = struct.Struct("!HH16s16s")
_ANY_SOCKET: Final = struct.pack("=III", 0, 0xFFFFFFFF, 0xFFFFFFFF)
_INODE: Final = struct.Struct("=I")
_INODE_AT: Final = _HEADER.size + 4 + _ENDS.size + len(_ANY_SOCKET) + 16
_PATIENCE_SECONDS: Final = 1

_TRIES: Final = 3
"""A port that was in use a moment ago may hide the connection that uses it now, for another one."""


class Peers:
    """Finds the processes that connect to one port of this machine.

    Args:
        port: The port.
        proc: Where the system tells of processes.
    """

    def __init__(self, port: int, proc: Path = Path("/proc")) -> None:
        self._port: Final = port
        self._proc: Final = proc
        self._known: Final[dict[int, None]] = {}

    def name(self, port: int) -> str | None:
        """Return number and command of the process that connects from a port, while it does.

        Never the whole command line, which may hold secrets.

        Args:
            port: The port at its end of the connection.

        Returns:
            `process 4711 (node announce.mjs)`; `None` if it cannot be known.
        """
        return next(filter(None, (self._look_for(port) for _ in range(_TRIES))), None)

    def _look_for(self, port: int) -> str | None:
        with suppress(OSError, ValueError, AttributeError):  # AF_NETLINK is Linux's
            inode = _inode(port, self._port)
            pid = None if inode is None else self._owner(f"socket:[{inode}]")
            if pid is not None:
                self._known[pid] = None
                return f"process {pid} ({self._command(pid)})"
        return None

    def _owner(self, link: str) -> int | None:
        """Return who holds a socket; those that connected before are asked first."""
        return next((pid for pid in self._candidates() if self._holds(pid, link)), None)

    def _candidates(self) -> Iterator[int]:
        yield from tuple(self._known)
        pids = (int(name) for name in os.listdir(self._proc) if name.isdecimal())  # noqa: PTH208 - fast
        yield from sorted((pid for pid in pids if pid not in self._known), reverse=True)

    def _holds(self, pid: int, link: str) -> bool:
        with suppress(OSError), os.scandir(self._proc / str(pid) / "fd") as files:
            for file in files:
                with suppress(OSError):
                    if os.readlink(file) == link:  # noqa: PTH115 - fast
                        return True
        return False

    def _command(self, pid: int) -> str:
        """Return the name of the program, and of its script if its first argument is a file."""
        folder = self._proc / str(pid)
        program = folder.joinpath("comm").read_text("utf-8", "replace").strip()
        arguments = folder.joinpath("cmdline").read_bytes().split(b"\0")
        script = os.fsdecode(arguments[1]) if len(arguments) > 1 else ""
        is_file = bool(script) and folder.joinpath("cwd", script).is_file()
        return f"{program} {Path(script).name}" if is_file else program


def _inode(port: int, other: int) -> int | None:
    """Return the number of the socket that is connected from one port to another.

    Asked of the kernel, since `/proc/net/tcp` lists every connection of the machine.
    """
    loopback = socket.inet_aton("127.0.0.1")
    ends = _ENDS.pack(port, other, loopback, loopback) + _ANY_SOCKET
    question = _QUESTION.pack(socket.AF_INET, socket.IPPROTO_TCP, 0, 0, 0xFFFFFFFF) + ends
    header = _HEADER.pack(_HEADER.size + len(question), _BY_FAMILY, _REQUEST, 0, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, _SOCK_DIAG) as kernel:
        kernel.settimeout(_PATIENCE_SECONDS)
        kernel.send(header + question)
        answer = kernel.recv(4096)
    if _HEADER.unpack_from(answer)[1] != _BY_FAMILY:
        return None  # an error: there is no such connection
    (inode,) = _INODE.unpack_from(answer, _INODE_AT)
    return int(inode) or None
