"""What is wrong with cassettes that can be read: secrets, sessions left open, files of no test."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from pytest_avatar.core import wire
from pytest_avatar.core.cassette import find_base
from pytest_avatar.core.http import header
from pytest_avatar.core.normalising import DEFAULT_BASE
from pytest_avatar.core.placeholders import is_placeholder
from pytest_avatar.core.redaction import Secrets, is_secret_key
from pytest_avatar.core.wire import Operation

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from pytest_avatar.core.cassette import Cassette, Interaction

__all__ = ["Finding", "Problem", "check_cassette", "find_orphans", "sessions_left_open"]


class Problem(StrEnum):
    """What can be wrong with a cassette."""

    BROKEN = "broken"
    ORPHAN = "orphan"
    SECRET = "secret"  # noqa: S105 - the name of a problem
    UNENDED = "unended"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a cassette.

    Attributes:
        cassette: The file.
        problem: What kind of thing.
        text: What and where, in words, without a secret.
    """

    cassette: str
    problem: Problem
    text: str


def check_cassette(name: str, cassette: Cassette, content: bytes) -> Iterator[Finding]:
    """Yield what is wrong with a cassette.

    Args:
        name: The file, for the findings.
        cassette: What was read from it.
        content: Its bytes.
    """
    for secret in Secrets().find(content):
        yield Finding(name, Problem.SECRET, f"something of the shape of a {secret}")
    for place, interaction in enumerate(cassette.interactions, 1):
        for key in _keys_of_secrets(interaction):
            yield Finding(name, Problem.SECRET, f"interaction {place}: {key} is no placeholder")
    if cassette.leaks_allowed is None:
        for session in sessions_left_open(cassette):
            yield Finding(name, Problem.UNENDED, f"{session} was created and never ended")


def sessions_left_open(cassette: Cassette) -> list[str]:
    """Return the sessions that were created and not ended, in order of their create."""
    opened: dict[str, bool] = {}
    for interaction in cassette.interactions:
        base = find_base(interaction.request, (DEFAULT_BASE,))
        call = None if base is None else wire.read_call(base, interaction.request)
        answer = wire.read_answer(interaction.response)
        if call is None:
            continue
        session = wire.read_opened(answer)
        if call.operation is Operation.CREATE and session is not None:
            opened[session.session_id] = True
        elif call.operation is Operation.END and _is_over(answer):
            opened.pop(call.session_id or "", None)
    return list(opened)


def _is_over(answer: wire.Answer) -> bool:
    return wire.read_ending(answer, answered_before=True).is_over


def find_orphans(existing: Iterable[str], expected: Collection[str]) -> list[str]:
    """Return the cassettes that belong to no test or fixture of a collection.

    Args:
        existing: Paths below the cassette folder, with `/`.
        expected: The paths that the collected tests and fixtures may use, as JSON. Those of
            fixtures stand for all of their parameters.
    """
    known = {_without_suffix(path) for path in expected}
    return [
        path
        for path in existing
        if not known & {_without_suffix(path), _PARAMETERS.sub(r"\1", _without_suffix(path))}
    ]


_PARAMETERS: Final = re.compile(r"\[[^/]*\](?:~[0-9a-f]+)?(@[a-z]+)$")


def _without_suffix(path: str) -> str:
    return re.sub(r"\.(?:json|ya?ml)$", "", path)


def _keys_of_secrets(interaction: Interaction) -> Iterator[str]:
    authorization = header(interaction.request.headers, "authorization")
    if authorization is not None and not is_placeholder(authorization):
        yield "the header Authorization"
    for body in (interaction.request.body, interaction.response.body):
        try:
            data = json.loads(body)
        except (ValueError, RecursionError):
            continue
        yield from _keys_in("", data)


def _keys_in(key: str, value: Any) -> Iterator[str]:  # noqa: ANN401 - JSON data
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _keys_in(name, inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _keys_in(key, inner)
    elif isinstance(value, str) and value and is_secret_key(key) and not is_placeholder(value):
        yield key
