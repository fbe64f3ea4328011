"""The tape that answers from a cassette and sends nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pytest_avatar.adapters.cassettes.player import Player
from pytest_avatar.core import wire
from pytest_avatar.core.cassette import make_ask
from pytest_avatar.core.errors import CassetteError
from pytest_avatar.core.events import Actor
from pytest_avatar.core.normalising import DEFAULT_BASE, rebase
from pytest_avatar.core.placeholders import AVATAR_ID

if TYPE_CHECKING:
    from pytest_avatar.core.cassette import Ask, Interaction
    from pytest_avatar.core.interception import Exchange
    from pytest_avatar.core.misses import Miss
    from pytest_avatar.core.wire import Response

__all__ = ["ReplayTape"]

_RECORDED_HOST: Final = DEFAULT_BASE.host.encode()


@dataclass(kw_only=True, eq=False, repr=False)
class ReplayTape(Player):
    """Answers every request from a cassette.

    Background keep-alives of this package are answered without one.
    """

    _misses: list[Miss] = field(default_factory=list, init=False)
    _played: list[int] = field(default_factory=list, init=False)
    _has_stand_in: bool = field(default=False, init=False)

    @property
    def misses(self) -> tuple[Miss, ...]:
        """Every request that had no answer, whether or not somebody noticed; oldest first."""
        return tuple(self._misses)

    @property
    def played(self) -> tuple[Interaction, ...]:
        """The interactions that answered a request, in the order of the requests."""
        with self._lock:
            return tuple(self._playback.interactions[index] for index in self._played)

    def begin(self, exchange: Exchange) -> Response:
        """Return the recorded answer.

        Raises:
            CassetteError: There is none; the miss is kept, but for what this package sends.
        """
        if exchange.actor is Actor.KEEPER:
            return wire.json_response(200, {"success": True})
        with self._lock:
            try:
                return self._answer(exchange)
            except CassetteError as error:
                if not exchange.actor.is_background:
                    self._misses.append(self._miss(exchange, str(error)))
                raise

    def finish(self, exchange: Exchange, response: Response) -> None:
        """Nothing is sent, so nothing is answered."""

    def abort(self, exchange: Exchange, error: BaseException) -> None:
        """Nothing is sent, so nothing fails."""

    def _answer(self, exchange: Exchange) -> Response:
        playback, ask = self._playback, self._ask(exchange)
        index = playback.play(ask)
        if index is None:
            index = self._play_as_avatar_of_the_settings(ask)
        if index is None:
            raise CassetteError(self._miss_message(ask))
        self._played.append(index)
        return self._rebased(playback.answer(index, ask))

    def _miss(self, exchange: Exchange, message: str) -> Miss:
        from pytest_avatar.core.misses import Miss, describe  # noqa: PLC0415 - said by few tests

        return Miss(self.secrets.scrub(describe(self._cleaned(exchange))), message)

    def _play_as_avatar_of_the_settings(self, ask: Ask) -> int | None:
        """Play a create of an unknown avatar as that of the one whose id the recording hides.

        The code under test may hold the very id that the settings named while recording. Where they
        name none now, one id of the code stands for it.
        """
        avatar_id = ask.avatar_id
        if avatar_id is None or AVATAR_ID in self.aliases.values() or self._has_stand_in:
            return None
        index = self._playback.play(ask.with_avatar_id(AVATAR_ID))
        if index is not None:
            self._names.add(avatar_id, AVATAR_ID)
            self._has_stand_in = True
        return index

    def _ask(self, exchange: Exchange) -> Ask:
        """Return what a request asks, in terms of the cassette.

        Most stand there as they are sent, a create perhaps with another avatar. Only the rest is
        searched for what differs from run to run.
        """
        knows, whole = self._playback.knows, self._names.whole
        is_create = exchange.call.operation is wire.Operation.CREATE
        for clean in (whole, None) if is_create else (None, whole):
            ask = make_ask(self.base, exchange.request, exchange.call, clean)
            if knows(ask):
                return ask
        return self._cleaned(exchange)

    def _rebased(self, answer: Response) -> Response:
        """Put the base URL of the run where the recorded answer names the service."""
        if _RECORDED_HOST not in answer.body:
            return answer
        body = rebase(answer.body.decode("utf-8", "surrogateescape"), DEFAULT_BASE, self.base)
        return answer._replace(body=body.encode("utf-8", "surrogateescape"))
