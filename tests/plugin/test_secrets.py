"""The KS and the tokens appear nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.downstream import KS

if TYPE_CHECKING:
    from tests.downstream import Downstream


def test_a_failing_test_shows_neither_ks_nor_token(downstream: Downstream) -> None:
    downstream.write("""
        import logging, warnings

        def test_it(avatar_session, avatar_ks, avatar_settings, avatar_ledger, request):
            token = str(avatar_session.token)
            headers = {"Authorization": "Bearer " + token, "also": "KS " + avatar_ks}
            print(headers)
            logging.error("sent %s", headers)
            warnings.warn(f"careful with {token} and {avatar_ks}")
            everything = [avatar_session, avatar_settings, avatar_ledger, avatar_session.token]
            shown = repr(everything) + repr(avatar_session.init_client())
            with open("shown.txt", "w") as file:
                file.write(shown)
            with open("token.txt", "w") as file:
                file.write(token)
            assert headers == {}, f"{token} {avatar_ks}"
    """)
    result = downstream.run_apart("-l", "-vv", "-rA", "--showlocals", "--junitxml=junit.xml")
    assert result.ret == 1
    folder = downstream.pytester.path
    token = (folder / "token.txt").read_text()
    shown = [
        result.stdout.str(),
        result.stderr.str(),
        (folder / "junit.xml").read_text(),
        (folder / "shown.txt").read_text(),
    ]
    for text in shown:
        assert KS not in text
        assert token not in text
    assert "<token>" in shown[0]


def test_a_service_that_cannot_be_reached_is_told_without_secrets(downstream: Downstream) -> None:
    downstream.write("""
        from pytest_avatar import AvatarClient

        def test_it(avatar_settings, avatar_ks):
            with AvatarClient(avatar_ks, base_url="http://127.0.0.1:9/v1/avatar-session") as client:
                client.create_session("ada")
    """)
    result = downstream.run_live("-l", "-vv", "--showlocals", "--full-trace")
    assert result.ret == 1
    assert "got no answer from http://127.0.0.1:9/v1/avatar-session" in result.stdout.str()
    assert KS not in result.stdout.str()
