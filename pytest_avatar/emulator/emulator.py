"""The emulator in this process: the service on a loopback port, from `with` to its end."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Final, Self

from pytest_avatar.core.errors import SettingError
from pytest_avatar.core.wire import BaseUrl
from pytest_avatar.emulator.faults import Fault, FaultScript
from pytest_avatar.emulator.service import BASE_PATH, Service

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from pytest_avatar.adapters.loopback_server import BackgroundServer
    from pytest_avatar.emulator.books import Books
    from pytest_avatar.emulator.switches import Switches

__all__ = ["Emulator"]

_NAME: Final = "pytest-avatar-emulator"
_HIGHEST_PORT: Final = 65_535


class Emulator:
    """A stand-in for the avatar service. Use it as a context manager, or `start` and `stop` it.

    Args:
        ks: The only KS that may create; `None` takes any.
        unauthorised_ks: KSs that are valid but may not create (403).
        switches: What it does where the service's sources disagree; `None` takes the defaults.
        faults: What goes wrong, consumed in order.
        host: The address it listens on.
        port: The port; 0 takes any free one.
    """

    def __init__(
        self,
        *,
        ks: str | None = None,
        unauthorised_ks: Collection[str] = (),
        switches: Switches | None = None,
        faults: Iterable[Fault] = (),
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self._service = Service(
            BaseUrl(f"http://emulator{BASE_PATH}"),
            ks=ks,
            unauthorised_ks=unauthorised_ks,
            switches=switches,
        )
        self._script = FaultScript(faults)
        self._host = host
        self._port = port
        self._server: BackgroundServer | None = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The root, where the page of books is. The port is known once it has started."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    @property
    def base_url(self) -> str:
        """The base URL of the Control API. The port is known once it has started."""
        return f"{self.url}{BASE_PATH}"

    @property
    def books(self) -> Books:
        """What it saw, also after it has stopped."""
        return self._service.books

    @property
    def pending_faults(self) -> tuple[Fault, ...]:
        """The faults still to come."""
        return self._script.pending

    def add_fault(self, *faults: Fault) -> None:
        """Append faults to those still to come."""
        self._script.add(*faults)

    def clear_faults(self) -> None:
        """Forget the faults still to come."""
        self._script.clear()

    def start(self) -> Self:
        """Begin to listen, if it does not yet; once stopped, it can start again on the same port.

        Raises:
            SettingError: The `emulator` extra is not installed, or the address cannot be used.
        """
        if self._server is not None:
            return self
        try:
            from pytest_avatar.adapters.loopback_server import BackgroundServer  # noqa: PLC0415 - the same
            from pytest_avatar.emulator.app import build_app  # noqa: PLC0415 - needs the extra
        except ModuleNotFoundError as error:
            package = (error.name or "Starlette").partition(".")[0]
            raise SettingError(
                f"the emulator needs {package}, which is not installed. "
                'Install it: pip install "pytest-avatar[emulator]"',
                setting="emulator",
            ) from error
        listener = self._listen()
        self._port = listener.getsockname()[1]
        self._server = BackgroundServer(
            build_app(self._service, self._script), listener, name=_NAME
        )
        self._server.start()
        return self

    def stop(self) -> None:
        """Close every connection and stop listening. Harmless if it does not run."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    def _listen(self) -> socket.socket:
        if not 0 <= self._port <= _HIGHEST_PORT:
            raise self._unusable(f"ports end at {_HIGHEST_PORT}")
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        try:
            return socket.create_server((self._host, self._port), family=family, backlog=1024)
        except OSError as error:
            reason, *_address = (error.strerror or str(error)).split(" (while attempting ")
            raise self._unusable(reason) from error

    def _unusable(self, reason: str) -> SettingError:
        return SettingError(
            f"the emulator cannot listen on port {self._port} of {self._host}: {reason}. "
            "Choose another port, or 0 for any free one.",
            setting="port",
        )
