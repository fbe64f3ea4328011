"""What users import: listed, sorted, importable, and free until it is used."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

import pytest_avatar
from pytest_avatar.core import errors


def names_loaded_by(code: str) -> set[str]:
    """Return the modules that a fresh interpreter has loaded after some code."""
    command = [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"]
    run = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return set(run.stdout.split())


def test_the_public_names_are_listed_in_order() -> None:
    assert pytest_avatar.__all__ == sorted(set(pytest_avatar.__all__))


@pytest.mark.parametrize("name", pytest_avatar.__all__)
def test_a_public_name_can_be_imported(name: str) -> None:
    public = getattr(pytest_avatar, name)
    assert public.__name__ == name
    assert public.__doc__
    assert getattr(import_module(public.__module__), name) is public


def test_a_star_imports_them_all() -> None:
    names: dict[str, object] = {}
    exec("from pytest_avatar import *", names)
    assert set(pytest_avatar.__all__) <= set(names)


def test_they_are_shown_by_dir() -> None:
    assert set(pytest_avatar.__all__) <= set(dir(pytest_avatar))


def test_every_error_of_the_tree_is_public() -> None:
    assert set(errors.__all__) <= set(pytest_avatar.__all__)


def test_a_misspelt_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'pytest_avatar' has no attribute 'AvatarKlient'"):
        _ = pytest_avatar.AvatarKlient  # type: ignore[attr-defined] # the type checker says so too


def test_importing_the_package_imports_nothing_but_itself() -> None:
    loaded = names_loaded_by("import pytest_avatar")
    assert {name for name in loaded if name.startswith("pytest_avatar")} == {"pytest_avatar"}
    assert not loaded & {"httpx", "pytest", "anyio", "ssl", "vcr", "yaml"}


def test_the_client_works_without_pytest() -> None:
    loaded = names_loaded_by(
        'from pytest_avatar import AvatarClient\nAvatarClient("the-ks").close()'
    )
    assert "httpx" in loaded
    assert not loaded & {"pytest", "vcr", "yaml", "starlette", "uvicorn"}


def test_an_error_is_caught_without_a_client() -> None:
    assert "httpx" not in names_loaded_by("from pytest_avatar import AvatarError, LeakError")
