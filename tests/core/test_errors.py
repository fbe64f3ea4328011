"""One shallow tree, whose errors can be caught, looked into and sent to another process."""

from __future__ import annotations

import copy
import pickle

import pytest

from pytest_avatar.core import errors
from pytest_avatar.core.errors import (
    AvatarError,
    CassetteError,
    LeakError,
    ServiceError,
    ServiceUnreachableError,
    SessionGoneError,
    SettingError,
    UnexpectedAnswerError,
)

EXAMPLES = [
    AvatarError("it failed"),
    SettingError("it failed", setting="mode"),
    ServiceUnreachableError("it failed", operation="create"),
    ServiceError("it failed", operation="end", status=500, reason="oh", session_id="s"),
    UnexpectedAnswerError("it failed", operation="end", status=200, session_id="s"),
    SessionGoneError("it failed", operation="say-text", session_id="s", status=410),
    CassetteError("it failed"),
    LeakError("it failed"),
]


def test_every_error_is_shown_here() -> None:
    assert {type(error).__name__ for error in EXAMPLES} == set(errors.__all__)


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_an_error_survives_a_copy_and_another_process(error: AvatarError) -> None:
    for twin in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert type(twin) is type(error)
        assert str(twin) == "it failed"
        assert vars(twin) == vars(error)


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_the_tree_is_one_level_deep_for_users(error: AvatarError) -> None:
    assert isinstance(error, AvatarError)
    public = [getattr(errors, name) for name in errors.__all__ if name != "AvatarError"]
    assert sum(isinstance(error, kind) for kind in public) == (type(error) is not AvatarError)


def test_a_leak_is_a_failed_assertion_too() -> None:
    assert issubclass(LeakError, AssertionError)


def test_no_client_takes_a_cassette_error_for_a_network_fault() -> None:
    assert not issubclass(CassetteError, OSError)
