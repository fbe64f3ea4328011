"""The ledger and the service's own books, compared session by session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.plugin.cassettes.test_clients import CLIENTS

if TYPE_CHECKING:
    from tests.downstream import EmulatorProcess
    from tests.plugin.cassettes.project import Project

WORK: Final = """
import json
import os

from app import base
from clients import ASYNC, THREADED, converse, in_json, in_loop

NAMES = [*THREADED, *ASYNC]


def converse_with(name, number=0):
    client = THREADED.get(name) or in_loop(ASYNC[name])
    converse(in_json(client), number)


async def converse_in_a_task(name, number):
    async def post(path, authorization, **body):
        headers = {"Authorization": authorization, "Content-Type": "application/json"}
        answer = await ASYNC[name](base() + path, headers, json.dumps(body).encode())
        return json.loads(answer)

    create = {"visualConfig": {"avatarId": "ada"}}
    session = await post("", "KS " + os.environ["AVATAR_KS"], **create)
    url, bearer = "/" + session["sessionId"], "Bearer " + session["token"]
    await post(url + "/say-text", bearer, text=f"Hello {number}", turnId="1", isFinal=True)
    await post(url + "/end", bearer)
"""

BEHIND_THE_GATEWAY: Final = """
    import asyncio
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
    from threading import Thread

    import pytest
    from work import ASYNC, NAMES, THREADED, converse_in_a_task, converse_with

    pytestmark = [
        pytest.mark.avatar_no_leaks,
        pytest.mark.usefixtures("avatar_gateway"),
        pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning"),
    ]

    def numbers():
        return range(len(NAMES))

    def test_threads():
        with ThreadPoolExecutor(len(NAMES)) as pool:
            list(pool.map(converse_with, NAMES, numbers()))

    def test_tasks():
        async def converse_at_once():
            await asyncio.gather(
                *(asyncio.to_thread(converse_with, name) for name in THREADED),
                *(converse_in_a_task(name, number) for number, name in enumerate(ASYNC)),
            )

        asyncio.run(converse_at_once())

    @pytest.mark.parametrize("method", ["spawn", "fork"])
    def test_processes(method):
        context = multiprocessing.get_context(method)
        with ProcessPoolExecutor(2, mp_context=context) as pool:
            list(pool.map(converse_with, NAMES, numbers()))

    @pytest.fixture(scope="session", autouse=True)
    def check(avatar_ledger):
        yield
        sessions = avatar_ledger.sessions
        assert len(sessions) == 4 * len(NAMES)
        assert {one.state for one in sessions} == {"ended"}
        known = [one.opener for one in sessions if one.opener.process is not None]
        assert len(known) >= len(sessions) - 2, "the system may not tell, but nearly always does"
        ours = {opener.process for opener in known if "processes" not in opener.test}
        others = {opener.process for opener in known if "processes" in opener.test}
        assert len(ours) == 1
        assert len(others) > 1
        assert not ours & others
"""


@pytest.mark.slow
def test_every_client_in_threads_tasks_and_processes_is_counted(
    project: Project, emulator_process: EmulatorProcess
) -> None:
    project.write("clients.py", CLIENTS)
    project.write("work.py", WORK)
    project.write("test_it.py", BEHIND_THE_GATEWAY)
    recorded = project.record(apart=True)
    recorded.assert_outcomes(passed=4)
    opened = len(emulator_process.sessions)
    summary = f"avatar: {opened} sessions, all ended ({opened} by the code under test)"
    recorded.stdout.fnmatch_lines([summary])
    replayed = project.replay(apart=True)
    replayed.assert_outcomes(passed=4)
    replayed.stdout.fnmatch_lines([summary])
    emulator_process.assert_all_ended(opened)


MANY: Final = """
    import http.client
    import itertools
    import json
    import os
    import threading
    from urllib.parse import urlsplit

    import httpx
    import pytest

    SESSIONS, THREADS = 1000, 16
    HEADERS = {"Content-Type": "application/json"}

    def converse(url, numbers):
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.hostname, parts.port)

        def post(path, authorization, body):
            headers = {"Authorization": authorization, **HEADERS}
            connection.request("POST", parts.path + path, json.dumps(body), headers)
            return json.loads(connection.getresponse().read())

        for number in numbers:
            opened = post("", "KS " + os.environ["AVATAR_KS"], {"visualConfig": {"avatarId": "ada"}})
            for _ in range(number % 10 and 1 + (number % 7 == 0)):  # every tenth not, some twice
                post(f"/{opened['sessionId']}/end", f"Bearer {opened['token']}", {})
        connection.close()

    def test_it(avatar_settings, avatar_ledger{gateway}):
        url, numbers = os.environ["AVATAR_BASE_URL"], range(SESSIONS)
        work = [numbers[start::THREADS] for start in range(THREADS)]
        threads = [threading.Thread(target=converse, args=(url, some)) for some in work]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        origin = str(avatar_settings.base_url).partition("/v1/")[0]
        books = httpx.get(origin, headers={"Accept": "application/json"}).json()["sessions"]
        books = books[-SESSIONS:]
        theirs = {one["session_id"]: one["ended_at"] is None for one in books}
        ours = {one.session_id: one.is_open for one in avatar_ledger.sessions}
        assert ours == theirs
        assert len(ours) == SESSIONS
        assert sum(ours.values()) == SESSIONS // 10
        twice = [one for one in avatar_ledger.sessions if len(one.end_attempts) == 2]
        assert len(twice) == sum(n % 10 != 0 and n % 7 == 0 for n in numbers)
"""


@pytest.mark.slow
@pytest.mark.parametrize("gateway", ["", ", avatar_gateway"], ids=["direct", "gateway"])
def test_1000_sessions_over_16_threads_are_counted_to_the_last(
    project: Project, emulator_process: EmulatorProcess, gateway: str
) -> None:
    project.write("test_it.py", MANY.replace("{gateway}", gateway))
    result = project.run("--avatar-mode=live", "--avatar-leaks=warn")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*avatar: 100 leaked of 1,000 sessions*"])
    emulator_process.assert_all_ended(opened=1000)
