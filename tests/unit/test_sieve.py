"""What is looked up for all rules at once: exactly what each would have found by itself."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.comment import Status
from tests.fuzz import PIECES
from tests.support.judging import shipped
from tests.support.rulesets import source_of
from worker.engine import judge
from worker.ruleset import Match, Rule, Ruleset, load
from worker.ruleset.cases import Case
from worker.ruleset.sieve import Clue
from worker.signals import comment
from worker.signals.by_word import ByWord
from worker.signals.comment import Signals
from worker.signals.text import views
from worker.signals.words import WordIndex, WordList

_LISTS = {
    "plain": "kill\nkill yourself\nc++\naño\nсука\nbig bad cat",
    "open": "*ass*\nviagra*\n*zen\nbad cat*\nab-c*\nbig*",
    "other": "傻瓜\n바보\n바보 상자*\nكلب\nكلب كبير\nחמור",
    "spared": "class\n*assess*\nbig cat",
}
_RULES = """
- { id: a, category: spam, points: 1, why: x, when: { words: { list: plain, fold: hard } } }
- { id: b, category: spam, points: 1, why: x, when: { words: { list: open, except: spared } } }
- { id: c, category: spam, points: 1, why: x, when: { words: { list: other, in: [text, name] } } }
- { id: d, category: spam, points: 1, why: x,
    when: { phrase: ["kill ... {open}", "a b? big|bad"] } }
- { id: e, category: spam, points: 1, why: x,
    when: { phrase: { any: ["{plain} {open}", "via* kill*", "k|ki* don't"], fold: hard } } }
- { id: f, category: spam, points: 1, why: x,
    when: { all: [{ words: { list: open } }, { phrase: "so? {other}" }] },
    unless: { words: { list: plain, in: name } } }
"""
RULESET = load(source_of(_RULES, _LISTS))

_WORDS = (
    "kill yourself big bad cat cats class assess viagras don't so a b ab-cd kiwi zen والكلب كبير"
)
texts = st.lists(
    st.sampled_from([*_WORDS.split(), "바보상자", "바보 상자는", "b.a.d c.a.t", "b i g"])
    | st.sampled_from(PIECES),
    max_size=12,
).map(" ".join)


def signals_of(ruleset: Ruleset, text: str, name: str = "") -> Signals:
    """Return the signals of a made-up comment, as the engine hands them to rules."""
    case = Case(text, name)
    signals = Signals(case.comment(), case.context())
    signals.index = ruleset.index
    return signals


@settings(max_examples=150, deadline=None)
@given(texts, texts)
def test_a_rule_that_is_not_heard_would_have_found_nothing(text: str, name: str) -> None:
    signals = signals_of(RULESET, text, name)
    heard = RULESET.worth_hearing(signals)

    assert [rule.id for rule in RULESET.rules if rule not in heard and rule.check(signals)] == []


@settings(max_examples=150, deadline=None)
@given(texts)
def test_the_shared_index_finds_what_each_list_does(text: str) -> None:
    lists = [WordList.of(entries.split("\n")) for entries in _LISTS.values()]
    index = WordIndex(lists)

    for view in views(text, "hard"):
        together = index.candidates(view)
        for entries in lists:
            assert entries.find_all(view, together) == entries.find_all(view)
            one_by_one = {entries: [(pattern, None) for pattern in entries.patterns]}
            missed = {*entries.find_all(view, one_by_one)} - {*entries.find_all(view, together)}
            assert not missed


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("nothing of it", set()),
        ("k.i.l.l them", {"a"}),
        ("the bad cats", {"b"}),
        ("kill cats for yourself", {"a"}),
        ("바보는", {"c"}),
        ("big, 바보", {"b", "c", "f"}),
        ("they kill a viagra", {"a", "b", "d", "e"}),
        ("a big", {"b", "d"}),
    ],
)
def test_only_rules_of_which_the_words_are_there_are_heard(text: str, heard: set[str]) -> None:
    found = {rule.id for rule in RULESET.worth_hearing(signals_of(RULESET, text))}

    assert found == heard


def test_most_shipped_rules_have_nothing_to_say_to_a_calm_remark() -> None:
    signals = signals_of(shipped(), "The court published its judgment today, and rightly so.")

    assert len(shipped().worth_hearing(signals)) < len(shipped().rules) / 2


def test_a_sieve_that_fails_lets_every_rule_be_heard() -> None:
    """Nothing passes unheard because of what was meant to save time."""

    class Broken(WordIndex):
        def candidates(self, view: object) -> dict[WordList, tuple[()]]:
            raise ValueError

    clue = Clue(("text",), "plain", entries=WordList.of(["kill"]))
    rule = Rule("it", "spam", 10, "Because", lambda _: Match(), clues=frozenset({clue}))
    ruleset = Ruleset((rule,), {"spam": 10}, "test", index=Broken([]))
    case = Case("hello")

    assert judge(case.comment(), ruleset, case.context()).status is Status.HELD


some_words = st.lists(st.text("abc", min_size=1, max_size=5))


@given(some_words, some_words, some_words)
def test_what_is_found_by_words_is_found_by_each_of_them(
    known: list[str], beginnings: list[str], words: list[str]
) -> None:
    together: ByWord[str] = ByWord(lambda word: (word, word[::-1]))
    for one in known:
        together.add(one, one)
    for one in beginnings:
        together.add_beginning(one, f"{one}*")

    forms = {*words, *(word[::-1] for word in words)}
    begun = {f"{one}*" for one in beginnings if any(form.startswith(one) for form in forms)}
    assert together.of(words) == together.of(words) == forms.intersection(known) | begun


def test_no_more_words_are_remembered_than_are_met_again() -> None:
    together: ByWord[str] = ByWord()
    together.add("7", "seven")

    assert together.of(map(str, range(25_000))) == {"seven"}
    assert len(together._met) <= 10_000


sentences = st.lists(texts, max_size=6).map(". ".join)


@settings(max_examples=150, deadline=None)
@given(sentences, st.integers(0, 3))
def test_excerpts_of_readings_tell_what_whole_ones_do(text: str, stops: int) -> None:
    text += "! " * stops + text
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(comment, "_WORTH_CUTTING", len(text) + 1)
        whole = [rule.check(signals_of(RULESET, text)) for rule in RULESET.rules]
        patch.setattr(comment, "_WORTH_CUTTING", 0)
        cut = [rule.check(signals_of(RULESET, text)) for rule in RULESET.rules]

    assert cut == whole


@pytest.mark.parametrize("text", ["buy sur?ely followers", "only good sur?ely is a dead"])
def test_a_word_that_was_cut_up_counts_once_within_a_phrase(text: str) -> None:
    """Nobody looks for the word, but as two it would make the phrase too long."""
    case = Case(text)

    assert judge(case.comment(), shipped(), case.context()).status is Status.HELD
