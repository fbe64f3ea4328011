from __future__ import annotations

from typing import Any

import pytest

from pytest_avatar.emulator.switches import Switches


@pytest.mark.parametrize(
    ("switch", "message"),
    [
        ({"create_path": ""}, "create_path must be one of bare, /create, both"),
        ({"avatar_field": "avatar"}, "avatar_field must be one of avatarId, id, either"),
        ({"second_end": 200}, "second_end must be one of 410, 404"),
    ],
)
def test_a_position_that_is_not_known_is_refused(switch: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        Switches(**switch)
