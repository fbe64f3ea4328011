"""The Control API on the wire: the one place that knows paths, headers and JSON fields.

Client, emulator, recorder and ledger all read and write requests and answers through these
functions. Facts carry their source: SEED is the service's own End Session page, DOCS its other
pages, SDK its public JavaScript agents SDK.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple
from urllib.parse import quote, unquote

from pytest_avatar.core.http import BaseUrl, Headers, Request, Response, header
from pytest_avatar.core.multipart import Part, read_multipart, write_multipart
from pytest_avatar.core.opening import named_session
from pytest_avatar.core.text import decimal, json_type, read_json

__all__ = [
    "CREATE_PATHS",
    "DEFAULT_BASE_URL",
    "ID_FIELDS",
    "Answer",
    "BaseUrl",
    "Call",
    "Credential",
    "Ending",
    "Opened",
    "Operation",
    "Request",
    "Response",
    "create_request",
    "header",
    "json_response",
    "read_answer",
    "read_call",
    "read_ending",
    "read_opened",
    "refusal",
    "say_audio_request",
    "say_text_request",
    "session_request",
]

DEFAULT_BASE_URL: Final = "https://api.avatar.us.kaltura.ai/v1/avatar-session"

CREATE_PATHS: Final = ("", "/create")
"""Where create may live, the one to try first in front. SEED: bare. All live code: `/create`."""

ID_FIELDS: Final = ("avatarId", "id")
"""Names of the avatar's id inside `visualConfig`. SEED: `avatarId`. All live code: `id`."""


class Operation(StrEnum):
    """What can be asked of the service; the value is the last part of the path."""

    CREATE = "create"
    INIT_CLIENT = "init-client"
    SAY_TEXT = "say-text"
    SAY_AUDIO = "say-audio"
    INTERRUPT = "interrupt"
    KEEP_ALIVE = "keep-alive"
    END = "end"


class Credential(NamedTuple):
    """The Authorization header, taken apart.

    Attributes:
        scheme: `ks` or `bearer`, in lower case: scheme names are case-insensitive.
        value: The KS or the session token. Secret.
    """

    scheme: str
    value: str

    def __repr__(self) -> str:
        return f"Credential(scheme={self.scheme!r})"


class Call(NamedTuple):
    """A request, understood.

    Attributes:
        operation: What is asked; `None` if the Control API has no such route.
        session_id: The session it is asked of; `None` for create and unknown routes.
        credential: `None` if there is no Authorization header of a form we know.
        payload: The JSON object of the body, or the text fields of a form; `None` if the body is
            neither. An empty body is an empty object: SEED's samples send none to end.
        audio: The file part of say-audio, whole.
    """

    operation: Operation | None
    session_id: str | None
    credential: Credential | None
    payload: Mapping[str, Any] | None
    audio: Part | None = None


def create_request(
    base: BaseUrl,
    ks: str,
    *,
    avatar_id: str,
    voice_id: str | None = None,
    voice_speed: float | None = None,
    extra: Mapping[str, Any] | None = None,
    create_path: str = CREATE_PATHS[0],
    id_field: str = ID_FIELDS[0],
) -> Request:
    """Return the request that opens a session.

    Args:
        base: Where the service lives.
        ks: The Kaltura Session, which authorises create and nothing else (DOCS).
        avatar_id: Who appears.
        voice_id: Whose voice; `None` leaves it to the service.
        voice_speed: Multiplier, 1.0 = normal; `None` leaves it to the service. No limits are
            documented.
        extra: Further fields, merged into the body object by object; these win.
        create_path: One of `CREATE_PATHS`.
        id_field: One of `ID_FIELDS`.
    """
    body: dict[str, Any] = {"visualConfig": {id_field: avatar_id}}
    voice = {"id": voice_id, "speed": voice_speed}
    if any(value is not None for value in voice.values()):
        body["voiceConfig"] = {key: value for key, value in voice.items() if value is not None}
    return _post(f"{base}{create_path}", f"KS {ks}", _merge(body, extra or {}))


def session_request(
    base: BaseUrl,
    operation: Operation,
    session_id: str,
    token: str,
    payload: Mapping[str, Any] | None = None,
) -> Request:
    """Return a request to an open session; `None` as payload sends `{}`, as DOCS does."""
    return _post(_session_url(base, operation, session_id), f"Bearer {token}", payload or {})


def say_text_request(
    base: BaseUrl, session_id: str, token: str, *, text: str, turn_id: str, is_final: bool
) -> Request:
    """Return the request that makes the avatar speak a text.

    Args:
        base: Where the service lives.
        session_id: Who speaks.
        token: The session's token.
        text: What to say. No limit of length is documented.
        turn_id: Unique for a turn.
        is_final: `False` if more text of the same turn follows.
    """
    payload = {"text": text, "turnId": turn_id, "isFinal": is_final}
    return session_request(base, Operation.SAY_TEXT, session_id, token, payload)


def say_audio_request(
    base: BaseUrl, session_id: str, token: str, *, audio: Part, turn_id: str, duration: float
) -> Request:
    """Return the request that makes the avatar speak a recording (form per SDK).

    Args:
        base: Where the service lives.
        session_id: Who speaks.
        token: The session's token.
        audio: The recording; its field's name must be `audio`.
        turn_id: Unique for a turn.
        duration: Length of the recording in seconds; the service does not probe the file (SDK).
    """
    # A recording cannot hold its own digest, so the boundary never stands inside it.
    boundary = f"avatar-{hashlib.sha256(audio.content).hexdigest()[:24]}"
    fields = [
        Part("turnId", turn_id.encode()),
        Part("duration", decimal(duration).encode()),
        audio,
    ]
    return Request(
        "POST",
        _session_url(base, Operation.SAY_AUDIO, session_id),
        (
            ("Authorization", f"Bearer {token}"),
            ("Content-Type", f"multipart/form-data; boundary={boundary}"),
        ),
        write_multipart(fields, boundary),
    )


def read_call(base: BaseUrl, request: Request, *, is_recorded: bool = False) -> Call | None:
    """Return what a request asks, less its credential if recorded; `None` for other places."""
    tail = base.tail(request.url)
    if tail is None:
        return None
    operation, session_id = _read_tail(request.method, tail)
    payload, audio = _read_body(request)
    credential = None if is_recorded else _read_credential(request.headers)
    return Call(operation, session_id, credential, payload, audio)


class Answer(NamedTuple):
    """An answer, understood as far as it can be.

    Attributes:
        status: The HTTP status.
        data: The JSON object of the body, unknown fields and all; empty if there is none.
        problem: Why the body is not of the documented form; `None` if it is.
    """

    status: int
    data: Mapping[str, Any]
    problem: str | None = None

    @property
    def ok(self) -> bool:
        """Whether the service says that it did as asked. An absent `success` is no refusal."""
        return 200 <= self.status < 300 and self.problem is None and self.data.get("success", True)

    @property
    def error(self) -> str | None:
        """The error text; `None` if there is none."""
        text = self.data.get("error")
        return text if isinstance(text, str) and text else None


def read_answer(response: Response) -> Answer:
    """Read the body of any operation. Never raises: what is wrong stands in `problem`."""
    return _read_answer(response.status, response.body)


@functools.lru_cache(maxsize=64)  # each is read several times, and all cassettes hold the same
def _read_answer(status: int, body: bytes) -> Answer:
    if not body.strip():
        return Answer(status, {})
    try:
        data = read_json(body)
    except (ValueError, RecursionError):
        return Answer(status, {}, "the body is not JSON")
    if not isinstance(data, dict):
        return Answer(status, {}, f"the body is a JSON {json_type(data)}, not an object")
    if not isinstance(data.get("success", True), bool):
        found = json_type(data["success"])
        return Answer(status, data, f"`success` is a {found}, not a boolean")
    return Answer(status, data)


class Opened(NamedTuple):
    """What a reply to create names: a session is open if this can be read, whatever else it says.

    Attributes:
        session_id: The session's id.
        token: The session's token; `None` if the reply holds none that can be used.
    """

    session_id: str
    token: str | None

    def __repr__(self) -> str:
        return f"Opened(session_id={self.session_id!r})"


def read_opened(answer: Answer) -> Opened | None:
    """Return the session that a reply to create names; `None` if it names none."""
    named = named_session(answer.data)
    return None if named is None else Opened(*named)


class Ending(StrEnum):
    """How to read the answer to end; the value is the phrase used in reports."""

    ENDED = "ended"
    ALREADY_ENDED = "already ended"
    ALREADY_GONE = "already gone"
    SUSPICIOUS = "not found on its first call"
    UNCONFIRMED = "end refused, cannot confirm"
    NOT_ENDED = "not ended"

    @property
    def is_over(self) -> bool:
        """Whether the session costs nothing any more."""
        return self is not Ending.UNCONFIRMED and self is not Ending.NOT_ENDED


def read_ending(answer: Answer, *, answered_before: bool) -> Ending:
    """Return what an answer to end means.

    Args:
        answer: The answer.
        answered_before: Whether this session has answered any call before, an end included. A 404
            is the usual second answer (SDK), but on the first call a wrong base URL looks the same.
    """
    if answer.ok:
        return Ending.ENDED
    if answer.status == 410:
        return Ending.ALREADY_ENDED
    if answer.status == 404:
        return Ending.ALREADY_GONE if answered_before else Ending.SUSPICIOUS
    if answer.status in (401, 403):
        return Ending.UNCONFIRMED
    return Ending.NOT_ENDED


def json_response(status: int, data: Mapping[str, Any]) -> Response:
    """Return an answer as the service writes it."""
    return Response(status, (("Content-Type", "application/json"),), _dump(data))


def refusal(status: int, error: str) -> Response:
    """Return a failure as the service writes it: `{"success": false, "error": "<text>"}`."""
    return json_response(status, {"success": False, "error": error})


def _post(url: str, authorization: str, payload: Mapping[str, Any]) -> Request:
    headers = (("Authorization", authorization), ("Content-Type", "application/json"))
    return Request("POST", url, headers, _dump(payload))


def _session_url(base: BaseUrl, operation: Operation, session_id: str) -> str:
    quoted = quote(session_id, safe="", errors="surrogatepass")
    if quoted in (".", ".."):  # clients would go up the path
        quoted = quoted.replace(".", "%2E")
    return f"{base}/{quoted}/{operation}"


def _dump(data: Mapping[str, Any]) -> bytes:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode(
        "utf-8", "surrogatepass"
    )


def _merge(body: dict[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    for key, value in extra.items():
        mine = body.get(key)
        if isinstance(mine, dict) and isinstance(value, Mapping):
            body[key] = _merge(mine, value)
        else:
            body[key] = value
    return body


@functools.lru_cache(maxsize=256)  # in cassettes, all tests call their sessions alike
def _read_tail(method: str, tail: str) -> tuple[Operation | None, str | None]:
    if method.upper() != "POST":
        return None, None
    if tail.rstrip("/") in CREATE_PATHS:
        return Operation.CREATE, None
    session_id, _, name = tail.strip("/").partition("/")
    operation = _SESSION_OPERATIONS.get(name)
    return (operation, unquote(session_id)) if operation and session_id else (None, None)


_SESSION_OPERATIONS: Final = {
    str(operation): operation for operation in Operation if operation is not Operation.CREATE
}


def _read_credential(headers: Headers) -> Credential | None:
    scheme, _, value = (header(headers, "authorization") or "").strip().partition(" ")
    scheme, value = scheme.lower(), value.strip()
    return Credential(scheme, value) if scheme in ("ks", "bearer") and value else None


def _read_body(request: Request) -> tuple[Mapping[str, Any] | None, Part | None]:
    content_type = header(request.headers, "content-type") or ""
    if content_type.lower().startswith("multipart/form-data"):
        return _read_form(request.body, content_type)
    if not request.body.strip():
        return {}, None
    try:
        data = read_json(request.body)
    except (ValueError, RecursionError):
        return None, None
    return (data if isinstance(data, dict) else None), None


def _read_form(body: bytes, content_type: str) -> tuple[Mapping[str, Any] | None, Part | None]:
    parts = read_multipart(body, content_type)
    if parts is None:
        return None, None
    fields = {
        part.name: part.content.decode("utf-8", "replace")
        for part in parts
        if part.filename is None and part.name != "audio"
    }
    return fields, next((part for part in parts if part.name == "audio"), None)
