"""Cassettes of many interactions: opened in little time, and as quick per request as small ones."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from pytest_avatar.adapters.cassettes.files import dump_cassette
from pytest_avatar.adapters.cassettes.replay import ReplayTape
from pytest_avatar.core import wire
from pytest_avatar.core.cassette import Cassette, Interaction
from pytest_avatar.core.events import Opener
from pytest_avatar.core.http import BaseUrl
from pytest_avatar.core.interception import Interceptor
from pytest_avatar.core.ledger import Ledger
from pytest_avatar.core.misses import Place
from pytest_avatar.core.placeholders import KS, token_placeholder
from pytest_avatar.core.redaction import Secrets
from tests.benchmarks.figures import Figure, interleaved
from tests.benchmarks.subjects import BASE as BASE_TEXT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pytest_avatar.core.http import Request
    from tests.benchmarks.workshop import Workshop

__all__ = ["flatness", "loading"]

BASE: Final = BaseUrl(BASE_TEXT)
_FEW, _MANY, _LOADED = 10, 5000, 1000
_OK: Final = {"success": True}


def loading(workshop: Workshop) -> list[Figure]:
    """Measure how long the first request waits for a large cassette."""
    path, requests = _write(workshop.folder / "loaded.json", _sessions(_LOADED))

    def first_request() -> float:
        start = time.process_time()
        _player(path)(requests[:1])
        return time.process_time() - start

    found = interleaved({"load": first_request}, 10 * workshop.repeats)
    what = f"a cassette of {_LOADED:,} interactions, opened and indexed"
    return [Figure(what, found["load"] * 1000, "ms", 15)]


def flatness(workshop: Workshop) -> list[Figure]:
    """Compare a request among many interactions with one among few."""
    return [
        _compare(workshop, "paths", _sessions),
        _compare(workshop, "bodies", _texts),
    ]


def _compare(workshop: Workshop, kind: str, make: Callable[[int], Sequence[Interaction]]) -> Figure:
    path, few = _write(workshop.folder / f"few-{kind}.json", make(_FEW))
    large, many = _write(workshop.folder / f"many-{kind}.json", make(_MANY))

    def per_request(path: Path, requests: Sequence[Request], times: int) -> float:
        total = 0.0
        for _ in range(times):
            play = _player(path)
            play(requests[:1])  # opens the cassette
            start = time.process_time()
            play(requests[1:])
            total += time.process_time() - start
        return total / times / (len(requests) - 1)

    jobs = {
        "few": lambda: per_request(path, few, _MANY // _FEW),
        "many": lambda: per_request(large, many, 1),
    }
    found = interleaved(jobs, 3 * workshop.repeats)
    note = f"{found['many'] * 1e6:.0f} against {found['few'] * 1e6:.0f} µs"
    what = f"a request among {_MANY:,} interactions / among {_FEW}, distinct {kind}"
    return Figure(what, found["many"] / found["few"], "times", 1.2, note=note)


def _player(path: Path) -> Callable[[Sequence[Request]], None]:
    """Return what plays requests, in the books of a run."""
    secrets = Secrets()
    place = Place("test", str(path), "record")
    tape = ReplayTape(str(path), base=BASE, secrets=secrets, place=lambda: place)
    opener = Opener()
    interceptor = Interceptor(BASE, Ledger(), secrets, lambda _client: opener, tape, offline=True)

    def play(requests: Sequence[Request]) -> None:
        for request in requests:
            interceptor.begin(request, "httpx")

    return play


def _write(path: Path, interactions: Sequence[Interaction]) -> tuple[Path, list[Request]]:
    path.write_bytes(dump_cassette(Cassette(tuple(interactions))))
    return path, [one.request for one in interactions]


def _create(session: str) -> Interaction:
    opened = {**_OK, "sessionId": session, "token": token_placeholder(session)}
    request = wire.create_request(BASE, KS, avatar_id="avatar-id")
    return Interaction(request, wire.json_response(200, opened))


def _say(session: str, text: str) -> Interaction:
    request = wire.say_text_request(
        BASE, session, token_placeholder(session), text=text, turn_id="turn-1", is_final=True
    )
    return Interaction(request, wire.json_response(200, _OK))


def _end(session: str) -> Interaction:
    request = wire.session_request(BASE, wire.Operation.END, session, token_placeholder(session))
    return Interaction(request, wire.json_response(200, _OK))


def _sessions(size: int) -> list[Interaction]:
    """Return life cycles of five interactions, each with a path of its own."""
    names = [f"session-{number}" for number in range(1, size // 5 + 1)]
    return [
        one
        for name in names
        for one in (_create(name), *(_say(name, text) for text in "abc"), _end(name))
    ]


def _texts(size: int) -> list[Interaction]:
    """Return one session that says as many different texts."""
    texts = [_say("session-1", f"text {number}") for number in range(size - 2)]
    return [_create("session-1"), *texts, _end("session-1")]
