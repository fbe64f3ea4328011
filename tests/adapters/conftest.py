from __future__ import annotations

from tests.emulator.conftest import (  # fixtures of a running emulator
    client,
    emulator,
    open_session,
    port,
    session,
)

__all__ = ["client", "emulator", "open_session", "port", "session"]
