from __future__ import annotations

import subprocess
import sys

import pytest

import pytest_avatar.emulator


def test_importing_the_package_brings_nothing_heavy() -> None:
    code = """
import sys
import pytest_avatar.emulator
heavy = {"starlette", "uvicorn", "asyncio", "h11", "pytest_avatar.emulator.emulator"}
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True
    )

    assert done.stdout == "[]\n"


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"^module 'pytest_avatar.emulator' has no attribute"):
        _ = pytest_avatar.emulator.Emulatr  # type: ignore[attr-defined]
