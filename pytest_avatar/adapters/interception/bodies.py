"""Answers between their two forms: as they travel, and as a core `Response` keeps them."""

from __future__ import annotations

import importlib
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from pytest_avatar.core.http import Headers, Response, header

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["plain_headers", "read_response", "write_response"]

_OF_THE_TRAVEL: Final = ("content-encoding", "transfer-encoding", "content-length")


def read_response(status: int, reason: str, headers: Headers, body: bytes) -> Response:
    """Return an answer as it came, with its body decoded.

    Args:
        status: The HTTP status.
        reason: The words behind it.
        headers: As received.
        body: As received, chunks put together. What cannot be decoded stays as it is.
    """
    for encoding in reversed((header(headers, "content-encoding") or "").lower().split(",")):
        body = _decode(body, encoding.strip())
    return Response(status, headers, body, reason)


def plain_headers(answer: Response, method: str) -> Headers:
    """Return the headers under which the decoded body of an answer can travel as it is.

    Args:
        answer: The answer; its headers may still speak of gzip and chunks.
        method: Of the request: HEAD keeps the length of a body that is not sent.
    """
    kept = tuple([pair for pair in answer.headers if pair[0].lower() not in _OF_THE_TRAVEL])
    length: str | None = str(len(answer.body))
    if method.upper() == "HEAD":
        length = header(answer.headers, "content-length")
    if length is None or answer.status in (204, 304):
        return kept
    return (*kept, ("Content-Length", length))


def write_response(answer: Response, method: str) -> bytes:
    """Return an answer as it travels: status line, headers and body; to HEAD without the body."""
    lines = [f"HTTP/1.1 {answer.status} {answer.reason}"]
    lines += [f"{name}: {value}" for name, value in plain_headers(answer, method)]
    head = "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")
    return head if method.upper() == "HEAD" else head + answer.body


def _decode(body: bytes, encoding: str) -> bytes:
    decoder = _DECODERS.get(encoding)
    if decoder is None or not body:
        return body
    try:
        return decoder(body)
    except Exception:  # noqa: BLE001 - each decoder has an error of its own
        return body


def _inflate(body: bytes) -> bytes:
    """Undo `deflate`, which some servers send without the zlib header it should have."""
    try:
        return zlib.decompress(body)
    except zlib.error:
        return zlib.decompress(body, -zlib.MAX_WBITS)


def _unbrotli(body: bytes) -> bytes:
    return bytes(_first_module("brotli", "brotlicffi").decompress(body))


def _unzstd(body: bytes) -> bytes:
    """Undo `zstd` in a frame of unknown length, for which zstandard has a call of its own."""
    library = _first_module("compression.zstd", "backports.zstd", "zstandard")
    decompressor = library.ZstdDecompressor()
    return bytes(getattr(decompressor, "decompressobj", lambda: decompressor)().decompress(body))


def _first_module(*names: str) -> Any:  # noqa: ANN401 - modules that need not be installed
    """Return the first module there is: no client asks for an encoding it has no module for."""
    for name in names:
        with suppress(ImportError):
            return importlib.import_module(name)
    raise ImportError(f"none of {', '.join(names)}")


_DECODERS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "gzip": lambda body: zlib.decompress(body, zlib.MAX_WBITS | 16),
    "x-gzip": lambda body: zlib.decompress(body, zlib.MAX_WBITS | 16),
    "deflate": _inflate,
    "br": _unbrotli,
    "zstd": _unzstd,
}
