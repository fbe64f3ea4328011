"""A backend that greets people through a Kaltura avatar, with an HTTP client of its own."""

from __future__ import annotations

from greeter.service import GreetingService, compose_greeting

__all__ = ["GreetingService", "compose_greeting"]
