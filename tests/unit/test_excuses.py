"""What keeps a rule from holding words against a comment that only tells of them."""

from time import process_time

import pytest

from tests.support.rulesets import source_of, told, verdict_of
from worker.ruleset import load

LISTS = {"bad": "vermin\nkill you\n", "reports": "he said\nthe court\n"}

RULES = """
- { id: reports, category: abuse, points: 0, why: "{match}", when: { words: { list: reports } } }
- id: quotes
  category: abuse
  points: 0
  why: "{match}"
  when: { pattern: '"[^"]+"' }
- id: bad
  category: abuse
  points: 10
  why: "{match}"
  when: { words: { list: bad } }
  excused_by: { around: quotes, beside: reports }
- id: scored
  category: abuse
  points: 10
  why: "{value}"
  when: { score: { of: abuse, over: 80% } }
  excused_by: { beside: reports }
"""

RULESET = load(source_of(RULES, LISTS))


def holding(text: str, **parts: object) -> list[str]:
    """Return the rules that hold the text."""
    return [hit.rule for hit in verdict_of(RULESET, text, **parts).hits if hit.points]


@pytest.mark.parametrize(
    "text",
    [
        "He said they are vermin.",
        "They are vermin, he said.",
        'Under it stood "vermin, all of them".',
        'He wrote "we will kill you. Vermin!" and the court did nothing.',
        'They are "vermin". He said vermin. And again: "vermin"',
    ],
)
def test_a_place_is_excused_beside_a_report_and_within_a_quotation(text: str) -> None:
    assert holding(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "They are vermin.",
        "He said so. They are vermin.",
        "They are vermin!\nThe court agrees with me.",
        'I am for "free speech", you vermin.',
        'He said "vermin". I will kill you.',
        "他们是坏人。He said so。vermin",
    ],
)
def test_an_excuse_reaches_no_further_than_its_sentence(text: str) -> None:
    assert holding(text) == ["bad"]


def test_what_has_no_place_is_excused_by_any_of_the_rules() -> None:
    assert holding("Anything at all.", scores={"abuse": 0.9}) == ["scored"]
    assert holding("He said anything. At all.", scores={"abuse": 0.9}) == []


def test_more_places_than_are_known_are_not_excused() -> None:
    excused = "He said vermin. "

    assert holding(excused * 19) == []
    assert holding(excused * 20 + "You vermin.") == ["bad"]


def test_no_excuse_is_found_in_another_field() -> None:
    rules = RULES.replace("{ list: bad }", "{ list: bad, in: [text, name] }")

    hits = verdict_of(load(source_of(rules, LISTS)), "He said hello.", name="vermin").hits

    assert [hit.rule for hit in hits if hit.points] == ["bad"]


@pytest.mark.parametrize(
    ("excuse", "message"),
    [
        ("{}", "excused_by wants around or beside"),
        ("{ near: quotes }", "near"),
        ("{ beside: quites }", "quites"),
        ("{ beside: bad }", "bad"),
    ],
)
def test_an_excuse_that_makes_no_sense_is_refused(excuse: str, message: str) -> None:
    rules = RULES.replace("{ around: quotes, beside: reports }", excuse)

    assert any(message in problem for problem in told(source_of(rules, LISTS)))


def test_the_ends_of_sentences_are_found_in_time_that_grows_with_the_text() -> None:
    text = '"He said so" ' + "." * 60_000 + "vermin"
    started = process_time()

    assert holding(text) == []
    assert process_time() - started < 5
