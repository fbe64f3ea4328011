"""Cassettes on disk, in vcrpy's own JSON form; YAML is read too.

Written is ASCII with sorted keys: the same interactions give the same bytes, and vcrpy opens files
in whatever encoding the machine prefers.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from base64 import b64decode, b64encode
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pytest_avatar.core.cassette import Cassette, Interaction
from pytest_avatar.core.errors import CassetteError
from pytest_avatar.core.wire import Request, Response

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_avatar.core.http import Headers

__all__ = ["dump_cassette", "find_cassette", "load_cassette", "load_if_any", "write_whole"]

_VCR_VERSION: Final = 1
_OUR_VERSION: Final = 1
_OURS: Final = "pytest_avatar"
_BASE64: Final = "base64"
"""Key of an answer's body that is no text; vcrpy passes over it."""

_CHUNK: Final = 65_536
"""Bytes that are read at a time."""

_YAML_SUFFIXES: Final = (".yaml", ".yml")


def find_cassette(path: Path) -> Path | None:
    """Return the file of a cassette, which may be YAML in place of JSON; `None` if there is none.

    Args:
        path: Its name as JSON.
    """
    if path.exists():
        return path
    others = (path.with_suffix(suffix) for suffix in _YAML_SUFFIXES)
    return next((other for other in others if other.exists()), None)


def load_cassette(path: Path) -> Cassette:
    """Read a cassette.

    Args:
        path: A file that exists.

    Raises:
        CassetteError: It cannot be read; the text is one line: file, line, reason.
    """
    try:
        return _load(path)
    except OSError as error:
        raise _unreadable(path, error) from error


def load_if_any(path: Path | str) -> Cassette | None:
    """Read a cassette, which may be YAML in place of JSON; `None` if there is none.

    Args:
        path: Its name as JSON; a text spares what a `Path` costs.

    Raises:
        CassetteError: It cannot be read; see `load_cassette`.
    """
    try:
        return _load(path)
    except (FileNotFoundError, NotADirectoryError):  # hardly ever, so it is not asked before
        found = find_cassette(Path(path))
    except OSError as error:
        raise _unreadable(path, error) from error
    return None if found is None else load_cassette(found)


def _unreadable(path: Path | str, error: OSError) -> CassetteError:
    reason = error.strerror or type(error).__name__
    return CassetteError(f"{path}:1: cassette cannot be read: {reason}")


def _load(path: Path | str) -> Cassette:
    content, text = _read_whole(path), ""
    try:
        text = content.decode("utf-8")
        is_yaml = str(path).endswith(_YAML_SUFFIXES)
        data = _read_yaml(text) if is_yaml else _read_json(text)
        return _read_cassette(data)
    except _BrokenError as error:
        line = error.line or _line_of(text, error.interaction)
        raise CassetteError(f"{path}:{line}: broken cassette: {error}") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise CassetteError(f"{path}:{line}: broken cassette: not UTF-8 text") from error


def _read_whole(path: Path | str) -> bytes:
    """Return the content of a file. A file object would take several times as long."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))  # the latter on Windows
    try:
        return b"".join(iter(lambda: os.read(handle, _CHUNK), b""))
    finally:
        os.close(handle)


def dump_cassette(cassette: Cassette) -> bytes:
    """Return the bytes of a cassette's file."""
    ours: dict[str, Any] = {"format": _OUR_VERSION}
    if cassette.leaks_allowed is not None:
        ours["leaks_allowed"] = cassette.leaks_allowed
    data = {
        "interactions": [_dump_interaction(one) for one in cassette.interactions],
        _OURS: ours,
        "version": _VCR_VERSION,
    }
    return (json.dumps(data, indent=2, sort_keys=True) + "\n").encode("ascii")


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; its folder is made if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


class _BrokenError(Exception):
    """A cassette is not what it should be.

    Attributes:
        line: Where, from 1; 0 if unknown.
        interaction: In which interaction, from 0; -1 if in none.
    """

    def __init__(self, reason: str, *, line: int = 0, interaction: int = -1) -> None:
        super().__init__(reason)
        self.line = line
        self.interaction = interaction


_CONFLICT: Final = r"(?m)^(?:<{7}|={7}|>{7})(?: |$)"


def _check_text(text: str) -> None:
    if not text.strip():
        raise _BrokenError("the file is empty", line=1)
    if found := re.search(_CONFLICT, text):
        line = text.count("\n", 0, found.start()) + 1
        raise _BrokenError("a merge conflict was left in it", line=line)


def _read_json(text: str) -> Any:  # noqa: ANN401 - JSON data
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        _check_text(text)
        raise _BrokenError(f"not JSON: {error.msg}", line=error.lineno) from error
    except RecursionError as error:
        raise _BrokenError("not JSON: nested too deeply", line=1) from error


def _read_yaml(text: str) -> Any:  # noqa: ANN401 - YAML data
    # Loading these takes longer than most tests, and no cassette of ours is YAML.
    import yaml  # noqa: PLC0415
    from vcr.serializers import yamlserializer  # type: ignore[import-untyped]  # noqa: PLC0415

    _check_text(text)
    try:
        return yamlserializer.deserialize(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = 1 if mark is None else mark.line + 1
        raise _BrokenError(f"not YAML: {error.problem}", line=line) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = str(error).partition("\n")[0]
        raise _BrokenError(f"not YAML: {reason}", line=1) from error


def _line_of(text: str, interaction: int) -> int:
    """Return the line on which an interaction's request begins, 1 if it cannot be told."""
    starts = list(re.finditer(r'^[ -]*"?request"?:', text, re.MULTILINE))
    if not 0 <= interaction < len(starts):
        return 1
    return text.count("\n", 0, starts[interaction].start()) + 1


def _read_cassette(data: Any) -> Cassette:  # noqa: ANN401 - checked here
    if not isinstance(data, dict) or not isinstance(data.get("interactions"), list):
        raise _BrokenError("no object with a list of interactions at the top level", line=1)
    if data.get("version") != _VCR_VERSION:
        raise _BrokenError(f"version {data.get('version')!r}, expected {_VCR_VERSION}", line=1)
    ours = data.get(_OURS, {})
    if not isinstance(ours, dict) or ours.get("format", _OUR_VERSION) != _OUR_VERSION:
        raise _BrokenError(f"{_OURS} format is not {_OUR_VERSION}", line=1)
    reason = ours.get("leaks_allowed")
    if reason is not None and not isinstance(reason, str):
        raise _BrokenError(f"{_OURS} leaks_allowed is not a text", line=1)
    interactions = [_read_interaction(one, place) for place, one in enumerate(data["interactions"])]
    return Cassette(tuple(interactions), reason, is_normal=_OURS in data)


def _read_interaction(data: Any, place: int) -> Interaction:  # noqa: ANN401 - checked here
    try:
        request, response = data["request"], data["response"]
        status, lane = response["status"], data.get("lane", 1)
        code = status["code"]
        if not (isinstance(code, int) and isinstance(lane, int)):
            raise TypeError  # noqa: TRY301 - as for what else is of the wrong type
        asked = Request(
            _text(request["method"]),
            _text(request["uri"]),
            _read_headers(request.get("headers")),
            _read_bytes(request.get("body")),
        )
        answer = Response(
            code,
            _read_headers(response.get("headers")),
            _read_body(response.get("body") or {}),
            str(status.get("message") or ""),
        )
        return Interaction(asked, answer, lane)
    except KeyError as error:
        reason = f"interaction {place + 1} has no {error.args[0]}"
        raise _BrokenError(reason, interaction=place) from error
    except (TypeError, AttributeError, ValueError) as error:
        reason = f"interaction {place + 1} is not a request and a response"
        raise _BrokenError(reason, interaction=place) from error


def _read_bytes(value: Any) -> bytes:  # noqa: ANN401 - checked here
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    if isinstance(value, bytes):
        return value
    return _text(value or "").encode()


def _text(value: Any) -> str:  # noqa: ANN401 - checked here
    if not isinstance(value, str):
        raise TypeError
    return value


def _read_body(data: Mapping[str, Any]) -> bytes:
    if _BASE64 in data:
        return b64decode(_text(data[_BASE64]), validate=True)
    return _read_bytes(data.get("string"))


def _read_headers(data: Mapping[str, Any] | None) -> Headers:
    headers: list[tuple[str, str]] = []
    for name, values in (data or {}).items():
        for value in values if isinstance(values, list) else (values,):
            headers.append((_text(name), _text(value)))  # noqa: PERF401 - half as long as one
    return tuple(headers)


def _dump_interaction(one: Interaction) -> dict[str, Any]:
    request, response = one.request, one.response
    data: dict[str, Any] = {
        "request": {
            "body": request.body.decode("utf-8"),
            "headers": _dump_headers(request.headers),
            "method": request.method,
            "uri": request.url,
        },
        "response": {
            "body": _dump_body(response.body),
            "headers": _dump_headers(response.headers),
            "status": {"code": response.status, "message": response.reason},
        },
    }
    return data if one.lane == 1 else {"lane": one.lane, **data}


def _dump_body(body: bytes) -> dict[str, str]:
    try:
        return {"string": body.decode("utf-8")}
    except UnicodeDecodeError:
        return {"string": "", _BASE64: b64encode(body).decode()}


def _dump_headers(headers: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    dumped: dict[str, list[str]] = {}
    for name, value in headers:
        dumped.setdefault(name, []).append(value)
    return dumped
