"""Every HTTP client of this process, heard at one place.

Wrappers look at the URL first: requests to other hosts run through the original method untouched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pytest_avatar.adapters.interception import (
    aiohttp_client,
    forks,
    http_client,
    httpx_transports,
    tornado_clients,
    vcrpy_neighbour,
)
from pytest_avatar.adapters.interception.importing import when_imported
from pytest_avatar.adapters.interception.patching import Patches

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_avatar.core.interception import Interceptor

__all__ = ["install"]

_ADAPTERS: Final = (
    forks,
    aiohttp_client,
    http_client,
    httpx_transports,
    tornado_clients,
    vcrpy_neighbour,
)


def install(interceptor: Interceptor) -> Callable[[], None]:
    """Wrap every supported client: those imported already now, the others when they are imported.

    Args:
        interceptor: Hears of every request to the service.

    Returns:
        Restores the original objects.

    Raises:
        AvatarError: A client is in use whose requests cannot be heard.
    """
    patches = Patches()
    hooks = {
        name: hook
        for adapter in _ADAPTERS
        for name, hook in adapter.hooks(interceptor, patches).items()
    }
    try:
        patches.on_undo(when_imported(hooks))
    except BaseException:
        patches.undo()
        raise
    return patches.undo
