from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from pytest_avatar.adapters.watchdog import child
from pytest_avatar.adapters.watchdog.child import read_frame, write_frame

if TYPE_CHECKING:
    from collections.abc import Iterator

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows watches the pipe alone")


@contextmanager
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    try:
        yield ends
    finally:
        for end in ends:
            try:
                os.close(end)
            except OSError:
                continue


@pytest.mark.parametrize("size", [0, 1, 300_000])
def test_a_frame_comes_back_whole(size: int) -> None:
    with pipe() as (reader, writer):
        thread = threading.Thread(target=write_frame, args=(writer, b"x" * size))
        thread.start()
        assert read_frame(reader) == b"x" * size
        thread.join()


@pytest.mark.parametrize("data", [b"", b"\0\0", b"\0\0\0\5abc"])
def test_a_frame_that_was_cut_off_is_the_end(data: bytes) -> None:
    with pipe() as (reader, writer):
        os.write(writer, data)
        os.close(writer)
        assert read_frame(reader) is None


def test_writing_to_nobody_is_an_error() -> None:
    with pipe() as (reader, writer):
        os.close(reader)
        with pytest.raises(OSError, match="Broken pipe"):
            write_frame(writer, b"x")


@posix
@pytest.mark.parametrize("with_pidfd", [True, False])
def test_an_owner_is_watched_with_and_without_the_help_of_the_system(
    with_pidfd: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not with_pidfd:
        monkeypatch.delattr(os, "pidfd_open", raising=False)
        monkeypatch.setattr(child, "_GLANCE", 0.01)
    with pipe() as (reader, writer):
        monkeypatch.setattr(child, "_STDIN", reader)
        owner = child._Owner(os.getppid(), 0)
        os.close(writer)
        monkeypatch.setattr(os, "getppid", lambda: 1)
        assert child._wait_for_the_end(owner)


@posix
def test_an_owner_that_says_goodbye_leaves_nothing_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    with pipe() as (reader, writer):
        monkeypatch.setattr(child, "_STDIN", reader)
        write_frame(writer, b"")
        assert not child._wait_for_the_end(child._Owner(os.getppid(), 0))


@posix
def test_an_owner_that_was_dead_from_the_start_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    assert child._Owner(process.pid, 0).is_gone()


@posix
def test_without_a_pidfd_a_closed_pipe_alone_is_no_death(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "pidfd_open", raising=False)
    monkeypatch.setattr(child, "_GLANCE", 0.01)
    owner = child._Owner(os.getppid(), os.getpid())
    assert not owner.wait(listening=False)
    assert not owner.is_gone()


def test_on_windows_the_pipe_alone_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pipe() as (reader, writer):
        monkeypatch.setattr(child, "_STDIN", reader)
        write_frame(writer, b"")
        assert not child._wait_for_the_end(child._Owner(0, 0))
        os.close(writer)
        assert child._wait_for_the_end(child._Owner(0, 0))
