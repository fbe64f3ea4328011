from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_avatar.adapters.interception.patching import Patches

if TYPE_CHECKING:
    from collections.abc import Callable


class Parent:
    def greet(self) -> str:
        """Say hello."""
        return "hello"


class Child(Parent):
    pass


def twice(original: Callable[..., str]) -> Callable[..., str]:
    return lambda self: original(self) * 2


def test_a_method_is_wrapped_and_comes_back() -> None:
    original, patches = Parent.greet, Patches()
    patches.wrap(Parent, "greet", twice)
    assert Parent().greet() == "hellohello"
    assert (Parent.greet.__name__, Parent.greet.__doc__) == ("greet", "Say hello.")
    assert patches.is_ours(Parent.greet)
    assert not patches.is_ours(original)
    patches.undo()
    patches.undo()
    assert Parent.greet is original


def test_an_inherited_method_is_wrapped_in_the_child_only() -> None:
    patches = Patches()
    patches.wrap(Child, "greet", twice)
    assert (Child().greet(), Parent().greet()) == ("hellohello", "hello")
    patches.undo()
    assert "greet" not in vars(Child)


def test_undoing_goes_backwards() -> None:
    done: list[int] = []
    patches = Patches()
    patches.on_undo(lambda: done.append(1))
    patches.on_undo(lambda: done.append(2))
    patches.undo()
    assert done == [2, 1]


def test_what_somebody_put_in_our_place_is_wrapped_for_a_while() -> None:
    original, patches = Parent.greet, Patches()
    patches.wrap(Parent, "greet", twice)
    ours = Parent.greet
    with patches.on_top():
        assert Parent.greet is ours
    Parent.greet = theirs = lambda _self: "hi"  # type: ignore[method-assign]
    with patches.on_top():
        assert Parent().greet() == "hihi"
        with patches.on_top():
            assert Parent().greet() == "hihi"
    assert Parent.greet is theirs
    patches.undo()
    assert Parent.greet is original
