"""`async_avatar_session` under every runner of `async` tests, with warnings as errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from tests.downstream import Downstream

SPEAKS: Final = """
    async def test_it(async_avatar_session):
        await async_avatar_session.say_text("Hello")
        await async_avatar_session.keep_alive()
        assert (await async_avatar_session.init_client()).whep_url
"""

RUNNERS: Final = {
    "pytest-asyncio strict": ("import pytest\npytestmark = pytest.mark.asyncio\n", {}, 1),
    "pytest-asyncio auto": ("", {"asyncio_mode": "auto"}, 1),
    "anyio": (
        (
            "import pytest\npytestmark = pytest.mark.anyio\n"
            "@pytest.fixture(params=['asyncio', 'trio'])\n"
            "def anyio_backend(request): return request.param\n"
        ),
        {},
        2,
    ),
}


def module(head: str, body: str) -> str:
    return head + "\n".join(line.removeprefix("    ") for line in body.splitlines()) + "\n"


@pytest.mark.parametrize(("head", "ini", "passed"), RUNNERS.values(), ids=RUNNERS)
def test_an_async_test_has_a_session_that_ends(
    downstream: Downstream, head: str, ini: dict[str, str], passed: int
) -> None:
    downstream.configure(**ini)
    downstream.write(module(head, SPEAKS))
    result = downstream.run_apart("-Werror")
    result.assert_outcomes(passed=passed)
    assert "ResourceWarning" not in result.stdout.str() + result.stderr.str()
    downstream.emulator.assert_all_ended(opened=passed)


def test_the_session_ends_although_the_test_closed_its_loop(downstream: Downstream) -> None:
    downstream.write("""
        import asyncio, pytest

        @pytest.mark.asyncio
        async def test_it(async_avatar_session):
            await async_avatar_session.say_text("Hello")
            loop = asyncio.get_running_loop()
            loop.call_soon(loop.stop)
            await asyncio.sleep(3600)
    """)
    downstream.run_apart()
    downstream.emulator.assert_all_ended(opened=1)


def test_what_was_recorded_async_replays_async(downstream: Downstream) -> None:
    downstream.write(module(*RUNNERS["pytest-asyncio strict"][:1], SPEAKS))
    downstream.run_live("--avatar-mode=record").assert_outcomes(passed=1)
    downstream.emulator.turn_page()
    downstream.run().assert_outcomes(passed=1)
    downstream.emulator.assert_untouched()
