"""A create that is sent by the watchdog, so that its answer is read whoever dies meanwhile.

A session that opens is written down before its owner hears of it. The Kaltura Session travels
through the pipe and is on no disk.
"""

from __future__ import annotations

import base64
import json
import threading
from contextlib import suppress
from functools import cache
from pathlib import Path
from socket import gaierror
from typing import TYPE_CHECKING, Any, Final

from pytest_avatar.adapters.tokens import OpenSession, keep_token
from pytest_avatar.core import wire
from pytest_avatar.core.http import Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_avatar.adapters.stdlib_http import StdlibSender

__all__ = ["CreateRelay", "RelayError", "create_for_owner"]

_LATE: Final = 60.0
"""For how much longer than its owner the watchdog waits for an answer, s: it names a session."""


class RelayError(ConnectionError):
    """No whole answer came to a create.

    Attributes:
        sent: `False` if not a byte of the request can have reached the service.
    """

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


class CreateRelay:
    """The owner's side.

    Args:
        ask: `Watchdog.ask`.
        base_url: Where the service lives.
    """

    def __init__(self, ask: Callable[[bytes, float], bytes], base_url: str) -> None:
        self._ask = ask
        self._base_url = base_url

    def send(self, request: Request, *, key: str, timeout: float) -> Response:
        """Have a create sent, one at a time.

        Args:
            request: The create.
            key: The key of its session in the ledger.
            timeout: Longest wait for the whole answer, s.

        Raises:
            RelayError: No whole answer came. If one comes later, the watchdog keeps its session
                and ends it when this process has gone.
        """
        message = {
            "key": key,
            "base_url": self._base_url,
            "timeout": timeout,
            "method": request.method,
            "url": request.url,
            "headers": request.headers,
            "body": _pack(request.body),
        }
        try:
            answer = json.loads(self._ask(json.dumps(message).encode(), timeout))
        except OSError as error:
            raise RelayError(str(error), sent=not isinstance(error, BrokenPipeError)) from error
        if "error" in answer:
            raise RelayError(answer["error"], sent=answer["sent"])
        return Response(
            answer["status"], _pairs(answer["headers"]), _unpack(answer["body"]), answer["reason"]
        )


def create_for_owner(frame: bytes, journal: str, ca_file: str | None) -> bytes:
    """Send a create on behalf of the owner and return the message that answers it.

    Args:
        frame: What the owner's `CreateRelay` wrote.
        journal: The owner's journal.
        ca_file: The authorities to trust; `None` trusts the system's.
    """
    message = json.loads(frame)
    answers: list[dict[str, Any]] = []

    def create() -> None:
        answers.append(_create(message, Path(journal), ca_file))

    thread = threading.Thread(target=create, daemon=True)
    thread.start()
    thread.join(message["timeout"])
    late = {"error": f"no answer came within {message['timeout']:g} s", "sent": True}
    return json.dumps(answers[0] if answers else late).encode()


def _create(message: Mapping[str, Any], journal: Path, ca_file: str | None) -> dict[str, Any]:
    request = Request(
        message["method"], message["url"], _pairs(message["headers"]), _unpack(message["body"])
    )
    try:
        response = _sender(ca_file).send(request, message["timeout"] + _LATE)
    except OSError as error:
        cause = getattr(error, "reason", error)
        return {
            "error": f"{type(cause).__name__}: {cause}",
            "sent": not isinstance(cause, (ConnectionRefusedError, gaierror)),
        }
    opened = wire.read_opened(wire.read_answer(response))
    if opened is not None and opened.token is not None:
        session = OpenSession(message["key"], opened.session_id, message["base_url"], opened.token)
        with suppress(OSError):  # a full disk must not keep the answer from its owner
            keep_token(journal, session)
    return {
        "status": response.status,
        "headers": response.headers,
        "body": _pack(response.body),
        "reason": response.reason,
    }


@cache
def _sender(ca_file: str | None) -> StdlibSender:
    from pytest_avatar.adapters.stdlib_http import StdlibSender  # noqa: PLC0415 - 27 ms

    return StdlibSender(ca_file)


def _pairs(headers: list[list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in headers)


def _pack(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _unpack(text: str) -> bytes:
    return base64.b64decode(text)
