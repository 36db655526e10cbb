"""The engine: every rule is heard, none can spoil the verdict of the others."""

import json
from dataclasses import replace

import pytest

from service.domain.comment import Status
from service.domain.history import AuthorHistory
from service.domain.verdict import Hit, RuleError, Total, Verdict
from tests.support.judging import NOON, a_comment, shipped, verdict_on
from tests.support.rulesets import ruleset_when, verdict_of
from worker.context import Context
from worker.engine import Missing, held_unchecked, judge, replay
from worker.ruleset import Match, Rule, RuleMode, Ruleset
from worker.signals.comment import Signals

CALM = Context(at=NOON)


def rule(
    name: str, points: int, *, category: str = "spam", mode: RuleMode = "live", hits: bool = True
) -> Rule:
    """Return a rule that matches always or never."""
    return Rule(name, category, points, "Because", lambda _: Match() if hits else None, mode)


def failing(mode: RuleMode = "live") -> Rule:
    """Return a rule that cannot run."""

    def check(_signals: Signals) -> Match | None:
        raise ValueError("with the comment's text in it")

    return Rule("broken", "spam", 10, "Because", check, mode)


def ruleset(*rules: Rule) -> Ruleset:
    """Return a ruleset of these rules alone."""
    return Ruleset(rules, {"spam": 10, "abuse": 10}, "test")


def needed(*rules: Rule) -> set[str]:
    """Return the rules without each of which the comment would have been approved."""
    verdict = judge(a_comment(), ruleset(*rules), CALM)
    return {hit.rule for hit in verdict.hits if hit.needed}


def test_no_match_approves() -> None:
    verdict = judge(a_comment(), ruleset(rule("a", 10, hits=False)), CALM)

    assert verdict.status is Status.APPROVED
    assert verdict.severity == 0
    assert verdict.totals == {"spam": Total(0, 10), "abuse": Total(0, 10)}


def test_points_add_up_within_a_category_and_not_across() -> None:
    within = judge(a_comment(), ruleset(rule("a", 6), rule("b", 4)), CALM)
    across = judge(a_comment(), ruleset(rule("a", 6), rule("b", 4, category="abuse")), CALM)

    assert within.status is Status.HELD
    assert across.status is Status.APPROVED


@pytest.mark.parametrize(("points", "severity"), [(9, 0), (10, 1), (20, 2), (30, 3), (90, 3)])
def test_severity_tells_how_far_over_the_threshold(points: int, severity: int) -> None:
    verdict = judge(a_comment(), ruleset(rule("a", points)), CALM)

    assert verdict.severity == severity


def test_a_rule_in_the_shadow_is_shown_and_decides_nothing() -> None:
    verdict = judge(a_comment(), ruleset(rule("a", 10, mode="shadow")), CALM)

    assert verdict.status is Status.APPROVED
    assert verdict.hits == (Hit("a", "spam", 10, "Because", mode="shadow"),)


def test_a_rule_that_is_off_does_not_run() -> None:
    verdict = judge(a_comment(), ruleset(replace(failing(), mode="off")), CALM)

    assert (verdict.status, verdict.errors) == (Status.APPROVED, ())


def test_needed_are_those_without_which_the_comment_would_be_approved() -> None:
    assert needed(rule("a", 10)) == {"a"}
    assert needed(rule("a", 6), rule("b", 4)) == {"a", "b"}
    assert needed(rule("a", 10), rule("b", 4)) == {"a"}
    assert needed(rule("a", 10), rule("b", 10)) == set()
    assert needed(rule("a", 10), rule("b", 10, category="abuse")) == set()
    assert needed(rule("a", 10), rule("b", 10, mode="shadow")) == {"a"}
    assert needed(rule("a", 9)) == set()


def test_a_rule_that_raises_holds_the_comment_with_a_plain_reason() -> None:
    verdict = judge(a_comment(), ruleset(failing(), rule("a", 4)), CALM)

    assert verdict.status is Status.HELD
    assert [(hit.rule, hit.category, hit.why) for hit in verdict.hits] == [
        ("broken", "engine", "Rule broken could not run"),
        ("a", "spam", "Because"),
    ]
    assert verdict.errors == (RuleError("broken", "ValueError"),)


def test_a_shadow_rule_that_raises_is_only_told() -> None:
    verdict = judge(a_comment(), ruleset(failing("shadow")), CALM)

    assert verdict.status is Status.APPROVED
    assert verdict.errors == (RuleError("broken", "ValueError"),)


def test_a_comment_whose_evidence_cannot_be_gathered_is_held() -> None:
    broken = a_comment(author=None)

    verdict = judge(broken, ruleset(), CALM)

    assert verdict.status is Status.HELD
    assert verdict.hits[0].why == "The evidence could not be gathered"


def test_the_verdict_keeps_what_the_rules_read_and_what_was_absent() -> None:
    verdict = verdict_on(
        "see http://example.com/a",
        history=AuthorHistory(claimed_approved=2, seen=5),
        counts={"text.1h": None},
    )

    assert verdict.signals["links"] == ["example.com"]
    assert verdict.signals["author.claimed_approved"] == 2
    assert verdict.signals["author.seen"] == 5
    assert {"count.text.1h", "email.deliverable", "form_seconds"} <= set(verdict.absent)


def test_judging_again_gives_the_same() -> None:
    comment = a_comment("you asshole, see http://example.com and cheap.xyz")
    once, again = (replace(judge(comment, shipped(), CALM), took_ms=0.0) for _ in range(2))

    assert once == again


def test_a_verdict_is_plain_json() -> None:
    verdict = verdict_on("see http://example.com")
    plain = verdict.as_dict()

    assert json.loads(json.dumps(plain)) == plain
    assert plain["at"] == "2026-03-01T12:00:00Z"
    assert plain["hits"][0]["spans"] == [{"field": "body", "start": 4, "end": 22, "view": "links"}]


def test_what_could_not_be_checked_is_held_for_that_reason_alone() -> None:
    verdict = held_unchecked("time-limit", "Took too long", ruleset="test", at=NOON)

    assert (verdict.status, verdict.severity) == (Status.HELD, 1)
    assert [(hit.category, hit.needed, hit.spans) for hit in verdict.hits] == [("engine", True, ())]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(" ".join(f"http://h{n}.example.com" for n in range(300)), id="links"),
        pytest.param("idiot " * 20_000, id="listed words"),
    ],
)
def test_what_was_looked_at_only_in_part_is_held_for_that(text: str) -> None:
    never = ", unless: { reply: false }"
    rules = ruleset_when("{ words: { list: insults } }", {"insults": "idiot"}, never)
    verdict = verdict_of(rules, text)

    assert verdict.status is Status.HELD
    assert [(hit.rule, hit.category) for hit in verdict.hits] == [("truncated", "engine")]


def test_sixty_kilobytes_of_padding_hide_nothing() -> None:
    rules = ruleset_when("{ words: { list: insults } }", {"insults": "idiot"})
    verdict = verdict_of(rules, "A calm word. " * 4_600 + "You idiot")

    assert [(hit.rule, hit.spans[0].start) for hit in verdict.hits] == [("it", 59_804)]


def test_negative_points_lower_a_sum_but_never_outweigh_what_holds_alone() -> None:
    def held(*rules: Rule) -> Status:
        return judge(a_comment(), ruleset(*rules), CALM).status

    assert held(rule("a", 6), rule("b", 6), rule("known", -4)) is Status.APPROVED
    assert held(rule("a", 10), rule("known", -9)) is Status.HELD
    assert held(rule("a", 6), rule("b", 6), rule("known", -4, category="abuse")) is Status.HELD
    verdict = judge(a_comment(), ruleset(rule("known", -4)), CALM)
    assert verdict.totals["spam"] == Total(0, 10)


def test_a_muted_rule_is_counted_and_decides_nothing() -> None:
    context = Context(at=NOON, muted=frozenset({"a"}))
    verdict = judge(a_comment(), ruleset(rule("a", 10)), context)

    assert verdict.status is Status.APPROVED
    assert [(hit.rule, hit.mode) for hit in verdict.hits] == [("a", "shadow")]


def test_a_stored_comment_is_judged_again_with_what_was_known_then() -> None:
    rules = ruleset_when("{ count: { of: text, per: 1h, over: 3 } }")
    comment = a_comment("the same words")
    first = judge(comment, rules, Context(at=NOON, counts={"text.1h": 4}))

    again = replay(comment, rules, first.signals, first.absent)

    assert isinstance(again, Verdict)
    assert (again.status, again.totals) == (first.status, first.totals)


def test_what_was_not_kept_is_named_and_never_guessed() -> None:
    rules = ruleset_when("{ count: { of: text, per: 1h, over: 3 } }")
    comment = a_comment("the same words")
    first = judge(comment, rules, Context(at=NOON))

    assert replay(comment, rules, first.signals, first.absent) == Missing(("count.text.1h",))
    away = judge(comment, rules, Context(at=NOON, counts={"text.1h": None}))
    assert isinstance(replay(comment, rules, away.signals, away.absent), Verdict)
    assert replay(comment, rules, {}, ()) == Missing(("count.text.1h",))
