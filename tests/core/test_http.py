"""Which address is ours, in whatever way a client spells it."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_avatar.core.http import BaseUrl, header

PORTS = {"http": 80, "https": 443}

schemes = st.sampled_from(["http", "https", "HTTPS"])
hosts = st.sampled_from(["avatar.example", "AVATAR.example", "avatar.example.", "other.example"])
ports = st.sampled_from(["", ":", ":80", ":443", ":8443"])
paths = st.sampled_from(["", "/", "/v1", "/v1/", "/v1/s/end", "/v10", "/V1", "/v1;x"])
tails = st.sampled_from(["", "?a=/v1", "#/v1", "?", "/x?y#z"])


@st.composite
def urls(draw: st.DrawFn) -> str:
    user = draw(st.sampled_from(["", "user:pw@"]))
    return f"{draw(schemes)}://{user}{draw(hosts)}{draw(ports)}{draw(paths)}{draw(tails)}"


def expected_tail(base: BaseUrl, url: str) -> str | None:
    parts = urlsplit(url)
    host, port = (parts.hostname or "").rstrip("."), parts.port or PORTS[parts.scheme]
    if (parts.scheme, host, port) != (base.scheme, base.host, base.port):
        return None
    rest = parts.path.removeprefix(base.path)
    is_below = parts.path.startswith(base.path) and rest[:1] in ("", "/")
    return rest if is_below else None


@given(
    st.sampled_from(
        ["https://avatar.example/v1", "http://avatar.example", "https://avatar.example:8443/v1"]
    ),
    urls(),
)
def test_the_tail_is_what_a_parsed_url_has_after_the_base(base: str, url: str) -> None:
    assert BaseUrl(base).tail(url) == expected_tail(BaseUrl(base), url)


@given(st.text())
def test_any_text_has_a_tail_or_none(url: str) -> None:
    assert BaseUrl("https://avatar.example/v1").tail(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://avatar.example:99999/v1",
        "https://avatar.example:x/v1",
        "https://[avatar.example/v1",
        "ftp://avatar.example/v1",
        "https://avatar.example.evil.example/v1",
        "https://avatar.example@evil.example/v1",
    ],
)
def test_a_url_that_only_looks_like_ours_is_not(url: str) -> None:
    assert BaseUrl("https://avatar.example/v1").tail(url) is None


@pytest.mark.parametrize(
    ("given_url", "kept"),
    [
        ("https://avatar.example/v1/", "https://avatar.example/v1"),
        (" https://avatar.example/v1\n", "https://avatar.example/v1"),
        ("HTTPS://Avatar.Example/V1", "https://avatar.example/V1"),
        ("https://avatar.example:443/", "https://avatar.example"),
        ("https://avatar.example:80", "https://avatar.example:80"),
        ("https://avatar.example./v1", "https://avatar.example/v1"),
        ("http://[::1]:8787/v1", "http://[::1]:8787/v1"),
        ("http://[::1]", "http://[::1]"),
        ("https://avatar.example?", "https://avatar.example"),
    ],
)
def test_a_base_url_is_kept_in_one_spelling(given_url: str, kept: str) -> None:
    base = BaseUrl(given_url)
    assert str(base) == kept
    assert base == BaseUrl(kept)
    assert hash(base) == hash(BaseUrl(kept))
    assert repr(base) == f"BaseUrl('{kept}')"
    assert base.tail(f"{kept}/s/end") == "/s/end"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "does not begin with https:// or http://"),
        ("avatar.example/v1", "does not begin with https:// or http://"),
        ("ftp://avatar.example", "does not begin with https:// or http://"),
        ("https://", "names no host"),
        ("https://:80/v1", "names no host"),
        ("https://.", "names no host"),
        ("https://user@avatar.example", "holds a user or a password"),
        ("https://:pw@avatar.example", "holds a user or a password"),
        ("https://avatar.example?ks=1", "has a query or a fragment"),
        ("https://avatar.example/#x", "has a query or a fragment"),
        ("https://avatar.example:0", "has a port that is no number from 1 to 65535"),
        ("https://avatar.example:65536", "has a port that is no number from 1 to 65535"),
        ("https://avatar.example:x", "has a port that is no number from 1 to 65535"),
        ("https://[::1", "is no URL"),
        ("https://avatar .example", "holds white space or another character"),
        ("https://avat\nar.example", "holds white space or another character"),
        ("https://ävatar.example", "holds white space or another character"),
        ("https://avatar.example/{v1}", "holds white space or another character"),
        ("https:\\\\avatar.example", "holds white space or another character"),
    ],
)
def test_a_base_url_that_cannot_be_used_is_refused(url: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        BaseUrl(url)
    assert "\n" not in str(caught.value)


@given(st.text() | st.text().map(lambda text: f"https://{text}"))
def test_a_text_is_a_base_url_or_a_value_error(text: str) -> None:
    try:
        base = BaseUrl(text)
    except ValueError:
        return
    assert BaseUrl(str(base)) == base
    assert base.tail(str(base)) == ""


@pytest.mark.parametrize(
    ("host", "is_loopback"),
    [
        ("localhost", True),
        ("LOCALHOST.", True),
        ("avatar.localhost", True),
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("[::1]", True),
        ("[0:0:0:0:0:0:0:1]", True),
        ("127.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("127.0.0.1.5", False),
        ("localhost.evil.example", False),
        ("notlocalhost", False),
        ("128.0.0.1", False),
        ("[::2]", False),
        ("0.0.0.0", False),
    ],
)
def test_only_this_machine_is_loopback(host: str, is_loopback: bool) -> None:
    assert BaseUrl(f"http://{host}:8787/v1").is_loopback is is_loopback


def test_the_first_header_of_a_name_counts_whatever_its_case() -> None:
    headers = (("X-A", "1"), ("x-a", "2"))
    assert header(headers, "x-A") == "1"
    assert header(headers, "x-b") is None


def test_a_base_url_holds_what_clients_send_as_it_is() -> None:
    sent = {chr(code) for code in range(0x21, 0x7F)} - set('"<>\\^`{|}')
    taken = set()
    for code in range(0x100):
        with suppress(ValueError):
            taken.add(BaseUrl(f"https://avatar.example/a{chr(code)}b").path[2:-1])
    assert taken == sent - set("?#")
