"""Recording concurrent code again gives the same bytes; replaying it finds every answer."""

from __future__ import annotations

import asyncio
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from pytest_avatar.adapters.cassettes.lanes import Lanes
from pytest_avatar.adapters.shield import ShieldedCalls
from pytest_avatar.core.wire import Operation

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_avatar.core.ordering import Step
    from tests.studio import Client, Studio


def work(client: Client, number: int) -> None:
    """What one thread or task does; some do the same as others."""
    talk = client.create()
    talk.call(Operation.INIT_CLIENT)
    talk.say(f"Hello {number % 3}")
    talk.say("Well", turn_id="same")
    talk.say(f"Bye {number}" if number % 2 else "Bye")
    talk.end()


def threads(client: Client) -> None:
    them = [threading.Thread(target=work, args=(client, number)) for number in range(8)]
    random.shuffle(them)
    for thread in them:
        thread.start()
    for thread in them:
        thread.join()
    work(client, 100)


def pool(client: Client) -> None:
    numbers = list(range(20))
    with ThreadPoolExecutor(8) as executor:
        list(executor.map(lambda number: work(client, number), numbers))
    work(client, 100)


def tasks(client: Client) -> None:
    async def work_in_steps(number: int) -> None:
        talk = client.create()
        await asyncio.sleep(random.random() / 500)
        talk.say(f"Hello {number % 3}")
        await asyncio.sleep(random.random() / 500)
        talk.say(f"Bye {number}" if number % 2 else "Bye")
        await asyncio.to_thread(talk.end)

    async def main() -> None:
        talk = client.create()
        await asyncio.gather(*(work_in_steps(number) for number in range(8)))
        talk.end()

    asyncio.run(main())


def shared_session(client: Client) -> None:
    talk = client.create()
    with ThreadPoolExecutor(4) as executor:
        list(executor.map(talk.say, "abcdefgh"))
    talk.end()


@pytest.mark.slow
@pytest.mark.parametrize("code", [threads, pool, tasks, shared_session])
def test_concurrent_code_is_recorded_the_same_20_times_over(
    studio: Studio, code: Callable[[Client], None]
) -> None:
    recordings = {studio.record(code, jitter=0.002) for _ in range(20)}
    assert len(recordings) == 1


@pytest.mark.parametrize("code", [threads, pool, tasks, shared_session])
def test_concurrent_code_finds_every_answer(studio: Studio, code: Callable[[Client], None]) -> None:
    studio.record(code)
    for _ in range(5):
        tape = studio.replay(code)
        assert tape.misses == ()
        assert tape.unplayed == ()


def test_what_follows_a_join_comes_after_it() -> None:
    lanes = Lanes()
    undo = lanes.install()
    try:
        first = lanes.step()
        child = []
        thread = threading.Thread(target=lambda: child.append(lanes.step()))
        thread.start()
        thread.join()
        last = lanes.step()
    finally:
        undo()
    assert child[0].after == (first.number,)
    assert last.after == (child[0].number,)
    assert last.lane == first.lane != child[0].lane


def test_what_a_thread_starts_before_it_sends_anything_is_joined_too() -> None:
    lanes = Lanes()
    undo = lanes.install()
    try:
        with ThreadPoolExecutor(2) as executor:
            steps = [future.result() for future in [executor.submit(lanes.step) for _ in range(3)]]
        last = lanes.step()
    finally:
        undo()
    assert sorted(last.after) == sorted(step.number for step in steps)
    assert len({step.lane for step in steps}) == 3


def test_tasks_that_a_thread_runs_one_after_another_are_in_order() -> None:
    """pytest-asyncio runs setup, test and teardown in a task each."""
    lanes = Lanes()

    async def step() -> Step:
        return lanes.step()

    undo = lanes.install()
    try:
        with asyncio.Runner() as runner:
            setup, test, teardown = [runner.run(step()) for _ in range(3)]
    finally:
        undo()
    assert len({setup.lane, test.lane, teardown.lane}) == 3
    assert test.after == (setup.number,)
    assert teardown.after == (test.number,)


def test_a_task_that_sends_nothing_does_not_hide_what_was_over_before_it() -> None:
    """tornado leaves such tasks behind: started from a callback, they start others later on."""
    lanes = Lanes()

    async def linger() -> None:
        await asyncio.sleep(0)
        await asyncio.create_task(asyncio.sleep(0))

    async def step() -> Step:
        sent = lanes.step()
        loop = asyncio.get_running_loop()
        loop.call_soon(lambda: loop.create_task(linger()))
        await asyncio.sleep(0)
        return sent

    undo = lanes.install()
    try:
        with asyncio.Runner() as runner:
            first, second = [runner.run(step()) for _ in range(2)]
    finally:
        undo()
    assert set(second.after) == {first.number}


def test_without_installing_requests_still_have_lanes() -> None:
    lanes = Lanes()
    with ThreadPoolExecutor(1) as executor:
        assert executor.submit(lanes.step).result().lane != lanes.step().lane


def test_uninstalling_puts_the_originals_back() -> None:
    before = threading.Thread.start, ThreadPoolExecutor.submit, asyncio.BaseEventLoop.create_task
    Lanes().install()()
    assert before == (
        threading.Thread.start,
        ThreadPoolExecutor.submit,
        asyncio.BaseEventLoop.create_task,
    )


def test_a_shielded_call_is_in_the_lane_of_whoever_waits_for_it() -> None:
    lanes, calls = Lanes(), ShieldedCalls()
    undo = lanes.install()

    def both() -> list[Step]:
        return [calls.make(lanes.step, kept=print), lanes.step()]

    async def both_in_a_task() -> list[Step]:
        return both()

    try:
        with ThreadPoolExecutor(1) as executor:
            pairs = [both(), executor.submit(both).result(), asyncio.run(both_in_a_task())]
    finally:
        undo()
        calls.close()
    assert [first.lane == second.lane for first, second in pairs] == [True, True, True]
    assert len({first.lane for first, _ in pairs}) == 3
