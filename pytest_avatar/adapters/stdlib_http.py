"""Requests sent with nothing but the standard library, for processes that have nothing else."""

from __future__ import annotations

import ssl
import urllib.request
from http.client import HTTPException
from typing import TYPE_CHECKING

from pytest_avatar.core.http import BaseUrl, Response

if TYPE_CHECKING:
    from pytest_avatar.core.http import Request

__all__ = ["StdlibSender"]


class StdlibSender:
    """Sends requests, from any thread. Never follows a redirect.

    Proxies and certificates are taken from the environment, but no proxy stands between us and this
    machine.

    Args:
        ca_file: The authorities to trust; `None` trusts those that the system or the environment
            names.
    """

    def __init__(self, ca_file: str | None = None) -> None:
        https = urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=ca_file))
        self._direct = _opener(urllib.request.HTTPHandler(), https)
        self._usual = _opener(urllib.request.ProxyHandler(), urllib.request.HTTPHandler(), https)

    def send(self, request: Request, timeout: float) -> Response:
        """Send a request and return the whole answer, whatever its status.

        Args:
            request: What to send.
            timeout: Longest wait for a connection, and then for each piece of the answer, s.

        Raises:
            OSError: No whole answer came.
            ValueError: The URL is none.
        """
        prepared = urllib.request.Request(  # noqa: S310 - only ever a base URL that was checked
            request.url, request.body, dict(request.headers), method=request.method
        )
        opener = self._direct if BaseUrl(request.url).is_loopback else self._usual
        try:
            with opener.open(prepared, timeout=timeout) as answer:
                return Response(
                    answer.status,
                    tuple(answer.headers.items()),
                    answer.read(),
                    answer.reason,
                )
        except HTTPException as error:
            raise ConnectionError(f"{type(error).__name__}: {error}") from error


def _opener(*handlers: urllib.request.BaseHandler) -> urllib.request.OpenerDirector:
    opener = urllib.request.OpenerDirector()
    for handler in handlers:
        opener.add_handler(handler)
    return opener
