"""The tape that records."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_avatar.adapters.cassettes.files import dump_cassette, write_whole
from pytest_avatar.core.cassette import Cassette
from pytest_avatar.core.errors import CassetteError
from pytest_avatar.core.normalising import secret_values
from pytest_avatar.core.recording import Recorder, Take

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pytest_avatar.adapters.cassettes.lanes import Lanes
    from pytest_avatar.core.identities import Identities
    from pytest_avatar.core.interception import Exchange
    from pytest_avatar.core.ordering import Step
    from pytest_avatar.core.redaction import Secrets
    from pytest_avatar.core.wire import BaseUrl, Response

__all__ = ["RecordTape", "Saved"]


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of a recording.

    Attributes:
        path: The cassette.
        interactions: How many it holds; 0 if there is none, as nothing was sent.
        changed: Whether the file is another than before.
    """

    path: Path
    interactions: int
    changed: bool


class RecordTape:
    """Sends everything, and keeps it for a cassette.

    What this package itself sends (background keep-alives, the ending of leaks) is not kept.

    Args:
        path: The cassette's file.
        base: The base URL of the run.
        secrets: What must not be written.
        identities: Which session is which, over all tapes of the run.
        lanes: Who sends what.
        label: What tells the sessions of a fixture from those of the tests that use it, unique
            among the fixtures that live at the same time (`module`); `None` for a test's own tape.
        aliases: What stands for values of settings (the avatar id).
        leaks_allowed: Why sessions may be left open; `None` if they may not.
    """

    def __init__(
        self,
        path: Path,
        *,
        base: BaseUrl,
        secrets: Secrets,
        identities: Identities,
        lanes: Lanes,
        label: str | None = None,
        aliases: Mapping[str, str] | None = None,
        leaks_allowed: str | None = None,
    ) -> None:
        self.path = path
        self.leaks_allowed = leaks_allowed
        self._secrets = secrets
        self._identities = identities
        self._lanes = lanes
        self._label = label
        self._recorder = Recorder(base, secrets, aliases or {}, self._find_session)
        self._lock = threading.Lock()
        self._steps: dict[Exchange, Step] = {}
        self._takes: list[Take] = []
        self._names: dict[str, str] = {}
        self._has_unnamed = False

    def begin(self, exchange: Exchange) -> None:
        """Note when a request was sent, and by whom."""
        if exchange.actor.is_background:
            return
        step = self._lanes.step()
        with self._lock:
            self._steps[exchange] = step

    def finish(self, exchange: Exchange, response: Response) -> None:
        """Keep a request and its answer."""
        with self._lock:
            step = self._steps.pop(exchange, None)
            if step is None:
                return
            take = Take(step, exchange.request, exchange.call, response)
            self._takes.append(take)
        for name, value in secret_values(response.body):
            self._secrets.add(value, name)
        if self._label is not None and take.opened is not None:
            self._has_unnamed = True
            self._identities.opened(take.opened.session_id, self)

    def abort(self, exchange: Exchange, error: BaseException) -> None:  # noqa: ARG002 - a Tape's
        """Forget a request that got no whole answer: there is nothing to play."""
        with self._lock:
            self._steps.pop(exchange, None)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was sent so far."""
        return not self._takes

    def session_names(self) -> Mapping[str, str]:
        """Return what stands for each session opened so far. It never changes afterwards."""
        if self._has_unnamed:
            self._has_unnamed = False
            self._name_sessions(self._ordered())
        return self._names

    def save(self) -> Saved:
        """Write the cassette, whole or not at all; remove it if nothing was sent any more.

        Raises:
            CassetteError: A secret would have been written, so nothing was.
        """
        takes = self._ordered()
        if not takes:
            existed = self.path.exists()
            self.path.unlink(missing_ok=True)
            return Saved(self.path, 0, existed)
        self._name_sessions(takes)
        cassette = Cassette(self._recorder.interactions(takes), self.leaks_allowed)
        content = dump_cassette(cassette)
        if found := self._secrets.find(content):
            raise CassetteError(
                f"{self.path} was not written: it would hold a secret ({', '.join(found)}) in a "
                "form that could not be replaced. Report which answer of the service holds it, "
                "and how it is encoded."
            )
        changed = not (self.path.is_file() and self.path.read_bytes() == content)
        if changed:
            write_whole(self.path, content)
        return Saved(self.path, len(cassette.interactions), changed)

    def discard(self) -> None:
        """Forget what was recorded; the file stays as it is."""
        with self._lock:
            self._takes.clear()

    def _ordered(self) -> list[Take]:
        with self._lock:
            takes = tuple(self._takes)
        return self._recorder.order(takes)

    def _name_sessions(self, takes: list[Take]) -> None:
        prefix = "" if self._label is None else f"{self._label}-"
        for take in takes:
            if (opened := take.opened) is not None:
                number = len(self._names) + 1
                self._names.setdefault(opened.session_id, f"{prefix}session-{number}")

    def _find_session(self, session_id: str) -> str | None:
        return self._names.get(session_id) or self._identities.find(session_id)
