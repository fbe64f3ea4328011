"""Tests that drive an avatar themselves: each session ends with its test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from greeter import compose_greeting

if TYPE_CHECKING:
    from pytest_avatar import AsyncAvatarSession, AvatarSession, AvatarSessionFactory


@pytest.mark.parametrize("name", ["Ada", "Grace", ""])
def test_an_avatar_says_the_greeting(avatar_session: AvatarSession, name: str) -> None:
    avatar_session.say_text(compose_greeting(name))
    assert avatar_session.is_open


@pytest.mark.avatar(voice_id="calm", voice_speed=0.9)
def test_a_visitor_can_interrupt(avatar_session: AvatarSession) -> None:
    avatar_session.say_text("Our opening hours are", is_final=False)
    avatar_session.interrupt()


@pytest.mark.asyncio
async def test_an_async_backend_greets_too(async_avatar_session: AsyncAvatarSession) -> None:
    await async_avatar_session.say_text(compose_greeting("Ada"))


def test_two_receptionists_share_the_work(avatar_session_factory: AvatarSessionFactory) -> None:
    day, night = avatar_session_factory(), avatar_session_factory(avatar_id="night-receptionist")
    day.say_text("Good morning!")
    night.say_text("Good evening!")
    assert day.session_id != night.session_id
