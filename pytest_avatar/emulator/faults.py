"""Scripted faults: which requests go wrong, how, and how often."""

from __future__ import annotations

import math
import threading
from dataclasses import KW_ONLY, dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from pytest_avatar.core import wire
from pytest_avatar.core.wire import Operation, Response
from pytest_avatar.emulator.refusals import usual_reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["Body", "Drop", "Fault", "FaultScript", "parse_fault", "spoil"]

Body = Literal[
    "not-json", "truncated", "wrong-types", "missing-fields", "refused", "contradiction", "huge"
]
Drop = Literal["before", "after"]

_HUGE: Final = 10 * 1024 * 1024
_HTML: Final = b"<html><body><h1>Bad gateway</h1></body></html>"
_STATUSES: Final = frozenset(range(200, 600)) - {204, 304}  # these two have no body


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong, and how often.

    Attributes:
        operation: Which operation it strikes (`create`, `end`, …); `None` strikes any.
        status: The HTTP status of the answer; `None` leaves it.
        error: The error text of the answer; `None` takes the usual one of the status.
        body: What is wrong with the body of the answer; `None` leaves it.

            - `not-json`: an HTML page, as a gateway sends it;
            - `truncated`: the connection closes in the middle of it;
            - `wrong-types`: every field is a number;
            - `missing-fields`: an empty object;
            - `refused`: `success: false` with the status 200, and nothing was done;
            - `contradiction`: all fields of a success, the session's id and token among them, but
              `success: false`;
            - `huge`: 10 MB more than needed.
        drop: The connection closes without a byte of an answer, before or after what was asked was
            done; `None` lets it stand.
        delay: Seconds that the answer waits; what was asked is done at once.
        effect: Whether what was asked is done; `None` is as the fault suggests: not with a status
            of 400 or more, an `error`, `body="refused"` or `drop="before"`, but with all others.
        times: How many requests it strikes; `None` is for ever.
        skip: How many requests pass unharmed before the first it strikes.

    Raises:
        ValueError: The values are out of range or contradict each other.
    """

    operation: str | None = None
    _: KW_ONLY
    status: int | None = None
    error: str | None = None
    body: Body | None = None
    drop: Drop | None = None
    delay: float = 0.0
    effect: bool | None = None
    times: int | None = 1
    skip: int = 0

    def __post_init__(self) -> None:
        for fits, name, accepted in (
            (self.operation in (None, *Operation), "operation", _either("any", *Operation)),
            (self.times is None or self.times >= 1, "times", "1 or more, or forever"),
            (self.skip >= 0, "skip", "0 or more"),
            (0 <= self.delay < math.inf, "delay", "a number of seconds, 0 or more"),
            (self.status in (None, *_STATUSES), "status", "200 to 599, and not 204 or 304"),
            (self.body in (None, *get_args(Body)), "body", _either(*get_args(Body))),
            (self.drop in (None, *get_args(Drop)), "drop", _either(*get_args(Drop))),
        ):
            if not fits:
                raise ValueError(f"{name} must be {accepted}")
        if not (self.delay or self._answers or self.drop):
            raise ValueError("a fault needs delay, status, error, body or drop")
        if self.drop and (self._answers or self.effect is not None):
            raise ValueError("drop leaves no answer: it goes with delay, times and skip only")

    @property
    def _answers(self) -> bool:
        return (self.status, self.error, self.body) != (None, None, None)

    @property
    def is_refusal(self) -> bool:
        """Whether the answer says that the service refuses."""
        return self.body == "refused" or self.error is not None or (self.status or 200) >= 400

    @property
    def takes_effect(self) -> bool:
        """Whether what was asked is done all the same."""
        if self.effect is not None:
            return self.effect
        if self.body == "contradiction":
            return True
        return not self.is_refusal and self.drop != "before"

    def __str__(self) -> str:
        """Return the fault as it is written on the command line."""
        given = [
            f"{field.name}={_write(getattr(self, field.name))}"
            for field in sorted(fields(self), key=lambda field: field.name == "error")
            if field.name != "operation" and getattr(self, field.name) != field.default
        ]
        return f"{self.operation or 'any'}:{','.join(given)}"


def _either(*accepted: str) -> str:
    return f"{', '.join(accepted[:-1])} or {accepted[-1]}"


def _write(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "forever" if value is None else str(value)


def _read_times(text: str) -> int | None:
    return None if text == "forever" else int(text)


def _read_flag(text: str) -> bool:
    return {"yes": True, "no": False}[text]


_READERS: Final[Mapping[str, tuple[Callable[[str], Any], str]]] = {
    "status": (int, "a whole number"),
    "body": (str, "text"),
    "drop": (str, "text"),
    "delay": (float, "a number of seconds"),
    "effect": (_read_flag, "yes or no"),
    "times": (_read_times, "a whole number or forever"),
    "skip": (int, "a whole number"),
}


def parse_fault(text: str) -> Fault:
    """Return the fault that `OPERATION:name=value,…` describes; `str(fault)` is the way back.

    `any` stands for every operation. `error` comes last, as its text may hold commas.
    Examples: `end:status=500,times=2`, `create:drop=after`, `any:delay=1.5,times=forever`.

    Raises:
        ValueError: The text is not of that form; the message says what is wrong with it.
    """
    operation, _, rest = text.partition(":")
    settings, has_error, error = f",{rest}".partition(",error=")
    pairs = [pair.partition("=") for pair in settings.split(",") if pair]
    values: dict[str, Any] = {name: _read_value(name, value) for name, _, value in pairs}
    if has_error:
        values["error"] = error
    return Fault(None if operation == "any" else operation, **values)


def _read_value(name: str, text: str) -> Any:  # noqa: ANN401 - whatever the field holds
    if name not in _READERS:
        raise ValueError(f"there is no {name!r}; known are {', '.join(_READERS)}, error")
    read, accepted = _READERS[name]
    try:
        return read(text)
    except (KeyError, ValueError):
        raise ValueError(f"{name} must be {accepted}") from None


class FaultScript:
    """The faults still to come, consumed in order. Safe to use from any thread.

    The first fault that fits an operation owns its next requests: those it skips, then those it
    strikes. Only then is it the next one's turn.
    """

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._faults = list(faults)
        self._lock = threading.Lock()

    @property
    def pending(self) -> tuple[Fault, ...]:
        """What is still to come; `times` and `skip` say how much of it."""
        with self._lock:
            return tuple(self._faults)

    def add(self, *faults: Fault) -> None:
        """Append faults."""
        with self._lock:
            self._faults.extend(faults)

    def clear(self) -> None:
        """Forget all faults that are still to come."""
        with self._lock:
            self._faults.clear()

    def take(self, operation: Operation) -> Fault | None:
        """Return what strikes the next request of an operation; `None` if nothing does."""
        with self._lock:
            for place, fault in enumerate(self._faults):
                if fault.operation in (None, operation):
                    return self._use(place, fault)
        return None

    def _use(self, place: int, fault: Fault) -> Fault | None:
        if fault.skip:
            self._faults[place] = replace(fault, skip=fault.skip - 1)
            return None
        if fault.times == 1:
            del self._faults[place]
        elif fault.times is not None:
            self._faults[place] = replace(fault, times=fault.times - 1)
        return fault


def spoil(fault: Fault, answer: Response | None) -> Response:
    """Return the answer as a fault leaves it, whole: who sends it cuts a truncated one short.

    Args:
        fault: What goes wrong.
        answer: What the service answered; `None` if it was not asked.
    """
    status, data = _spoilt_content(fault, answer)
    match fault.body:
        case "not-json":
            return Response(status, (("Content-Type", "text/html"),), _HTML)
        case "wrong-types":
            data = dict.fromkeys(data, 7)
        case "missing-fields":
            data = {}
        case "huge":
            data = {**data, "padding": "x" * _HUGE}
        case _:
            pass
    return wire.json_response(status, data)


def _spoilt_content(fault: Fault, answer: Response | None) -> tuple[int, Mapping[str, Any]]:
    """Return the status and the fields of an answer before its form is spoilt."""
    real = wire.read_answer(answer or wire.json_response(200, {"success": True}))
    status = fault.status or (real.status if fault.error is None or fault.body else 500)
    reason = fault.error or usual_reason(status if status >= 400 else 500)
    if fault.body == "contradiction":
        return status, {**real.data, "success": False, "error": reason}
    if fault.is_refusal:
        return status, {"success": False, "error": reason}
    return status, real.data
