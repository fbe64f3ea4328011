from __future__ import annotations

import pytest

from pytest_avatar.emulator.refusals import usual_reason


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (401, "Invalid or expired token"),
        (410, "Session ended"),
        (500, "Internal server error"),
        (502, "Bad Gateway"),
        (599, "Status 599"),
    ],
)
def test_each_status_has_its_usual_words(status: int, reason: str) -> None:
    assert usual_reason(status) == reason
