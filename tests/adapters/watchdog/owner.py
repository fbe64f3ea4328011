"""A process that opens sessions under a watchdog and then dies, run as a script.

Its first line of output is a JSON object: the ids of the watchdog and of a forked child, if any.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_avatar.adapters.journal import Journal
from pytest_avatar.adapters.stdlib_http import StdlibSender
from pytest_avatar.adapters.watchdog.launcher import Watchdog
from pytest_avatar.core import wire
from pytest_avatar.core.events import Actor, Opener
from pytest_avatar.core.ledger import Ledger
from pytest_avatar.core.wire import BaseUrl, Operation

if TYPE_CHECKING:
    from collections.abc import Callable


class Owner:
    def __init__(self, run_dir: str, base_url: str, total: float) -> None:
        self.base = BaseUrl(base_url)
        self.ledger = Ledger()
        self.journal = Journal.open(
            Path(run_dir), "main", base_url=base_url, root="/project", token_of=self._token_of
        )
        self.ledger.add_sink(self.journal.write)
        watchdog = Watchdog.start(self.journal.path, shell=os.getppid(), total=total)
        assert isinstance(watchdog, Watchdog)
        assert watchdog.why_not_ready() is None
        self.watchdog = watchdog
        self.send = StdlibSender().send

    def _token_of(self, session_id: str) -> str | None:
        record = self.ledger.find(session_id)
        return None if record is None else self.ledger.token_of(record)

    def open_session(self) -> None:
        key = self.ledger.creating(Opener(test="test_it.py::test_it"))
        opened = wire.read_opened(wire.read_answer(self.send(self._create(), 5)))
        assert opened is not None
        self.ledger.opened(key, opened.session_id, opened.token, 200)

    def relay(self) -> None:
        """Open a session through the watchdog."""
        key = self.ledger.creating(Opener(test="test_it.py::test_it"))
        relay = self.watchdog.relay
        assert relay is not None
        answer = relay.send(self._create(), key=key, base_url=str(self.base), timeout=10)
        opened = wire.read_opened(wire.read_answer(answer))
        assert opened is not None
        self.ledger.opened(key, opened.session_id, opened.token, answer.status)

    def _create(self) -> wire.Request:
        return wire.create_request(self.base, "the-ks", avatar_id="ada")

    def end_all(self) -> None:
        for record in self.ledger.open_sessions:
            assert record.session_id is not None
            token = self.ledger.token_of(record)
            assert token is not None
            request = wire.session_request(self.base, Operation.END, record.session_id, token)
            answer = wire.read_answer(self.send(request, 5))
            ending = wire.read_ending(answer, answered_before=True)
            self.ledger.end_tried(record.key, ending, Actor.FIXTURE, answer.status)


def say(**facts: object) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def churn(owner: Owner) -> None:
    while True:
        owner.relay()
        owner.relay()
        owner.end_all()


def end_well(owner: Owner) -> None:
    owner.end_all()
    assert owner.journal.close(clean=True)
    owner.watchdog.stop()


def leave_open(owner: Owner) -> None:
    assert not owner.journal.close(clean=True)
    owner.watchdog.leave()


def close_pipes(_owner: Owner) -> None:
    os.closerange(3, 100)
    say(closed=True)
    signal.pause()


FATES: dict[str, Callable[[Owner], object]] = {
    "churn": churn,
    "clean": end_well,
    "close-pipes": close_pipes,
    "exit": lambda _: os._exit(0),
    "fork": lambda _: signal.pause(),
    "leave": leave_open,
    "relay": Owner.relay,
    "segfault": lambda _: ctypes.string_at(0),
    "sleep": lambda _: signal.pause(),
}


def main(run_dir: str, base_url: str, sessions: str, fate: str, total: str) -> None:
    owner = Owner(run_dir, base_url, float(total))
    for _ in range(int(sessions)):
        owner.open_session()
    child = fork_a_sleeper() if fate == "fork" else 0
    say(watchdog=owner.watchdog.pid, child=child)
    FATES[fate](owner)


def fork_a_sleeper() -> int:
    child = os.fork()
    if child == 0:
        time.sleep(30)
        os._exit(0)
    return child


if __name__ == "__main__":
    main(*sys.argv[1:])
