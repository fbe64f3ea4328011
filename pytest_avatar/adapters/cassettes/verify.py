"""The tape that sends everything and compares each answer with the recorded one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_avatar.adapters.cassettes.player import Player
from pytest_avatar.core import wire
from pytest_avatar.core.drift import Drift, compare
from pytest_avatar.core.errors import CassetteError
from pytest_avatar.core.misses import describe
from pytest_avatar.core.placeholders import token_placeholder
from pytest_avatar.core.recording import is_refused_dialect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_avatar.core.cassette import Ask
    from pytest_avatar.core.identities import Identities
    from pytest_avatar.core.interception import Exchange
    from pytest_avatar.core.wire import Response

__all__ = ["VerifyTape"]


@dataclass(kw_only=True, eq=False, repr=False)
class VerifyTape(Player):
    """Lets every request through and compares; nothing is written.

    Attributes:
        identities: Which session is which, over all tapes of the run.
    """

    identities: Identities
    _drifts: dict[Drift, None] = field(default_factory=dict, init=False)
    _opened: dict[str, str] = field(default_factory=dict, init=False)
    _refused: dict[str, tuple[Ask, Response]] = field(default_factory=dict, init=False)

    @property
    def failures(self) -> tuple[str, ...]:
        """What the service answers otherwise, so that code may break; redacted."""
        with self._lock:
            for ask, response in self._refused.values():
                self._compare(ask, response)
            self._refused.clear()
            return tuple(drift.text for drift in self._drifts if drift.is_failure)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the service answers besides, redacted."""
        return tuple(drift.text for drift in self._drifts if not drift.is_failure)

    def session_names(self) -> Mapping[str, str]:
        """Return the recorded session for each one that was opened here."""
        return self._opened

    def begin(self, exchange: Exchange) -> None:
        """Let the request through."""

    def finish(self, exchange: Exchange, response: Response) -> None:
        """Compare an answer; that of a create in a dialect that was refused must wait."""
        if exchange.actor.is_background:
            return
        ask = self._cleaned(exchange)
        with self._lock:
            self._refused.pop(ask.content, None)
            if is_refused_dialect(exchange.call, response):
                self._refused[ask.content] = (ask, response)
            else:
                self._compare(ask, response)

    def abort(self, exchange: Exchange, error: BaseException) -> None:
        """There is no answer to compare; whoever sent the request hears of it."""

    def _compare(self, ask: Ask, response: Response) -> None:
        try:
            index = self._find(ask)
        except CassetteError as error:
            self._note(str(error), is_failure=True)
            return
        self._bind(index, response)
        recorded = self._playback.asks[index]
        place = f"{self.place().cassette}, interaction {index + 1}, {describe(recorded)}"
        for drift in compare(self._playback.interactions[index].response, response):
            self._note(f"{place}: {drift.text}", is_failure=drift.is_failure)

    def _find(self, ask: Ask) -> int:
        playback = self._playback
        if ask.session is not None and (name := self.identities.find(ask.session)) is not None:
            playback.bind(ask.session, name)
        index = playback.play(ask)
        if index is None:
            raise CassetteError(self._miss_message(ask))
        return index

    def _bind(self, index: int, response: Response) -> None:
        """Have a session that was just opened stand for the recorded one."""
        recorded = self._playback.opened_by(index)
        opened = wire.read_opened(wire.read_answer(response))
        if recorded is None or opened is None:
            return
        self._playback.bind(opened.session_id, recorded)
        self._names.add(opened.session_id, recorded)
        if opened.token is not None:
            self._names.add(opened.token, token_placeholder(recorded))
        self._opened[opened.session_id] = recorded
        if not recorded.startswith("session-"):
            self.identities.opened(opened.session_id, self)

    def _note(self, text: str, *, is_failure: bool) -> None:
        self._drifts[Drift(self.secrets.scrub(text), is_failure)] = None
