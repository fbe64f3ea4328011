from __future__ import annotations

import pytest

from pytest_avatar.core.opening import is_header_word, named_session


@pytest.mark.parametrize(
    ("text", "fits"),
    [("djJ8_-+/=", True), ("", False), ("a b", False), ("a\n", False), ("é", False), ("\t", False)],
)
def test_a_credential_is_one_word_of_ascii(text: str, fits: bool) -> None:
    assert is_header_word(text) is fits


@pytest.mark.parametrize(
    ("data", "named"),
    [
        ({"sessionId": "s", "token": "t"}, ("s", "t")),
        ({"sessionId": "s", "token": "t", "success": False}, ("s", "t")),
        ({"sessionId": "s", "token": "two words"}, ("s", None)),
        ({"sessionId": "s", "token": 7}, ("s", None)),
        ({"sessionId": "s"}, ("s", None)),
        ({"sessionId": "", "token": "t"}, None),
        ({"sessionId": 7, "token": "t"}, None),
        ({"token": "t"}, None),
    ],
)
def test_a_session_is_named_by_its_id_and_spoken_to_with_its_token(
    data: dict[str, object], named: tuple[str, str | None] | None
) -> None:
    assert named_session(data) == named
