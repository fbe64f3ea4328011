"""What the fixtures give. Plain `pytest` plays these tests from `cassettes/tests/examples/`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_avatar import AsyncAvatarSession, AvatarSession, AvatarSessionFactory


@pytest.mark.parametrize("greeting", ["Good morning!", "Bonjour à tous !"])
def test_an_avatar_speaks(avatar_session: AvatarSession, greeting: str) -> None:
    avatar_session.say_text(greeting)


@pytest.mark.avatar(voice_id="calm", voice_speed=0.9, extra={"clientId": "examples"})
def test_every_operation(avatar_session: AvatarSession) -> None:
    connection = avatar_session.init_client()
    avatar_session.keep_alive()
    avatar_session.say_text("The trains today", is_final=False)
    avatar_session.say_audio(b"ID3 and so on", duration=1.5)
    avatar_session.interrupt()
    avatar_session.end()
    assert connection.whep_url.startswith("https://")
    assert not avatar_session.is_open


@pytest.mark.asyncio
async def test_an_avatar_speaks_to_async_code(async_avatar_session: AsyncAvatarSession) -> None:
    await async_avatar_session.say_text("Good evening!")


class TestTwoAvatars:
    """A class, and sessions that the test opens itself."""

    def test_talk_at_the_same_time(self, avatar_session_factory: AvatarSessionFactory) -> None:
        first, second = avatar_session_factory(), avatar_session_factory(avatar_id="the-other")
        first.say_text("After you.")
        second.say_text("No, after you.")
