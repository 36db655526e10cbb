"""Fuzzing what reads comments: `python -m tests.fuzz --minutes 10 [--seed 1]`.

Makes up texts of pieces that trouble programs, and holds every reading of them
against what must be true of any.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence

import click
from hypothesis import strategies as st

from worker.signals import characters
from worker.signals.language import language_of
from worker.signals.links import MAX_LINKS, find_links, find_mail_addresses
from worker.signals.near import alike, bands, signature
from worker.signals.text import View, linkable, views
from worker.signals.words import MAX_FOUND, WordList

WORDS = WordList.of(
    ["kill", "kill yourself", "*ass*", "viagra*", "c++", "傻瓜", "바보", "كلب", "año", "сука"],
    exceptions=["class", "*assess*"],
)

#: Pieces of which trouble is made.
PIECES = (
    "kill", "k i l l", "k.1.l.l", "kiiiill", "class", "ass", "c++", "傻瓜", "바보는", "والكلب",
    "año", "http://", "hxxp://", "www.", "evil", "[.]", " dot com", ".com", "(at)", "@", "[url=",
    "href='", "](", "0x7f.1", "//", "。", "\u202e", "\u202d", "\u202c", "\u2067", "\u2069",
    "\u200f", "\u200b", "\u200d", "\u00ad", "\ufe0f", "\u0301", "\u0315", "\u20dd", "\u0306",
    "и", "И", "\u1100", "\u1161", "\u11a8", "ㅂ", "ㅏ", "\uffa1", "\U0001f1f0", "\U0001f468",
    "𝓼", "ｗ", "ⓑ", "ѕ", "ο", "Α", "Ꭺ", "ß", "İ", "ǆ", "\ufdfa", "\u0e33", "को", "1", "4", "$",
    "!", "|", "*", "(", ")", "_", "-", "'", "’", ".", "...", " ", "  ", "\n", "\r\n", "\t",
    "\x00", "\x85", "\u2028", "a", "b", "Z", "\U000e0041", "\U0010ffff", "\ufffe",
)  # fmt: skip


def made_up_texts() -> st.SearchStrategy[str]:
    """Return texts of troublesome pieces and of any characters, without lone surrogates."""
    anything = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
    return st.lists(st.sampled_from(PIECES) | anything, max_size=30).map("".join)


def hostile_texts(length: int) -> dict[str, str]:
    """Return texts of about `length` characters that would cost much where anything is careless."""
    repeated = {
        "marks": "\u0301", "two marks": "\u0315\u0300", "letters": "a", "letters alone": "a ",
        "letters and dots": "a.", "digits": "1", "leet": "a1", "signs": "a!", "strokes": "a|",
        "doubled letters": "aabb", "tripled letters": "aaab", "cut words": "ab-", "stars": "ab*cd",
        "look-alikes": "а", "mixed letters": "aа", "mixed words": "aа ", "jamo": "ㄱㅏ",
        "overrides": "\u202ea", "nested overrides": "\u202ea\u202db", "ends": "\u202c",
        "schemes": "http://", "hosts": "a.com ", "hidden dots": "a[.]", "said dots": "ab dot com ",
        "said dots alone": "a . ", "at signs": "a@", "signs for at": "a (at) ", "paths": "/)",
        "brackets": "[url=", "users": "http://a@", "numbers": "http://1.", "listed": "kill ",
        "listed parts": "ass", "excepted": "class ", "phrases": "go home ", "half phrases": "go ",
        "flags": "\U0001f1fa\U0001f1e6", "flag letters": "\U0001f1fa ", "growing": "\ufdfa",
        "joiners": "\u200d", "lines": "a\n", "apostrophes": "a'", "Han": "傻瓜", "quotes": "'k' ",
        "dots": ".", "blanks": " ", "hyphens": "-", "underscores": "_", "marks of speech": "!",
        "stops and quotes": ".'", "colons": ": ", "zeds": "zz", "slashes": "/", "dots said": " dot",
    }  # fmt: skip
    return {kind: (piece * length)[:length] for kind, piece in repeated.items()}


def check(text: str) -> None:
    """Raise AssertionError if anything that reads `text` breaks a promise."""
    for view in views(text, "hard"):
        _check_view(view, text)
    linked = linkable(text)
    links, addresses = find_links(linked), find_mail_addresses(linked)
    places = [(one.start, one.end) for one in links] + [(one.start, one.end) for one in addresses]
    for start, end in places:
        assert 0 <= start < end <= len(linked.text)
        _check_place(linked, start, end)
    assert len(links) <= MAX_LINKS
    assert len(addresses) <= MAX_LINKS
    _check_rest(text)


def _check_view(view: View, text: str) -> None:
    found = WORDS.find_all(view)
    assert len(found) <= MAX_FOUND
    assert found == sorted(found, key=lambda one: (one.start, -one.end, one.entry))
    for one in found:
        _check_place(view, one.start, one.end)
    last, tokens = 0, view.tokens
    for number, word in enumerate(tokens.texts):
        start, end = tokens.span(number, number + 1)
        assert last <= start < end
        assert word == view.text[start:end]
        assert tokens.touched(start, end) == (number, number + 1)
        tokens.begins_sentence(number)
        last = end
        _check_place(view, start, end)
    if view.text:
        _check_place(view, 0, len(view.text))
    assert view.original == text


def _check_place(view: View, start: int, end: int) -> None:
    first, last = view.place(start, end)
    assert 0 <= first < last <= len(view.original)


def _check_rest(text: str) -> None:
    kinds: Sequence[characters.Kind] = ("invisible", "bidi", "control", "styled", "marks")
    for kind in kinds:
        places = characters.places(text, kind)
        assert places == sorted(set(places))
        assert not places or characters.may_be_odd(text)
        assert all(0 <= place < len(text) for place in places)
    for start, end in characters.mixed_script_words(text):
        assert 0 <= start < end <= len(text)
    assert characters.longest_marks(text) <= len(text)
    assert language_of(text) == language_of(text)
    mark = signature(text)
    if mark is not None:
        assert alike(mark, mark)
        assert bands(mark) == bands(mark)


def _made_up(chance: random.Random) -> str:
    pieces = [
        chance.choice(PIECES) if chance.random() < 0.9 else chr(chance.randrange(0xD800))
        for _ in range(chance.randrange(1, 60))
    ]
    return "".join(pieces)


def _repeated(chance: random.Random) -> str:
    piece = "".join(chance.choice(PIECES) for _ in range(chance.randrange(1, 4)))
    return (piece * 65_000)[:65_000] + chance.choice(PIECES)


@click.command()
@click.option("--minutes", type=float, required=True, help="How long to go on.")
@click.option("--seed", type=int, default=1, show_default=True, help="Where to begin.")
def main(minutes: float, seed: int) -> None:
    """Read made-up texts until the time is over; name the seed of the first that goes wrong."""
    end = time.monotonic() + 60 * minutes
    numbers: Counter[str] = Counter()
    slowest = (0.0, "")
    while time.monotonic() < end:
        chance = random.Random(seed)
        make: Callable[[random.Random], str] = _repeated if seed % 50 == 0 else _made_up
        text = make(chance)
        started = time.perf_counter()
        try:
            check(text)
        except Exception as error:
            raise click.ClickException(f"seed {seed}: {error!r} on {text[:200]!r}") from error
        took = time.perf_counter() - started
        if make is _repeated:
            slowest = max(slowest, (took, f"seed {seed}, {text[:20]!r}"))
        numbers[make.__name__.strip("_")] += 1
        seed += 1
    click.echo(f"{dict(numbers)}; slowest of 65,000 characters {slowest[0]:.2f} s ({slowest[1]})")


if __name__ == "__main__":
    main()
