"""Where spans go, as the environment says it, and what a test's span is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["TestRun", "named_exporters"]

_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")


@dataclass(slots=True)
class TestRun:
    """One attempt at a test. Times are in seconds since the epoch.

    Attributes:
        started_at: When its setup began.
        ended_at: When the last of its phases ended.
        failed: Whether one of them failed.
        parent: The `traceparent` of the span that was current then; `None` if none was.
    """

    __test__ = False  # it is called as it should be, and is no test

    started_at: float
    ended_at: float
    failed: bool = False
    parent: str | None = None


def named_exporters(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the entry points of the exporters that the environment names.

    As OpenTelemetry's specification has it, but for the default: nothing is exported unless an
    exporter or an endpoint is named.

    Args:
        environment: The variables.
    """
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return ()
    default = "otlp" if any(environment.get(name) for name in _ENDPOINTS) else "none"
    names = (environment.get("OTEL_TRACES_EXPORTER") or default).split(",")
    protocol = next(filter(None, map(environment.get, _PROTOCOLS)), "http/protobuf")
    otlp = f"otlp_proto_{protocol.partition('/')[0]}"
    found = [name.strip() for name in names]
    return tuple(otlp if name == "otlp" else name for name in found if name not in ("", "none"))
