"""vcrpy, where users keep cassettes of their own: they get everything but the avatar service.

While a cassette is open, vcrpy puts functions that it found at its own import in place of whatever
stands there. So our wrappers go on top of its stubs, and its cassettes pass over our URLs.
"""

from __future__ import annotations

import itertools
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping
    from types import ModuleType

    from pytest_avatar.adapters.interception.patching import Patches
    from pytest_avatar.core.interception import Interceptor

    Method = Callable[..., Any]

__all__ = ["hooks"]


def hooks(interceptor: Interceptor, patches: Patches) -> Mapping[str, Callable[[ModuleType], None]]:
    """Return what to call with each module once it is imported."""

    def pass_over(original: Method) -> Method:
        def method(cassette: object, request: Any, *args: object) -> object:  # noqa: ANN401 - untyped
            if interceptor.concerns(request.uri) and not _is_our_cassette(cassette):
                return None
            return original(cassette, request, *args)

        return method

    def wrap_cassette(module: ModuleType) -> None:
        for name in ("can_play_response_for", "filter_request", "append"):
            patches.wrap(module.Cassette, name, pass_over)

    def wrap_patch(module: ModuleType) -> None:
        for name, value in list(vars(module).items()):
            if patches.is_ours(value):
                setattr(module, name, value.__wrapped__)  # or our URLs came to us twice
        patches.wrap(module.CassettePatcherBuilder, "build", lambda build: _on_top(build, patches))
        patches.wrap(module, "force_reset", lambda reset: _on_top_inside(reset, patches))

    return {"vcr.cassette": wrap_cassette, "vcr.patch": wrap_patch}


def _is_our_cassette(cassette: object) -> bool:
    return type(cassette).__module__.partition(".")[0] == __name__.partition(".")[0]


def _on_top(build: Method, patches: Patches) -> Method:
    def build_all(builder: object) -> Iterator[object]:
        return itertools.chain(build(builder), [patches.on_top()])

    return build_all


def _on_top_inside(reset: Method, patches: Patches) -> Method:
    @contextmanager
    def force_reset() -> Generator[None]:
        with reset(), patches.on_top():
            yield

    return force_reset
