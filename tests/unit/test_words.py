"""Word lists: whole words in any script, phrases, open ends, exceptions, and all of them."""

import pytest

from service.domain.listing import entries_of
from tests.fuzz import PIECES
from worker.ruleset.shipped import shipped_source
from worker.signals import entries
from worker.signals.entries import ListProblem, parsed
from worker.signals.text import plain, views
from worker.signals.words import MAX_FOUND, WordList


def found(words: WordList, text: str) -> list[str]:
    """Return what a list finds in a text, as received."""
    view = plain(text)
    return [view.source(one.start, one.end) for one in words.find_all(view)]


def problems(lines: list[tuple[int, str]]) -> list[ListProblem]:
    """Return what is wrong with entries, each given with its line."""
    return entries.problems([line for line, _ in lines], parsed(text for _, text in lines))


@pytest.mark.parametrize(
    ("entry", "text", "places"),
    [
        pytest.param("cat", "Cat, cat; cats concat", ["Cat", "cat"], id="whole words, all of them"),
        pytest.param("cat*", "cat cats concat", ["cat", "cat"], id="any ending"),
        pytest.param("*cat", "cat cats concat", ["cat", "cat"], id="any beginning"),
        pytest.param("*cat*", "Scatter", ["cat"], id="anywhere"),
        pytest.param("big cat", "big  cat, big-cat, bigcat, big, cat", ["big  cat", "big-cat"],
                     id="a phrase"),
        pytest.param("big cat*", "big cats", ["big cat"], id="a phrase with an open end"),
        pytest.param("don't", "Don’t do, dont", ["Don’t"], id="an apostrophe"),
        pytest.param("c++", "c++ c+ c++11", ["c++"], id="signs"),
        pytest.param("жук", "Жук жуки", ["Жук"], id="Cyrillic"),
        pytest.param("傻瓜", "你是傻瓜吗", ["傻瓜"], id="Chinese, anywhere"),
        pytest.param("ばか", "おばかさん", ["ばか"], id="Japanese, anywhere"),
        pytest.param("คนบ้า", "เขาเป็นคนบ้ามาก", ["คนบ้า"], id="Thai, anywhere"),
        pytest.param("바보", "바보는 바보입니다 바보상자 꼬마바보", ["바보"] * 2,
                     id="Korean particles"),
        pytest.param("바보*", "바보상자", ["바보"], id="Korean with an open end"),
        pytest.param("حمار", "والحمار حمار حماري", ["حمار", "حمار"], id="Arabic prefixes"),
        pytest.param("חמור", "והחמור חמור חמורים", ["חמור", "חמור"], id="Hebrew prefixes"),
        pytest.param("गधा", "गधा गधापन", ["गधा"], id="Hindi"),
        pytest.param("señora", "Señora senora", ["Señora", "senora"], id="a tilde left out"),
        pytest.param("ano", "año ano", ["ano"], id="no tilde added"),
        pytest.param("cat", "cat猫 猫cat", ["cat", "cat"], id="the script changes"),
        pytest.param("big cat", "big big cat", ["big cat"], id="a phrase that begins twice"),
    ],
)  # fmt: skip
def test_an_entry_is_found_where_it_is_meant(entry: str, text: str, places: list[str]) -> None:
    assert found(WordList.of([entry]), text) == places


def test_what_stands_inside_an_exception_does_not_count() -> None:
    words = WordList.of(["*cat*", "dog"], exceptions=["concatenate", "hot dog", "*scatter*"])

    assert found(words, "Concatenate scattering hot dogs, hot dog") == []
    assert found(words, "concatenates the cat, a hot, dog") == ["cat", "cat", "dog"]


def test_overlapping_entries_are_all_found() -> None:
    assert found(WordList.of(["big cat", "cat", "cat food"]), "big cat food") == [
        "big cat", "cat food", "cat",
    ]  # fmt: skip


def test_an_entry_tells_itself_as_it_is_written() -> None:
    [one] = WordList.of(["Café"]).find_all(plain("cafe"))

    assert one.entry == "Café"


def test_an_empty_list_finds_nothing() -> None:
    assert WordList.of([]).find_all(plain("anything")) == []
    assert WordList.of(["", "*"]).find_all(plain("anything *")) == []


def test_the_number_found_is_bounded() -> None:
    assert len(WordList.of(["cat"]).find_all(plain("cat " * 21_000))) == MAX_FOUND


@pytest.mark.parametrize("characters", [12, 100])
def test_a_list_of_the_largest_size_works(characters: int) -> None:
    entries = [f"{number * 7919:x}".ljust(characters, "w") for number in range(10_000)]

    assert found(WordList.of(entries), f"say {entries[-1]}, {entries[4321]}x") == [entries[-1]]


def test_a_list_file_gives_entries_with_their_lines() -> None:
    text = "# all\none # this\n\n  two words\nc#\n#\n"

    assert entries_of(text) == [(2, "one"), (4, "two words"), (5, "c#")]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("ab", "too short"),
        ("*ab*", "too short"),
        ("好", "too short"),
        ("x" * 101, "longer than 100"),
        ("a*b c", "a star"),
        ("***", "nothing to look for"),
        ("\u200b", "nothing to look for"),
    ],
)
def test_a_bad_entry_is_named_with_its_line(entry: str, message: str) -> None:
    [problem] = problems([(7, entry), (8, "good")])

    assert problem.line == 7
    assert message in problem.message
    assert not problem.is_warning


@pytest.mark.parametrize("entry", ["abc", "好人", "바보", "أمر", "*good*", "c++", "e-mail"])
def test_a_good_entry_has_no_problem(entry: str) -> None:
    assert problems([(1, entry)]) == []


def test_an_entry_that_folds_to_another_is_a_warning() -> None:
    [problem] = problems([(1, "Café"), (2, "cafe*"), (3, "cafe")])

    assert (problem.line, problem.is_warning) == (3, True)
    assert "line 1" in problem.message


def test_entries_folded_together_are_as_folded_alone() -> None:
    listed = [one for text in shipped_source().lists.values() for _, one in entries_of(text)]
    written = [*listed, *PIECES, "\ue000"]

    assert parsed(listed) == [parsed([one])[0] for one in listed]
    assert parsed(written) == [parsed([one])[0] for one in written]


def test_a_list_may_not_be_endless() -> None:
    [problem] = problems([(number, f"word{number}") for number in range(1, 10_003)])

    assert problem.line == 10_001


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One two. Three", ["one two", "three"]),
        ("Don’t say 3.5 of example.org", ["don't say 3 5 of example org"]),
        ("Yes!No? Well; so: on", ["yes", "no", "well", "so", "on"]),
        ("one\ntwo", ["one", "two"]),
        ("\u200bone\ntwo \u200bthree", ["one", "two three"]),
        ("“End.” More", ["end", "more"]),
        ("यह। वह", ["यह", "वह"]),
        ("ماذا؟ هذا", ["ماذا", "هذا"]),
        ("一。二", ["一", "二"]),
        ("", []),
    ],
)
def test_words_know_their_sentence(text: str, sentences: list[str]) -> None:
    tokens = plain(text).tokens
    told: list[list[str]] = []
    for number, word in enumerate(tokens.texts):
        if not number or tokens.begins_sentence(number):
            told.append([])
        told[-1].append(word)

    assert [" ".join(words) for words in told] == sentences


def test_words_of_every_reading_have_places() -> None:
    for view in views("k i l l em, ze.bra!", "hard"):
        tokens = view.tokens
        for number, word in enumerate(tokens.texts):
            assert view.text[slice(*tokens.span(number, number + 1))] == word
