"""Where a test's cassette stands: a readable path, valid and unique on every file system.

A name is kept as it is wherever it can be. If a character has to be replaced, a name cut, or a
name differs from another by case alone, `~` and a digest of the whole test's name are added.
"""

from __future__ import annotations

import functools
import hashlib
import re
import unicodedata
from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["cassette_name", "clashing", "fixture_cassette_name"]

_SUFFIX: Final = ".json"
_MOST_BYTES: Final = 255
_DIGEST_LENGTH: Final = 12
_FORBIDDEN: Final = re.compile(r"[^\w\[\](){}.,=+!#$%&'^ -]")
_TAIL: Final = re.compile(r"[. ]+$")
_RESERVED: Final = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3]) *(?:\..*)?",
    re.IGNORECASE,
)


def cassette_name(
    module_path: str, class_names: Sequence[str], test_name: str, *, clashes: bool = False
) -> str:
    """Return the path of a test's cassette, below the cassette folder, with `/`.

    Args:
        module_path: The test's module, from the root directory, with `/`.
        class_names: The classes around the test, the outermost first.
        test_name: The test's name with its parameters.
        clashes: Whether the name differs from another only by case, see `clashing`.
    """
    key = ("test", module_path, *class_names, test_name)
    plain = "." not in test_name.partition("[")[0]
    name = ".".join([*class_names, test_name])
    return "/".join([*_folders(module_path), _file(name, key, keep=plain and not clashes)])


def fixture_cassette_name(
    scope: str,
    fixture: str,
    *,
    place: str = "",
    class_names: Sequence[str] = (),
    clashes: bool = False,
) -> str:
    """Return the path of the cassette of a fixture with a broader scope than one test.

    Args:
        scope: `class`, `module`, `package` or `session`.
        fixture: The fixture's name, with `[<id>]` if it has parameters.
        place: The module (with its `.py`) or the folder that it belongs to, from the root
            directory, with `/`; empty for the root.
        class_names: The classes around it, for the scope of a class.
        clashes: Whether the name differs from another only by case, see `clashing`.
    """
    key = (scope, place, *class_names, fixture)
    folders = _folders(place) if place.endswith(".py") else tuple(_parts(place))
    name = ".".join([*class_names, fixture])
    return "/".join([*folders, _file(name, key, keep=not clashes, ending=f"@{scope}")])


def clashing(names: Iterable[str]) -> frozenset[str]:
    """Return the names that are another's on a disk that knows no case."""
    different = dict.fromkeys(names)
    counts = Counter(_folded(name) for name in different)
    return frozenset(name for name in different if counts[_folded(name)] > 1)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name.casefold())


@functools.cache
def _folders(module_path: str) -> tuple[str, ...]:
    """Return the folders that stand for a module."""
    *parents, module = module_path.split("/")
    stem = module.removesuffix(".py")
    name = _safe(stem, ("folder", module), keep=stem != module and not stem.endswith(_SUFFIX))
    return (*_parts("/".join(parents)), name)


def _parts(path: str) -> list[str]:
    return [
        _safe(part, ("folder", part), keep=not part.endswith(_SUFFIX))
        for part in path.split("/")
        if part
    ]


def _file(name: str, key: tuple[str, ...], *, keep: bool, ending: str = "") -> str:
    return _safe(name, key, keep=keep, ending=f"{ending}{_SUFFIX}")


def _safe(name: str, key: tuple[str, ...], *, keep: bool, ending: str = "") -> str:
    """Return a valid name of a file or folder: the name itself if it is one and may be kept."""
    clean = _FORBIDDEN.sub("_", unicodedata.normalize("NFC", name)).strip(" ")
    clean = _TAIL.sub("_", clean)
    if _RESERVED.fullmatch(clean):
        clean = f"_{clean}"
    room = _MOST_BYTES - len(ending.encode())
    if keep and clean == name and clean and len(clean.encode()) <= room:
        return f"{clean}{ending}"
    return f"{_cut(clean, room - _DIGEST_LENGTH - 1)}~{_digest(key)}{ending}"


def _cut(text: str, most: int) -> str:
    """Return as many characters as fit into a number of bytes."""
    return text.encode()[:most].decode("utf-8", "ignore").rstrip(". ")


def _digest(key: tuple[str, ...]) -> str:
    text = "\0".join(f"{len(part)}:{part}" for part in key)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST_LENGTH]
