"""What a cassette holds, as values; and what makes two requests the same."""

from __future__ import annotations

import functools
import hashlib
import json
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pytest_avatar.core import wire
from pytest_avatar.core.http import BaseUrl
from pytest_avatar.core.redaction import hide_under_key
from pytest_avatar.core.wire import Operation, Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_avatar.core.wire import Call

__all__ = [
    "Ask",
    "Cassette",
    "Interaction",
    "audio_summary",
    "find_base",
    "make_ask",
    "read_ask",
    "read_recorded",
    "text_or_summary",
    "with_first_id_field",
]


class Interaction(NamedTuple):
    """One request and its answer.

    Attributes:
        request: What was sent.
        response: What the service answered.
        lane: Which of the threads and tasks of the test sent it, from 1 in order of appearance.
            Order is kept within a lane.
    """

    request: Request
    response: Response
    lane: int = 1


class Cassette(NamedTuple):
    """The content of a cassette.

    Attributes:
        interactions: In the order of the file.
        leaks_allowed: Why its test may leave sessions open; `None` if it may not.
        is_normal: Whether this package wrote it, so that nothing in it depends on a run.
    """

    interactions: tuple[Interaction, ...] = ()
    leaks_allowed: str | None = None
    is_normal: bool = True


class Ask(NamedTuple):
    """What a request asks, without what differs from run to run.

    Attributes:
        operation: What is asked; `None` if the Control API has no such route.
        route: The operation's name; method, path and query of a route that we do not know.
        session: The session it is asked of; `None` for create and unknown routes.
        turn: The `turnId`; `None` if there is none.
        data: JSON body or form fields without `turnId`, in canonical form; else the body's text.
        content: The same as one text: equal for equal bodies.
    """

    operation: Operation | None
    route: str
    session: str | None
    turn: str | None
    data: Any
    content: str

    @classmethod
    def of(
        cls,
        operation: Operation | None,
        route: str,
        session: str | None,
        turn: str | None,
        data: Any,  # noqa: ANN401 - JSON data
    ) -> Ask:
        """Return what asks for this data."""
        return cls(operation, route, session, turn, data, _encode(data))

    @property
    def avatar_id(self) -> str | None:
        """The avatar that a create asks for; `None` if this asks for none."""
        visual = self.data.get("visualConfig") if isinstance(self.data, dict) else None
        found = visual.get(wire.ID_FIELDS[0]) if isinstance(visual, dict) else None
        return found if isinstance(found, str) else None

    def with_avatar_id(self, avatar_id: str) -> Ask:
        """Return the same create for another avatar."""
        visual = {**self.data["visualConfig"], wire.ID_FIELDS[0]: avatar_id}
        data = {**self.data, "visualConfig": visual}
        return self._replace(data=data, content=_encode(data))


_encode: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


def read_ask(base: BaseUrl, request: Request, clean: Callable[[str], str] | None = None) -> Ask:
    """Return what a request asks.

    Args:
        base: Where the service lived when it was sent.
        request: The request, as sent or as recorded.
        clean: What every text in the body goes through, to be made independent of the run;
            `None` if nothing in it depends on one.
    """
    call = wire.read_call(base, request)
    if call is None:
        raise ValueError(f"not a URL of the service: {request.url}")
    return make_ask(base, request, call, clean)


def make_ask(
    base: BaseUrl, request: Request, call: Call, clean: Callable[[str], str] | None = None
) -> Ask:
    """Return the same for a request that has been understood already."""
    if call.operation is None:
        route = f"{request.method.upper()} {base.tail(request.url)}"
    else:
        route = str(call.operation)
    if "?" in request.url and (query := request.url.partition("#")[0].partition("?")[2]):
        route = f"{route}?{query}"
    turn, data = _read_data(call, request)
    if clean is not None:
        route, data = clean(route), _clean(data, clean)
    return Ask.of(call.operation, route, call.session_id, turn, data)


def read_recorded(
    request: Request, known: tuple[BaseUrl, ...], clean: Callable[[str], str] | None = None
) -> Ask | None:
    """Return what a recorded request asks; `None` if it was for another place.

    Args:
        request: The request.
        known: Base URLs that are tried first; then the shape of the path decides.
        clean: As for `read_ask`.
    """
    if clean is None:
        return _read_normal(request, known)
    return _read_recorded(request, known, clean)


@functools.lru_cache(maxsize=256)
def _read_normal(request: Request, known: tuple[BaseUrl, ...]) -> Ask | None:
    """Understand once what many cassettes hold alike: create, end, and all that has no fields."""
    return _read_recorded(request, known, None)


def _read_recorded(
    request: Request, known: tuple[BaseUrl, ...], clean: Callable[[str], str] | None
) -> Ask | None:
    for base in known:
        if (call := wire.read_call(base, request, is_recorded=True)) is not None:
            return make_ask(base, request, call, clean)
    found = find_base(request, known)
    return None if found is None else read_ask(found, request, clean)


def _read_data(call: Call, request: Request) -> tuple[str | None, Any]:
    if call.payload is None:
        return None, text_or_summary(request.body)
    data = dict(call.payload)
    turn = data.pop("turnId", None)
    visual = data.get("visualConfig")
    if isinstance(visual, dict):
        data["visualConfig"] = with_first_id_field(visual)
    if call.audio is not None:
        data["audio"] = audio_summary(call.audio.content)
    return (turn if isinstance(turn, str) else None), data


def _clean(value: Any, clean: Callable[[str], str], key: str = "") -> Any:  # noqa: ANN401 - JSON data
    if isinstance(value, dict):
        return {clean(name): _clean(inner, clean, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [_clean(inner, clean, key) for inner in value]
    if isinstance(value, str):
        return hide_under_key(key, clean(value))
    return value


def with_first_id_field(visual: dict[str, Any]) -> dict[str, Any]:
    """Give the avatar's id the first of its two names, whichever the client has learnt."""
    first, second = wire.ID_FIELDS
    if first in visual or second not in visual:
        return visual
    return {first if key == second else key: value for key, value in visual.items()}


_SUMMARY: Final = r"sha256:[0-9a-f]{64}, [0-9]+ bytes"


def audio_summary(content: bytes) -> str:
    """Return what stands for a recording in a cassette: its digest and length.

    Args:
        content: The recording, or what already stands for one.
    """
    if len(content) < 120 and re.fullmatch(_SUMMARY, text := content.decode("utf-8", "replace")):
        return text
    return f"sha256:{hashlib.sha256(content).hexdigest()}, {len(content)} bytes"


def text_or_summary(body: bytes) -> str:
    """Return a body as text, or what stands for it if it is none."""
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return audio_summary(body)


_BASE_SHAPE: Final = r"(https?://[^/?#]+(?:/[^/?#]+)*?/avatar-session)(?=[/?#]|$)"
_SESSION_CALLS: Final = "|".join(sorted(set(Operation) - {Operation.CREATE}))
_SESSION_SHAPE: Final = (
    rf"(https?://[^/?#]+(?:/[^/?#]+)*?)/(?:[^/?#]+/(?:{_SESSION_CALLS})|create)/?(?:[?#].*)?"
)


def find_base(request: Request, known: tuple[BaseUrl, ...]) -> BaseUrl | None:
    """Return the base URL under which a request was recorded; `None` if it was for another place.

    Args:
        request: A recorded request.
        known: Base URLs that are tried first; then the shape of the path decides.
    """
    for base in known:
        if base.tail(request.url) is not None:
            return base
    try:
        return _base_by_shape(request)
    except ValueError:
        return None


def _base_by_shape(request: Request) -> BaseUrl | None:
    found = re.match(_BASE_SHAPE, request.url) or re.fullmatch(_SESSION_SHAPE, request.url)
    if found is not None:
        return BaseUrl(found[1])
    if request.method == "POST" and b'"visualConfig"' in request.body:
        return BaseUrl(request.url.partition("?")[0])
    return None
