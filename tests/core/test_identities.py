"""Which session is which."""

from __future__ import annotations

from pytest_avatar.core.identities import Identities


class Namer:
    def session_names(self) -> dict[str, str]:
        return {"real": "module-session-1"}


def test_a_session_is_named_by_the_recording_that_saw_it_opened() -> None:
    identities = Identities()
    identities.opened("real", Namer())
    assert identities.find("real") == "module-session-1"


def test_a_session_that_nobody_saw_opened_has_no_name() -> None:
    assert Identities().find("real") is None
