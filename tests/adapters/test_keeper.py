"""Sessions are kept alive in the background, and ended when they have lived too long."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Protocol

import pytest

from pytest_avatar.adapters.http import Sender
from pytest_avatar.adapters.keeper import Keeper
from pytest_avatar.core.conversation import Conversation, Service
from pytest_avatar.core.dialect import Dialect
from pytest_avatar.core.errors import SessionGoneError
from pytest_avatar.core.http import BaseUrl
from pytest_avatar.core.model import AvatarOptions
from pytest_avatar.core.redaction import Secrets
from pytest_avatar.emulator import Emulator, Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

INTERVAL = 0.02


class MakeKeeper(Protocol):
    def __call__(self, *, interval: float = INTERVAL, longest_life: float = 0) -> Keeper: ...


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


@pytest.fixture
def sender(emulator: Emulator) -> Iterator[Sender]:
    sender = Sender(BaseUrl(emulator.base_url))
    yield sender
    sender.close()


@pytest.fixture
def make_keeper(sender: Sender) -> Iterator[MakeKeeper]:
    keepers: list[Keeper] = []

    def make(*, interval: float = INTERVAL, longest_life: float = 0) -> Keeper:
        keepers.append(Keeper(sender, interval=interval, longest_life=longest_life))
        return keepers[-1]

    yield make
    for keeper in keepers:
        keeper.close()


@pytest.fixture
def conversation(emulator: Emulator, sender: Sender) -> Conversation:
    return open_session(emulator, sender)


def open_session(emulator: Emulator, sender: Sender) -> Conversation:
    service = Service(BaseUrl(emulator.base_url), Dialect(), Secrets(), 5)
    return sender.perform(service.create("any", AvatarOptions("ada")))


def keep_alives(emulator: Emulator) -> list[int]:
    """Return how many keep-alives each session has seen, the oldest session first."""
    return [session.calls.get("keep-alive", 0) for session in emulator.books.sessions]


def keeper_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "avatar-keeper"]


def eventually(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within 10 s"
        time.sleep(0.005)


def test_keep_alives_go_on_until_the_session_is_removed(
    emulator: Emulator, make_keeper: MakeKeeper, conversation: Conversation
) -> None:
    keeper = make_keeper()
    keeper.add(conversation)
    eventually(lambda: keep_alives(emulator)[0] >= 3)
    keeper.remove(conversation)
    keeper.close()
    seen = keep_alives(emulator)
    assert not keeper_threads()
    assert keep_alives(emulator) == seen


def test_one_thread_looks_after_all_sessions(
    emulator: Emulator, sender: Sender, make_keeper: MakeKeeper
) -> None:
    keeper = make_keeper()
    for _ in range(3):
        keeper.add(open_session(emulator, sender))
    eventually(lambda: min(keep_alives(emulator)) >= 2)
    assert len(keeper_threads()) == 1


def test_a_removed_session_is_left_alone_while_others_are_kept(
    emulator: Emulator, sender: Sender, make_keeper: MakeKeeper
) -> None:
    keeper = make_keeper()
    first, second = open_session(emulator, sender), open_session(emulator, sender)
    keeper.add(first)
    keeper.add(second)
    eventually(lambda: keep_alives(emulator)[0] >= 1)
    keeper.remove(first)
    keeper.remove(first)
    # One that was under way may still arrive, but none after the next of the other session.
    seen = keep_alives(emulator)
    eventually(lambda: keep_alives(emulator)[1] >= seen[1] + 3)
    assert keep_alives(emulator)[0] <= seen[0] + 1


def test_a_session_that_comes_and_goes_wakes_nobody(
    emulator: Emulator,
    sender: Sender,
    make_keeper: MakeKeeper,
    conversation: Conversation,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keeper = make_keeper(interval=60)
    keeper.add(conversation)
    second = open_session(emulator, sender)
    with monkeypatch.context() as patched:
        patched.setattr(keeper._changed, "notify", lambda: pytest.fail("it is woken"))
        keeper.add(second)
        keeper.remove(second)


def test_a_keep_alive_that_fails_is_followed_by_the_next(
    emulator: Emulator, make_keeper: MakeKeeper, conversation: Conversation
) -> None:
    emulator.add_fault(Fault("keep-alive", status=503), Fault("keep-alive", drop="before"))
    make_keeper().add(conversation)
    eventually(lambda: keep_alives(emulator)[0] >= 2)
    assert len(emulator.books.faults) == 2


def test_a_session_that_is_gone_is_left_alone(
    emulator: Emulator, sender: Sender, make_keeper: MakeKeeper, conversation: Conversation
) -> None:
    emulator.add_fault(Fault("keep-alive", status=410, times=None))
    keeper = make_keeper()
    keeper.add(conversation)
    keeper.add(open_session(emulator, sender))
    eventually(lambda: not keeper._kept)
    keeper.close()
    assert keep_alives(emulator) == [1, 1]


def test_no_keep_alive_is_sent_if_none_is_wanted(
    emulator: Emulator, make_keeper: MakeKeeper, conversation: Conversation
) -> None:
    keeper = make_keeper(interval=0, longest_life=0.1)
    keeper.add(conversation)
    eventually(lambda: not conversation.is_open)
    assert keep_alives(emulator) == [0]


def test_a_session_that_lives_too_long_is_ended_and_says_so(
    emulator: Emulator, sender: Sender, make_keeper: MakeKeeper, conversation: Conversation
) -> None:
    make_keeper(longest_life=0.1).add(conversation)
    eventually(lambda: not emulator.books.open_sessions and not conversation.is_open)
    assert conversation.outlived == (
        f"avatar session {conversation.session_id} was ended by pytest-avatar: it had been open "
        "for 0.1 s.\n"
        "Expected: a test ends its session sooner (avatar_max_session_duration in the ini)."
    )
    with pytest.raises(SessionGoneError, match=r"came too late: it had been open for 0\.1 s\."):
        sender.perform(conversation.say_text("hello", None, is_final=True))


def test_failing_keep_alives_do_not_lengthen_a_life(
    emulator: Emulator, make_keeper: MakeKeeper, conversation: Conversation
) -> None:
    emulator.add_fault(Fault("keep-alive", status=503, times=None))
    make_keeper(longest_life=0.1).add(conversation)
    eventually(lambda: not emulator.books.open_sessions)


def test_a_session_that_cannot_be_ended_says_so(
    emulator: Emulator, make_keeper: MakeKeeper, conversation: Conversation
) -> None:
    emulator.add_fault(Fault("end", status=401, times=None))
    make_keeper(longest_life=0.05).add(conversation)
    eventually(lambda: "could not be ended" in conversation.closing_words)
    assert conversation.closing_words == "it had been open for 0.05 s, and could not be ended"
    assert conversation.outlived is not None


def test_closing_waits_for_what_is_under_way(
    emulator: Emulator, make_keeper: MakeKeeper, conversation: Conversation
) -> None:
    emulator.add_fault(Fault("keep-alive", delay=0.2, times=None))
    keeper = make_keeper()
    keeper.add(conversation)
    eventually(lambda: keep_alives(emulator)[0] == 1)
    keeper.close()
    keeper.close()
    assert not keeper_threads()


def test_a_keeper_that_kept_nothing_needs_no_thread(make_keeper: MakeKeeper) -> None:
    make_keeper().close()
    assert not keeper_threads()
