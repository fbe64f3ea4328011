from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

import pytest

from pytest_avatar.adapters.interception.importing import when_imported

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType


@pytest.fixture
def name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A module that was never imported."""
    (tmp_path / "avatar_sample.py").write_text("value = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield "avatar_sample"
    sys.modules.pop("avatar_sample", None)


def test_the_hook_sees_the_whole_module_once(name: str) -> None:
    seen: list[int] = []
    stop = when_imported({name: lambda module: seen.append(module.value)})
    assert seen == []
    module = importlib.import_module(name)
    importlib.import_module(name)
    assert seen == [1]
    stop()
    assert module.__spec__ is not None
    assert module.__loader__ is module.__spec__.loader
    assert type(module.__loader__).__name__ == "SourceFileLoader"


def test_several_hooks_wait_for_the_same_module(name: str) -> None:
    """As under a pytest inside pytest, both of which watch."""
    seen: list[int] = []
    stops = [when_imported({name: lambda module: seen.append(module.value)}) for _ in range(3)]
    importlib.import_module(name)
    assert seen == [1, 1, 1]
    for stop in stops:
        stop()


def test_a_module_that_is_there_is_seen_at_once(name: str) -> None:
    module = importlib.import_module(name)
    seen: list[ModuleType] = []
    when_imported({name: seen.append})()
    assert seen == [module]


def test_nothing_is_seen_after_the_end(name: str) -> None:
    seen: list[ModuleType] = []
    finders = list(sys.meta_path)
    when_imported({name: seen.append})()
    importlib.import_module(name)
    assert seen == []
    assert sys.meta_path == finders


def test_a_module_that_does_not_exist_stays_missing() -> None:
    stop = when_imported({"avatar_missing": lambda _: None})
    with pytest.raises(ModuleNotFoundError, match="avatar_missing"):
        importlib.import_module("avatar_missing")
    stop()


def test_a_hook_that_fails_fails_the_import_and_leaves_no_finder(name: str) -> None:
    def fail(_: ModuleType) -> None:
        raise RuntimeError("not this one")

    finders = list(sys.meta_path)
    stop = when_imported({name: fail})
    with pytest.raises(RuntimeError, match="not this one"):
        importlib.import_module(name)
    stop()
    importlib.import_module(name)
    with pytest.raises(RuntimeError, match="not this one"):
        when_imported({name: fail})
    assert sys.meta_path == finders
