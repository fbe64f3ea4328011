"""aiohttp, from 3.12.6 on: a client middleware, the innermost of every request.

An answer from a tape goes through aiohttp's own parser, on a connection that leads nowhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_avatar.adapters.interception.bodies import read_response, write_response
from pytest_avatar.core.errors import AvatarError
from pytest_avatar.core.http import Request

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping
    from types import ModuleType

    import aiohttp

    from pytest_avatar.adapters.interception.patching import Patches
    from pytest_avatar.core.http import Response
    from pytest_avatar.core.interception import Interceptor

    Handler = Callable[[aiohttp.ClientRequest], Awaitable[aiohttp.ClientResponse]]

__all__ = ["hooks"]


def hooks(interceptor: Interceptor, patches: Patches) -> Mapping[str, Callable[[ModuleType], None]]:
    """Return what to call with each module once it is imported."""

    def wrap(library: ModuleType) -> None:
        if not hasattr(library.ClientRequest, "update_body"):
            raise AvatarError(
                f"aiohttp {library.__version__} is imported, and pytest-avatar cannot hear what it "
                "sends: expected 3.12.6 or later. Install that, or run with -p no:avatar."
            )
        seam = _Seam(library, interceptor)
        patches.wrap(library.ClientSession, "_request", seam.request)

    return {"aiohttp": wrap}


class _Seam:
    def __init__(self, library: ModuleType, interceptor: Interceptor) -> None:
        self._library = library
        self._interceptor = interceptor
        self._unsent = (library.ClientConnectorError, library.ConnectionTimeoutError)

    def request(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """Put our middleware behind those of the session or of the request."""

        async def _request(
            session: Any,  # noqa: ANN401 - its middlewares are private
            *args: object,
            middlewares: Iterable[object] | None = None,
            **options: object,
        ) -> aiohttp.ClientResponse:
            own = session._middlewares if middlewares is None else middlewares  # noqa: SLF001
            response: aiohttp.ClientResponse = await original(
                session, *args, middlewares=(*own, self._middleware), **options
            )
            return response

        return _request

    async def _middleware(
        self, request: aiohttp.ClientRequest, send: Handler
    ) -> aiohttp.ClientResponse:
        if not self._interceptor.concerns(str(request.url)):
            return await send(request)
        body = await _settle_body(request)
        seen = Request(request.method, str(request.url), tuple(request.headers.items()), body)
        exchange = self._interceptor.begin(seen, "aiohttp")
        if exchange.answer is not None:
            return await self._replay(exchange.answer, request)
        try:
            response = await send(request)
            received = await response.read()
        except BaseException as error:
            exchange.failed(error, sent=not isinstance(error, self._unsent))
            raise
        exchange.answered(
            read_response(
                response.status, response.reason or "", tuple(response.headers.items()), received
            )
        )
        response.content = self._stream_of(received, request)
        return response

    async def _replay(
        self, answer: Response, request: aiohttp.ClientRequest
    ) -> aiohttp.ClientResponse:
        protocol = self._library.client_proto.ResponseHandler(request.loop)
        protocol.connection_made(_NoTransport())
        protocol.set_response_params(skip_payload=request.method == "HEAD", read_until_eof=True)
        connection: Any = _NoConnection(protocol)
        response = await request.send(connection)
        protocol.data_received(write_response(answer, request.method))
        return await response.start(connection)

    def _stream_of(self, body: bytes, request: aiohttp.ClientRequest) -> aiohttp.StreamReader:
        """Return a body as a stream, for clients that do not read it as a whole."""
        protocol = self._library.base_protocol.BaseProtocol(request.loop)
        stream: aiohttp.StreamReader = self._library.StreamReader(
            protocol, len(body) + 1, loop=request.loop
        )
        stream.feed_data(body)
        stream.feed_eof()
        return stream


async def _settle_body(request: aiohttp.ClientRequest) -> bytes:
    """Return the whole body, and make sure that the request still has it."""
    payload: Any = request.body
    if not payload:
        return b""
    body: bytes = await payload.as_bytes()
    await request.update_body(body)
    return body


class _NoTransport:
    """Takes what is written, and sends it nowhere."""

    def write(self, data: object) -> None:
        """Send nothing."""

    writelines = write

    def is_closing(self) -> bool:
        return False

    def get_extra_info(self, name: str) -> None:
        """There is no socket to know anything of."""

    def close(self) -> None:
        """There is nothing to close."""

    abort = pause_reading = resume_reading = close


class _NoConnection:
    """What aiohttp needs of a connection while it reads an answer."""

    force_close = False

    def __init__(self, protocol: object) -> None:
        self.protocol = protocol
        self._connector = self

    def add_callback(self, callback: Callable[[], None]) -> None:
        """Call at once what waits for the end: a time limit has nothing to do here."""
        callback()

    def release(self) -> None:
        """There is no pool to go back to."""

    close = release
