from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_avatar.adapters.tokens import (
    OpenSession,
    drop_token,
    keep_token,
    kept_tokens,
    read_token,
)

SESSION = OpenSession("main-1", "session/1", "http://127.0.0.1:1/v1", "secret-token")


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "main-12.jsonl"


def test_a_session_is_kept_until_it_is_dropped(journal: Path) -> None:
    keep_token(journal, SESSION)
    (path,) = kept_tokens(journal)
    assert read_token(path) == SESSION
    drop_token(journal, SESSION.key)
    drop_token(journal, SESSION.key)
    assert kept_tokens(journal) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_only_its_owner_may_read_a_token(journal: Path) -> None:
    keep_token(journal, SESSION)
    assert kept_tokens(journal)[0].stat().st_mode & 0o777 == 0o600


def test_a_session_that_is_kept_already_is_left_as_it_is(journal: Path) -> None:
    keep_token(journal, SESSION)
    keep_token(journal, replace(SESSION, token="other"))
    assert [read_token(path) for path in kept_tokens(journal)] == [SESSION]


def test_the_tokens_of_other_processes_are_not_ours(journal: Path) -> None:
    keep_token(journal.with_name("main-123.jsonl"), SESSION)
    assert kept_tokens(journal) == []


def test_a_session_hides_its_token() -> None:
    assert "secret-token" not in repr(SESSION)


def test_a_token_that_has_been_removed_meanwhile_is_none(journal: Path) -> None:
    assert read_token(journal) is None


@given(st.text(min_size=1, max_size=40).filter(lambda key: key.isprintable()), st.text())
@settings(max_examples=40)
def test_any_key_and_any_text_come_back(key: str, text: str) -> None:
    with TemporaryDirectory() as folder:
        journal = Path(folder, "main-12.jsonl")
        session = OpenSession(key, text, text, text)
        keep_token(journal, session)
        assert [read_token(path) for path in kept_tokens(journal)] == [session]


@given(st.binary() | st.sampled_from([b"{}", b"[]", b'"x"', b'{"key": 1}', b"[" * 100_000]))
@settings(max_examples=40)
def test_garbage_is_no_session(data: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "main-12.main-1.token")
        path.write_bytes(data)
        assert read_token(path) is None
