"""Writes report-schema.md from the JSON Schema of reports: run it as a script."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pytest_avatar.core.schema import load_schema

PAGE = Path(__file__).with_name("report-schema.md")

INTRODUCTION = """\
# The JSON report

`--avatar-report=report.json` writes it; `pytest-avatar report` reads it, merges several and turns
them into the other forms. The schema itself is in the package, as
[`pytest_avatar/core/report.schema.json`](../../pytest_avatar/core/report.schema.json)
(JSON Schema 2020-12); this page is made from it. Programs should pass over keys that they do not
know: they may come with any release. `version` changes whenever a reading program has to.
"""


def page() -> str:
    """Return the text of the page."""
    schema = load_schema()
    sections = [_section("The report", schema)]
    sections += [_section(f"`{name}`", one) for name, one in schema["$defs"].items()]
    return "\n".join([INTRODUCTION, *sections])


def _section(title: str, schema: dict[str, Any]) -> str:
    required = schema["required"]
    rows = [
        f"| `{name}` | {_type(one)} | {'yes' if name in required else ''} | {_meaning(one)} |"
        for name, one in schema["properties"].items()
    ]
    head = ["| Key | Type | Always there | Meaning |", "|---|---|---|---|"]
    return "\n".join([f"## {title}", "", schema["description"], "", *head, *rows, ""])


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name})"
    if schema["type"] == "array":
        return f"list of {_type(schema['items'])}"
    if "additionalProperties" in schema:
        return f"object of {_type(schema['additionalProperties'])}"
    return str(schema["type"])


def _meaning(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        schema = load_schema()["$defs"][schema["$ref"].rpartition("/")[2]]
    words = ", ".join(f"`{word}`" for word in schema.get("enum", ()))
    return f"{schema['description']}{f' One of {words}.' if words else ''}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
