"""Every condition holds where it should, and not beside it; absent signals never hold."""

from typing import Any

import pytest

from tests.support.rulesets import hit_of, rule_when, ruleset_when, source_of, told

LISTS = {
    "insults": "idiot\nold goat\n",
    "fine": "idiot savant\n",
    "hosts": "semalt.com\nthrowaway.org\n",
    "states": "gov.uk\nint\n",
    "nets": "10.0.0.0/8\n2001:db8::/32\n",
}

HOLD: list[tuple[str, dict[str, Any]]] = [
    ("{ words: { list: insults } }", {"text": "You IDIOT"}),
    ("{ words: { list: [insults, fine] } }", {"text": "an idiot savant"}),
    ("{ words: { list: insults, in: name } }", {"name": "Idiot"}),
    ("{ words: { list: insults, fold: hard } }", {"text": "you i.d.i.o.t"}),
    ("{ pattern: 'ИДИОТ' }", {"text": "идиот"}),
    ("{ pattern: { match: 'ABC', fold: none } }", {"text": "abc"}),
    ("{ links: { over: 1, in: [text, url] } }", {"text": "see a.example.com", "url": "http://b.com"}),
    ("{ links: { under: 1 } }", {"text": "no link"}),
    ("{ links: { over: 0, except: hosts } }", {"text": "semalt.com and cheap.xyz"}),
    ("{ domains: { list: hosts } }", {"text": "visit www.semalt.com/x"}),
    ("{ domains: { list: hosts } }", {"url": "http://semalt.com"}),
    ("{ domains: { list: hosts, in: email } }", {"email": "a@throwaway.org"}),
    ("{ ips: { list: nets } }", {"ip": "10.2.3.4"}),
    ("{ ips: { list: nets } }", {"ip": "::ffff:10.2.3.4"}),
    ("{ ips: { list: nets } }", {"ip": "2001:db8::5"}),
    ("{ count: { of: ip, per: 5m, over: 8 } }", {"counts": {"ip.5m": 9}}),
    ("{ count: { of: domain, per: 7d, over: 0 } }", {"counts": {"domain.7d": 1}}),
    ("{ author: { approved: { under: 1 } } }", {}),
    ("{ author: { approved: { over: 1 }, proven: true } }",
     {"history": {"approved": 2}, "proven": True}),
    ("{ author: { rejected_share: { over: 50% } } }", {"history": {"approved": 1, "rejected": 2}}),
    ("{ author: { proven: false } }", {}),
    ("{ length: { over: 3 } }", {"text": "abcd"}),
    ("{ length: { over: 3, in: name } }", {"name": "abcd"}),
    ("{ capitals: { over: 70% } }", {"text": "AN OUTRAGE 123"}),
    ("{ reply: false }", {}),
    ("{ honeypot: true }", {"honeypot": True}),
    ("{ form_seconds: { under: 3 } }", {"form_seconds": 1.5}),
    ("{ email: { disposable: true } }", {"email": "a@x.mailinator.com"}),
    ("{ email: { deliverable: false } }", {"deliverable": False}),
    ("{ email: { list: hosts } }", {"email": "a@throwaway.org"}),
    ("{ moderation: all }", {"reviews_everything": True}),
    ("{ score: { of: spam, over: 0.9 } }", {"scores": {"spam": 0.95}}),
    ("{ characters: { of: control, over: 0 } }", {"text": "odd \x80 sign"}),
    ("{ characters: { of: invisible, over: 0 } }", {"text": "fre\u200be"}),
    ("{ characters: { of: bidi, over: 0 } }", {"text": "abc \u202edef"}),
    ("{ mixed_script: true }", {"text": "fr\u0435e money"}),
    ("{ language: [ru, uk] }", {"text": "Это очень хорошая новость для всех, кто живёт тут."}),
    ("{ all: [{ words: { list: insults } }, { words: { list: insults, in: name } }] }",
     {"text": "idiot", "name": "idiot"}),
]  # fmt: skip

NOT: list[tuple[str, dict[str, Any]]] = [
    ("{ words: { list: insults, except: fine } }", {"text": "an idiot savant"}),
    ("{ words: { list: insults } }", {"text": "The Idiotic Path", "name": "idiot"}),
    ("{ pattern: 'idiot' }", {"name": "idiot"}),
    ("{ links: { over: 1, in: [text, url] } }",
     {"text": "see http://b.com", "url": "http://b.com"}),
    ("{ domains: { list: hosts } }", {"text": "semalt.com.example.org"}),
    ("{ links: { over: 0, except: hosts } }", {"text": "see www.semalt.com/x, a.throwaway.org"}),
    ("{ links: { over: 0, except: states } }", {"text": "www.parliament.gov.uk, echr.coe.int"}),
    ("{ ips: { list: nets } }", {}),
    ("{ ips: { list: nets } }", {"ip": "11.0.0.1"}),
    ("{ count: { of: ip, per: 5m, over: 8 } }", {"counts": {"ip.5m": 8}}),
    ("{ count: { of: ip, per: 5m, under: 8 } }", {"counts": {"ip.5m": None}}),
    ("{ count: { of: ip, per: 5m, under: 8 } }", {}),
    ("{ author: { rejected_share: { under: 50% } } }", {}),
    ("{ author: { proven: true } }", {}),
    ("{ capitals: { under: 10% } }", {"text": "123 + 456"}),
    ("{ reply: true }", {}),
    ("{ honeypot: true }", {}),
    ("{ form_seconds: { under: 3 } }", {}),
    ("{ form_seconds: { under: 3 } }", {"form_seconds": -5}),
    ("{ email: { deliverable: false } }", {"deliverable": None}),
    ("{ email: { disposable: false } }", {}),
    ("{ moderation: all }", {}),
    ("{ score: { of: spam, under: 0.9 } }", {}),
    ("{ mixed_script: true }", {"text": "привет world"}),
    ("{ language: [ru] }", {"text": "ok"}),
    ("{ length: { over: 1 }, reply: true }", {"text": "abc"}),
]  # fmt: skip


@pytest.mark.parametrize(("when", "parts"), HOLD)
def test_a_condition_holds(when: str, parts: dict[str, Any]) -> None:
    assert hit_of(ruleset_when(when, LISTS), **parts)


@pytest.mark.parametrize(("when", "parts"), NOT)
def test_a_condition_does_not_hold(when: str, parts: dict[str, Any]) -> None:
    assert hit_of(ruleset_when(when, LISTS), **parts) is None


def test_unless_takes_the_hit_back() -> None:
    ruleset = ruleset_when(
        "{ reply: true }", LISTS, ", unless: { author: { approved: { over: 0 } } }"
    )

    assert hit_of(ruleset, reply=True)
    assert hit_of(ruleset, reply=True, history={"approved": 1}, proven=True) is None


def test_the_counters_that_rules_need_are_known() -> None:
    counters = ruleset_when("{ count: { of: text, per: 60m, over: 3 } }").counters

    assert [(counter.name, counter.seconds) for counter in counters] == [("text.1h", 3600)]


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ("{}", "when wants at least one condition"),
        ("{ words: { fold: hard } }", "words wants a list"),
        ("{ links: { in: url } }", "links wants a bound: over or under"),
        ("{ links: { over: 1, in: body } }", "unknown field “body”; there are: text, name"),
        ("{ count: { of: text, per: 1m, over: 3 } }", "per must be from 5m to 30d"),
        ("{ count: { of: txt, per: 1h, over: 3 } }", "unknown thing to count “txt”"),
        ("{ language: [xx] }", "unknown language “xx”"),
        ("{ characters: { of: odd, over: 1 } }", "unknown kind of characters “odd”"),
        ("{ email: { deliverable: maybe } }", "deliverable must be true or false"),
        ("{ moderation: some }", "unknown moderation “some”"),
        ("{ score: { over: 0.9 } }", "score wants the name of a model"),
        ("[a]", "condition must be a mapping"),
    ],
)
def test_a_condition_that_makes_no_sense_is_refused(when: str, message: str) -> None:
    assert message in "\n".join(told(source_of(rule_when(when), LISTS)))


def test_values_and_places_fill_the_reason() -> None:
    hit = hit_of(ruleset_when("{ links: { over: 1 } }"), "a.example.com and b.example.com")

    assert hit
    assert hit.why == "example.com|2"
    assert [(span.start, span.end) for span in hit.spans] == [(0, 13), (18, 31)]
