"""Writes what the documentation takes from the code, and llms.txt: run it as a script."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest_avatar
from pytest_avatar.core import errors
from pytest_avatar.core.setting_table import ROWS
from pytest_avatar.plugin import fixtures as source
from pytest_avatar.plugin.markers import MARKERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

DOCS: Final = Path(__file__).parent
LLMS: Final = DOCS / "llms.txt"
INDEX: Final = DOCS / "README.md"

PLACE: Final = re.compile(r"(<!-- from the code: (\w+) -->\n).*?(<!-- until here -->)", re.DOTALL)
LINK: Final = re.compile(r"\[([^\]]+)\]\(([^)#]+\.md)\)(?:: (.+))?")


def settings() -> Iterator[str]:
    """Yield a table of all settings."""
    yield "| Setting | Command line | Environment | ini | Default | Accepted |"
    yield "|---|---|---|---|---|---|"
    for row in ROWS:
        names = (row.option, row.environment, row.ini, row.default)
        cells = [row.title, *(f"`{name}`" if name else "" for name in names), row.accepted]
        yield _row(cells)


def fixtures() -> Iterator[str]:
    """Yield a table of all fixtures, by name. The decorator hides the function, so it is read."""
    yield "| Fixture | Scope | Type | Gives |"
    yield "|---|---|---|---|"
    functions = {
        node.name: node
        for node in ast.parse(inspect.getsource(source)).body
        if isinstance(node, ast.FunctionDef)
    }
    for name in sorted(source.FIXTURES):
        function = functions[name]
        text = (ast.get_docstring(function) or "").partition("\n\n")[0]
        yield _row([f"`{name}`", _scope(function), f"`{_type(function)}`", text])


def _scope(function: ast.FunctionDef) -> str:
    match function.decorator_list[0]:
        case ast.Call(keywords=[ast.keyword(arg="scope", value=ast.Constant(str(scope)))]):
            return scope
        case ast.Call(keywords=[ast.keyword(arg="scope")]):
            return "the setting `avatar_session_scope`"
    return "function"


def _type(function: ast.FunctionDef) -> str:
    match function.returns:
        case ast.Subscript(value=ast.Name("Iterator"), slice=given) | given:
            return ast.unparse(given) if given else ""


def markers() -> Iterator[str]:
    """Yield a table of all markers."""
    yield "| Marker | Meaning |"
    yield "|---|---|"
    for name, function in MARKERS.items():
        yield _row([f"`@pytest.mark.{name}{_signature(function)}`", _first_line(function)])


def names() -> Iterator[str]:
    """Yield a table of the public names of the package."""
    yield "| Name | Is |"
    yield "|---|---|"
    for name in pytest_avatar.__all__:
        yield _row([f"`{name}`", _first_line(getattr(pytest_avatar, name))])


def sessions() -> Iterator[str]:
    """Yield what a session can do."""
    yield from _members(pytest_avatar.AvatarSession)


def clients() -> Iterator[str]:
    """Yield what a client can do."""
    yield from _members(pytest_avatar.AvatarClient)


def tree() -> Iterator[str]:
    """Yield the tree of errors."""
    drawn = inspect.cleandoc(errors.__doc__ or "").partition("::\n\n")[2].partition("\n\n")[0]
    yield "```text"
    yield inspect.cleandoc(drawn)
    yield "```"


def _members(kind: type) -> Iterator[str]:
    yield "| Member | Does |"
    yield "|---|---|"
    for name, member in inspect.getmembers(kind):
        if name.startswith("_"):
            continue
        call = "" if isinstance(member, property) else _signature(member)
        yield _row([f"`{name}{call}`", _first_line(member)])


def _signature(function: Callable[..., Any]) -> str:
    """Return the arguments and their defaults, without types."""
    parameters = inspect.signature(function).parameters.values()
    shown = [p.replace(annotation=p.empty) for p in parameters if p.name != "self"]
    return str(inspect.Signature(shown))


def _first_line(thing: object) -> str:
    return (inspect.getdoc(thing) or "").partition("\n\n")[0].replace("\n", " ")


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


PARTS: Final[Mapping[str, Callable[[], Iterator[str]]]] = {
    part.__name__: part for part in (settings, fixtures, markers, names, sessions, clients, tree)
}


def filled(page: str) -> str:
    """Return a page with its parts from the code as they are now."""
    return PLACE.sub(lambda found: f"{found[1]}{_part(found[2])}\n{found[3]}", page)


def _part(name: str) -> str:
    return "\n".join(PARTS[name]())


def llms() -> str:
    """Return the index of the documentation for programs that read it; see llmstxt.org."""
    lines = ["# pytest-avatar", "", f"> {pytest_avatar.__doc__}"]
    for line in INDEX.read_text("utf-8").splitlines():
        if line.startswith("## "):
            lines += ["", line, ""]
        elif found := LINK.search(line):
            title, target, note = found.groups()
            lines.append(f"- [{title}](docs/{target})" + (f": {note}" if note else ""))
    return "\n".join(lines) + "\n"


def contents() -> dict[Path, str]:
    """Return what each file that is made from others should hold."""
    pages = {path: filled(path.read_text("utf-8")) for path in DOCS.rglob("*.md")}
    return {**pages, LLMS: llms()}


if __name__ == "__main__":
    for path, content in contents().items():
        path.write_text(content, encoding="utf-8", newline="\n")
