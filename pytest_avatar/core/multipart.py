"""`multipart/form-data` as bytes: what say-audio is sent in.

Written here because three sides need the same bytes: the client writes them, the emulator and
the recorder read them, and a boundary must never decide whether two requests are equal.
"""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["Part", "read_multipart", "write_multipart"]

# Left as text, which `re` compiles once when it is needed: few runs see a form.
_NAME = r'(?i)[;\s]name="((?:[^"\\]|\\.)*)"'
_FILENAME = r'(?i)[;\s]filename="((?:[^"\\]|\\.)*)"'
_DELIMITER_END = rb"(?=(?:--)?[ \t]*(?:\r\n|\Z))"
_BOUNDARY = r'(?i)boundary=(?:"([^"]+)"|([^;\s]+))'


class Part(NamedTuple):
    """One field of a form.

    Attributes:
        name: The field's name.
        content: Its bytes.
        filename: The file's name; `None` for a plain field.
        media_type: The part's own Content-Type; `None` if it has none.
    """

    name: str
    content: bytes
    filename: str | None = None
    media_type: str | None = None


def write_multipart(parts: list[Part], boundary: str) -> bytes:
    """Return the body of a form; its Content-Type is `multipart/form-data; boundary=<boundary>`."""
    lines: list[bytes] = []
    for part in parts:
        disposition = f'Content-Disposition: form-data; name="{_escape(part.name)}"'
        if part.filename is not None:
            disposition += f'; filename="{_escape(part.filename)}"'
        lines += [f"--{boundary}".encode(), disposition.encode()]
        if part.media_type is not None:
            lines.append(f"Content-Type: {part.media_type}".encode())
        lines += [b"", part.content]
    lines += [f"--{boundary}--".encode(), b""]
    return b"\r\n".join(lines)


def read_multipart(body: bytes, content_type: str) -> list[Part] | None:
    """Return the fields of a form in their order; `None` if the body is no well-formed form."""
    found = re.search(_BOUNDARY, content_type)
    if found is None:
        return None
    delimiter = re.escape(b"\r\n--" + (found[1] or found[2]).encode())
    sections = re.split(delimiter + _DELIMITER_END, b"\r\n" + body)
    if len(sections) < 2 or not sections[-1].startswith(b"--"):
        return None
    parts = [_read_part(section) for section in sections[1:-1]]
    return [part for part in parts if part is not None] if None not in parts else None


def _read_part(section: bytes) -> Part | None:
    head, separator, content = section.lstrip(b" \t").removeprefix(b"\r\n").partition(b"\r\n\r\n")
    if not separator:
        return None
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (
            line.partition(":") for line in head.decode("utf-8", "replace").split("\r\n")
        )
    }
    disposition = headers.get("content-disposition", "")
    name = re.search(_NAME, disposition)
    if name is None:
        return None
    filename = re.search(_FILENAME, disposition)
    return Part(
        name=_unescape(name[1]),
        content=content,
        filename=_unescape(filename[1]) if filename else None,
        media_type=headers.get("content-type"),
    )


def _escape(text: str) -> str:
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _unescape(text: str) -> str:
    return text.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n").replace('\\"', '"')
