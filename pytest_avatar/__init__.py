"""Pytest fixtures for Kaltura avatar sessions that always end, replay offline and never leak."""

from __future__ import annotations

TYPE_CHECKING = False  # the watchdog comes by here too, and does without the module `typing`
if TYPE_CHECKING:
    from typing import Final

    from pytest_avatar.adapters.client import (
        AsyncAvatarClient,
        AsyncAvatarSession,
        AvatarClient,
        AvatarSession,
    )
    from pytest_avatar.core.connection import ClientConnection, Turn
    from pytest_avatar.core.errors import (
        AvatarError,
        CassetteError,
        LeakError,
        ServiceError,
        ServiceUnreachableError,
        SessionGoneError,
        SettingError,
        UnexpectedAnswerError,
    )
    from pytest_avatar.core.ledger import SessionRecord
    from pytest_avatar.core.model import Token
    from pytest_avatar.core.settings import AvatarSettings
    from pytest_avatar.plugin.books import AvatarLedger
    from pytest_avatar.plugin.cassette import AvatarCassette
    from pytest_avatar.plugin.factory import AvatarSessionFactory
    from pytest_avatar.plugin.gateway import AvatarGateway

__all__ = [
    "AsyncAvatarClient",
    "AsyncAvatarSession",
    "AvatarCassette",
    "AvatarClient",
    "AvatarError",
    "AvatarGateway",
    "AvatarLedger",
    "AvatarSession",
    "AvatarSessionFactory",
    "AvatarSettings",
    "CassetteError",
    "ClientConnection",
    "LeakError",
    "ServiceError",
    "ServiceUnreachableError",
    "SessionGoneError",
    "SessionRecord",
    "SettingError",
    "Token",
    "Turn",
    "UnexpectedAnswerError",
]

if not TYPE_CHECKING:
    _MODULES: Final = {
        "adapters.client": {
            "AsyncAvatarClient",
            "AsyncAvatarSession",
            "AvatarClient",
            "AvatarSession",
        },
        "core.connection": {"ClientConnection", "Turn"},
        "core.ledger": {"SessionRecord"},
        "core.model": {"Token"},
        "core.settings": {"AvatarSettings"},
        "plugin.books": {"AvatarLedger"},
        "plugin.cassette": {"AvatarCassette"},
        "plugin.factory": {"AvatarSessionFactory"},
        "plugin.gateway": {"AvatarGateway"},
    }

    def __getattr__(name: str) -> object:
        """Import a public name when it is first asked for: httpx is slow to import."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module  # noqa: PLC0415 - only who asks for a name

        module = next((path for path, names in _MODULES.items() if name in names), "core.errors")
        return getattr(import_module(f"{__name__}.{module}"), name)

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
