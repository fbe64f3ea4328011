"""The watchdog, seen from the process that it watches."""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pytest_avatar.adapters.watchdog import child
from pytest_avatar.adapters.watchdog.child import read_frame, write_frame
from pytest_avatar.adapters.watchdog.relay import CreateRelay

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

__all__ = ["Watchdog", "ci_shell", "trusted_authorities"]

_READY_WITHIN: Final = 5.0
_GONE_WITHIN: Final = 2.0

_BEGIN: Final = f"""
import sys
sys.path.append(sys.argv[1])
from {child.__name__} import main
main(sys.argv[2:])
"""
"""What the interpreter runs. It would compile a script anew every time, a module it does not."""

_KEPT_VARIABLES: Final = frozenset(
    name
    for spelling in (
        *("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"),
        *("SSL_CERT_DIR", "SSL_CERT_FILE"),
        *("DYLD_LIBRARY_PATH", "LANG", "LD_LIBRARY_PATH", "PATH", "SYSTEMROOT"),
    )
    for name in (spelling, spelling.lower())
)
"""What the watchdog is given of our environment. Nothing by which a CI system finds the processes
of a job (`RUNNER_TRACKING_ID`, `BUILD_ID`, `JENKINS_NODE_COOKIE`), or it would die with the rest.
"""


class Watchdog:
    """A running watchdog of this process. Forked children leave it alone.

    Attributes:
        relay: What has creates made by its child; `None` where a process cannot fork.
    """

    def __init__(self, process: subprocess.Popen[bytes], relay: CreateRelay | None) -> None:
        self.relay: Final = relay
        self._process = process
        self._owner = os.getpid()
        self._is_ready = False
        assert process.stdin is not None
        assert process.stdout is not None
        self._stdin: Final = process.stdin
        self._stdout: Final = process.stdout

    @classmethod
    def start(
        cls,
        journal: Path,
        *,
        shell: int = 0,
        total: float = 20.0,
        each: float = 2.0,
        scheme: str = "http",
    ) -> Watchdog | str:
        """Start a watchdog, which makes ready while its owner goes on.

        Args:
            journal: The journal of this process.
            shell: The process whose death means that this one has to stop (`ci_shell`); 0 = none.
            total: For how long it tries to end what is open, s.
            each: How long it waits for one answer, s.
            scheme: That of the service: `https` takes its child longer to be ready.

        Returns:
            The watchdog, or why there is none.
        """
        numbers = map(str, (os.getpid(), shell, total, each))
        journal = journal.absolute()
        arguments = [str(journal), *numbers, trusted_authorities() or ""]
        try:
            return cls(*_spawn(journal, arguments, scheme))
        except OSError as error:
            return f"the watchdog could not be started: {error}"

    def why_not_ready(self) -> str | None:
        """Wait until it is ready; return why it will never be, `None` if it is.

        Nothing may be created before.
        """
        if not self._is_ready:
            with self._limit(_READY_WITHIN):
                self._is_ready = read_frame(self._stdout.fileno()) is not None
        if self._is_ready:
            return None
        self._see_off()
        status = self._process.returncode
        return f"the watchdog was not ready within {_READY_WITHIN:g} s (exit status {status})"

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def stop(self) -> None:
        """Let it go, as nothing is open any more: it leaves at once. Twice is harmless."""
        if os.getpid() == self._owner and self._process.returncode is None:
            if self.relay is not None:
                self.relay.close()  # its child leaves at the same time, not when it is told to
            with suppress(OSError):
                write_frame(self._stdin.fileno(), b"")
            self._see_off()

    def leave(self) -> None:
        """Let it stay: when this process has gone, it ends what is still open."""
        self._close()
        self._process.returncode = 0  # or Popen warns that it still runs, which is what we want

    @contextmanager
    def _limit(self, seconds: float) -> Generator[None]:
        """Kill a watchdog that makes us wait for longer."""
        timer = threading.Timer(seconds, self._process.kill)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _see_off(self) -> None:
        self._stdin.close()
        with self._limit(_GONE_WITHIN):
            self._stdout.read()
        self._close()
        self._process.wait()

    def _close(self) -> None:
        self._stdin.close()
        self._stdout.close()
        if self.relay is not None:
            self.relay.close()


def trusted_authorities() -> str | None:
    """Return the file of certificates that httpx trusts here; `None` if the environment says."""
    if "SSL_CERT_FILE" in os.environ or "SSL_CERT_DIR" in os.environ:
        return None
    found = importlib.util.find_spec("certifi")
    if found is None or found.origin is None:
        return None
    return str(Path(found.origin).with_name("cacert.pem"))


def ci_shell(environ: Mapping[str, str] = os.environ) -> int:
    """Return the process that stands for the step of a CI job; 0 if there is none to watch.

    When a step is cancelled, GitHub Actions tells its shell and nobody else. What a shell puts into
    the background, it shields from SIGINT, and such a process is meant to live longer.
    """
    in_ci = "GITHUB_ACTIONS" in environ or "JENKINS_URL" in environ
    in_background = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    parent = os.getppid()
    return parent if in_ci and not in_background and parent > 1 else 0


def _spawn(
    journal: Path, arguments: list[str], scheme: str
) -> tuple[subprocess.Popen[bytes], CreateRelay | None]:
    """Start the process; with a socket for the creates where it can fork."""
    if not hasattr(os, "fork"):
        return _run([*arguments, "", scheme]), None
    ours, its = socket.socketpair()
    with its:
        try:
            number = its.fileno()
            return _run([*arguments, str(number), scheme], number), CreateRelay(ours, journal)
        except BaseException:
            ours.close()
            raise


def _run(arguments: list[str], *files: int) -> subprocess.Popen[bytes]:
    package = Path(child.__file__).parents[3]
    return subprocess.Popen(  # noqa: S603 - our own interpreter on our own module
        [sys.executable, "-I", "-S", "-c", _BEGIN, str(package), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        cwd=os.path.abspath(os.sep),  # noqa: PTH100 - the root of whatever drive this is
        env={name: value for name, value in os.environ.items() if name in _KEPT_VARIABLES},
        start_new_session=True,
        pass_fds=files,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )
