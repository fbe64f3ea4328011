"""The journal of a process that opens sessions, and the watchdog that reads it."""

from __future__ import annotations
