from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_avatar.core.wire import Operation
from pytest_avatar.emulator.books import Books, SpokenAudio, SpokenText
from pytest_avatar.emulator.page import render

HOSTILE = "<script>alert(1)</script>\"'&\n\x00\u202e\ud800 {verdict}"


class Reader(HTMLParser):
    """Collects the tags and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def books_of(*avatar_ids: str) -> Books:
    books = Books()
    for number, avatar_id in enumerate(avatar_ids):
        books.opened(f"s{number}", avatar_id=avatar_id, voice_id=None, by=None)
    return books


@pytest.mark.parametrize(
    ("still_open", "verdict"),
    [(0, "No sessions are open"), (1, "1 session is open"), (2, "2 sessions are open")],
)
def test_the_verdict_stands_first(still_open: int, verdict: str) -> None:
    page = render(books_of(*["ada"] * still_open))

    assert f"<h1>{verdict}</h1>" in page
    assert f"<title>{verdict} · avatar emulator</title>" in page
    assert page.index("<h1>") < page.index("sessions:")


def test_everything_that_was_seen_is_shown() -> None:
    books = books_of("ada")
    books.called("s0", Operation.SAY_TEXT)
    books.spoke("s0", SpokenText("t", "Good morning", is_final=True))
    books.spoke("s0", SpokenAudio("t", 1.5, None, 3, "ba78"))
    books.ended("s0", by="client/1")
    books.called("s0", Operation.END)
    books.refuse(Operation.END, "s0", status=410, reason="Session ended")
    books.struck(Operation.END, "s0", fault="end:drop=after")

    text = " ".join(Reader(render(books)).text)

    for expected in (
        "ada",
        "by client/1",
        "1 say-text, 1 end (1 after the end)",
        "Good morning / [audio, 1.5 s, 3 bytes]",
        "Session ended",
        "end:drop=after",
    ):
        assert expected in text


def test_open_sessions_are_the_first_rows() -> None:
    books = books_of("first", "second", "third")
    books.ended("s1", by=None)
    books.ended("s2", by=None)

    page = render(books)

    assert page.index("first") < page.index("third") < page.index("second")


def test_a_long_table_shows_its_newest_rows() -> None:
    page = render(books_of(*(f"avatar-{number}-" for number in range(1000))))

    assert page.count("<tr>") == 201
    assert "The newest 200 of 1,000 are shown." in page
    assert "avatar-999-" in page
    assert "avatar-799-" not in page


def test_hostile_text_is_shown_as_text() -> None:
    books = Books()
    books.opened("s", avatar_id=HOSTILE, voice_id=HOSTILE, by=HOSTILE)
    books.spoke("s", SpokenText(HOSTILE, HOSTILE, is_final=True))
    books.spoke("s", SpokenAudio(HOSTILE, 1, HOSTILE, 1, "00"))

    page = render(books)

    page.encode()
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#x27;&amp;\\n\\x00\\u202e\\ud800 " in page


@settings(max_examples=50)
@given(st.text())
def test_no_text_adds_a_tag(text: str) -> None:
    expected = Reader(render(books_of("ada"))).tags

    assert Reader(render(books_of(text))).tags == expected
