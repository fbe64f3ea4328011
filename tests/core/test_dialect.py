"""At most one change of path and one of field, and only where a refusal points at it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_avatar.core.dialect import Dialect
from pytest_avatar.core.wire import CREATE_PATHS, ID_FIELDS

BARE, CREATE = CREATE_PATHS
AVATAR_ID, ID = ID_FIELDS

statuses = st.lists(st.sampled_from([200, 201, 400, 401, 404, 405, 422, 429, 500]), max_size=9)


def tried(dialect: Dialect, *answers: int) -> list[tuple[str, str]]:
    """Return the forms of one create that is answered so; the last answer repeats."""
    forms = []
    attempts = dialect.attempts()
    goes_on = True
    while goes_on:
        forms.append((attempts.create_path, attempts.id_field))
        goes_on = attempts.go_on(answers[min(len(forms), len(answers)) - 1])
    return forms


@pytest.mark.parametrize("status", [200, 201, 401, 403, 409, 429, 500, 503])
def test_other_answers_change_nothing(status: int) -> None:
    assert tried(Dialect(), status) == [(BARE, AVATAR_ID)]


@pytest.mark.parametrize("status", [404, 405])
def test_a_wrong_path_is_changed_once(status: int) -> None:
    assert tried(Dialect(), status) == [(BARE, AVATAR_ID), (CREATE, AVATAR_ID)]


@pytest.mark.parametrize("status", [400, 422])
def test_a_wrong_field_is_changed_once(status: int) -> None:
    assert tried(Dialect(), status) == [(BARE, AVATAR_ID), (BARE, ID)]


def test_both_are_changed_one_after_the_other() -> None:
    forms = [(BARE, AVATAR_ID), (CREATE, AVATAR_ID), (CREATE, ID)]
    assert tried(Dialect(), 404, 400, 200) == forms
    assert tried(Dialect(), 404, 400, 404) == forms
    assert tried(Dialect(), 400, 404, 400) == [(BARE, AVATAR_ID), (BARE, ID), (CREATE, ID)]


@pytest.mark.parametrize("path", CREATE_PATHS)
@pytest.mark.parametrize("id_field", ID_FIELDS)
def test_what_is_pinned_is_not_changed(path: str, id_field: str) -> None:
    assert tried(Dialect(path, id_field), 404) == [(path, id_field)]
    assert tried(Dialect(path, id_field), 400) == [(path, id_field)]
    assert len(tried(Dialect(path), 400)) == 2
    assert len(tried(Dialect(None, id_field), 404)) == 2


def test_an_accepted_form_is_remembered() -> None:
    dialect = Dialect()
    tried(dialect, 404, 400, 200)
    assert (dialect.create_path, dialect.id_field, dialect.is_confirmed) == (CREATE, ID, True)
    assert tried(dialect, 200) == [(CREATE, ID)]


def test_a_refused_form_is_not() -> None:
    dialect = Dialect()
    tried(dialect, 404, 401)
    assert (dialect.create_path, dialect.id_field, dialect.is_confirmed) == (BARE, AVATAR_ID, False)


@given(statuses.filter(bool), st.sampled_from([None, *CREATE_PATHS]))
def test_no_form_is_tried_twice(answers: list[int], path: str | None) -> None:
    forms = tried(Dialect(path), *answers)
    assert len(set(forms)) == len(forms) <= 3
    assert all(form[0] == path for form in forms) or path is None
