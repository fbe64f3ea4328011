"""Who opened a session: the test, and the line of the code under test, in threads and tasks too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from tests.downstream import Downstream

ASKING: Final = """
    import os
    import threading
    from pathlib import Path

    import requests

    def create():
        \"\"\"Return what a library has to be told so that it opens a session.\"\"\"
        return {
            "url": os.environ["AVATAR_BASE_URL"],
            "headers": {"Authorization": "KS djJ8MTIzNDU2fGFiY2RlZmdoaWprbG1ub3BxcnN0dXY="},
            "json": {"visualConfig": {"avatarId": "ada"}},
        }

    def mark_of(opener):
        \"\"\"Return what stands behind the hash in the line that opened a session.\"\"\"
        line = Path(opener.file).read_text().splitlines()[opener.line - 1]
        return line.rpartition("# ")[2]
"""
"""What the code of these projects sends: creates, to the emulator inside their run."""

EMULATED: Final = ("--avatar-mode=emulator", "--avatar-leaks=off")


@pytest.fixture
def project(downstream: Downstream) -> Downstream:
    """A project whose code opens sessions with clients of its own, and whose runs have no KS."""
    downstream.write(ASKING, "asking")
    return downstream


STARTS: Final = """
    import asyncio
    import threading
    from concurrent.futures import ThreadPoolExecutor

    import httpx
    import pytest
    import requests

    from asking import create, mark_of

    def started(thread):
        thread.start()  # started
        thread.join()

    async def in_a_task():
        async with httpx.AsyncClient() as client:
            await asyncio.create_task(client.post(**create()))  # task

    async def gathered():
        async with httpx.AsyncClient() as client:
            await asyncio.gather(client.post(**create()), asyncio.sleep(0))  # gather

    async def in_a_group():
        async with httpx.AsyncClient() as client, asyncio.TaskGroup() as group:
            group.create_task(client.post(**create()))  # group

    async def in_a_thread_of_asyncio():
        await asyncio.to_thread(requests.post, **create())  # to_thread

    async def in_an_executor():
        send = lambda: requests.post(**create())  # executor
        await asyncio.get_running_loop().run_in_executor(None, send)

    def nested():
        started(threading.Thread(target=requests.post, kwargs=create()))

    def own_code():
        requests.post(**create())  # own

    def in_a_pool(send):
        with ThreadPoolExecutor(1) as pool:
            pool.submit(send, **create()).result()  # pool

    def in_a_loop_elsewhere():
        with httpx.Client() as unused:
            client = httpx.AsyncClient()
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        asyncio.run_coroutine_threadsafe(client.post(**create()), loop).result()
        asyncio.run_coroutine_threadsafe(client.aclose(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

    WAYS = {
        "started": lambda: started(threading.Thread(target=requests.post, kwargs=create())),
        "pool": lambda: in_a_pool(requests.post),
        "task": lambda: asyncio.run(in_a_task()),
        "gather": lambda: asyncio.run(gathered()),
        "group": lambda: asyncio.run(in_a_group()),
        "to_thread": lambda: asyncio.run(in_a_thread_of_asyncio()),
        "executor": lambda: asyncio.run(in_an_executor()),
        "own": own_code,
    }
    NESTED = {
        "started": lambda: started(threading.Timer(0, nested)),
        "task": lambda: started(threading.Thread(target=WAYS["task"])),
        "own": lambda: started(threading.Thread(target=own_code)),
        "pool": lambda: started(threading.Thread(target=WAYS["pool"])),
        "to_thread": lambda: in_a_pool(lambda **_: WAYS["to_thread"]()),
    }

    def check(avatar_ledger, name, mark):
        opener = avatar_ledger.sessions[-1].opener
        assert (opener.test, opener.phase) == (f"test_it.py::{name}[{mark}]", "call")
        assert mark_of(opener) == mark

    @pytest.mark.parametrize("mark", WAYS)
    def test_one(mark, avatar_ledger):
        WAYS[mark]()
        check(avatar_ledger, "test_one", mark)

    @pytest.mark.parametrize("mark", NESTED)
    def test_nested(mark, avatar_ledger):
        NESTED[mark]()
        check(avatar_ledger, "test_nested", mark)

    def test_a_loop_elsewhere(avatar_ledger):
        in_a_loop_elsewhere()
        assert avatar_ledger.sessions[-1].opener.test == "test_it.py::test_a_loop_elsewhere"
"""


def test_a_library_that_runs_by_itself_is_attributed_to_the_line_that_started_it(
    project: Downstream,
) -> None:
    project.write(STARTS)
    project.run(*EMULATED).assert_outcomes(passed=14)


def test_a_thread_or_task_that_outlives_its_test_is_not_blamed_on_the_next(
    project: Downstream,
) -> None:
    project.write("""
        import asyncio
        import threading
        from concurrent.futures import ThreadPoolExecutor

        import pytest
        import requests

        from asking import create

        go, running = threading.Event(), []
        loop = asyncio.new_event_loop()
        pool = ThreadPoolExecutor(1)

        def forget():
            assert go.wait(10)
            requests.post(**create())

        async def forget_in_a_task():
            await asyncio.to_thread(forget)

        def test_one(avatar_ledger):
            running.append(threading.Thread(target=forget))
            running.append(threading.Thread(target=loop.run_forever, daemon=True))
            for thread in running:
                thread.start()
            running.append(asyncio.run_coroutine_threadsafe(forget_in_a_task(), loop))
            running.append(pool.submit(forget))

        @pytest.mark.avatar_no_leaks
        def test_two(avatar_ledger):
            go.set()
            thread, runner, task, work = running
            thread.join()
            task.result(), work.result()
            openers = [one.opener for one in avatar_ledger.sessions]
            assert [one.test for one in openers] == ["test_it.py::test_one"] * 3
            assert avatar_ledger.open_sessions

        async def ask():
            requests.post(**create())

        def test_three(avatar_ledger):
            asyncio.run_coroutine_threadsafe(ask(), loop).result()
            pool.submit(requests.post, **create()).result()
            openers = [one.opener for one in avatar_ledger.sessions[3:]]
            assert [one.test for one in openers] == ["test_it.py::test_three"] * 2
            loop.call_soon_threadsafe(loop.stop)
            running[1].join()
            loop.close()
            pool.shutdown()
    """)
    result = project.run("--avatar-mode=emulator")
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(
        ["3 sessions leaked, opened at test_it.py:*", "  in test_it.py::test_one"]
    )


def test_a_server_in_a_thread_works_for_the_test_that_asks_it(project: Downstream) -> None:
    project.write(
        """
        import threading
        from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

        import requests
        from asking import create

        class Backend(BaseHTTPRequestHandler):
            def do_GET(self):
                requests.post(**create())  # the backend
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_): ...

        def serve():
            server = ThreadingHTTPServer(("127.0.0.1", 0), Backend)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            return server
        """,
        "backend",
    )
    project.write("""
        import pytest, requests, backend
        from asking import mark_of

        @pytest.fixture(scope="module")
        def server():
            with backend.serve() as server:
                yield f"http://127.0.0.1:{server.server_port}"
                server.shutdown()

        def test_one(server): ...

        @pytest.mark.avatar_no_leaks
        def test_two(server, avatar_ledger):
            assert requests.get(server).status_code == 204
            (session,) = avatar_ledger.sessions
            assert session.opener.fixture is None
            assert mark_of(session.opener) == "the backend"
    """)
    result = project.run(*EMULATED)
    result.assert_outcomes(passed=2, errors=1, failed=1)
    result.stdout.fnmatch_lines(
        ["*ERROR at teardown of test_two*", "1 session left open", "*opened at backend.py:9 *"]
    )


ASYNC_FIXTURE: Final = """
    import httpx
    import pytest
    {imports}

    from asking import create

    {mark}

    async def post():
        async with httpx.AsyncClient() as client:
            await client.post(**create())

    @{fixture}
    async def shared():
        await post()
        yield
        await post()

    async def test_one(shared): ...

    async def test_two(shared):
        await post()

    def openers(ledger):
        return [(s.opener.test, s.opener.phase, s.opener.fixture) for s in ledger.sessions]

    @pytest.fixture(scope="session", autouse=True)
    def check(avatar_ledger):
        yield
        assert openers(avatar_ledger) == [
            ("test_it.py::test_one", "setup", "shared"),
            ("test_it.py::test_two", "call", None),
            ("test_it.py::test_two", "teardown", "shared"),
        ]
        assert [s.opener.scope_id for s in avatar_ledger.sessions] == [
            "test_it.py", "test_it.py::test_two", "test_it.py"
        ]
"""


def test_async_fixtures_of_a_module_are_told_from_its_tests(project: Downstream) -> None:
    project.write(
        ASYNC_FIXTURE.format(
            imports="import pytest_asyncio",
            mark="pytestmark = pytest.mark.asyncio(loop_scope='module')",
            fixture="pytest_asyncio.fixture(scope='module', loop_scope='module')",
        )
    )
    project.run(*EMULATED).assert_outcomes(passed=2)


def test_async_fixtures_of_anyio_are_told_from_its_tests(project: Downstream) -> None:
    project.write(
        ASYNC_FIXTURE.format(
            imports="",
            mark="pytestmark = [pytest.mark.anyio, pytest.mark.parametrize('anyio_backend', ['asyncio'], scope='module')]",
            fixture="pytest.fixture(scope='module')",
        )
        .replace('::test_one"', '::test_one[asyncio]"')
        .replace('::test_two"', '::test_two[asyncio]"')
    )
    project.run(*EMULATED).assert_outcomes(passed=2)


def test_what_is_opened_while_tests_are_imported_belongs_to_the_run(
    project: Downstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.pytester.makeconftest("""
        import requests
        from asking import create

        requests.post(**create())
    """)
    project.write("""
        import threading
        import pytest, requests
        from asking import create

        requests.post(**create())  # import
        go = threading.Event()

        def later():
            assert go.wait(10)
            requests.post(**create())

        thread = threading.Thread(target=later)
        thread.start()

        @pytest.mark.avatar_no_leaks
        def test_it(avatar_ledger):
            go.set()
            thread.join()
            for session in avatar_ledger.sessions:
                assert (session.opener.test, session.opener.scope_id) == (None, "")
            places = [one.opener.place for one in avatar_ledger.sessions]
            assert places == ["conftest.py:4", "test_it.py:5", "test_it.py:10"]
    """)
    monkeypatch.setenv("AVATAR_BASE_URL", project.emulator.base_url)
    result = project.run(*project.live, "--avatar-mode=live")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["1 session leaked, opened at test_it.py:5", "  in the run"])
    project.emulator.assert_all_ended(3)
