"""From what was sent and answered to the content of a cassette."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from pytest_avatar.core import wire
from pytest_avatar.core.cassette import (
    Ask,
    Interaction,
    audio_summary,
    read_ask,
    text_or_summary,
    with_first_id_field,
)
from pytest_avatar.core.http import header
from pytest_avatar.core.multipart import Part, read_multipart, write_multipart
from pytest_avatar.core.normalising import (
    DEFAULT_BASE,
    PLACEHOLDERS,
    Names,
    Normaliser,
    dump_json,
    volatile,
)
from pytest_avatar.core.ordering import Step, canonical_order
from pytest_avatar.core.placeholders import KS, token_placeholder
from pytest_avatar.core.spellings import SHORTEST
from pytest_avatar.core.wire import Operation, Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pytest_avatar.core.http import BaseUrl, Headers
    from pytest_avatar.core.redaction import Secrets
    from pytest_avatar.core.wire import Call

__all__ = ["KEPT_ANSWER_HEADERS", "Recorder", "Take", "is_refused_dialect"]

KEPT_ANSWER_HEADERS: Final = ("Allow", "Content-Type", "Retry-After", "Server", "WWW-Authenticate")
"""Headers of answers that are kept; all others differ from run to run, or say nothing to code."""

_BOUNDARY: Final = "avatar"


@dataclass(frozen=True, slots=True)
class Take:
    """One request of a recording, and the service's answer.

    Attributes:
        step: Where the request stands among those sent concurrently.
        request: What was sent.
        call: The request, understood.
        response: What the service answered.
    """

    step: Step
    request: Request
    call: Call
    response: Response

    @property
    def opened(self) -> wire.Opened | None:
        """The session that this request opened; `None` if it opened none."""
        if self.call.operation is not Operation.CREATE:
            return None
        return wire.read_opened(wire.read_answer(self.response))

    @property
    def session_id(self) -> str | None:
        """The session that the request is part of, its create included."""
        opened = self.opened
        return self.call.session_id if opened is None else opened.session_id


class Recorder:
    """Makes takes into interactions that are the same in every run.

    Args:
        base: The base URL of the run.
        secrets: What must not be written.
        aliases: What stands for values of settings (the avatar id).
        find_session: Returns what stands for a session; `None` if nobody knows it.
    """

    def __init__(
        self,
        base: BaseUrl,
        secrets: Secrets,
        aliases: Mapping[str, str],
        find_session: Callable[[str], str | None] = lambda _session_id: None,
    ) -> None:
        self._base = base
        self._secrets = secrets
        self._aliases = aliases
        self._find_session = find_session

    def order(self, takes: Sequence[Take]) -> list[Take]:
        """Return the takes in canonical order, without what negotiation left behind."""
        masked = self._masked(takes)
        contents = [_text_of(self._interaction(take, masked)) for take in takes]
        order = canonical_order(
            [take.step for take in takes],
            contents,
            [take.session_id for take in takes],
            [take.call.operation is Operation.END for take in takes],
        )
        return _without_negotiation([takes[index] for index in order], self._base)

    def interactions(self, takes: Sequence[Take]) -> tuple[Interaction, ...]:
        """Return the content of a cassette.

        Args:
            takes: In canonical order.
        """
        rendering = self._numbered(takes)
        lanes: dict[str | None, dict[int, int]] = defaultdict(dict)
        rendered: list[Interaction] = []
        for take in takes:
            known = lanes[take.session_id]
            lane = known.setdefault(take.step.lane, len(known) + 1)
            rendered.append(self._interaction(take, rendering)._replace(lane=lane))
        return tuple(_without_repeated_keep_alives(rendered))

    def _masked(self, takes: Sequence[Take]) -> _Rendering:
        """Give everything that differs from run to run one name for all of its kind."""
        rendering = self._rendering()
        own = {opened.session_id for take in takes if (opened := take.opened) is not None}
        for take in takes:
            session_id = take.session_id
            known = None if session_id in own else self._known(session_id)
            rendering.add_session(take, known or "<session>")
            rendering.add_turn(take, "<turn>")
        for kind, value in _volatile(takes):
            rendering.names.add(value, f"<{kind}>")
        return rendering

    def _numbered(self, takes: Sequence[Take]) -> _Rendering:
        """Number everything that differs from run to run in the order in which it appears."""
        rendering = self._rendering()
        foreign = 0
        for take in takes:
            if (session_id := take.session_id) is None:
                continue
            placeholder = rendering.sessions.get(session_id) or self._find_session(session_id)
            if placeholder is None:
                foreign += 1
                placeholder = f"foreign-session-{foreign}"
            rendering.add_session(take, placeholder)
        for take in takes:
            rendering.add_turn(take, f"turn-{len(rendering.turns) + 1}")
        numbers: Counter[str] = Counter()
        for kind, value in _volatile(takes):
            if value not in rendering.names and value not in rendering.turns:
                numbers[kind] += 1
                rendering.names.add(value, PLACEHOLDERS[kind](numbers[kind]))
        return rendering

    def _known(self, session_id: str | None) -> str | None:
        return None if session_id is None else self._find_session(session_id)

    def _rendering(self) -> _Rendering:
        names = Names()
        for value, placeholder in self._aliases.items():
            names.add(value, placeholder)
        return _Rendering(names, Normaliser(names, self._secrets, self._base), {}, {})

    def _interaction(self, take: Take, rendering: _Rendering) -> Interaction:
        return Interaction(
            _render_request(take, self._base, rendering),
            _render_response(take, rendering),
        )


@dataclass(frozen=True, slots=True)
class _Rendering:
    """What stands for what in one cassette."""

    names: Names
    normaliser: Normaliser
    sessions: dict[str, str]
    turns: dict[str, str]

    def add_session(self, take: Take, placeholder: str) -> None:
        session_id, opened = take.session_id, take.opened
        if session_id is None:
            return
        self.sessions.setdefault(session_id, placeholder)
        self.names.add(session_id, placeholder)
        if opened is not None and opened.token is not None:
            self.names.add(opened.token, token_placeholder(placeholder))
        elif take.call.credential is not None and take.call.credential.scheme == "bearer":
            self.names.add(take.call.credential.value, token_placeholder(placeholder))

    def add_turn(self, take: Take, placeholder: str) -> None:
        if (turn := _turn_of(take)) is not None:
            self.turns.setdefault(turn, placeholder)

    def answer_text(self, take: Take) -> Callable[[str], str]:
        """Return what rewrites the texts of an answer: the turn of its request is known there."""
        turn, clean = _turn_of(take), self.normaliser.answer_text
        if turn is None:
            return clean
        placeholder = self.turns[turn]
        return lambda text: clean(
            placeholder
            if text == turn
            else text.replace(turn, placeholder)
            if len(turn) >= SHORTEST
            else text
        )


def _turn_of(take: Take) -> str | None:
    turn = (take.call.payload or {}).get("turnId")
    return turn if isinstance(turn, str) else None


def _volatile(takes: Sequence[Take]) -> Iterator[tuple[str, str]]:
    """Yield what differs from run to run in answers: what they hold that no request did before."""
    sent: set[tuple[str, str]] = set()
    for take in takes:
        sent.update(volatile(take.request.url.encode() + b" " + take.request.body))
        yield from (found for found in volatile(take.response.body) if found not in sent)


def _text_of(interaction: Interaction) -> str:
    """Return the content that decides the order; the operation in front."""
    ask = read_ask(DEFAULT_BASE, interaction.request)
    answer = interaction.response
    said = (answer.status, answer.body, answer.headers)
    return f"{ask.route}\0{ask.session}\0{ask.content}\0{said}"


def _render_request(take: Take, base: BaseUrl, rendering: _Rendering) -> Request:
    clean = rendering.normaliser.text
    content_type = header(take.request.headers, "content-type")
    body = _render_body(take, content_type or "", rendering)
    headers: list[tuple[str, str]] = []
    if (credential := take.call.credential) is not None:
        headers.append(("Authorization", _render_credential(credential, rendering, take)))
    if content_type is not None:
        headers.append(("Content-Type", clean(_with_fixed_boundary(content_type))))
    return Request(
        "POST" if take.call.operation else take.request.method.upper(),
        _render_url(take, base, rendering),
        tuple(headers),
        body,
    )


def _render_credential(credential: wire.Credential, rendering: _Rendering, take: Take) -> str:
    if credential.scheme == "ks":
        return f"KS {KS}"
    session = rendering.sessions.get(take.call.session_id or "", "an unknown session")
    return f"Bearer <token of {session}>"


def _render_url(take: Take, base: BaseUrl, rendering: _Rendering) -> str:
    operation, session_id = take.call.operation, take.call.session_id
    tail, query = base.tail(take.request.url) or "", take.request.url.partition("?")[2]
    if operation is Operation.CREATE:
        tail = wire.CREATE_PATHS[0]
    elif operation is not None and session_id is not None:
        tail = f"/{quote(rendering.sessions[session_id], safe='')}/{operation}"
    else:
        tail = rendering.normaliser.text(tail)
    clean_query = f"?{rendering.normaliser.text(query)}" if query else ""
    return f"{DEFAULT_BASE}{tail}{clean_query}"


def _with_fixed_boundary(content_type: str) -> str:
    if not content_type.lower().startswith("multipart/"):
        return content_type
    return f"{content_type.partition(';')[0]}; boundary={_BOUNDARY}"


def _render_body(take: Take, content_type: str, rendering: _Rendering) -> bytes:
    body = take.request.body
    parts = read_multipart(body, content_type) if take.call.payload is not None else None
    if parts is not None:
        return write_multipart([_render_part(part, rendering) for part in parts], _BOUNDARY)
    if take.call.payload is None:
        return rendering.normaliser.request_body(text_or_summary(body).encode())
    return _render_payload(body, rendering)


def _render_payload(body: bytes, rendering: _Rendering) -> bytes:
    """Render the JSON object of a request, under the canonical names of its fields."""
    data = json.loads(body) if body.strip() else None
    if data is None:
        return b""
    turn, visual = data.get("turnId"), data.get("visualConfig")
    if isinstance(turn, str):
        data["turnId"] = rendering.turns[turn]
    if isinstance(visual, dict):
        data["visualConfig"] = with_first_id_field(visual)
    return rendering.normaliser.request_body(dump_json(data))


def _render_part(part: Part, rendering: _Rendering) -> Part:
    if part.name == "audio":
        return part._replace(content=audio_summary(part.content).encode(), filename="audio")
    text = part.content.decode("utf-8", "backslashreplace")
    if part.name == "turnId":
        return part._replace(content=rendering.turns.get(text, "").encode())
    return part._replace(content=rendering.normaliser.text(text).encode())


def _render_response(take: Take, rendering: _Rendering) -> Response:
    response, clean = take.response, rendering.answer_text(take)
    return Response(
        response.status,
        _kept_headers(response.headers, clean),
        rendering.normaliser.answer_body(response.body, clean),
        clean(response.reason),
    )


def _kept_headers(headers: Headers, clean: Callable[[str], str]) -> Headers:
    kept = {name.lower(): name for name in KEPT_ANSWER_HEADERS}
    return tuple(
        sorted(
            (kept[name.lower()], clean(value))
            for name, value in headers
            if name.lower() in kept and (name.lower() != "retry-after" or value.strip().isdigit())
        )
    )


_REFUSED_DIALECT: Final = (400, 404, 405, 422)


def is_refused_dialect(call: Call, response: Response) -> bool:
    """Whether a client that negotiates sends this create again, to the other path or field."""
    return call.operation is Operation.CREATE and response.status in _REFUSED_DIALECT


def _without_negotiation(takes: list[Take], base: BaseUrl) -> list[Take]:
    """Leave out a create that was refused and at once sent again in the other dialect.

    What a run has learnt must not show in its cassettes.
    """
    kept: list[Take] = []
    pending: dict[tuple[int, str], Take] = {}
    for take in takes:
        if take.call.operation is Operation.CREATE:
            ask = read_ask(base, take.request)
            key = (take.step.lane, ask.content)
            refused = pending.pop(key, None)
            if refused is not None:
                kept.remove(refused)
            if is_refused_dialect(take.call, take.response):
                pending[key] = take
        kept.append(take)
    return kept


def _without_repeated_keep_alives(interactions: list[Interaction]) -> Iterator[Interaction]:
    """Write equal keep-alives of a session once: how many there were is a matter of time."""
    seen: set[tuple[Ask, Response]] = set()
    for interaction in interactions:
        ask = read_ask(DEFAULT_BASE, interaction.request)
        if ask.operation is Operation.KEEP_ALIVE:
            known = (ask._replace(data=None), interaction.response)
            if known in seen:
                continue
            seen.add(known)
        yield interaction
