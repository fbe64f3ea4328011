"""A cassette that is loaded when it is first needed, and played."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from pytest_avatar.adapters.cassettes.files import find_cassette, load_if_any
from pytest_avatar.core.cassette import make_ask, read_recorded
from pytest_avatar.core.errors import CassetteError
from pytest_avatar.core.normalising import DEFAULT_BASE, Names, Normaliser
from pytest_avatar.core.playback import DEFAULT_MATCH_ON, Playback

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_avatar.core.cassette import Ask, Cassette, Interaction
    from pytest_avatar.core.interception import Exchange
    from pytest_avatar.core.misses import Place
    from pytest_avatar.core.redaction import Secrets
    from pytest_avatar.core.wire import BaseUrl

__all__ = ["Player"]


@dataclass(kw_only=True, eq=False, repr=False)
class Player:
    """What the tapes that read a cassette have in common.

    Attributes:
        file: The cassette's file, as JSON; YAML beside it is read if there is no JSON.
        base: The base URL of the run.
        secrets: What must not be shown.
        place: Says where that is, for messages; hardly any test has one.
        aliases: What stands for values of settings (the avatar id).
        match_on: What requests are matched by, see `playback.MATCH_ON`.
        allow_repeats: Whether an interaction may play again.
    """

    file: str = field(kw_only=False)
    base: BaseUrl
    secrets: Secrets
    place: Callable[[], Place]
    aliases: Mapping[str, str] = field(default_factory=dict)
    match_on: Sequence[str] = DEFAULT_MATCH_ON
    allow_repeats: bool = False
    _lock: Lock = field(default_factory=Lock, init=False)
    _names: Names = field(default_factory=Names, init=False)
    _loaded: Playback | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        for value, placeholder in self.aliases.items():
            self._names.add(value, placeholder)
        self._clean = Normaliser(self._names, self.secrets, self.base).text

    @property
    def path(self) -> Path:
        """The cassette's file."""
        return Path(self.file)

    @property
    def unplayed(self) -> tuple[Interaction, ...]:
        """The interactions that no request has asked for, keep-alives aside.

        None if there is no cassette.

        Raises:
            CassetteError: The cassette cannot be read.
        """
        with self._lock:
            return tuple(self._playback.interactions[index] for index in self._unplayed())

    @property
    def unplayed_message(self) -> str:
        """What to say if `unplayed` is not empty, redacted."""
        from pytest_avatar.core.misses import describe_unplayed  # noqa: PLC0415 - said by few tests

        with self._lock:
            unplayed = [(index, self._playback.asks[index]) for index in self._unplayed()]
        return self.secrets.scrub(describe_unplayed(self.place(), unplayed))

    @property
    def _playback(self) -> Playback:
        """The cassette's state; it is loaded if need be."""
        if self._loaded is None:
            self._loaded = self._load()
        return self._loaded

    def _unplayed(self) -> list[int]:
        if self._loaded is None and find_cassette(self.path) is None:
            return []
        return self._playback.unplayed()

    def _cleaned(self, exchange: Exchange) -> Ask:
        """Return what a request of this run asks, in terms of the cassette."""
        return make_ask(self.base, exchange.request, exchange.call, self._clean)

    def _miss_message(self, ask: Ask) -> str:
        """Return what to say about a request that has no answer, redacted."""
        from pytest_avatar.core.misses import describe_miss, distance  # noqa: PLC0415 - as above

        playback = self._playback
        reason = playback.why_not(ask)
        if ask.session is not None:
            ask = ask._replace(session=playback.recorded_session(ask.session))
        nearest = min(
            enumerate(playback.asks),
            key=lambda one: (distance(ask, one[1]), playback.is_played(one[0])),
            default=None,
        )
        message = describe_miss(self.place(), ask, nearest, reason, len(playback.asks))
        return self.secrets.scrub(message)

    def _load(self) -> Playback:
        try:
            cassette = load_if_any(self.file)
        except CassetteError as error:
            command = self.place().record_command
            raise CassetteError(f"{error}; record it again: {command}") from error
        if cassette is None:
            place = self.place()
            lines = ["There is no cassette, and replay sends nothing.", *place.lines]
            raise CassetteError("\n".join([*lines, f"Record it: {place.record_command}"]))
        return self._index(cassette)

    def _index(self, cassette: Cassette) -> Playback:
        clean = None if cassette.is_normal else self._clean
        known = (DEFAULT_BASE, self.base)
        interactions: list[Interaction] = []
        asks: list[Ask] = []
        for interaction in cassette.interactions:
            ask = read_recorded(interaction.request, known, clean)
            if ask is not None:
                interactions.append(interaction)
                asks.append(ask)
        return Playback(interactions, asks, self.match_on, allow_repeats=self.allow_repeats)
