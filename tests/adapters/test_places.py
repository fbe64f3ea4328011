from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

import pytest

from pytest_avatar.adapters.places import Places
from pytest_avatar.core.errors import SettingError

if TYPE_CHECKING:
    from pathlib import Path

HOLDS: Final = """
import sys
from pathlib import Path
from pytest_avatar.adapters.places import Places

with Places(Path(sys.argv[1]), 1, longest_wait=10).taken(print):
    print("taken", flush=True)
    sys.stdin.read()
"""


def test_places_that_are_free_are_not_waited_for(tmp_path: Path) -> None:
    places, waits = Places(tmp_path, 2, longest_wait=10), list[float]()
    with places.taken(waits.append), places.taken(waits.append):
        pass
    with places.taken(waits.append):
        assert waits == []


def test_a_place_is_waited_for_until_another_thread_lets_it_go(tmp_path: Path) -> None:
    places, waits = Places(tmp_path, 1, longest_wait=60), list[float]()
    with ExitStack() as first:
        first.enter_context(places.taken(waits.append))

        def second() -> None:
            with places.taken(waits.append):
                pass

        waiting = threading.Thread(target=second)
        waiting.start()
        waiting.join(0.1)
        assert waiting.is_alive()
    waiting.join(10)
    (waited,) = waits
    assert waited > 0


def test_a_place_may_be_let_go_in_any_thread_before_it_is_left(tmp_path: Path) -> None:
    places, waits = Places(tmp_path, 1, longest_wait=10), list[float]()
    with places.taken(waits.append) as release:
        thread = threading.Thread(target=release)
        thread.start()
        thread.join()
        with places.taken(waits.append):
            assert waits == []


def test_a_place_that_stays_taken_is_an_error_that_says_why(tmp_path: Path) -> None:
    places = Places(tmp_path, 1, longest_wait=0.01)
    said = (
        r"all 1 places of avatar_max_sessions stayed taken for 0\.01 s; a test that opens more "
        "sessions than that waits for itself"
    )
    with places.taken(print), pytest.raises(SettingError, match=said), places.taken(print):
        pass


def test_a_process_that_is_killed_loses_its_place(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDS, str(tmp_path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "taken\n"
        with (
            pytest.raises(SettingError),
            Places(tmp_path, 1, longest_wait=0.01).taken(print),
        ):
            pass
        other.kill()
        other.wait(10)
        with Places(tmp_path, 1, longest_wait=10).taken(print):
            pass
