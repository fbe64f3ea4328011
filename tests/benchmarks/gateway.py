"""The gateway: what it adds to a request, and how many it bears on one core.

It runs as in a suite: in a pytest process, live, on a core that it shares with nothing else here;
its clients and the service share the others.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import tempfile
import threading
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from tests.benchmarks.figures import Figure, interleaved
from tests.benchmarks.lean_service import lean_service
from tests.benchmarks.processes import environment, pytest_command
from tests.benchmarks.subjects import OUR_PLUGIN
from tests.downstream import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.workshop import Workshop

__all__ = ["measure"]

_CONNECTIONS: Final = 16
_REQUESTS_EACH: Final = 100
_TEST: Final = """
import pathlib, time

def test_it(avatar_gateway):
    pathlib.Path("base_url.tmp").write_text(avatar_gateway.base_url)
    pathlib.Path("base_url.tmp").rename("base_url")
    while not pathlib.Path("stop").exists():
        time.sleep(0.05)
"""


def measure(workshop: Workshop) -> list[Figure]:
    """Measure latency with one connection, and throughput with many."""
    with (
        _core_to_itself() as core,
        lean_service() as service,
        _gateway(workshop, service, core) as gateway,
    ):
        jobs = {
            "through": partial(_seconds_each, gateway, 1),
            "direct": partial(_seconds_each, service, 1),
        }
        found = interleaved(jobs, 3 * workshop.repeats)
        many = interleaved(
            {"many": partial(_seconds_each, gateway, _CONNECTIONS)}, workshop.repeats
        )
    added = (found["through"] - found["direct"]) * 1000
    what = f"requests through the gateway from {_CONNECTIONS} connections, without an error"
    return [
        Figure("what the gateway adds to a request", added, "ms", 1),
        Figure(what, 1 / many["many"], "requests/s", 500, is_floor=True),
    ]


@contextmanager
def _core_to_itself() -> Iterator[int]:
    """Keep off one core, and give its number; whatever is started meanwhile keeps off it too."""
    cores = os.sched_getaffinity(0)
    core = min(cores)
    os.sched_setaffinity(0, cores - {core} or cores)
    try:
        yield core
    finally:
        os.sched_setaffinity(0, cores)


@contextmanager
def _gateway(workshop: Workshop, service: str, core: int) -> Iterator[str]:
    folder = Path(tempfile.mkdtemp(dir=workshop.folder))
    (folder / "pytest.ini").write_text("[pytest]\navatar_id = ada\n")
    (folder / "test_it.py").write_text(_TEST)
    command = pytest_command(
        [OUR_PLUGIN],
        "--avatar-mode=live",
        "--avatar-ks=benchmark-ks",
        "--avatar-leaks=off",
        f"--avatar-base-url={service}",
    )
    pinned = ["taskset", "-c", str(core), *command]
    process = subprocess.Popen(pinned, cwd=folder, env=environment(), stdout=subprocess.DEVNULL)
    try:
        until((folder / "base_url").exists, 30)
        yield (folder / "base_url").read_text()
    finally:
        (folder / "stop").touch()
        process.wait(60)


def _seconds_each(base_url: str, connections: int) -> float:
    """Return the time from the first request to the last answer, by request.

    Raises:
        OSError: A request was not answered with 200.
    """
    errors: list[BaseException] = []

    def talk() -> None:
        try:
            _say(base_url)
        except (OSError, http.client.HTTPException) as error:
            errors.append(error)

    threads = [threading.Thread(target=talk) for _ in range(connections)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise OSError(f"{len(errors)} connections failed") from errors[0]
    return (time.perf_counter() - start) / connections / _REQUESTS_EACH


def _say(base_url: str) -> None:
    parts = urlsplit(base_url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=30)
    body = json.dumps({"text": "Hello", "turnId": "turn-1", "isFinal": True})
    headers = {"Authorization": "Bearer t-1", "Content-Type": "application/json"}
    for _ in range(_REQUESTS_EACH):
        connection.request("POST", f"{parts.path}/s-1/say-text", body, headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise OSError(f"answered {answer.status}")
    connection.close()
