"""Recording an unchanged service again gives the same bytes, whatever it calls things."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugin.cassettes.project import Project

SEQUENTIAL = """
    import pytest
    from app import Talk, greet

    pytestmark = pytest.mark.avatar_cassette()

    @pytest.mark.avatar(voice_id="v", voice_speed=1.1)
    def test_fixture(avatar_session):
        assert avatar_session.init_client().turn
        avatar_session.say_text("Hello")
        avatar_session.say_audio(b"ID3 audio", duration=1.5)
        avatar_session.interrupt()
        avatar_session.keep_alive()

    def test_factory(avatar_session_factory):
        for text in "abc":
            avatar_session_factory().say_text(text)

    async def test_async(async_avatar_session):
        await async_avatar_session.say_text("Hello")

    def test_code_under_test():
        first, second = Talk(), Talk()
        second.say("second")
        first.call("init-client")
        first.end(), second.end()

    def test_the_id_of_one_session_said_by_another(avatar_session):
        talk = Talk()
        talk.say(f"you are {avatar_session.session_id}, I am {talk.id}")
        talk.end()
"""


def test_another_service_on_another_day_gives_the_same_files(
    project: Project, other_service: str
) -> None:
    project.write("test_it.py", SEQUENTIAL)
    project.record("--asyncio-mode=auto").assert_outcomes(passed=5)
    first = project.cassettes
    assert len(first) == 5
    project.record("--asyncio-mode=auto", service=other_service).assert_outcomes(passed=5)
    assert project.cassettes == first
    project.replay("--asyncio-mode=auto").assert_outcomes(passed=5)


CONCURRENT = """
    import asyncio
    import random
    import threading
    from concurrent.futures import ThreadPoolExecutor

    import httpx
    import pytest
    from app import Talk, base

    pytestmark = [
        pytest.mark.avatar_cassette(),
        pytest.mark.parametrize("time", range(20)),
    ]

    @pytest.fixture(autouse=True)
    def post():
        with httpx.Client(verify=False) as client:
            def post(path, authorization, body):
                headers = {"Authorization": authorization}
                return client.post(base() + path, json=body, headers=headers).json()
            yield post

    def work(post, number):
        talk = Talk(post)
        talk.say(f"Hello {number % 3}")
        talk.say(f"I am number {number}" if number % 2 else "I am one of many")
        talk.end()

    def test_threads(time, post):
        threads = [threading.Thread(target=work, args=(post, number)) for number in range(8)]
        random.shuffle(threads)
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        work(post, 8)

    def test_pool(time, post):
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, [post] * 8, range(8)))
        work(post, 8)

    def test_tasks(time):
        async def work(client, number):
            async def post(path, authorization, body):
                headers = {"Authorization": authorization}
                await asyncio.sleep(random.random() / 1000)
                return (await client.post(base() + path, json=body, headers=headers)).json()

            opened = await post("", "KS an-admin-ks", {"visualConfig": {"avatarId": "ada"}})
            path, bearer = "/" + opened["sessionId"], "Bearer " + opened["token"]
            words = {"text": f"Hello {number % 3}", "turnId": str(random.random()), "isFinal": True}
            await post(path + "/say-text", bearer, words)
            await post(path + "/end", bearer, {})

        async def main():
            async with httpx.AsyncClient(verify=False) as client:
                await asyncio.gather(*(work(client, number) for number in range(8)))
                await work(client, 8)

        asyncio.run(main())
"""


@pytest.mark.slow
def test_concurrent_code_gives_the_same_files_20_times_over(
    project: Project, other_service: str
) -> None:
    project.write("test_it.py", CONCURRENT)
    project.record().assert_outcomes(passed=60)
    first = project.cassettes
    for kind in ("threads", "pool", "tasks"):
        recordings = [content for name, content in first.items() if f"test_{kind}[" in name]
        assert len(recordings) == 20
        assert len(set(recordings)) == 1
    project.record("-k", "[0] or [1]", service=other_service).assert_outcomes(
        passed=6, deselected=54
    )
    assert project.cassettes == first
    project.replay("-k", "[2]").assert_outcomes(passed=3, deselected=57)


@pytest.mark.slow
def test_workers_write_the_same_files_as_one_process(project: Project) -> None:
    project.write("test_it.py", SEQUENTIAL)
    project.record("--asyncio-mode=auto").assert_outcomes(passed=5)
    first = project.cassettes
    shutil.rmtree(project.folder)
    project.record("-n2", "--asyncio-mode=auto", apart=True).assert_outcomes(passed=5)
    assert project.cassettes == first
    project.replay("-n2", "--asyncio-mode=auto", apart=True).assert_outcomes(passed=5)
