from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pytest_avatar.core.model import AvatarOptions, Token

options = st.builds(
    AvatarOptions,
    avatar_id=st.none() | st.text(),
    voice_id=st.none() | st.text(),
    voice_speed=st.none() | st.floats(allow_nan=False),
    extra=st.none() | st.dictionaries(st.text(), st.integers()),
)


@given(st.text(min_size=1))
def test_a_token_is_its_text_but_does_not_show_it(text: str) -> None:
    token = Token(text)
    assert token == text
    assert f"{token}" == text
    assert json.loads(json.dumps(token)) == text
    assert repr(token) == "'<token>'"
    assert repr([token]) == "['<token>']"


def test_an_empty_token_hides_nothing() -> None:
    assert repr(Token("")) == "''"


@given(options, options)
def test_the_closer_options_win_one_by_one(near: AvatarOptions, far: AvatarOptions) -> None:
    chosen = near.or_else(far)
    for name in ("avatar_id", "voice_id", "voice_speed", "extra"):
        mine: Any = getattr(near, name)
        assert getattr(chosen, name) == (getattr(far, name) if mine is None else mine)
