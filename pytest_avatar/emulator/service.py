"""The avatar service as a state machine: a request in, an answer out, no HTTP server.

What it answers is what `SEED`, `DOCS` and `SDK` say (see `pytest_avatar.core.wire`); where they
disagree, `Switches` choose.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import secrets
import threading
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, cast

from pytest_avatar.core import wire
from pytest_avatar.core.wire import BaseUrl, Call, Operation
from pytest_avatar.emulator import refusals
from pytest_avatar.emulator.books import Books, SpokenAudio, SpokenText, utc_now
from pytest_avatar.emulator.refusals import Refusal, RefusedError
from pytest_avatar.emulator.switches import Switches
from pytest_avatar.emulator.tokens import mint_token

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from datetime import datetime

    from pytest_avatar.core.model import Token

__all__ = ["BASE_PATH", "Service"]

BASE_PATH: Final = "/v1/avatar-session"
"""Where the API lives on its host; the path of `wire.DEFAULT_BASE_URL`."""

_CREATE_PATHS: Final = {"bare": ("",), "/create": ("/create",), "both": wire.CREATE_PATHS}
_ID_FIELDS: Final = {"avatarId": ("avatarId",), "id": ("id",), "either": wire.ID_FIELDS}


@dataclass(slots=True)
class _Session:
    id: str
    token: Token
    expires_at: datetime
    is_open: bool = True


class Service:
    """The avatar service.

    Args:
        base: Under which URL requests are sent to it.
        ks: The only KS that may create; `None` takes any.
        unauthorised_ks: KSs that are valid but may not create (403).
        switches: What it does where the sources disagree; `None` takes the defaults.
        clock: What tells the time, in UTC.

    Attributes:
        base: As above.
        books: What it saw.
    """

    def __init__(
        self,
        base: BaseUrl,
        *,
        ks: str | None = None,
        unauthorised_ks: Collection[str] = (),
        switches: Switches | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.base = base
        self.books: Final[Books] = Books(clock)
        self._ks = ks
        self._unauthorised_ks = frozenset(unauthorised_ks)
        self._switches = switches or Switches()
        self._clock = clock
        self._signing_key = secrets.token_bytes(32)
        self._sessions: dict[str, _Session] = {}
        self._lock = threading.Lock()

    def handle(self, request: wire.Request) -> wire.Response:
        """Do what a request asks and return the answer. Safe to call from any thread."""
        call = wire.read_call(self.base, request) or Call(None, None, None, None)
        client = wire.header(request.headers, "user-agent")
        with self._lock:
            try:
                data = self._answer(call, client, path=self.base.tail(request.url) or "")
            except RefusedError as error:
                return self._refuse(call, error.refusal)
        return wire.json_response(200, {"success": True, **data})

    def _refuse(self, call: Call, refusal: Refusal) -> wire.Response:
        status, reason = refusal
        self.books.refuse(call.operation, call.session_id, status=status, reason=reason)
        return wire.refusal(status, reason)

    def _answer(self, call: Call, client: str | None, *, path: str) -> Mapping[str, Any]:
        if call.operation is None:
            raise RefusedError(refusals.NO_SUCH_ROUTE)
        if call.operation is Operation.CREATE:
            if path.rstrip("/") not in _CREATE_PATHS[self._switches.create_path]:
                raise RefusedError(refusals.NO_SUCH_ROUTE)
            return self._create(call, client)
        self.books.called(call.session_id, call.operation)
        session = self._open_session(call)
        if call.payload is None:
            raise RefusedError(refusals.BAD_REQUEST)
        match call.operation:
            case Operation.INIT_CLIENT:
                return _connection()
            case Operation.SAY_TEXT:
                self.books.spoke(session.id, self._read_text(call.payload))
            case Operation.SAY_AUDIO:
                self.books.spoke(session.id, _read_audio(call, call.payload))
            case Operation.END:
                session.is_open = False
                self.books.ended(session.id, by=client)
            case _:
                pass
        return {}

    def _create(self, call: Call, client: str | None) -> Mapping[str, Any]:
        self._check_ks(call)
        avatar_id, voice_id = self._read_avatar(call.payload), _read_voice(call.payload)
        limit = self._switches.max_sessions
        if limit is not None and sum(one.is_open for one in self._sessions.values()) >= limit:
            raise RefusedError(refusals.TOO_MANY_SESSIONS)
        session = self._new_session()
        self._sessions[session.id] = session
        self.books.opened(session.id, avatar_id=avatar_id, voice_id=voice_id, by=client)
        self.books.called(session.id, Operation.CREATE)
        return {"sessionId": session.id, "token": session.token}

    def _check_ks(self, call: Call) -> None:
        credential = call.credential
        if credential is None or credential.scheme != "ks":
            raise RefusedError(refusals.INVALID_KS)
        if credential.value in self._unauthorised_ks:
            raise RefusedError(refusals.UNAUTHORISED_KS)
        if self._ks is not None and not _same(credential.value, self._ks):
            raise RefusedError(refusals.INVALID_KS)

    def _read_avatar(self, payload: Mapping[str, Any] | None) -> str:
        names = _ID_FIELDS[self._switches.avatar_field]
        config = _read_object(payload or {}, "visualConfig")
        for name in names:
            avatar_id = config.get(name)
            if isinstance(avatar_id, str) and avatar_id:
                return avatar_id
        wanted = " or ".join(f"visualConfig.{name}" for name in names)
        raise RefusedError(Refusal(400, f"{wanted} is required"))

    def _new_session(self) -> _Session:
        session_id, now = str(uuid.uuid4()), self._clock()
        expires_at = now + timedelta(seconds=self._switches.token_lifetime)
        claims = {
            "sessionId": session_id,
            "iat": int(now.timestamp()),
            "exp": int(expires_at.timestamp()),
        }
        return _Session(session_id, mint_token(claims, self._signing_key), expires_at)

    def _open_session(self, call: Call) -> _Session:
        """Return the session that a call may act on, once its token is checked."""
        if call.credential is None or call.credential.scheme != "bearer":
            raise RefusedError(refusals.INVALID_TOKEN)
        session = self._sessions.get(call.session_id or "")
        if session is None:
            raise RefusedError(refusals.SESSION_NOT_FOUND)
        if not _same(call.credential.value, session.token) or session.expires_at <= self._clock():
            raise RefusedError(refusals.INVALID_TOKEN)
        if session.is_open:
            return session
        if call.operation is Operation.END and self._switches.second_end == 404:
            raise RefusedError(refusals.SESSION_NOT_FOUND)
        raise RefusedError(refusals.SESSION_ENDED)

    def _read_text(self, payload: Mapping[str, Any]) -> SpokenText:
        if not self._switches.say_text:
            raise RefusedError(refusals.SAY_TEXT_UNAVAILABLE)
        text = payload.get("text")
        if not isinstance(text, str) or not text.strip():
            raise RefusedError(refusals.TEXT_REQUIRED)
        return SpokenText(_read_turn(payload), text, payload.get("isFinal") is not False)


def _same(given: str, wanted: str) -> bool:
    """Compare secrets in constant time, whatever characters they hold."""
    return hmac.compare_digest(
        given.encode(errors="surrogatepass"), wanted.encode(errors="surrogatepass")
    )


def _read_object(payload: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = payload.get(name, {})
    if not isinstance(value, dict):
        raise RefusedError(Refusal(400, f"{name} must be an object"))
    return cast("Mapping[str, Any]", value)


def _read_voice(payload: Mapping[str, Any] | None) -> str | None:
    voice_id = _read_object(payload or {}, "voiceConfig").get("id")
    return voice_id if isinstance(voice_id, str) else None


def _read_turn(payload: Mapping[str, Any]) -> str | None:
    turn_id = payload.get("turnId")
    return turn_id if isinstance(turn_id, str) else None


def _read_audio(call: Call, payload: Mapping[str, Any]) -> SpokenAudio:
    if call.audio is None or not call.audio.content:
        raise RefusedError(refusals.AUDIO_REQUIRED)
    return SpokenAudio(
        turn_id=_read_turn(payload),
        duration=_read_duration(payload),
        media_type=call.audio.media_type,
        length=len(call.audio.content),
        sha256=hashlib.sha256(call.audio.content).hexdigest(),
    )


def _read_duration(payload: Mapping[str, Any]) -> float:
    """Return the seconds that a form claims; the service does not probe the file (SDK)."""
    try:
        duration = float(payload.get("duration", ""))
    except ValueError:
        duration = 0.0
    if not 0 < duration < math.inf:
        raise RefusedError(refusals.DURATION_REQUIRED)
    return duration


def _connection() -> Mapping[str, Any]:
    """Return what init-client answers: addresses that lead nowhere, with secrets of their own."""
    return {
        "whepUrl": f"https://stream.avatar.example/whep/{secrets.token_urlsafe()}",
        "turn": {
            "url": "turn:turn.avatar.example:3478",
            "username": secrets.token_hex(8),
            "credential": secrets.token_urlsafe(),
        },
    }
