"""Clients with an HTTP stack of their own, whose requests cannot be heard: refused, not missed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_avatar.core.errors import AvatarError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType

    from pytest_avatar.adapters.interception.patching import Patches
    from pytest_avatar.core.interception import Interceptor

__all__ = ["hooks"]


def hooks(
    _interceptor: Interceptor, _patches: Patches
) -> Mapping[str, Callable[[ModuleType], None]]:
    """Return what to call with each module once it is imported."""
    return {"niquests": _refuse, "urllib3_future": _refuse, "urllib3": _refuse_fork}


def _refuse(module: ModuleType) -> None:
    raise AvatarError(
        f"{module.__name__} {getattr(module, '__version__', '')} is imported, and pytest-avatar "
        "cannot hear what it sends: expected urllib3 itself, not its fork urllib3-future. "
        "Uninstall niquests and urllib3-future, or run with -p no:avatar."
    )


def _refuse_fork(module: ModuleType) -> None:
    """Refuse urllib3-future in urllib3's place: its releases are numbered from 900 on."""
    if re.search(r"\.9\d\d$", module.__version__):
        _refuse(module)
