"""uvicorn's HTTP/1.1 protocol, able to hang up, and to tell at once when its client did.

No ASGI application can do the one; the other takes a task of its own there, for every request.
"""

from __future__ import annotations

import logging
import socket
from typing import TYPE_CHECKING, Any, Final

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from asyncio import Future, Transport

    from starlette.types import Receive, Scope, Send
    from uvicorn.config import Config
    from uvicorn.server import ServerState

__all__ = ["GONE", "HANG_UP", "HangUpProtocol"]

HANG_UP: Final = "avatar.hang_up"
"""Key of an ASGI extension: a function that closes the connection once what is written is sent."""

GONE: Final = "avatar.gone"
"""Key of an ASGI extension: a future that is done once the connection is lost."""

_LOGGER: Final = logging.getLogger("pytest_avatar.emulator")
_LOGGER.addHandler(logging.NullHandler())


class HangUpProtocol(H11Protocol):
    """One connection. It logs nothing under uvicorn's names: those belong to the host process."""

    def __init__(self, config: Config, server_state: ServerState) -> None:
        super().__init__(config, server_state, app_state={})
        self.logger = _LOGGER
        self.access_log = False
        serve = self.app

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            extensions: dict[str, Any] = {HANG_UP: self.transport.close, GONE: self._gone}
            await serve({**scope, "extensions": extensions}, receive, send)

        self.app = app

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override] # as uvicorn
        """Send what is written at once: asyncio sees to that only where a socket says it is TCP.

        Otherwise the body of every answer would wait 40 ms for the client to confirm its headers.
        """
        connection: socket.socket = transport.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._gone: Future[None] = self.loop.create_future()
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell who is at work for this client."""
        super().connection_lost(exc)
        self._gone.set_result(None)
