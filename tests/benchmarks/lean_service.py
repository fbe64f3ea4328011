"""The service in the fewest lines that answer, so that a benchmark measures its clients.

`python -m tests.benchmarks.lean_service [SECONDS]` prints its base URL and serves until it is
terminated; an end takes that many seconds.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["lean_service"]

_PATH: Final = "/v1/avatar-session"
_LENGTH: Final = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_OK: Final = b'{"success":true}'


class _Connection(asyncio.Protocol):
    numbers = itertools.count(1)

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        length = _LENGTH.search(head)
        if len(body) < (int(length[1]) if length else 0):
            return
        self._received = b""
        path = head.split(b" ", 2)[1]
        delay = self._patience if path.endswith(b"/end") else 0
        answer = _OK if path.count(b"/") > _PATH.count("/") else self._opened()
        if delay:
            asyncio.get_running_loop().call_later(delay, self._answer, answer)
        else:
            self._answer(answer)

    def _opened(self) -> bytes:
        number = next(self.numbers)
        opened = {"success": True, "sessionId": f"s-{number}", "token": f"t-{number}"}
        return json.dumps(opened).encode()

    def _answer(self, body: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        self._transport.write(head % len(body) + body)


@contextmanager
def lean_service(patience: float = 0) -> Iterator[str]:
    """Run it in a process of its own; give its base URL.

    Args:
        patience: How long an end takes, in seconds.
    """
    command = [sys.executable, "-m", "tests.benchmarks.lean_service", str(patience)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


async def _serve(patience: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(patience), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    print(f"http://127.0.0.1:{port}{_PATH}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(float(sys.argv[1])))
