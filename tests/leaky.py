"""A project of a user whose code leaves a session open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tests.downstream import Downstream

__all__ = ["LINE", "write_backend", "write_leak"]

LINE: Final = "backend.py:4"
"""Where the session is opened."""

_BACKEND: Final = """
    import httpx

    def open_session(settings, ks):
        answer = httpx.post(
            str(settings.base_url),
            headers={"Authorization": f"KS {ks}"},
            json={"visualConfig": {"avatarId": "grace"}},
        )
        return answer.json()

    def end_session(settings, opened):
        httpx.post(
            f"{settings.base_url}/{opened['sessionId']}/end",
            headers={"Authorization": f"Bearer {opened['token']}"},
        )
"""

_TESTS: Final = """
    import pytest
    from backend import end_session, open_session

    {mark}
    def test_leak(avatar_settings, avatar_ks):
        opened = open_session(avatar_settings, avatar_ks)
        {then}

    def test_clean(avatar_session):
        avatar_session.say_text("Hello")
"""


def write_backend(project: Downstream) -> None:
    """Write the code that opens sessions."""
    project.write(_BACKEND, "backend")


def write_leak(project: Downstream, *, mark: str = "", then: str = "") -> None:
    """Write a test that leaks, marked so and doing so at its end, and one that does not."""
    write_backend(project)
    project.write(_TESTS.format(mark=mark, then=then))
