"""The markers: each is a function whose signature is its contract and its help line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_avatar.core.model import AvatarOptions
    from pytest_avatar.plugin.demands import AllowLeaks, CassetteChoice, LeakScope, NoLeaks

__all__ = ["MARKERS", "check_markers", "closest", "options_of", "register_markers"]

_LEAK_SCOPES: Final = ("test", "class", "module", "run")


def avatar(
    *,
    avatar_id: str | None = None,
    voice_id: str | None = None,
    voice_speed: float | None = None,
    extra: Mapping[str, Any] | None = None,
) -> AvatarOptions:
    """How the session of this test is created; the closest marker wins per argument."""
    from pytest_avatar.core.model import AvatarOptions  # noqa: PLC0415 - only runs that use us

    return AvatarOptions(avatar_id, voice_id, voice_speed, extra)


def avatar_no_leaks(*, scope: LeakScope = "test", grace: float = 0) -> NoLeaks:
    """Fail unless every session opened in that scope has ended when it closes."""
    if scope not in _LEAK_SCOPES:
        raise TypeError(f"scope is {scope!r}; accepted: {', '.join(_LEAK_SCOPES)}")
    if not isinstance(grace, (int, float)) or grace < 0:
        raise TypeError(f"grace is {grace!r}; accepted: seconds, 0 or more")
    from pytest_avatar.plugin.demands import NoLeaks  # noqa: PLC0415 - only runs that use us

    return NoLeaks(scope, grace)


def avatar_allow_leaks(*, reason: str) -> AllowLeaks:
    """End and list what this test leaves open, and fail nothing."""
    if not isinstance(reason, str) or not reason.strip():
        raise TypeError("reason is empty; accepted: why the test may leave sessions open")
    from pytest_avatar.plugin.demands import AllowLeaks  # noqa: PLC0415 - only runs that use us

    return AllowLeaks(reason)


def avatar_cassette(
    name: str | None = None,
    *,
    match_on: Sequence[str] | None = None,
    allow_repeats: bool = False,
) -> CassetteChoice:
    """Choose this test's cassette, and how requests are matched with it."""
    if name is not None and not (isinstance(name, str) and name.strip()):
        raise TypeError(f"name is {name!r}; accepted: a name, or None for the test's")
    if not isinstance(allow_repeats, bool):
        raise TypeError(f"allow_repeats is {allow_repeats!r}; accepted: True, False")
    from pytest_avatar.core.playback import DEFAULT_MATCH_ON, read_match_on  # noqa: PLC0415 - as above
    from pytest_avatar.plugin.demands import CassetteChoice  # noqa: PLC0415

    names = DEFAULT_MATCH_ON if match_on is None else match_on
    return CassetteChoice(name, read_match_on(names), allow_repeats)


MARKERS: Final[Mapping[str, Callable[..., Any]]] = {
    function.__name__: function
    for function in (avatar, avatar_no_leaks, avatar_allow_leaks, avatar_cassette)
}
"""All markers by name."""


def register_markers(config: pytest.Config) -> None:
    """Make the markers known to pytest, with the help line that `--markers` prints."""
    for name, function in MARKERS.items():
        code = function.__code__  # its names, without what `inspect.signature` costs every run
        arguments = ", ".join(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])
        config.addinivalue_line("markers", f"{name}({arguments}): {function.__doc__}")


def check_markers(item: pytest.Item) -> bool:
    """Return whether an item carries a marker of ours.

    Raises:
        pytest.UsageError: One of them has arguments that it does not take.
    """
    found = [mark for mark in item.iter_markers() if mark.name in MARKERS]
    for mark in found:
        try:
            _read(mark)
        except (TypeError, ValueError) as error:
            raise pytest.UsageError(f"{item.nodeid}: @pytest.mark.{mark.name}: {error}") from None
    return bool(found)


def options_of(node: pytest.Item | pytest.Collector) -> AvatarOptions:
    """Return how sessions are created for a node: the closest `avatar` marker wins per argument."""
    options = avatar()
    for mark in node.iter_markers("avatar"):
        options = options.or_else(_read(mark))
    return options


def closest(item: pytest.Item, name: str) -> Any:  # noqa: ANN401 - each marker has its own type
    """Return what the closest marker of that name asks for; `None` if there is none."""
    mark = item.get_closest_marker(name)
    return None if mark is None else _read(mark)


def _read(mark: pytest.Mark) -> Any:  # noqa: ANN401 - each marker has its own type
    return MARKERS[mark.name](*mark.args, **mark.kwargs)
