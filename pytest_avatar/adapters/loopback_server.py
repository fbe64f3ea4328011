"""An ASGI application on a socket, served by uvicorn's protocol in a thread of its own.

uvicorn's `Server` is not used: it logs under names that belong to the host process, looks only
every 0.1 s whether it should stop, and waits for clients that keep their connections open.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

from uvicorn.config import Config
from uvicorn.server import ServerState

from pytest_avatar.adapters.hang_up import HangUpProtocol

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable

    from starlette.types import ASGIApp

__all__ = ["BackgroundServer"]

_KEEP_ALIVE_SECONDS = 75
_PATIENCE_SECONDS = 5


class BackgroundServer:
    """Serves from `start` to `stop`.

    Args:
        app: What to serve.
        listener: A listening socket, which the server owns from now on.
        name: The `Server` header of every answer; `None` adds none.
        closing: What the application has to close in the server's own event loop, at the end.
    """

    def __init__(
        self,
        app: ASGIApp,
        listener: socket.socket,
        *,
        name: str | None,
        closing: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._closing = closing
        self._listener = listener
        self._config = Config(
            app,
            http=HangUpProtocol,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            proxy_headers=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        )
        self._state = ServerState()
        self._state.default_headers = [] if name is None else [(b"Server", name.encode())]
        self._serving = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name or "avatar-server", daemon=True)

    def start(self) -> None:
        """Begin to serve; who connects sooner waits in the listener's queue."""
        self._config.load()
        self._thread.start()
        self._serving.wait(_PATIENCE_SECONDS)

    def stop(self) -> None:
        """Close every connection, whatever it is doing, and wait for the thread to end."""
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(_PATIENCE_SECONDS)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        server = await self._loop.create_server(
            lambda: HangUpProtocol(self._config, self._state), sock=self._listener
        )
        self._serving.set()
        await self._stopping.wait()
        await self._stop_accepting(server)
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await self._hang_up()
            if self._closing is not None:
                await self._closing()

    async def _stop_accepting(self, server: asyncio.Server) -> None:
        """Close the listener, once what it has just accepted is a connection of the server's.

        asyncio fails to make a connection for a server that was closed since the accept.
        """
        self._loop.remove_reader(self._listener)
        await asyncio.sleep(0)
        server.close()

    async def _hang_up(self) -> None:
        """Close all connections; the requests they carry see that and end by themselves."""
        await asyncio.sleep(0)  # connections just made become known
        while self._state.connections or self._state.tasks:
            for connection in list(self._state.connections):
                connection.transport.abort()
            await asyncio.sleep(0)
