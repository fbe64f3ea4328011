"""Code under test with HTTP clients of its own, and a session that the tests of a module share."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx
import pytest

from pytest_avatar import AvatarClient

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_avatar import AvatarSession
    from pytest_avatar.core.settings import AvatarSettings


def announce(base_url: str, ks: str, *texts: str) -> int:
    """Open a session, say everything, end it; return the status of the end."""
    with httpx.Client() as client:
        create = {"visualConfig": {"avatarId": "announcer"}}
        opened = client.post(base_url, json=create, headers={"Authorization": f"KS {ks}"}).json()
        client.headers["Authorization"] = f"Bearer {opened['token']}"
        url = f"{base_url}/{opened['sessionId']}"
        for number, text in enumerate(texts):
            turn = {"text": text, "turnId": f"{os.getpid()}-{number}", "isFinal": True}
            client.post(f"{url}/say-text", json=turn)
        return client.post(f"{url}/end", json={}).status_code


@pytest.fixture(scope="module")
def host(avatar_settings: AvatarSettings, avatar_ks: str) -> Iterator[AvatarSession]:
    """An avatar that stays for all tests of the module."""
    base_url = str(avatar_settings.base_url)
    with (
        AvatarClient(avatar_ks, base_url=base_url) as client,
        client.create_session(avatar_id="host") as session,
    ):
        session.say_text("Welcome to the show!")
        yield session


@pytest.mark.avatar_no_leaks
def test_the_announcer_ends_its_session(avatar_settings: AvatarSettings, avatar_ks: str) -> None:
    assert announce(str(avatar_settings.base_url), avatar_ks, "Platform 4", "Mind the gap") == 200


@pytest.mark.avatar_no_leaks
def test_announcers_work_in_parallel(avatar_settings: AvatarSettings, avatar_ks: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        base_url = str(avatar_settings.base_url)
        work = [pool.submit(announce, base_url, avatar_ks, f"Platform {n}") for n in range(4)]
    assert [one.result() for one in work] == [200] * 4


def test_the_host_greets(host: AvatarSession) -> None:
    host.say_text("Please take a seat.")


def test_the_host_says_goodbye(host: AvatarSession) -> None:
    host.say_text("Goodbye!")
