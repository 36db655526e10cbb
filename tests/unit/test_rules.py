"""The rules that ship: for everything that must match, a neighbour that must not."""

from collections.abc import Iterable
from typing import Any

import pytest

from service.domain.comment import Author, Status
from service.domain.history import AuthorHistory
from tests.support.judging import (
    RECORD,
    REGULAR,
    STRANGER,
    a_comment,
    rules_of,
    shipped,
    verdict_on,
)
from worker.context import Context
from worker.engine import judge
from worker.rules import RULES
from worker.ruleset import Rule, Ruleset
from worker.ruleset.shipped import load_ruleset, read_list
from worker.signals.comment import Lists
from worker.signals.text import plain
from worker.signals.words import WordList

TWO_LINKS = "compare http://example.com/a with http://example.org/b"
ONE_LINK = "as told on http://example.com/a"
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"


def with_url(url: str = "http://ann.example.com") -> Author:
    """Return a stranger who gives an address beside the text."""
    return Author(name="Ann", email="ann@example.com", url=url)


HITS: list[tuple[str, str, dict[str, Any]]] = [
    ("several-links", TWO_LINKS, {}),
    ("several-links", ONE_LINK, {"author": with_url()}),
    ("several-links", TWO_LINKS, {"history": AuthorHistory(claimed_approved=9, seen=9)}),
    ("several-links", TWO_LINKS, {"author": REGULAR}),
    ("newcomer-link", ONE_LINK, {}),
    ("newcomer-link", "look at cheap.xyz", {}),
    ("newcomer-link", ONE_LINK, {"history": AuthorHistory(claimed_approved=9, seen=9)}),
    ("listed-word", "You are an asshole.", {}),
    ("listed-word", "you ASS\u200bHOLE!", {}),
    ("listed-word", "so ein Arschloch", {}),
    ("listed-word", "espèce d'enculé", {}),
    ("listed-word", "какой же ты мудак", {}),
    ("listed-word", "what a motherfuck\u0435r", {}),
    ("listed-word", "go  fuck\nyourself", {}),
    ("listed-phrase", "Best Online Casino of them all", {}),
    ("listed-phrase", "лучшее онлайн казино", {}),
    ("listed-phrase", "hello", {"author": Author(name="Buy Viagra", email="a@example.com")}),
    ("listed-domain", "traffic from http://www.semalt.com/x", {}),
    ("listed-domain", "hello", {"author": with_url("https://semalt.com")}),
    ("praise-with-address", "Nice blog, keep up the good work!", {"author": with_url()}),
    ("same-text", "This text came by before, did it not?", {"text_seen": 3}),
    ("honeypot", "hello", {"honeypot_filled": True}),
    ("disposable-email", "hello", {"author": Author(name="A", email="a@mailinator.com")}),
    ("disposable-email", "hello", {"author": Author(name="A", email="a@x.mailinator.com")}),
    ("undeliverable-email", "hello", {"deliverable": False}),
    ("gtube", f"try {GTUBE} now", {}),
    ("control-characters", "odd \x80 sign", {}),
    ("site-reviews-every-comment", "hello", {"reviews_everything": True}),
]

MISSES: list[tuple[str, str, dict[str, Any]]] = [
    ("several-links", ONE_LINK, {}),
    ("several-links", "no link at all", {"author": with_url()}),
    ("several-links", TWO_LINKS, {"author": REGULAR, "history": RECORD}),
    ("several-links", "[url=http://example.com]http://example.com[/url]", {}),
    ("newcomer-link", "no link", {"author": with_url()}),
    ("newcomer-link", "write to ann@example.com", {}),
    ("newcomer-link", ONE_LINK, {"author": REGULAR, "history": RECORD}),
    ("listed-word", "We met in Scunthorpe, near Penistone.", {}),
    ("listed-word", "Mr Dickheader and Ms Cuntz live in Bassassholea", {}),
    ("listed-word", "The raccoon sniggered at the assassin.", {}),
    ("listed-word", "Le train est en retard.", {}),
    ("listed-word", "На росте цен это не скажется.", {}),
    ("listed-phrase", "The casino on the corner closed.", {}),
    ("listed-phrase", "Viagra was found by accident.", {}),
    ("listed-phrase", "He watched a video and checked out.", {}),
    ("listed-domain", "semalt.com.example.org is another", {}),
    ("listed-domain", "notsemalt.com", {}),
    ("praise-with-address", "Nice blog, keep up the good work!", {}),
    ("praise-with-address", "The committee did good work.", {"author": with_url()}),
    ("same-text", "This text came by before, did it not?", {"text_seen": 2}),
    ("same-text", "This text came by before, did it not?", {"text_seen": None}),
    ("same-text", "Thank you so much!", {"text_seen": 99}),
    ("honeypot", "hello", {}),
    (
        "disposable-email",
        "hello",
        {"author": Author(name="A", email="a@mailinator.com.example.org")},
    ),
    ("disposable-email", "hello", {"author": Author(name="A", email="")}),
    ("undeliverable-email", "hello", {"deliverable": True}),
    ("undeliverable-email", "hello", {"deliverable": None}),
    ("gtube", GTUBE.lower(), {}),
    ("control-characters", "a line\x85and\ta tab", {}),
    ("site-reviews-every-comment", "hello", {}),
]


@pytest.mark.parametrize(("rule", "body", "given"), HITS)
def test_a_rule_notices_what_it_is_for(rule: str, body: str, given: dict[str, Any]) -> None:
    assert rule in rules_of(verdict_on(body, **given))


@pytest.mark.parametrize(("rule", "body", "given"), MISSES)
def test_a_rule_leaves_its_neighbours_alone(rule: str, body: str, given: dict[str, Any]) -> None:
    assert rule not in rules_of(verdict_on(body, **given))


def test_every_rule_has_examples_of_both_kinds() -> None:
    live = {rule.id for rule in RULES if rule.mode == "live"}

    assert {rule for rule, *_ in HITS} == live
    assert {rule for rule, *_ in MISSES} == live


@pytest.mark.parametrize(
    "body",
    [
        "The army said 40 people were killed and two children were tortured before the ceasefire.",
        "Er sprach offen über den Suizid seines Bruders und den Krieg, in dem viele starben.",
        "Les survivants du massacre racontent la torture, les viols et la mort de leurs enfants.",
        "Las víctimas fueron asesinadas; la guerra mató a miles y el suicidio aumentó.",
        "Жертвы пыток рассказали о войне, убийствах и самоубийствах солдат.",
        "Rozmawialiśmy o wojnie, zabijaniu i samobójstwie, spokojnie i rzeczowo.",
        "قُتل العشرات في الحرب وتحدث الناجون عن التعذيب والموت.",
        "戦争で多くの人が殺され、拷問や自殺についての証言が残っている。",
        "전쟁에서 많은 사람이 죽었고 고문과 자살에 대한 증언이 있다.",
        "יותר ממאה נהרגו במלחמה, והניצולים דיברו על עינויים.",
        "The judge quoted the slur without repeating it; the victim's mother wept.",
        "She lost her job at the hospital after the abortion ruling. Hell of a year, damn it.",
    ],
)
def test_sober_talk_about_terrible_things_is_approved(body: str) -> None:
    verdict = verdict_on(body)

    assert verdict.status is Status.APPROVED
    assert verdict.hits == ()


def test_a_newcomers_single_link_is_a_sign_and_no_reason_to_hold() -> None:
    verdict = verdict_on(ONE_LINK)

    assert rules_of(verdict) == {"newcomer-link"}
    assert verdict.status is Status.APPROVED


def test_a_sign_and_a_hint_together_hold() -> None:
    verdict = verdict_on(ONE_LINK, author=Author(name="A", email="a@mailinator.com"))

    assert verdict.status is Status.HELD
    assert {hit.rule for hit in verdict.hits if hit.needed} == {"newcomer-link", "disposable-email"}


def test_first_comments_pass_as_shipped_and_are_held_once_switched_on() -> None:
    def held(author: Author, history: AuthorHistory) -> bool:
        rules = tuple(_live(rule) for rule in RULES if rule.id == "first-comment")
        ruleset = Ruleset(rules, Lists(), {"spam": 10}, "test")
        context = Context(at=a_comment().created_at, history=history)
        return judge(a_comment(author=author), ruleset, context).status is Status.HELD

    assert verdict_on("My first words here.").status is Status.APPROVED
    assert held(STRANGER, AuthorHistory())
    assert not held(STRANGER, AuthorHistory(seen=1))
    assert not held(REGULAR, AuthorHistory())


def _live(rule: Rule) -> Rule:
    return Rule(rule.id, rule.category, rule.points, rule.why, rule.check)


@pytest.mark.parametrize(
    "hostile",
    [
        pytest.param("Z" + "\u0315\u0300" * 16_000, id="zalgo"),
        pytest.param("\ufdfa" * 3_000, id="eighteenfold growth"),
        pytest.param("a" * 10_000 + "!", id="bait for backtracking"),
        pytest.param("".join(f"http://h{n}.com " for n in range(4_000)), id="addresses"),
        pytest.param(" " * 60_000 + "x", id="blanks"),
        pytest.param("((([[[{{{'\"" * 5_000, id="brackets"),
        pytest.param("fuck " * 13_000, id="a listed phrase never finished"),
        pytest.param("\u202e" * 20_000, id="nothing but direction marks"),
    ],
)
def test_hostile_text_gets_a_verdict(hostile: str) -> None:
    verdict = verdict_on(hostile)

    assert verdict.errors == ()
    assert verdict.status in (Status.APPROVED, Status.HELD)


def test_the_reason_shows_where_in_the_text_as_received() -> None:
    body = "Ｗell, you ass\u200bhole!"

    [hit] = verdict_on(body).hits

    [span] = hit.spans
    assert (span.field, span.view) == ("body", "plain")
    assert body[span.start : span.end] == "ass\u200bhole"
    assert hit.why == "Contains a listed insult: asshole"


def test_a_name_is_never_taken_for_part_of_the_sentence() -> None:
    verdict = verdict_on("{value} {0} %s see http://{x}.example.com")

    assert verdict.errors == ()


@pytest.mark.parametrize("name", ["insults", "praise", "spam-phrases"])
def test_lists_have_no_entry_twice_and_none_that_is_too_short(name: str) -> None:
    entries = [plain(entry).text for entry in shipped().lists.words[name].entries]

    assert len(entries) == len(set(entries))
    assert min(map(len, entries)) >= 2


@pytest.mark.parametrize(
    "word", ["kill", "killed", "torture", "suicide", "war", "rape", "die", "death", "murder"]
)
def test_words_that_reports_need_are_not_listed(word: str) -> None:
    view = plain(f"they spoke of {word} again")

    assert not any(words.find(view) for words in shipped().lists.words.values())


def test_a_list_is_searched_as_whole_words_in_any_script() -> None:
    words = WordList(["жук", "café au lait", "c++"])

    assert [found.entry for found in _found(words, ["Жук!", "CAFE  au lait", "in c++ now"])] == [
        "жук", "café au lait", "c++",
    ]  # fmt: skip
    assert not list(_found(words, ["жуки", "decafé au lait", "c+"]))


def _found(words: WordList, texts: Iterable[str]) -> Any:
    return (found for text in texts if (found := words.find(plain(text))))


def test_a_list_of_thousands_can_be_searched() -> None:
    words = WordList(f"word{number} and more" for number in range(5_000))

    found = words.find(plain("it says word4321 and more"))

    assert found is not None
    assert found.entry == "word4321 and more"
    every_one_unfinished = " ".join(f"{entry}over" for entry in words.entries)
    assert words.find(plain(every_one_unfinished)) is None


def test_a_list_file_may_explain_itself(tmp_path: Any) -> None:
    path = tmp_path / "list.txt"
    path.write_text("# all of it\none  # this one\n\n  two words\n", encoding="utf-8")

    assert read_list(path) == ["one", "two words"]


def test_the_same_content_always_has_the_same_name() -> None:
    assert load_ruleset().hash == shipped().hash
    assert len(shipped().hash) == 12
