from __future__ import annotations

import os
import socket
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.downstream import KS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.downstream import Downstream

SPEAKS = """
    def test_it(avatar_session):
        avatar_session.say_text("hello")
"""
CASSETTE = "cassettes/test_it/test_it.json"


@contextmanager
def listener() -> Iterator[tuple[str, list[object]]]:
    """A base URL of this machine, and who connected there."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        callers: list[object] = []

        def accept() -> None:
            while True:
                try:
                    connection, address = server.accept()
                except OSError:
                    return
                callers.append(address)
                connection.close()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/v1/avatar-session", callers
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def test_what_was_recorded_replays_without_a_service(downstream: Downstream) -> None:
    downstream.write(SPEAKS)
    recorded = downstream.run_live("--avatar-mode=record")
    recorded.assert_outcomes(passed=1)
    downstream.emulator.assert_all_ended(1)
    assert downstream.pytester.path.joinpath(CASSETTE).is_file()

    with listener() as (base_url, callers):
        replayed = downstream.run(f"--avatar-base-url={base_url}")
        assert callers == []
    replayed.assert_outcomes(passed=1)
    assert replayed.ret == 0
    replayed.stdout.fnmatch_lines(["avatar: 1 session, all ended (1 by their fixture)"])
    downstream.emulator.assert_all_ended(1)


def test_live_and_emulator_leave_cassettes_alone(downstream: Downstream) -> None:
    downstream.write(SPEAKS)
    for options in (downstream.live, ("--avatar-mode=emulator",)):
        downstream.run(*options).assert_outcomes(passed=1)

    assert not downstream.pytester.path.joinpath("cassettes").exists()
    downstream.emulator.assert_all_ended(1)


def test_the_embedded_emulator_needs_neither_ks_nor_avatar(downstream: Downstream) -> None:
    downstream.write("""
        import os

        def test_it(avatar_session, avatar_settings):
            avatar_session.say_text("hello")
            assert os.environ["AVATAR_BASE_URL"] == str(avatar_settings.base_url)
            assert avatar_session.base_url.startswith("http://127.0.0.1:")
    """)
    result = downstream.run("--avatar-mode=emulator")

    assert result.ret == 0
    result.stdout.fnmatch_lines(["avatar: 1 session, all ended (1 by their fixture)"])
    downstream.emulator.assert_untouched()


def test_the_old_cassette_stays_if_the_test_fails(downstream: Downstream) -> None:
    downstream.write(SPEAKS)
    downstream.run_live("--avatar-mode=record").assert_outcomes(passed=1)
    cassette = downstream.pytester.path / CASSETTE
    before = cassette.read_bytes()
    downstream.write(SPEAKS.replace("hello", "goodbye") + "\n        assert False")
    downstream.run_live("--avatar-mode=record").assert_outcomes(failed=1)

    assert cassette.read_bytes() == before
    downstream.emulator.assert_all_ended(2)


HOLDS_THE_AVATARS_ID = """
    import os, httpx, pytest

    @pytest.mark.avatar_no_leaks
    def test_it(avatar_settings, avatar_ks):
        url, ks = str(avatar_settings.base_url), {"Authorization": "KS " + avatar_ks}
        body = {"visualConfig": {"avatarId": "ada"}}
        session = httpx.post(url, headers=ks, json=body).json()
        token = {"Authorization": "Bearer " + session["token"]}
        httpx.post(f"{url}/{session['sessionId']}/end", headers=token, json={})
"""


def test_code_that_holds_the_avatar_of_the_recording_replays_in_workers_too(
    downstream: Downstream,
) -> None:
    downstream.write(HOLDS_THE_AVATARS_ID)
    downstream.run_live("--avatar-mode=record").assert_outcomes(passed=1)
    assert b"ada" not in downstream.pytester.path.joinpath(CASSETTE).read_bytes()
    downstream.run().assert_outcomes(passed=1)
    replay = downstream.pytester.runpytest_subprocess("-n1", timeout=60)
    replay.assert_outcomes(passed=1)


def test_a_replay_tells_the_code_under_test_what_to_use(downstream: Downstream) -> None:
    downstream.configure(avatar_base_url="https://avatar.example/v1")
    downstream.write("""
        import os

        def test_it(avatar_settings):
            assert os.environ["AVATAR_BASE_URL"] == "https://avatar.example/v1"
            assert os.environ["AVATAR_KS"] == "<ks>"
            assert os.environ["AVATAR_ID"] == "avatar-id"
    """)
    downstream.run().assert_outcomes(passed=1)
    assert "AVATAR_BASE_URL" not in os.environ


def test_a_missing_cassette_says_which_command_records_it(downstream: Downstream) -> None:
    downstream.write(SPEAKS)
    with listener() as (base_url, callers):
        result = downstream.run(f"--avatar-base-url={base_url}")
        assert callers == []

    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "*There is no cassette, and replay sends nothing.",
            "  test:      test_it.py::test_it",
            f"  cassette:  {CASSETTE}",
            "Record it: pytest --avatar-mode=record --avatar-ks=… --avatar-id=… test_it.py::test_it",
        ]
    )


SENDERS = {
    "httpx": "httpx.post(URL, json={})",
    "requests": "requests.post(URL, json={})",
    "urllib": "urllib.request.urlopen(URL, b'{}')",
    "a socket": "socket.create_connection((HOST, PORT))",
    "a thread": "sent_in_a_thread(lambda: requests.post(URL, json={}))",
}


@pytest.mark.parametrize("sender", SENDERS.values(), ids=SENDERS)
@pytest.mark.parametrize("place", ["test", "import", "session fixture"])
def test_without_a_ks_nothing_reaches_the_network(
    downstream: Downstream, sender: str, place: str
) -> None:
    send = f"""
import os, socket, threading, urllib.request, httpx, requests

URL = os.environ["AVATAR_BASE_URL"]
HOST, PORT = URL.split("/")[2].split(":")
PORT = int(PORT)

def sent_in_a_thread(send):
    thread = threading.Thread(target=swallowing, args=(send,))
    thread.start()
    thread.join()

def swallowing(send):
    try:
        send()
    except Exception:
        pass

def send():
    swallowing(lambda: {sender})
"""
    use = {
        "test": "def test_it(avatar_settings): send()",
        "import": "send()\ndef test_it(avatar_settings): ...",
        "session fixture": (
            "import pytest\n"
            "@pytest.fixture(scope='session')\n"
            "def sent(): send()\n"
            "def test_it(sent, avatar_settings): ..."
        ),
    }[place]
    downstream.pytester.path.joinpath("test_it.py").write_text(send + use, "utf-8")
    with listener() as (base_url, callers), pytest.MonkeyPatch.context() as patch:
        patch.setenv("AVATAR_BASE_URL", base_url)
        patch.setenv("AVATAR_KS", KS)
        result = downstream.run()
        assert callers == []

    assert result.ret == 1
    assert KS not in result.stdout.str()


def test_child_processes_of_an_offline_run_get_no_ks(
    downstream: Downstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AVATAR_KS", KS)
    downstream.write(f"""
        import os, subprocess, sys

        def test_it(avatar_settings):
            shown = subprocess.check_output(
                [sys.executable, "-c", "import os; print(os.environ['AVATAR_KS'])"], text=True
            )
            assert shown.strip() != {KS!r}
            assert os.environ["AVATAR_KS"] == shown.strip()
    """)
    downstream.run().assert_outcomes(passed=1)
    import os

    assert os.environ["AVATAR_KS"] == KS


@pytest.mark.parametrize("mode", ["live", "record", "verify"])
def test_a_live_mode_without_a_ks_says_what_to_give(downstream: Downstream, mode: str) -> None:
    downstream.write(SPEAKS)
    _ks, *options = downstream.live
    result = downstream.run(f"--avatar-mode={mode}", *options)

    assert result.ret == 1
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "_* ERROR at setup of test_it _*",
            (
                f"Kaltura Session: mode {mode} needs one, and none is set; give --avatar-ks=… or "
                "AVATAR_KS, or override the fixture avatar_ks"
            ),
            "=* short test summary info =*",
        ],
        consecutive=True,
    )
    downstream.emulator.assert_untouched()


@pytest.mark.parametrize("mode", ["live", "record"])
def test_a_live_mode_without_an_avatar_says_what_to_give(downstream: Downstream, mode: str) -> None:
    downstream.write(SPEAKS)
    ks, _avatar, base_url = downstream.live
    result = downstream.run(f"--avatar-mode={mode}", ks, base_url)

    assert result.ret == 1
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "_* ERROR at setup of test_it _*",
            (
                "avatar session: no avatar is set; give --avatar-id, AVATAR_ID, avatar_id in "
                "the ini, or @pytest.mark.avatar(avatar_id=…)"
            ),
            "=* short test summary info =*",
        ],
        consecutive=True,
    )
    downstream.emulator.assert_untouched()


@pytest.mark.parametrize("package", ["starlette", "uvicorn"])
def test_a_missing_extra_is_one_line_that_says_what_to_install(
    downstream: Downstream, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    loaded = [name for name in sys.modules if name.partition(".")[0] in ("starlette", "uvicorn")]
    for name in [*loaded, "pytest_avatar.emulator.app", "pytest_avatar.adapters.loopback_server"]:
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    downstream.write(SPEAKS)
    result = downstream.run("--avatar-mode=emulator")

    said = f"the emulator needs {package}, which is not installed. Install it: pip install "
    shown = result.stdout.str() + result.stderr.str()
    assert f'{said}"pytest-avatar[emulator]"' in shown
    assert "Traceback" not in shown
    assert "INTERNALERROR" not in shown
    assert result.ret == pytest.ExitCode.USAGE_ERROR
