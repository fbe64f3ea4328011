"""A project that uses pytest-avatar, with code of its own that opens sessions, and its runs."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from textwrap import dedent
from typing import TYPE_CHECKING, Any, Final, TypedDict, Unpack

from tests.downstream import KS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

APP: Final = '''
"""The code under test: it opens, uses and ends sessions, with a client of its own."""

import os

import httpx


def base():
    return os.environ["AVATAR_BASE_URL"]


def post(path, authorization, body):
    with httpx.Client(verify=False) as client:
        headers = {"Authorization": authorization}
        return client.post(base() + path, json=body, headers=headers).json()


class Talk:
    def __init__(self, post=post):
        self.post = post
        body = {"visualConfig": {"avatarId": "ada"}}
        answer = post("", "KS " + os.environ["AVATAR_KS"], body)
        self.id, self.token = answer["sessionId"], answer["token"]

    def call(self, operation, **body):
        return self.post(f"/{self.id}/{operation}", "Bearer " + self.token, body)

    def say(self, text, turn="turn-1"):
        return self.call("say-text", text=text, turnId=turn, isFinal=True)

    def end(self):
        return self.call("end")


def greet(text="Hello"):
    talk = Talk()
    talk.say(text)
    talk.end()
'''

INI: Final = """
[pytest]
asyncio_default_fixture_loop_scope = function
addopts = -p no:cacheprovider
"""


class RunOptions(TypedDict, total=False):
    """How to run: see `Project.run`."""

    service: str
    apart: bool


@dataclass(frozen=True, slots=True)
class Project:
    """A project in a folder of its own.

    Attributes:
        pytester: pytest's own harness, whose folder it is.
        monkeypatch: What sets its environment.
        service: The base URL that it records from.
    """

    pytester: pytest.Pytester
    monkeypatch: pytest.MonkeyPatch
    service: str

    def found(self) -> None:
        """Write its application and its ini file."""
        self.write("app.py", APP)
        self.write("pytest.ini", INI)

    def write(self, name: str, text: str) -> Path:
        """Write one of its files."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
        return path

    @property
    def root(self) -> Path:
        return self.pytester.path

    @property
    def folder(self) -> Path:
        """The cassette folder."""
        return self.root / "cassettes"

    @property
    def cassettes(self) -> dict[str, bytes]:
        """The content of every file in the cassette folder, by its path below it."""
        return {
            path.relative_to(self.folder).as_posix(): path.read_bytes()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file()
        }

    def requests(self, name: str) -> list[str]:
        """Return what was asked in a cassette: the last part of each path."""
        return [one["request"]["uri"].rpartition("/")[2] for one in self.read(name)["interactions"]]

    def read(self, name: str) -> dict[str, Any]:
        """Return what a cassette holds."""
        data: dict[str, Any] = json.loads((self.folder / name).read_bytes())
        return data

    def run(
        self, *arguments: str, service: str | None = None, apart: bool = False
    ) -> pytest.RunResult:
        """Run its tests, with the settings in the environment that its application needs.

        Args:
            arguments: The command line.
            service: The base URL; `None` takes that of the emulator.
            apart: Whether in a process of its own.
        """
        with self.monkeypatch.context() as environment:
            environment.setenv("AVATAR_BASE_URL", service or self.service)
            environment.setenv("AVATAR_KS", KS)
            environment.setenv("AVATAR_ID", "ada")
            if apart:
                return self.pytester.runpytest_subprocess(*arguments, timeout=60)
            return self.pytester.runpytest_inprocess(*arguments)

    def record(self, *arguments: str, **options: Unpack[RunOptions]) -> pytest.RunResult:
        return self.run("--avatar-mode=record", *arguments, **options)

    def replay(self, *arguments: str, **options: Unpack[RunOptions]) -> pytest.RunResult:
        """Replay against an address at which nothing listens."""
        options.setdefault("service", "http://127.0.0.1:9/v1/avatar-session")
        return self.run("--avatar-mode=replay", *arguments, **options)

    def verify(self, *arguments: str, **options: Unpack[RunOptions]) -> pytest.RunResult:
        return self.run("--avatar-mode=verify", *arguments, **options)


_EMULATOR: Final = """
import sys
from datetime import timedelta
from pytest_avatar.emulator import books
before, ahead = books.utc_now, timedelta(days=float(sys.argv.pop(1)))
books.utc_now = lambda: before() + ahead
from pytest_avatar.cli import main
sys.exit(main(sys.argv[1:]))
"""


@contextmanager
def other_emulator(*arguments: str, days_ahead: float = 0) -> Iterator[str]:
    """Run an emulator in a process of its own; give its base URL."""
    command = [sys.executable, "-c", _EMULATOR, str(days_ahead), "emulator", "--port=0"]
    process = subprocess.Popen(
        [*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    with process:
        assert process.stdout is not None
        base_url = process.stdout.readline().strip()
        assert base_url, "the emulator did not start"
        try:
            yield base_url
        finally:
            process.terminate()


@contextmanager
def counted_connections(base_url: str) -> Iterator[list[object]]:
    """Listen where a service listened; give the addresses of those who connected."""
    port = int(base_url.rpartition(":")[2].partition("/")[0])
    connected: list[object] = []

    def accept() -> None:
        while True:
            try:
                connection, address = listener.accept()
            except OSError:
                return
            connected.append(address)
            connection.close()

    with socket.create_server(("127.0.0.1", port)) as listener:
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield connected
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def free_base_url() -> str:
    """Return a base URL at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}/v1/avatar-session"
