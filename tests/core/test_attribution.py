from __future__ import annotations

import asyncio
import functools
import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_avatar.core.attribution import calling_line

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__)
Line = tuple[str, int] | None


def function_in(path: Path, body: str = "return inner()") -> Callable[..., Any]:
    """Return a function `outer(inner)` that seems to stand in the second line of a file."""
    names: dict[str, Any] = {}
    exec(compile(f"def outer(inner):\n    {body}", str(path), "exec"), names)
    function: Callable[..., Any] = names["outer"]
    return function


def here() -> int:
    return sys._getframe(1).f_lineno


def test_the_caller_is_named_relative_to_the_root() -> None:
    assert calling_line(HERE.parent) == ("test_attribution.py", here())
    assert calling_line(str(HERE.parents[1])) == ("core/test_attribution.py", here())


def test_a_file_outside_the_root_keeps_its_whole_path(tmp_path: Path) -> None:
    assert calling_line(tmp_path) == (str(HERE), here())


def test_libraries_on_the_way_are_passed_over(tmp_path: Path) -> None:
    ask = f"return inner({str(tmp_path)!r})"
    frozen = function_in(Path("<frozen importlib._bootstrap>"), ask)
    ours = function_in(Path(calling_line.__code__.co_filename).parents[1] / "adapters/x.py")
    standard = function_in(Path(os.__file__).with_name("http") / "client.py")
    library = function_in(tmp_path / "venv/lib/site-packages/client/api.py")
    code = function_in(tmp_path / "app/code.py")

    def through(*functions: Callable[..., Any]) -> Callable[[], Line]:
        """Call the functions inside one another, the last one in the middle."""
        inner: Any = calling_line
        for function in reversed(functions):
            inner = functools.partial(function, inner)
        found: Callable[[], Line] = inner
        return found

    assert through(code, library, standard, ours, frozen)() == ("app/code.py", 2)


def test_only_libraries_are_no_line(tmp_path: Path) -> None:
    installed = tmp_path / "dist-packages/client.py"
    found: list[Line] = []
    work = function_in(installed, f"inner[1].append(inner[0]({str(tmp_path)!r}))")
    thread = threading.Thread(target=work, args=((calling_line, found),))
    thread.start()
    thread.join(10)
    assert found == [None]


def test_a_coroutine_is_found_from_the_task_it_runs_in() -> None:
    async def inner() -> Line:
        await asyncio.sleep(0)
        return calling_line(HERE.parent)

    line = asyncio.run(inner())
    assert line is not None
    assert line[0] == "test_attribution.py"
