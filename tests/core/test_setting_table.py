"""Which layer speaks, for every row."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_avatar.core.setting_table import ROWS, Row, gather

rows = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
said = st.text(min_size=1).filter(lambda text: text == text.strip())


def layers(row: Row) -> list[tuple[str, str]]:
    """Return the layers that a row has, the first to speak in front, and its name there."""
    places = (("command line", row.option), ("environment", row.environment), ("ini", row.ini))
    return [(layer, place) for layer, place in places if place is not None]


def texts(row: Row, *spoken: str) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """Return what each layer says: its own name, if it is one of those that speak."""

    def say(layer: str, place: str | None) -> dict[str, str]:
        return {place: layer} if place is not None and layer in spoken else {}

    return (
        say("command line", row.option),
        say("environment", row.environment),
        say("ini", row.ini),
    )


@rows
def test_the_first_layer_that_speaks_wins(row: Row) -> None:
    spoken = [layer for layer, _ in layers(row)]
    while spoken:
        one = gather(*texts(row, *spoken))[row.name]
        assert (one.text, one.source, one.place) == (
            spoken[0],
            spoken[0],
            dict(layers(row))[spoken[0]],
        )
        assert not one.is_default
        spoken.pop(0)
    one = gather({}, {}, {})[row.name]
    assert (one.text, one.source, one.place) == (row.default, "default", "")
    assert one.is_default


@rows
@pytest.mark.parametrize("nothing", ["", " ", "\n"])
def test_a_layer_that_says_nothing_is_passed_over(row: Row, nothing: str) -> None:
    for layer, _ in layers(row):
        given_texts = [dict.fromkeys(one, nothing) for one in texts(row, layer)]
        assert gather(*given_texts)[row.name].is_default


@given(said, st.sampled_from(["", " ", "\n", "\t "]))
def test_white_space_around_a_text_means_nothing(text: str, space: str) -> None:
    spoken = {"AVATAR_ID": f"{space}{text}{space}"}
    assert gather({}, spoken, {})["avatar_id"].text == text


def test_a_secret_has_no_place_in_a_file_that_is_committed() -> None:
    assert [row.name for row in ROWS if row.is_secret] == ["ks"]
    assert all(row.ini is None for row in ROWS if row.is_secret)


@rows
def test_everything_users_type_begins_with_avatar(row: Row) -> None:
    assert row.option is None or row.option.startswith("--avatar-")
    assert row.ini is None or row.ini.startswith("avatar_")
    assert row.environment is None or "AVATAR_" in row.environment
    assert layers(row)


def test_no_two_rows_share_a_name() -> None:
    for column in ("name", "title", "option", "environment", "ini"):
        names = [name for row in ROWS if (name := getattr(row, column)) is not None]
        assert len(names) == len(set(names))


def test_the_table_imports_no_other_module_of_ours() -> None:
    code = (
        "import sys, pytest_avatar.core.setting_table; "
        "print(*sorted(name for name in sys.modules if name.startswith('pytest_avatar.core.')))"
    )
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    assert run.stdout.split() == ["pytest_avatar.core.setting_table"]
