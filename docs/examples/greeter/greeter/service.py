"""Opens an avatar session for each visitor, greets, and ends it."""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass
from typing import Final, Self

import httpx

__all__ = ["GreetingService", "compose_greeting"]

_AVATAR: Final = os.environ.get("AVATAR_ID", "receptionist")


@dataclass(frozen=True)
class _Session:
    id: str
    token: str


def compose_greeting(name: str) -> str:
    """Return what the avatar says to a visitor."""
    name = name.strip()
    return f"Welcome, {name}!" if name else "Welcome!"


class GreetingService:
    """Greets visitors. Reads AVATAR_BASE_URL and AVATAR_KS from the environment."""

    def __init__(self) -> None:
        self._base_url: Final = os.environ.get(
            "AVATAR_BASE_URL", "https://api.avatar.us.kaltura.ai/v1/avatar-session"
        )
        self._ks: Final = os.environ["AVATAR_KS"]
        self._http: Final = httpx.Client()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def greet(self, name: str) -> str:
        """Greet a visitor; the session ends, whatever happens."""
        session = self._open()
        try:
            return self._say(session, compose_greeting(name))
        finally:
            self._call(session, "end", {})

    def greet_and_forget(self, name: str) -> str:
        """Greet a visitor, and forget to end the session: a leak."""
        return self._say(self._open(), compose_greeting(name))

    def _open(self) -> _Session:
        answer = self._http.post(
            self._base_url,
            headers={"Authorization": f"KS {self._ks}"},
            json={"visualConfig": {"avatarId": _AVATAR}},
        )
        opened = answer.raise_for_status().json()
        return _Session(opened["sessionId"], opened["token"])

    def _say(self, session: _Session, text: str) -> str:
        turn = {"text": text, "turnId": uuid.uuid4().hex, "isFinal": True}
        self._call(session, "say-text", turn)
        return text

    def _call(self, session: _Session, operation: str, body: dict[str, object]) -> None:
        answer = self._http.post(
            f"{self._base_url}/{session.id}/{operation}",
            headers={"Authorization": f"Bearer {session.token}"},
            json=body,
        )
        answer.raise_for_status()
