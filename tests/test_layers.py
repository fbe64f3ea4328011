"""Imports point inward: read from the syntax tree of every module of the installed package."""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import pytest_avatar

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = "pytest_avatar"

INWARD = {
    "core": {"core"},
    "adapters": {"core", "adapters"},
    "emulator": {"core", "adapters", "emulator"},
    "cli": {"core", "adapters", "emulator", "cli"},
    "plugin": {"core", "adapters", "emulator", "plugin"},
}
"""What each layer may import of this package. The package itself, the outermost, may import all."""

HEAVY = {"asyncio", "httpx", "ssl", "starlette", "uvicorn", "vcr", "yaml"}
"""What every pytest run of every project would pay for if loading the plugin imported it."""

COMPANIONS = {"anyio", "starlette", "yaml"}
"""What an adapter may know beside its one outside thing: httpx runs on anyio, vcrpy writes YAML,
uvicorn serves what starlette gives a shape."""


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module: its absolute dotted name, and whether importing ours imports it too."""

    name: str
    on_load: bool

    @property
    def top(self) -> str:
        return self.name.partition(".")[0]

    @property
    def layer(self) -> str:
        """The layer of this package that it names; empty if it names the package itself."""
        return [*self.name.split("."), ""][1]


@dataclass(frozen=True, slots=True)
class Module:
    """A module of the package, by its dotted name and what it imports."""

    name: str
    imports: tuple[Import, ...]

    @property
    def layer(self) -> str:
        parts = self.name.split(".")
        return parts[1] if len(parts) > 1 and parts[1] in INWARD else ""


def read_module(name: str, source: str, *, is_package: bool = False) -> Module:
    package = name if is_package else name.rpartition(".")[0]
    return Module(name, tuple(_imports(ast.parse(source), package, on_load=True)))


def _imports(node: ast.AST, package: str, *, on_load: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(alias.name, on_load) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield from (Import(name, on_load) for name in _imported_from(child, package))
        else:
            yield from _imports(child, package, on_load=on_load and not _is_lazy(child))


def _imported_from(node: ast.ImportFrom, package: str) -> list[str]:
    source = node.module or ""
    if node.level:
        above = package.split(".")[: len(package.split(".")) - node.level + 1]
        source = ".".join([*above, *filter(None, [source])])
    return [f"{source}.{alias.name}" for alias in node.names] if source == PACKAGE else [source]


def _is_lazy(node: ast.AST) -> bool:
    """Whether what stands in this node does not run when its module is loaded."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING")):
            return True
    return False


def violations(module: Module) -> list[str]:
    return [
        f"{module.name} imports {imported.name}: {rule}"
        for imported in module.imports
        for rule in _broken_rules(module, imported)
    ]


def _broken_rules(module: Module, imported: Import) -> Iterator[str]:
    if imported.top == "_pytest":
        yield "only public pytest"
    if imported.top == "pytest" and module.layer != "plugin":
        yield "only plugin/ knows pytest"
    if imported.top == PACKAGE and module.layer and imported.layer not in INWARD[module.layer]:
        yield "imports point inward"
    if module.layer == "core" and imported.top not in {PACKAGE, *sys.stdlib_module_names}:
        yield "the core knows the standard library only"
    if imported.on_load and imported.top in HEAVY and _loads_with_the_plugin(module):
        yield "too heavy to import with the plugin"


def _loads_with_the_plugin(module: Module) -> bool:
    return module.layer in {"", "core"} or module.name == f"{PACKAGE}.plugin"


def outside_things(module: Module) -> set[str]:
    return {found.top for found in module.imports} - {
        PACKAGE,
        *sys.stdlib_module_names,
        *COMPANIONS,
    }


def package_modules() -> list[Module]:
    root = Path(pytest_avatar.__file__).parent
    modules = []
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        name = ".".join([PACKAGE, *(parts[:-1] if is_package else parts)])
        modules.append(read_module(name, path.read_text("utf-8"), is_package=is_package))
    return modules


MODULES = package_modules()


def test_every_layer_is_read() -> None:
    assert {module.layer for module in MODULES} == {"", *INWARD}
    names = {imported.name for module in MODULES for imported in module.imports}
    assert f"{PACKAGE}.core.multipart" in names


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_imports_point_inward(module: Module) -> None:
    assert violations(module) == []


@pytest.mark.parametrize(
    "module", [m for m in MODULES if m.layer == "adapters"], ids=lambda module: module.name
)
def test_an_adapter_knows_one_outside_thing(module: Module) -> None:
    assert len(outside_things(module)) <= 1, outside_things(module)


@pytest.mark.parametrize(
    ("module", "source", "rule"),
    [
        ("core.x", "import httpx", "standard library only"),
        ("core.x", "def f():\n    from yaml import load", "standard library only"),
        ("core.x", "if TYPE_CHECKING:\n    import vcr", "standard library only"),
        ("core.x", "import ssl", "too heavy"),
        ("core.x", "class C:\n    import asyncio.events", "too heavy"),
        ("core.x", "from pytest_avatar.adapters import files", "inward"),
        ("core.x", "from ..adapters import files", "inward"),
        ("core.x", "from pytest_avatar import plugin", "inward"),
        ("core.x", "from .. import plugin", "inward"),
        ("core.x", "import pytest_avatar", "inward"),
        ("adapters.x", "import pytest", "only plugin/"),
        ("adapters.x", "def f():\n    import pytest", "only plugin/"),
        ("adapters.x", "import pytest_avatar.emulator.app", "inward"),
        ("adapters.deep.x", "from pytest_avatar.plugin import hooks", "inward"),
        ("emulator.x", "from pytest_avatar.plugin import hooks", "inward"),
        ("plugin.x", "from pytest_avatar.cli import main", "inward"),
        ("plugin.x", "from _pytest.config import Config", "only public pytest"),
        ("plugin.x", "def f():\n    import _pytest", "only public pytest"),
        ("plugin", "import httpx", "too heavy"),
        ("plugin", "try:\n    from vcr import VCR\nfinally:\n    pass", "too heavy"),
        ("cli", "import pytest", "only plugin/"),
    ],
)
def test_a_wrong_import_is_found(module: str, source: str, rule: str) -> None:
    assert rule in "\n".join(violations(read_module(f"{PACKAGE}.{module}", source)))


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("core.x", "import json\nfrom pytest_avatar.core.wire import Request"),
        ("core.x", "from .wire import Request"),
        ("core.x", "def f():\n    import asyncio"),
        ("adapters.x", "import httpx\nfrom pytest_avatar.core import wire"),
        ("plugin", "import pytest\ndef f():\n    import httpx"),
        ("plugin", "if TYPE_CHECKING:\n    import httpx"),
    ],
)
def test_a_right_import_is_let_through(module: str, source: str) -> None:
    assert violations(read_module(f"{PACKAGE}.{module}", source)) == []


def test_two_outside_things_in_one_adapter_are_found() -> None:
    adapter = read_module(f"{PACKAGE}.adapters.x", "import httpx\ndef f():\n    import vcr, json")
    assert outside_things(adapter) == {"httpx", "vcr"}
