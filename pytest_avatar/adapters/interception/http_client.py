"""http.client, and with it urllib.request, urllib3, requests and httplib2.

What is wrapped are methods of the one class that all of them inherit from, so connections, pools
and functions that exist already are covered. A request to the service is held back until it is
whole; an answer from a tape goes to the client through the original `getresponse`, as bytes from
a socket that is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from pytest_avatar.adapters.interception.bodies import read_response, write_response
from pytest_avatar.adapters.interception.incoming import AnswerSocket, read_whole
from pytest_avatar.adapters.interception.outgoing import Outgoing
from pytest_avatar.core.http import Request, header

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from http.client import HTTPConnection, HTTPResponse
    from types import ModuleType

    from pytest_avatar.adapters.interception.patching import Patches
    from pytest_avatar.core.interception import Exchange, Interceptor

    Method = Callable[..., Any]

__all__ = ["hooks"]

_AGENTS: Final = {"python-requests": "requests", "Python-urllib": "urllib.request"}
"""Libraries that send through the connections of others, by the User-Agent they send."""


def hooks(interceptor: Interceptor, patches: Patches) -> Mapping[str, Callable[[ModuleType], None]]:
    """Return what to call with each module once it is imported."""
    seam = _Seam(interceptor, patches)
    return {
        "http.client": seam.wrap_http_client,
        "urllib3.connection": lambda urllib3: seam.wrap_connects(
            urllib3.HTTPConnection, urllib3.HTTPSConnection
        ),
        "httplib2": lambda httplib2: seam.wrap_connects(
            httplib2.HTTPConnectionWithTimeout, httplib2.HTTPSConnectionWithTimeout
        ),
    }


class _Seam:
    """The wrappers, and what is under way on which connection.

    A request to another place stands there as `None`; a connection at rest does not stand there.
    """

    def __init__(self, interceptor: Interceptor, patches: Patches) -> None:
        self._interceptor = interceptor
        self._patches = patches
        self._under_way: WeakKeyDictionary[HTTPConnection, Outgoing | None] = WeakKeyDictionary()
        self._not_ready: type[Exception] = Exception
        self._original_send: Method

    def wrap_http_client(self, module: ModuleType) -> None:
        self._not_ready = module.ResponseNotReady
        self._original_send = module.HTTPConnection.send
        self._patches.wrap(module.HTTPConnection, "putrequest", self._putrequest)
        self._patches.wrap(module.HTTPConnection, "send", self._send)
        self._patches.wrap(module.HTTPConnection, "getresponse", self._getresponse)
        self._patches.wrap(module.HTTPConnection, "close", self._close)
        self.wrap_connects(module.HTTPConnection, module.HTTPSConnection)

    def wrap_connects(self, *classes: type) -> None:
        """Wrap every `connect` that somebody calls before the path is known."""
        for owner in classes:
            self._patches.wrap(owner, "connect", self._connect)

    def _putrequest(self, original: Method) -> Method:
        def putrequest(
            connection: HTTPConnection, method: str, url: str, *args: object, **options: object
        ) -> None:
            original(connection, method, url, *args, **options)
            full = _full_url(connection, url or "/")
            ours = self._interceptor.concerns(full)
            self._under_way[connection] = Outgoing(method, full) if ours else None

        return putrequest

    def _send(self, original: Method) -> Method:
        def send(connection: HTTPConnection, data: Any) -> None:  # noqa: ANN401 - as the original
            outgoing = self._under_way.get(connection)
            if outgoing is None or outgoing.exchange is not None:
                original(connection, data)
                return
            outgoing.write(data)
            if outgoing.is_whole:
                self._depart(connection, outgoing)

        return send

    def _getresponse(self, original: Method) -> Method:
        def getresponse(connection: HTTPConnection) -> HTTPResponse:
            outgoing = self._under_way.get(connection)
            if outgoing is not None and outgoing.exchange is None and outgoing.has_head:
                self._depart(connection, outgoing)
            self._under_way.pop(connection, None)
            try:
                return self._answer(original, connection, _exchange_of(outgoing))
            except self._not_ready:
                self._under_way[connection] = outgoing
                raise

        return getresponse

    def _close(self, original: Method) -> Method:
        def close(connection: HTTPConnection) -> None:
            exchange = _exchange_of(self._under_way.pop(connection, None))
            if exchange is not None and exchange.answer is None:
                exchange.failed(ConnectionAbortedError("closed before the answer was read"))
            original(connection)

        return close

    def _connect(self, original: Method) -> Method:
        def connect(connection: Any) -> None:  # noqa: ANN401 - `is_verified` is urllib3's
            if not (self._interceptor.offline and self._might_be_ours(connection)):
                original(connection)
            elif hasattr(connection, "is_verified"):
                connection.is_verified = True  # or urllib3 warns

        return connect

    def _might_be_ours(self, connection: HTTPConnection) -> bool:
        """Whether a connection is opened before its first request, and leads to the service."""
        if connection in self._under_way:
            return False
        return self._interceptor.concerns(_full_url(connection, self._interceptor.base.path))

    def _depart(self, connection: HTTPConnection, outgoing: Outgoing) -> None:
        """Begin the exchange; send the request unless it is answered already."""
        del self._under_way[connection]
        request = outgoing.to_request()
        exchange = self._interceptor.begin(request, _client_name(connection, request))
        outgoing.exchange = exchange
        self._under_way[connection] = outgoing
        if exchange.answer is None:
            self._dispatch(connection, bytes(outgoing.raw), exchange)
        else:
            wire = write_response(exchange.answer, request.method)
            connection.sock = AnswerSocket(wire, connection.sock)

    def _dispatch(self, connection: HTTPConnection, raw: bytes, exchange: Exchange) -> None:
        connected = False
        try:
            if connection.sock is None and connection.auto_open:
                connection.connect()
            connected = connection.sock is not None
            self._original_send(connection, raw)
        except BaseException as error:
            self._under_way[connection] = None
            exchange.failed(error, sent=connected)
            raise

    def _answer(
        self, original: Method, connection: HTTPConnection, exchange: Exchange | None
    ) -> HTTPResponse:
        if exchange is None:
            response: HTTPResponse = original(connection)
            return response
        if exchange.answer is not None:
            return _replay(original, connection)
        return self._hear(original, connection, exchange)

    def _hear(
        self, original: Method, connection: HTTPConnection, exchange: Exchange
    ) -> HTTPResponse:
        """Read the whole answer, report it, and let the client read it again."""
        try:
            response: HTTPResponse = original(connection)
            body, fault = read_whole(response)
        except self._not_ready:
            raise
        except BaseException as error:
            exchange.failed(error)
            raise
        if fault is not None:
            exchange.failed(fault)
        else:
            headers = tuple(response.headers.items())
            exchange.answered(read_response(response.status, response.reason, headers, body))
        return response


def _exchange_of(outgoing: Outgoing | None) -> Exchange | None:
    return None if outgoing is None else outgoing.exchange


def _replay(original: Method, connection: Any) -> HTTPResponse:  # noqa: ANN401 - see AnswerSocket
    """Let the original read the answer, then put back the connection's own socket, if any.

    The connection lets go of the answer: a pool that gives the connection to another thread closes
    it first, as it has no socket, and with it the answer that is still being read.
    """
    answer = connection.sock
    response: HTTPResponse = original(connection)
    if connection.sock is answer:
        connection.sock = answer.before
    connection._HTTPConnection__response = None  # noqa: SLF001 - nothing else lets go of it
    return response


def _full_url(connection: Any, url: str) -> str:  # noqa: ANN401 - typeshed leaves out the tunnel
    """Return the URL that a request line means on this connection."""
    if url.lower().startswith(("http://", "https://")):
        return url  # a proxy gets the whole URL
    scheme = "https" if connection.default_port == 443 else "http"
    host, port = connection.host, connection.port
    if connection._tunnel_host:  # noqa: SLF001 - there is no other way to know
        host, port = connection._tunnel_host, connection._tunnel_port  # noqa: SLF001 - as above
    host = host.strip("[]")
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}{url}"


def _client_name(connection: HTTPConnection, request: Request) -> str:
    agent = (header(request.headers, "user-agent") or "").partition("/")[0]
    module = type(connection).__module__
    return _AGENTS.get(agent) or (module if module == "http.client" else module.partition(".")[0])
