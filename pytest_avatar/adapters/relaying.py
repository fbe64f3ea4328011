"""A sender whose creates are made by another process, which outlives this one."""

from __future__ import annotations

import urllib.request
from typing import TYPE_CHECKING, Final

import httpx

from pytest_avatar.adapters.http import Sender
from pytest_avatar.adapters.interception.bodies import read_response
from pytest_avatar.adapters.watchdog.relay import RelayError
from pytest_avatar.core.http import Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_avatar.adapters.watchdog.relay import CreateRelay
    from pytest_avatar.core.http import BaseUrl, Response
    from pytest_avatar.core.interception import Exchange, Interceptor

__all__ = ["RelayingSender"]


class RelayingSender(Sender):
    """Sends all but creates itself, and those too if there is nobody else to do it.

    Whoever listens to this process hears of a create as if httpx had sent it.

    Args:
        interceptor: Has to hear of the creates, as no client of this process sends them.
        relay: Returns what has creates made; `None` if there is none.
    """

    def __init__(self, interceptor: Interceptor, relay: Callable[[], CreateRelay | None]) -> None:
        super().__init__(interceptor.base)
        self._interceptor: Final = interceptor
        self._relay: Final = relay
        self._is_proxied: Final = _has_proxy(interceptor.base)

    def _send(self, request: httpx.Request) -> Response:
        relay = self._relay_for(request)
        if relay is None:
            return super()._send(request)
        request.headers["accept-encoding"] = "identity"  # the other process has no decoder
        exchange = self._interceptor.begin(_seen(request), "httpx")
        try:
            return self._relayed(request, exchange, relay)
        except RelayError as error:
            exchange.failed(error, sent=error.sent)
            if error.kind:
                raise getattr(httpx, error.kind)(str(error), request=request) from error
        return super()._send(request)

    def _relayed(self, request: httpx.Request, exchange: Exchange, relay: CreateRelay) -> Response:
        """Have a create made, and return the answer as httpx would understand it."""
        assert exchange.key is not None
        came = relay.send(
            exchange.request,
            key=exchange.key,
            base_url=str(self._interceptor.base),
            timeout=request.extensions["timeout"]["read"],
        )
        headers = tuple([(name.lower(), value) for name, value in came.headers])
        answer = read_response(came.status, came.reason, headers, came.body)
        exchange.answered(answer)
        return answer

    def _relay_for(self, request: httpx.Request) -> CreateRelay | None:
        if self._is_proxied or not request.headers["authorization"].startswith("KS "):
            return None
        relay = self._relay()
        return relay if relay is not None and relay.is_free else None


def _seen(request: httpx.Request) -> Request:
    headers = tuple(request.headers.multi_items())
    return Request(request.method, str(request.url), headers, request.content)


def _has_proxy(base: BaseUrl) -> bool:
    """Whether httpx may reach the service through a proxy, of which the relay knows nothing."""
    proxies = urllib.request.getproxies().keys()
    return not base.is_loopback and not proxies.isdisjoint({base.scheme, "all"})
