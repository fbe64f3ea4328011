from __future__ import annotations

from pytest_avatar.core.connection import ClientConnection, Turn


def test_what_lets_one_watch_is_in_no_repr() -> None:
    turn = Turn("turn:turn.example:3478", "kaltura", "avatar")
    shown = repr(ClientConnection("https://stream.example/whep/k3y", turn))
    assert shown == "ClientConnection(turn=Turn(url='turn:turn.example:3478'))"
