"""Bodies as HTML, and texts in pieces with their marks."""

import pytest

from service.web.rendering import Mark, Piece, body_to_html, pieces

LINK = 'rel="nofollow ugc noopener"'


@pytest.mark.parametrize(
    ("body", "html"),
    [
        pytest.param("Hello", "<p>Hello</p>", id="a word"),
        pytest.param("one\ntwo", "<p>one<br>two</p>", id="line break"),
        pytest.param("one\n\n \ntwo", "<p>one</p><p>two</p>", id="paragraphs"),
        pytest.param("\n  so \n", "<p>so</p>", id="blank edges"),
        pytest.param(
            "<script>alert(1)</script>",
            "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>",
            id="markup is shown as text",
        ),
        pytest.param("a &amp; b", "<p>a &amp;amp; b</p>", id="entities are shown as typed"),
        pytest.param(
            "see https://example.org/a?b=1&c=2.",
            f'<p>see <a href="https://example.org/a?b=1&amp;c=2" {LINK}>'
            "https://example.org/a?b=1&amp;c=2</a>.</p>",
            id="web link",
        ),
        pytest.param(
            "(http://example.org)",
            f'<p>(<a href="http://example.org" {LINK}>http://example.org</a>)</p>',
            id="link in brackets",
        ),
        pytest.param("javascript:alert(1)", "<p>javascript:alert(1)</p>", id="no script link"),
        pytest.param("example.org", "<p>example.org</p>", id="no bare domain"),
        pytest.param("anna@example.org", "<p>anna@example.org</p>", id="no mail link"),
        pytest.param(
            'http://example.org/"onmouseover="alert(1)',
            f'<p><a href="http://example.org/&quot;onmouseover=&quot;alert(1)" {LINK}>'
            'http://example.org/"onmouseover="alert(1)</a></p>',
            id="no attribute out of a link",
        ),
        pytest.param("مرحبا\nשלום", "<p>مرحبا<br>שלום</p>", id="other scripts"),
    ],
)
def test_a_body_becomes_paragraphs_breaks_and_links_only(body: str, html: str) -> None:
    assert body_to_html(body) == html


def joined(shown: list[Piece]) -> str:
    return "".join({"text": "{}", "mark": "[{}]", "control": "<{}>"}[p.kind].format(p.text)
                   for p in shown)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "places", "shown"),
    [
        pytest.param("plain", [], "plain", id="no mark"),
        pytest.param("", [(0, 3)], "", id="no text"),
        pytest.param("one two", [(4, 7)], "one [two]", id="at the end"),
        pytest.param("one two", [(0, 99)], "[one two]", id="past the end"),
        pytest.param("one two", [(50, 60)], "one two", id="beyond the end"),
        pytest.param("one two", [(3, 3)], "one two", id="empty mark"),
        pytest.param("abcdef", [(1, 3), (2, 4)], "a[bcd]ef", id="overlapping marks"),
        pytest.param("abcdef", [(4, 5), (0, 1)], "[a]bcd[e]f", id="marks out of order"),
        pytest.param("😀😀x", [(1, 2)], "😀[😀]x", id="counted in code points"),
        pytest.param("a\u202eb", [], "a<U+202E>b", id="direction override"),
        pytest.param("a\u202eb", [(0, 3)], "[a]<U+202E>[b]", id="override within a mark"),
        pytest.param("a\x1bb\tc\n", [], "a<U+001B>b\tc\n", id="escape, but not TAB or newline"),
        pytest.param("می\u200cخواهم", [], "می\u200cخواهم", id="joiner that Persian needs"),
    ],
)
def test_a_text_is_cut_into_pieces_at_marks_and_hidden_characters(
    text: str, places: list[tuple[int, int]], shown: str
) -> None:
    assert joined(pieces(text, [Mark(start, end, "why") for start, end in places])) == shown


def test_overlapping_marks_keep_every_reason_once() -> None:
    marks = [Mark(0, 4, "first"), Mark(2, 5, "second"), Mark(3, 6, "first")]

    (piece,) = pieces("abcdef", marks)

    assert piece.title == "first; second"


def test_hidden_characters_are_named() -> None:
    (piece,) = pieces("\u202e")

    assert piece.title == "Right-to-left override"
