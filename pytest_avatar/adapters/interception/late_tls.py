"""A TLS context that is made when the first connection needs it."""

from __future__ import annotations

import ssl
import threading
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["LateContext"]


class LateContext(ssl.SSLContext):
    """Leaves every connection to a context that is made for the first of them.

    Whoever gets past these methods to OpenSSL finds a context that trusts nobody.
    """

    _make: Callable[[], ssl.SSLContext]
    _made: ssl.SSLContext | None
    _making: threading.Lock

    def __new__(cls, make: Callable[[], ssl.SSLContext]) -> Self:
        """Return a context.

        Args:
            make: Makes the context that checks certificates.
        """
        context = super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)
        context._make, context._made, context._making = make, None, threading.Lock()
        return context

    @property
    def _real(self) -> ssl.SSLContext:
        with self._making:
            if self._made is None:
                self._made = self._make()
            return self._made

    def set_alpn_protocols(self, alpn_protocols: Iterable[str]) -> None:
        """Say which protocols a connection may speak: httpx does so right before each."""
        self._real.set_alpn_protocols(alpn_protocols)

    def wrap_socket(self, *args: Any, **options: Any) -> ssl.SSLSocket:  # noqa: ANN401 - handed on
        """Secure a connection."""
        return self._real.wrap_socket(*args, **options)

    def wrap_bio(self, *args: Any, **options: Any) -> ssl.SSLObject:  # noqa: ANN401 - handed on
        """Secure a connection of an event loop."""
        return self._real.wrap_bio(*args, **options)
