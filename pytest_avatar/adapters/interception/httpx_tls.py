"""The TLS context of a client that asks for the usual one: in a replay all such clients share it.

Each `httpx.Client()` reads the whole CA bundle again (15 ms, or three times that with proxies in
the environment), in a replay mostly for nothing: what its client sends to the service is answered
from a cassette. So the bundle is read when the first of them connects after all. A shared context
checks certificates like any other, since httpx itself makes it.

Shared is only what nobody can change for others: a client that is given a context, a CA bundle or a
certificate of its own keeps them to itself.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from types import ModuleType

    from pytest_avatar.adapters.interception.patching import Patches

__all__ = ["share_tls_contexts"]

_VARIABLES: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")
"""What a context is made of besides the arguments of its client."""


def share_tls_contexts(library: ModuleType, patches: Patches) -> None:
    """Give the transports of httpx or httpx2 that are made from now on the contexts they share."""
    contexts = _SharedContexts(library)
    for transport in (library.HTTPTransport, library.AsyncHTTPTransport):
        patches.wrap(transport, "__init__", contexts.initialiser)


class _SharedContexts:
    """Gives the transports of one library their TLS contexts.

    Args:
        library: httpx or httpx2.
    """

    def __init__(self, library: ModuleType) -> None:
        import ssl  # noqa: PLC0415 - the library has imported it, and we need not before

        self._ssl: Final = ssl
        self._create: Final[Callable[..., ssl.SSLContext]] = library.create_ssl_context
        self._made: Final[dict[tuple[object, ...], ssl.SSLContext]] = {}

    def initialiser(self, original: Callable[..., None]) -> Callable[..., None]:
        """Return an `__init__` of transports that takes the shared context for the usual one."""

        def __init__(  # noqa: N807 - the name is looked at by whoever shows signatures
            transport: object,
            verify: Any = True,  # noqa: ANN401, FBT002 - httpx's own
            cert: object = None,
            *args: object,
            **options: Any,  # noqa: ANN401 - handed on
        ) -> None:
            if verify is True and cert is None and not args:
                verify = self._context(
                    trust_env=options.get("trust_env", True), http2=options.get("http2", False)
                )
            original(transport, verify, cert, *args, **options)

        return __init__

    def _context(self, *, trust_env: bool, http2: bool) -> ssl.SSLContext:
        """Return the context for these arguments, in the environment as it is now.

        httpx's connections write into it which protocols they speak, hence `http2` in the key.
        """
        surroundings = [os.environ.get(name) for name in _VARIABLES]
        key = (trust_env, http2, self._ssl.SSLContext, *surroundings, _stamp(surroundings[0]))
        if key not in self._made:
            self._made[key] = self._make(trust_env, is_usual=not any(surroundings))
        return self._made[key]

    def _make(self, trust_env: bool, *, is_usual: bool) -> ssl.SSLContext:  # noqa: FBT001 - httpx's
        """Return a context; its bundle is read later if nothing can go wrong with that."""
        if not is_usual or self._ssl.SSLContext.__module__ != "ssl":
            return self._create(trust_env=trust_env)
        from pytest_avatar.adapters.interception.late_tls import LateContext  # noqa: PLC0415 - ssl

        return LateContext(lambda: self._create(trust_env=False))  # what it is made of is not set


def _stamp(path: str | None) -> tuple[int, int] | None:
    """Return what changes with the content of a file; `None` if there is none."""
    try:
        found = os.stat(path) if path else None  # noqa: PTH116 - once for each client
    except OSError:
        return None
    return found and (found.st_mtime_ns, found.st_size)
