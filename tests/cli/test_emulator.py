from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest

from pytest_avatar.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COMMAND = [sys.executable, "-W", "error", "-m", "pytest_avatar", "emulator"]
AVATAR = {"visualConfig": {"avatarId": "ada"}}


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the command; give the process and the first line it printed."""
    with subprocess.Popen(
        [*COMMAND, "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().rstrip("\n")
        finally:
            process.kill()


def create(base_url: str, ks: str = "any", avatar: object = AVATAR) -> httpx.Response:
    return httpx.post(base_url, headers={"Authorization": f"KS {ks}"}, json=avatar, timeout=5)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_a_signal_and_then_counts(number: signal.Signals) -> None:
    with running() as (process, base_url):
        assert create(base_url).status_code == 200
        with httpx.Client() as keeps_its_connection:
            keeps_its_connection.get(base_url)
            started = time.monotonic()
            process.send_signal(number)
            out, err = process.communicate(timeout=10)

    assert time.monotonic() - started < 2
    assert process.returncode == 0
    assert out == ""
    assert err == (
        "sessions: 1 opened, 0 ended, 1 open; requests: 0 spoken, 1 refused, 0 struck by a fault\n"
    )


def test_options_reach_the_service(tmp_path: Path) -> None:
    (tmp_path / "ks").write_text("only\n", encoding="utf-8")
    options = [
        *("--ks", f"@{tmp_path / 'ks'}", "--unauthorised-ks", "user"),
        *("--create-path", "/create", "--avatar-field", "id", "--second-end", "404"),
        *("--no-say-text", "--max-sessions", "1", "--token-lifetime", "3600"),
        *("--fault", "keep-alive:status=500", "--fault", "interrupt:drop=before"),
    ]
    with running(*options) as (_, base_url):
        path, avatar = f"{base_url}/create", {"visualConfig": {"id": "ada"}}
        assert create(base_url, "only", avatar).status_code == 404
        assert create(path, "other", avatar).status_code == 401
        assert create(path, "user", avatar).status_code == 403
        assert create(path, "only", AVATAR).status_code == 400
        opened = create(path, "only", avatar).json()
        assert create(path, "only", avatar).status_code == 429

        with httpx.Client(headers={"Authorization": f"Bearer {opened['token']}"}) as client:
            url = f"{base_url}/{opened['sessionId']}"
            assert client.post(f"{url}/say-text", json={"text": "Hi"}).status_code == 503
            assert client.post(f"{url}/keep-alive").status_code == 500
            assert client.post(f"{url}/keep-alive").status_code == 200
            with pytest.raises(httpx.RemoteProtocolError):
                client.post(f"{url}/interrupt")
            assert client.post(f"{url}/end").status_code == 200
            assert client.post(f"{url}/end").status_code == 404


def test_a_taken_port_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["emulator", "--port", str(port)]) == 2

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.startswith(
        f"pytest-avatar emulator: the emulator cannot listen on port {port} of 127.0.0.1: "
    )


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--ks", "@no-such-file", "names a file that cannot be read (No such file or directory)"),
        (
            "--fault",
            "end:state=500",
            "there is no 'state'; known are status, body, drop, delay, effect, times, skip, error",
        ),
        ("--create-path", "/new", "invalid choice: '/new' (choose from "),
    ],
)
def test_a_value_that_is_not_understood_says_what_is_accepted(
    option: str, value: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["emulator", option, value])

    assert caught.value.code == 2
    assert (
        capsys.readouterr()
        .err.splitlines()[-1]
        .startswith(f"pytest-avatar emulator: error: argument {option}: {message}")
    )


def test_help_says_what_the_defaults_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["emulator", "--help"])

    out = " ".join(capsys.readouterr().out.split())
    assert "0 = any free one (8787)" in out
    assert "until a session token expires (86400)" in out


def test_without_the_extra_one_line_says_what_to_install() -> None:
    code = """
import sys
sys.modules["uvicorn"] = None
from pytest_avatar.cli import main
sys.exit(main(["emulator", "--port", "0"]))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False
    )

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "pytest-avatar emulator: the emulator needs uvicorn, which is not installed. "
        'Install it: pip install "pytest-avatar[emulator]"\n'
    )
