"""A stand-in for the avatar service, on a loopback port.

Example::

    with Emulator(faults=[Fault("end", status=500, times=2)]) as emulator:
        run_your_code(base_url=emulator.base_url)
    assert not emulator.books.open_sessions
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__all__ = ["Books", "Emulator", "Fault", "Switches"]

if TYPE_CHECKING:
    from pytest_avatar.emulator.books import Books
    from pytest_avatar.emulator.emulator import Emulator
    from pytest_avatar.emulator.faults import Fault
    from pytest_avatar.emulator.switches import Switches
else:
    _MODULES = {"Books": "books", "Emulator": "emulator", "Fault": "faults", "Switches": "switches"}

    def __getattr__(name: str) -> object:
        """Import a public name where it is first used."""
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
