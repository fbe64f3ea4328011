"""The last line of defence in replay: no socket of this process reaches the service.

An audit hook hears of every connection and every look-up, from every thread and library, whoever
bound which function when. It cannot be removed again, so there is one for the life of the process.
"""

from __future__ import annotations

import functools
import ipaddress
import socket
import sys
import threading
from typing import TYPE_CHECKING, Any, Final

from pytest_avatar.adapters.interception.importing import when_imported
from pytest_avatar.adapters.interception.patching import Patches
from pytest_avatar.core.errors import CassetteError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from types import ModuleType

    from pytest_avatar.core.http import BaseUrl

    Coroutine = Callable[..., Awaitable[object]]

__all__ = ["EMULATOR_ADVICE", "REPLAY_ADVICE", "Guard"]

REPLAY_ADVICE: Final = (
    "Expected: an answer from a cassette, which httpx, requests, urllib3, http.client, "
    "urllib.request, httplib2, aiohttp and tornado get. Seen: a client that goes around them. Send "
    "the request through one of these or through the avatar_gateway fixture, or run with "
    "--avatar-mode=live."
)
EMULATOR_ADVICE: Final = (
    "Expected: a request to the embedded emulator. Seen: one to the service itself. Have the code "
    "under test take the base URL from AVATAR_BASE_URL, or hand it avatar_settings.base_url."
)

_ANY_ADDRESS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where connects to it end
_LOCALHOST: Final = frozenset({"127.0.0.1", "::1"})


class Guard:
    """Refuses the service's address and port, and to look up its name, while it is on.

    Another host behind the same address stays reachable, and so do other ports of this machine if
    the service is an emulator on it. Not seen: programs, and libraries without Python's sockets. A
    name given to `socket.connect` is looked up before anybody is asked, and refused only then.

    Args:
        base: The address of the service.
        refused: Hears of each refusal: who is refused may swallow the error. Called in any thread.
        advice: What was expected, what was seen, and what to do.
    """

    def __init__(
        self, base: BaseUrl, refused: Callable[[str], None], advice: str = REPLAY_ADVICE
    ) -> None:
        self._base = base
        self._advice = advice
        self._refused = refused
        self._addresses = _addresses(base.host)
        self._name = None if self._addresses else _name(base.host)
        self._patches = Patches()

    def on(self) -> None:
        """Refuse from now on. Harmless when repeated."""
        _add_hook()
        if self not in _guards:
            _guards.append(self)
            self._patches.on_undo(when_imported({"uvloop": self._wrap_uvloop}))

    def off(self) -> None:
        """Refuse nothing any more. Harmless when repeated."""
        if self in _guards:
            _guards.remove(self)
            self._patches.undo()

    def check_address(self, address: object) -> None:
        """Refuse to connect to the service.

        Raises:
            CassetteError: The address is the service's.
        """
        match address:
            case (str() | bytes() as host, int() as port, *_):
                if port == self._base.port and self._addresses & _addresses(host):
                    self._refuse(f"a connection to {self._base.host}:{port}")
                self.check_name(host)

    def check_name(self, host: object) -> None:
        """Refuse to look up the service's name.

        Raises:
            CassetteError: The name is the service's.
        """
        if self._name is not None and isinstance(host, str | bytes) and _name(host) == self._name:
            self._refuse(f"a look-up of {self._name}")

    def _refuse(self, what: str) -> None:
        message = (
            f"pytest-avatar refused {what}, in thread {threading.current_thread().name}: in this "
            f"mode nothing of this run may reach the avatar service at {self._base}. {self._advice}"
        )
        self._refused(message)
        raise CassetteError(message)

    def _wrap_uvloop(self, uvloop: ModuleType) -> None:
        """Listen where uvloop opens connections and looks up names without Python's sockets."""
        self._patches.wrap(uvloop.Loop, "create_connection", self._uvloop_connects)
        self._patches.wrap(uvloop.Loop, "getaddrinfo", self._uvloop_looks_up)

    def _uvloop_connects(self, original: Coroutine) -> Coroutine:
        async def create_connection(
            loop: object,
            factory: object,
            host: object = None,
            port: object = None,
            **options: object,
        ) -> object:
            self.check_address((host, port))
            return await original(loop, factory, host, port, **options)

        return create_connection

    def _uvloop_looks_up(self, original: Coroutine) -> Coroutine:
        async def getaddrinfo(
            loop: object, host: object, *args: object, **options: object
        ) -> object:
            self.check_name(host)
            return await original(loop, host, *args, **options)

        return getaddrinfo


def _addresses(host: str | bytes) -> frozenset[str]:
    """Return the literal addresses that a host means without a look-up, each in one spelling."""
    text = _name(host)
    if text == "localhost" or text.endswith(".localhost"):
        return _LOCALHOST
    try:
        address = ipaddress.ip_address(text.partition("%")[0] or "0.0.0.0")  # noqa: S104 - see above
    except ValueError:
        return _legacy_addresses(text)
    mapped = getattr(address, "ipv4_mapped", None) or address
    return frozenset({_ANY_ADDRESS.get(str(mapped), str(mapped))})


def _legacy_addresses(text: str) -> frozenset[str]:
    """Read what `connect` also takes for an IPv4 address: `127.1`, `0x7f000001`."""
    try:
        return frozenset({socket.inet_ntoa(socket.inet_aton(text))})
    except (OSError, ValueError):
        return frozenset()


def _name(host: str | bytes) -> str:
    """Return a host in the one spelling in which names are compared."""
    text = host if isinstance(host, str) else host.decode("latin-1")
    text = text.strip("[]").rstrip(".").lower()
    try:
        return text.encode("idna").decode("ascii")
    except UnicodeError:
        return text


_guards: Final[list[Guard]] = []
"""Those that are on. An audit hook has no other way to be told."""

_CHECKS: Final[Mapping[str, tuple[Callable[[Guard, object], None], int]]] = {
    "socket.connect": (Guard.check_address, 1),
    "socket.sendto": (Guard.check_address, 1),
    "socket.getaddrinfo": (Guard.check_name, 0),
    "socket.gethostbyaddr": (Guard.check_name, 0),
    "socket.gethostbyname": (Guard.check_name, 0),
}
"""What to check for an event, and which of its arguments."""


@functools.cache
def _add_hook() -> None:
    sys.addaudithook(_hook)


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if event in _CHECKS:
        check, position = _CHECKS[event]
        try:
            for guard in _guards:
                check(guard, args[position])
        except CassetteError:
            if event == "socket.connect":
                args[0].close()  # who connects closes the socket after an OSError only
            raise
