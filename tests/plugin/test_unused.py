"""What the plugin costs projects that have it installed and do not use it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pytest

QUIET: Final = ("anyio", "asyncio", "hypothesispytest", "pytest_httpx", "recording", "respx")
"""Plugins that import by themselves what ours must not import."""

LISTS_MODULES: Final = """
    import json, sys

    def pytest_unconfigure():
        loaders = {
            name: type(getattr(module, "__loader__", None)).__name__
            for name, module in sys.modules.items()
        }
        with open("modules.json", "w") as file:
            json.dump(loaders, file)
"""

LISTS_FINDERS: Final = """
    import atexit, sys

    def list_finders():
        with open("finders.txt", "w") as file:
            print(*(getattr(one, "__module__", one) for one in sys.meta_path), file=file)

    atexit.register(list_finders)
"""
"""Loaded before ours, so that it is asked after ours when Python exits."""


def test_an_unused_plugin_imports_next_to_nothing(
    clean_environment: None, pytester: pytest.Pytester
) -> None:
    pytester.makeini("[pytest]")
    pytester.makeconftest(LISTS_MODULES)
    pytester.makepyfile("def test_it(): ...")
    options = [option for name in QUIET for option in ("-p", f"no:{name}")]
    assert pytester.runpytest_subprocess(*options).ret == 0
    modules = json.loads((pytester.path / "modules.json").read_text())
    tops = {name.partition(".")[0] for name in modules}
    assert not tops & {"httpx", "vcr", "yaml", "starlette", "uvicorn", "anyio", "asyncio", "ssl"}
    ours = [name for name in modules if name.startswith("pytest_avatar")]
    assert len(ours) < 11, ours
    rewritten = {name for name in ours if modules[name] != "SourceFileLoader"}
    assert rewritten <= {"pytest_avatar", "pytest_avatar.plugin"}


def test_python_exits_without_our_finder(
    clean_environment: None, pytester: pytest.Pytester
) -> None:
    pytester.makeini("[pytest]")
    pytester.makepyfile(lists_finders=LISTS_FINDERS, test_it="def test_it(): ...")
    assert pytester.runpytest_subprocess("-p", "lists_finders").ret == 0
    finders = (pytester.path / "finders.txt").read_text()
    assert "_frozen_importlib" in finders
    assert "pytest_avatar" not in finders
