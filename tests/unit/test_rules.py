"""The rules that ship: for everything that must match, a neighbour that must not."""

import pytest

from service.domain.comment import Author, Status
from service.domain.history import AuthorHistory
from service.web.cards import CATEGORIES
from tests.support.judging import (
    REGULAR,
    STRANGER,
    a_comment,
    rules_of,
    shipped,
    verdict_on,
)
from worker.context import Context
from worker.engine import judge
from worker.ruleset import Rule, Ruleset, examine
from worker.ruleset.shipped import load_ruleset, shipped_source

ONE_LINK = "as told on http://example.com/a"


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
    assert [hit.rule for hit in verdict.hits if hit.points > 0] == []


def test_the_shipped_rules_are_without_fault() -> None:
    assert [str(problem) for problem in examine(shipped_source())[1]] == []


def test_people_have_a_name_for_every_category_that_ships() -> None:
    assert shipped().thresholds.keys() <= CATEGORIES.keys()


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
        rules = tuple(_live(rule) for rule in shipped().rules if rule.id == "first-comment")
        ruleset = Ruleset(rules, {"spam": 10}, "test")
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

    [hit] = [hit for hit in verdict_on(body).hits if hit.rule == "insult-at-you"]

    [span] = hit.spans
    assert (span.field, span.view) == ("body", "plain")
    assert body[span.start : span.end] == "you ass\u200bhole"
    assert hit.why == "An insult at another reader or the author: you asshole"


def test_a_name_is_never_taken_for_part_of_the_sentence() -> None:
    verdict = verdict_on("{value} {0} %s see http://{x}.example.com")

    assert verdict.errors == ()


def test_the_same_content_always_has_the_same_name() -> None:
    assert load_ruleset().hash == shipped().hash
    assert len(shipped().hash) == 12
