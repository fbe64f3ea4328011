"""Cassettes: the tapes that record, replay and verify, and their files."""

from __future__ import annotations

from pytest_avatar.adapters.cassettes.lanes import Lanes
from pytest_avatar.adapters.cassettes.record import RecordTape, Saved
from pytest_avatar.adapters.cassettes.replay import ReplayTape
from pytest_avatar.adapters.cassettes.verify import VerifyTape

__all__ = ["Lanes", "RecordTape", "ReplayTape", "Saved", "VerifyTape"]
