"""Phrases: words in order, as they are said."""

import pytest

from service.domain.verdict import Span
from tests.support.rulesets import hit_of, rule_when, ruleset_when, source_of, told

LISTS = {"groups": "migrants\nold people\nиммигрант*\n", "vermin": "rats\nvermin*\n"}


@pytest.mark.parametrize(
    ("phrase", "text"),
    [
        ("kill yourself", "Just KILL yourself!"),
        ("kill|hang yourself|urself", "go hang urself"),
        ("kill all? the? {groups}", "kill migrants"),
        ("kill all? the? {groups}", "kill all the migrants"),
        ("kill all? the? {groups}", "kill the old people"),
        ("{groups} ... are ... {vermin}", "migrants, all of them, are rats"),
        ("{groups} ... are ... {vermin}", "migrants are verminous"),
        ("threat* you", "I threaten you"),
        ("{groups} это крысы", "Иммигранты это крысы"),
        ("так? и надо", "и надо"),
        ("you're dead", "you\u2019re dead"),
        ("a ... b c", "a x x x x b c"),
        ("a ... b? c", "a x x x c"),
        ("a b? c? d", "a d"),
        ("죽여 버리겠다", "너를 죽여 버리겠다"),
    ],
)
def test_a_phrase_is_found(phrase: str, text: str) -> None:
    assert hit_of(ruleset_when(f'{{ phrase: "{phrase}" }}', LISTS), text)


@pytest.mark.parametrize(
    ("phrase", "text"),
    [
        ("kill yourself", "kill. Yourself"),
        ("kill yourself", "kill for yourself"),
        ("kill yourself", "overkill yourself"),
        ("kill all? the? {groups}", "kill the young people"),
        ("{groups} ... are ... {vermin}", "The migrants fled. There are rats in the camp."),
        ("{groups} ... are ... {vermin}", "rats are migrants"),
        ("{groups} are {vermin}", "migrants are not rats"),
        ("a ... b", "a x x x x x b"),
        ("a b? c", "a x c"),
    ],
)
def test_what_only_looks_like_it_is_not(phrase: str, text: str) -> None:
    assert hit_of(ruleset_when(f'{{ phrase: "{phrase}" }}', LISTS), text) is None


def test_the_hit_shows_the_shortest_stretch() -> None:
    ruleset = ruleset_when('{ phrase: "kill ... {groups}" }', LISTS)
    hit = hit_of(ruleset, "Kill them, kill the Migrants now")

    assert hit
    assert hit.why == "kill the migrants|1"
    assert hit.spans == (Span("body", 11, 28, "plain"),)


def test_hidden_words_are_seen_where_the_rule_looks_hard() -> None:
    plain = ruleset_when('{ phrase: { any: ["kill yourself"], fold: plain } }')
    hard = ruleset_when('{ phrase: { any: ["kill yourself"], fold: hard } }')
    text = "k i l l yourself"

    assert hit_of(plain, text) is None
    assert hit_of(hard, text)


@pytest.mark.parametrize(
    ("phrase", "message"),
    [
        ("a? b?", "wants a word that must be there"),
        ("kill {grups}", "unknown list “grups” (did you mean “groups”?)"),
        ("kill (them", "“(them” is not a word"),
        ("a b c d e f g h i j k l m", "at most 12 words"),
        ("...", "wants a word that must be there"),
    ],
)
def test_a_phrase_that_makes_no_sense_is_refused(phrase: str, message: str) -> None:
    problems = "\n".join(told(source_of(rule_when(f'{{ phrase: "{phrase}" }}'), LISTS)))

    assert message in problems


def test_hostile_repetition_stays_cheap() -> None:
    """Work grows with the text: ten times the words, about ten times the steps."""
    ruleset = ruleset_when('{ phrase: "kill ... kill ... kill ... kill ... {groups}" }', LISTS)

    assert hit_of(ruleset, "kill " * 13_000) is None
    assert hit_of(ruleset, "kill " * 13_000 + "migrants")
