"""The published schema of reports, and as much of JSON Schema as it uses."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, Final

__all__ = ["check", "load_schema"]

_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
}


@cache
def load_schema() -> dict[str, Any]:
    """Return the JSON Schema of reports, which is published beside this module."""
    from importlib.resources import files  # noqa: PLC0415 - only who reads reports needs it

    text = files("pytest_avatar.core").joinpath("report.schema.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def check(data: Any, schema: dict[str, Any]) -> None:  # noqa: ANN401 - JSON data
    """Check data against a schema that uses the keywords of ours and no others.

    Raises:
        ValueError: It does not fit; the text says where, what was expected and what was found.
    """
    _check(data, schema, schema["$defs"], "")


def _check(data: Any, schema: dict[str, Any], defs: dict[str, Any], where: str) -> None:  # noqa: ANN401
    if "$ref" in schema:
        schema = defs[schema["$ref"].rpartition("/")[2]]
    problem = _problem(data, schema)
    if problem is not None:
        raise ValueError(f"{where or 'the top level'}: {problem}")
    if isinstance(data, dict):
        _check_object(data, schema, defs, where)
    elif isinstance(data, list):
        for index, item in enumerate(data):
            _check(item, schema["items"], defs, f"{where}[{index}]")


def _problem(data: Any, schema: dict[str, Any]) -> str | None:  # noqa: ANN401
    expected: str = schema["type"]
    if isinstance(data, bool) or not isinstance(data, _TYPES[expected]):
        return f"expected {expected}, found {type(data).__name__}"
    if data not in schema.get("enum", (data,)):
        return f"expected one of {', '.join(schema['enum'])}, found {str(data)[:40]!r}"
    if "minimum" in schema and not schema["minimum"] <= data <= schema["maximum"]:
        return f"expected {schema['minimum']} to {schema['maximum']}, found {data}"
    return None


def _check_object(
    data: dict[str, Any], schema: dict[str, Any], defs: dict[str, Any], where: str
) -> None:
    missing = [name for name in schema.get("required", ()) if name not in data]
    if missing:
        raise ValueError(f"{where or 'the top level'}: `{missing[0]}` is missing")
    known, others = schema.get("properties", {}), schema.get("additionalProperties")
    for name, item in data.items():
        rule = known.get(name, others)
        if rule is not None:
            _check(item, rule, defs, f"{where}.{name}" if where else name)
