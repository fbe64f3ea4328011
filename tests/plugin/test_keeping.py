"""Keep-alives and the longest life of a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.downstream import Downstream

WAITS = """
    import time
    import httpx

    def calls(settings):
        root = str(settings.base_url).partition("/v1/")[0]
        books = httpx.get(root, headers={"Accept": "application/json"}).json()
        return books["sessions"][-1]

    def until(condition):
        deadline = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.02)
"""


def test_a_session_is_kept_alive_while_a_test_thinks(downstream: Downstream) -> None:
    downstream.configure(avatar_keep_alive="0.05")
    downstream.write(WAITS, "waits")
    downstream.write("""
        import waits

        def test_it(avatar_session, avatar_settings):
            waits.until(lambda: waits.calls(avatar_settings)["calls"].get("keep-alive", 0) >= 3)
    """)
    assert downstream.run_live().ret == 0
    downstream.emulator.assert_all_ended(opened=1)


def test_a_test_that_outlives_the_longest_life_fails_and_says_so(downstream: Downstream) -> None:
    downstream.configure(avatar_max_session_duration="0.2")
    downstream.write(WAITS, "waits")
    downstream.write("""
        import waits

        def test_it(avatar_session, avatar_settings):
            waits.until(lambda: waits.calls(avatar_settings)["ended_at"])
    """)
    result = downstream.run_live()
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["avatar session * was ended by pytest-avatar: it had been open for 0.2 s.", "Expected: *"]
    )
    downstream.emulator.assert_all_ended(opened=1)
