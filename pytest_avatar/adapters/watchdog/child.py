"""The watchdog itself, run by an isolated interpreter: `python -I -S`.

It begins with hardly a module, is ready in 10 ms and waits in 10 MB. The rest of the package is
imported only when there is something to do.

Messages travel in frames: four bytes of length, then as many bytes. The watchdog's first frame is
empty and says that it is ready; an empty frame from its owner says goodbye. The creates are made by
a child of the watchdog, the courier: it may be as big as HTTP takes, and wait for an answer.
"""

from __future__ import annotations

import os
import select
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from typing import NoReturn
else:  # the module `signal` imports `enum`, which doubles the time until we are ready
    import _signal as signal

__all__ = ["main", "read_frame", "write_frame"]

_STDIN, _STDOUT = 0, 1
_GLANCE = 0.5
_MOMENT = 1.0


def main(arguments: list[str]) -> NoReturn:
    """Wait until the owner is gone, end what it left open, and leave.

    Args:
        arguments: The owner's journal, its process id, that of the process whose death means that
            it has to stop (0 = none), the longest time to work and to wait for one answer, in
            seconds, the file of trusted authorities (empty = the system's), the socket of the
            courier (empty = none), and the scheme of the service.
    """
    journal, owner, shell, total, each, ca_file, channel, scheme = arguments
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    write_frame(_STDOUT, b"")
    courier = _Courier(int(channel), ca_file or None, scheme) if channel else None
    is_needed = _wait_for_the_end(_Owner(int(owner), int(shell)))
    if courier is not None:
        courier.let_go()
    if is_needed:
        from pytest_avatar.adapters.watchdog.duty import Duty  # noqa: PLC0415

        duty = Duty(journal, float(total), float(each), ca_file or None)
        if courier is not None and not courier.leaves_within(_MOMENT):
            duty.end_what_is_open()
            courier.leaves_within(duty.seconds_left)
        duty.end_what_is_open()
    if courier is not None:
        courier.see_off()
    os._exit(0)


def read_frame(file: int) -> bytes | None:
    """Read the next frame; `None` if the other side has closed the pipe."""
    length = _read_exactly(file, 4)
    return None if length is None else _read_exactly(file, int.from_bytes(length, "big"))


def write_frame(file: int, data: bytes) -> None:
    """Write a frame.

    Raises:
        OSError: The other side has closed the pipe.
    """
    rest = len(data).to_bytes(4, "big") + data
    while rest:
        rest = rest[os.write(file, rest) :]


def _read_exactly(file: int, size: int) -> bytes | None:
    data = b""
    while len(data) < size:
        piece = os.read(file, size - len(data))
        if not piece:
            return None
        data += piece
    return data


class _Owner:
    """The process that is watched.

    A pipe ends late if a forked child still holds it, and early if the owner closes what it does
    not know: so it only wakes us up, and the system is asked who lives. Windows has no fork, and
    there the pipe is all that is needed.
    """

    def __init__(self, pid: int, shell: int) -> None:
        self._pid = pid
        self._file = _open_pidfd(pid)
        self._shell = _open_pidfd(shell) if shell and self._file is not None else None

    def wait(self, *, listening: bool) -> bool:
        """Wait until there may be news; return whether something can be read from the pipe."""
        files = [file for file in (self._file, self._shell) if file is not None]
        if listening:
            files.append(_STDIN)
        ready, _, _ = select.select(files, [], [], None if self._file is not None else _GLANCE)
        if self._file is not None and self._shell in ready:
            self._shell = None
            signal.pidfd_send_signal(self._file, signal.SIGTERM)
        return _STDIN in ready

    def is_gone(self) -> bool:
        if os.getppid() != self._pid:
            return True
        return self._file is not None and bool(select.select([self._file], [], [], 0)[0])


def _open_pidfd(pid: int) -> int | None:
    """Return a file that can be read when the process is dead; `None` if the system has none."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None


def _wait_for_the_end(owner: _Owner) -> bool:
    """Wait until the owner has gone, or says goodbye; return whether it went without a word."""
    if sys.platform == "win32":
        return read_frame(_STDIN) is None
    listening = True
    while not owner.is_gone():
        if owner.wait(listening=listening):
            if read_frame(_STDIN) is not None:
                return False
            listening = False
    return True


class _Courier:
    """The process that makes the creates, forked while nothing but this thread runs here."""

    def __init__(self, channel: int, ca_file: str | None, scheme: str) -> None:
        leash, self._leash = os.pipe()
        self._sign_of_life, sign_of_life = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            os.close(self._leash)
            _be_courier(channel, leash, ca_file, scheme)
        for file in (channel, leash, sign_of_life):
            os.close(file)

    def let_go(self) -> None:
        """Let it leave when it has the answer that it waits for, which may open a session."""
        os.close(self._leash)

    def leaves_within(self, seconds: float) -> bool:
        """Wait until it has left, but no longer than that; return whether it has."""
        return bool(select.select([self._sign_of_life], [], [], seconds)[0])

    def see_off(self) -> None:
        """Leave no process behind."""
        if not self.leaves_within(_MOMENT):
            os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)


def _be_courier(channel: int, leash: int, ca_file: str | None, scheme: str) -> NoReturn:
    try:
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, _STDIN)
        os.dup2(nothing, _STDOUT)
        from pytest_avatar.adapters.watchdog.courier import serve  # noqa: PLC0415

        serve(channel, leash, ca_file, scheme)
    finally:
        os._exit(0)
