"""The emulator as an ASGI application: the API, the page of books, and the script of faults.

| Route | What |
|---|---|
| `/v1/avatar-session…` | the Control API |
| `GET /` | the books: HTML, or JSON if `Accept` asks for it and not for HTML |
| `GET /faults` | the faults still to come, as a JSON list of texts (see `parse_fault`) |
| `POST /faults` | appends the faults of such a list, answers like GET |
| `DELETE /faults` | forgets them all, answers like GET |
"""

from __future__ import annotations

import asyncio
import json
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, TypeGuard, cast

from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route, Router

from pytest_avatar.adapters.hang_up import HANG_UP
from pytest_avatar.core import wire
from pytest_avatar.emulator.faults import parse_fault
from pytest_avatar.emulator.page import render
from pytest_avatar.emulator.stage import Stage

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from pytest_avatar.emulator.books import Books
    from pytest_avatar.emulator.faults import Fault, FaultScript
    from pytest_avatar.emulator.service import Service
    from pytest_avatar.emulator.stage import Performance

__all__ = ["build_app"]


def build_app(service: Service, script: FaultScript) -> ASGIApp:
    """Return the application.

    Args:
        service: What answers the API.
        script: What strikes it.
    """
    control = _Control(service.books, script)
    return Router(
        [
            Route("/", control.show_books, methods=["GET"]),
            Route("/faults", control.script_faults, methods=["GET", "POST", "DELETE"]),
        ],
        default=_Api(service, script),
        redirect_slashes=False,
    )


class _Control:
    """The routes for people and for test suites."""

    def __init__(self, books: Books, script: FaultScript) -> None:
        self._books = books
        self._script = script

    async def show_books(self, request: Request) -> Response:
        accept = request.headers.get("accept", "")
        if "application/json" in accept and "text/html" not in accept:
            return _json(self._books.as_data())
        return HTMLResponse(render(self._books))

    async def script_faults(self, request: Request) -> Response:
        if request.method == "DELETE":
            self._script.clear()
        if request.method == "POST":
            try:
                self._script.add(*_read_faults(await request.body()))
            except ValueError as error:
                return _json({"success": False, "error": str(error)}, status=400)
        return _json([str(fault) for fault in self._script.pending])


def _json(data: Any, *, status: int = 200) -> Response:  # noqa: ANN401 - any JSON
    return Response(json.dumps(data, indent=2) + "\n", status, media_type="application/json")


def _read_faults(body: bytes) -> list[Fault]:
    try:
        texts = json.loads(body)
    except (ValueError, RecursionError):
        texts = None
    if not _is_list_of_texts(texts):
        raise ValueError('the body must be a JSON list of texts, e.g. ["end:status=500,times=2"]')
    return [parse_fault(text) for text in texts]


def _is_list_of_texts(value: object) -> TypeGuard[list[str]]:
    if not isinstance(value, list):
        return False
    return all(isinstance(item, str) for item in cast("list[object]", value))


class _Api:
    """The Control API, whatever the path: the service answers 404 where it has no route."""

    def __init__(self, service: Service, script: FaultScript) -> None:
        self._origin = str(service.base).removesuffix(service.base.path)
        self._stage = Stage(service, script)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await Request(scope, receive).body()
        except ClientDisconnect:
            return
        performance = self._stage.perform(self._read(scope, body))
        if await _leaves_within(receive, performance.delay):
            return
        await _send(performance, scope, receive, send)

    def _read(self, scope: Scope, body: bytes) -> wire.Request:
        headers = tuple(
            (key.decode("latin-1"), value.decode("latin-1")) for key, value in scope["headers"]
        )
        url = self._origin + scope["raw_path"].decode("latin-1")
        return wire.Request(scope["method"], url, headers, body)


async def _send(performance: Performance, scope: Scope, receive: Receive, send: Send) -> None:
    answer = performance.answer
    if answer is None:
        await _hang_up(scope, receive)
        return
    headers = {**dict(answer.headers), "Date": formatdate(usegmt=True)}
    response = Response(answer.body, answer.status, headers)
    if performance.is_truncated:
        half = answer.body[: len(answer.body) // 2]
        start = {"status": answer.status, "headers": response.raw_headers}
        await send({"type": "http.response.start", **start})
        await send({"type": "http.response.body", "body": half, "more_body": True})
        await _hang_up(scope, receive)
    else:
        await response(scope, receive, send)


async def _hang_up(scope: Scope, receive: Receive) -> None:
    """Close the connection and wait until it is closed: uvicorn answers if we return before."""
    scope["extensions"][HANG_UP]()
    await receive()


async def _leaves_within(receive: Receive, seconds: float) -> bool:
    """Wait, and return whether the client closed the connection meanwhile."""
    if not seconds:
        return False
    try:
        async with asyncio.timeout(seconds):
            await receive()  # after the body, nothing but the disconnect can come
    except TimeoutError:
        return False
    return True
