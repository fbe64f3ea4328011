"""Where the script meets the service: each request is served, or struck by its fault."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_avatar.core import wire
from pytest_avatar.emulator.faults import spoil

if TYPE_CHECKING:
    from pytest_avatar.core.wire import Call, Operation, Request, Response
    from pytest_avatar.emulator.faults import Fault, FaultScript
    from pytest_avatar.emulator.service import Service

__all__ = ["Performance", "Stage"]


@dataclass(frozen=True, slots=True)
class Performance:
    """What the client is to see.

    Attributes:
        answer: The answer; `None` closes the connection without a byte.
        delay: Seconds to wait first.
        is_truncated: Whether the connection closes in the middle of the body.
    """

    answer: Response | None
    delay: float = 0.0
    is_truncated: bool = False


class Stage:
    """The service, and the faults that strike it."""

    def __init__(self, service: Service, script: FaultScript) -> None:
        self._service = service
        self._script = script

    def perform(self, request: Request) -> Performance:
        """Do what a request asks, or what its fault says instead. Safe to call from any thread."""
        call = wire.read_call(self._service.base, request._replace(body=b""))
        if call is None or call.operation is None:
            return Performance(self._service.handle(request))
        fault = self._script.take(call.operation)
        if fault is None:
            return Performance(self._service.handle(request))
        return self._strike(fault, request, call.operation, call)

    def _strike(
        self, fault: Fault, request: Request, operation: Operation, call: Call
    ) -> Performance:
        books = self._service.books
        books.struck(operation, call.session_id, fault=str(fault))
        answer = None
        if fault.takes_effect:
            answer = self._service.handle(request)
        else:
            books.called(call.session_id, operation)
        if fault.drop:
            return Performance(None, fault.delay)
        return Performance(spoil(fault, answer), fault.delay, fault.body == "truncated")
