"""The rule file: read with every mistake told in its place, and refused whole if there is one."""

from pathlib import Path

import pytest

from service.domain.ruleset import RulesetSource
from tests.support.rulesets import hit_of, rule_when, source_of, told
from worker.ruleset import RulesetError, examine, load, read_directory

RULE = """
- id: shouting
  category: abuse
  points: 3
  why: "{value} capitals"
  when: { capitals: { over: 70% } }
  tests: { hit: ["AN OUTRAGE"], miss: ["calm"] }
"""


def test_a_fine_file_has_nothing_to_mend() -> None:
    assert examine(source_of(RULE))[1] == []
    assert [rule.id for rule in load(source_of(RULE)).rules] == ["shouting"]


def test_all_mistakes_are_told_at_once_with_their_places() -> None:
    source = source_of(
        """\
        - id: One
          category: personel
          points: no
          why: "because of {foo}"
          when: { capitols: { over: 3 }, words: { list: insult } }
        - id: two
          category: spam
          points: 11
          why: "b"
          when: { pattern: '(?<!a)b' }
          mod: live
        """,
        {"insults": "idiot\nno\n"},
        head="format: 1\ncategories:\n  personal: { hold_at: 10 }\n  spam: { hold_at: 10 }\n",
    )
    places = [line.split(": ")[0] for line in told(source)]
    text = "\n".join(told(source))

    assert places == [
        "rules.yaml:6:3",  # the list that nothing uses
        "rules.yaml:8:9",
        "rules.yaml:9:15",
        "rules.yaml:10:13",
        "rules.yaml:11:10",
        "rules.yaml:12:13",
        "rules.yaml:12:51",
        "rules.yaml:15:13",
        "rules.yaml:17:22",
        "rules.yaml:18:5",
    ]
    assert "unknown category “personel” (did you mean “personal”?)" in text
    assert "points must be a whole number, not “no”" in text
    assert "unknown condition “capitols” (did you mean “capitals”?)" in text
    assert "unknown list “insult” (did you mean “insults”?)" in text
    assert "points must be from -9 to 10" in text
    assert "invalid perl operator" in text
    assert "unknown part of a rule “mod” (did you mean “mode”?)" in text


def test_anchors_and_tags_do_not_hide_other_mistakes() -> None:
    rules = (
        RULE.replace("points: 3", "points: &many 11").replace("{value}", "{foo}")
        + RULE.replace("shouting", "louder").replace("points: 3", "points: *many")
        + RULE.replace("shouting", "loudest").replace("abuse", "!!str abus")
    )
    messages = [line.split(": ", 1)[1] for line in told(source_of(rules))]

    assert [message.split(" (did")[0].split(";")[0] for message in messages] == [
        "anchors and aliases (& and *) are not allowed here",
        "points must be from -9 to 10",
        "unknown placeholder “foo”",
        "anchors and aliases (& and *) are not allowed here",
        "tags (!) are not allowed here",
        "unknown category “abus”",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("format: 1\n", "the file lacks categories"),
        ("- a\n", "part of the file must be a mapping"),
        ("a: [", "this is no YAML"),
        ("a: &x 1\nb: *x\n", "anchors and aliases"),
        ("a: !!python/object:os.system 1\n", "tags (!) are not allowed"),
        ("format: 1\nformat: 1\n", "“format” stands twice"),
        ("format: 2\n", "format must be from 1 to 1"),
        ("a: " + "[" * 50 + "]" * 50, "nested too deeply"),
        ("a: \x00\n", "this is no YAML"),
        ("x" * 600_000, "longer than 500,000 characters"),
    ],
)
def test_what_is_no_rule_file_is_refused_in_plain_words(text: str, message: str) -> None:
    with pytest.raises(RulesetError) as raised:
        load(RulesetSource(text))

    assert message in "\n".join(map(str, raised.value.problems))


def test_values_are_what_the_schema_says_and_not_what_yaml_makes_of_them() -> None:
    source = source_of(rule_when("{ honeypot: yes }") + rule_when("{ length: { over: 1e3 } }"))

    assert any("honeypot must be true or false, not “yes”" in line for line in told(source))
    assert any("over must be a number" in line for line in told(source))


def test_a_mode_may_be_written_without_quotes() -> None:
    (rule,) = load(source_of(RULE.replace("points: 3", "points: 3\n  mode: off"))).rules

    assert rule.mode == "off"


def test_a_failing_test_is_a_mistake_at_its_place() -> None:
    wrong = RULE.replace('hit: ["AN OUTRAGE"]', 'hit: ["calm"]').replace('["calm"] }', '["LOUD"] }')
    problems = [str(problem) for problem in examine(source_of(wrong))[1]]

    assert problems == [
        "rules.yaml:12:20: test failed: rule “shouting” should hit “calm” but does not",
        "rules.yaml:12:36: test failed: rule “shouting” should miss “LOUD” but hits",
    ]


def test_tests_may_tell_more_than_the_text() -> None:
    source = source_of(
        """
        - id: it
          category: spam
          points: 4
          why: "x"
          when:
            count: { of: text, per: 1h, over: 3 }
            author: { approved: { under: 1 } }
            reply: true
          tests:
            hit: [{ text: "a", reply: true, count: { text.1h: 4 } }]
            miss:
              - { text: "a", reply: true, count: { text.1h: 4 }, author: { approved: 1 } }
              - { text: "a", reply: true, count: { text.1h: 3 } }
              - { text: "a", count: { text.1h: 9 } }
        """
    )
    assert examine(source)[1] == []


def test_a_mistake_in_a_test_is_told() -> None:
    source = source_of(rule_when("{ reply: true }", ", tests: {hit: [{texd: a}], miss: [{ip: x}]}"))
    problems = "\n".join(map(str, examine(source)[1]))

    assert "unknown part of a test “texd” (did you mean “text”?)" in problems
    assert "“x” is no IP address" in problems


def test_rules_without_tests_and_lists_without_use_are_warned_of() -> None:
    source = source_of(rule_when("{ reply: true }"), {"insults": "idiot"})
    _, problems = examine(source)

    assert {problem.severity for problem in problems} == {"warning"}
    assert [problem.message for problem in problems] == [
        "no rule uses the list “insults”",
        "the rule has no `hit` test",
        "the rule has no `miss` test",
    ]
    assert load(source).rules


def test_entries_of_lists_are_checked_with_their_lines() -> None:
    source = source_of(
        rule_when("{ words: { list: insults }, domains: { list: hosts }, ips: { list: nets } }"),
        {
            "insults": "# mine\nidiot\nx\n",
            "hosts": "good.example\nnope\n",
            "nets": "10.0.0.0/8\nxy",
        },
    )
    assert [line.split(" ")[0] for line in told(source)] == [
        "lists/hosts.txt:1:1:",
        "lists/hosts.txt:2:1:",
        "lists/insults.txt:3:1:",
        "lists/nets.txt:2:1:",
    ]


@pytest.mark.parametrize(
    ("hit", "miss", "wrong"),
    [
        ("text: AN OUTRAGE, site: elsewhere", "text: AN OUTRAGE, site: demo", []),
        ("text: AN OUTRAGE", "text: AN OUTRAGE, site: demo", []),
        ("text: AN OUTRAGE, site: demo", "text: calm", ["should hit “AN OUTRAGE” but does not"]),
        ("text: AN OUTRAGE", "text: LOUD, site: elsewhere", ["should miss “LOUD” but hits"]),
    ],
)
def test_a_test_may_name_a_site_that_its_rule_is_not_for(
    hit: str, miss: str, wrong: list[str]
) -> None:
    tests = f"tests: {{ hit: [{{ {hit} }}], miss: [{{ {miss} }}] }}\n  sites: [elsewhere]"
    source = source_of(RULE.replace('tests: { hit: ["AN OUTRAGE"], miss: ["calm"] }', tests))

    messages = [problem.message for problem in examine(source)[1]]

    assert messages == [f"test failed: rule “shouting” {what}" for what in wrong]


def test_a_rule_for_another_site_is_not_noticed_by_the_tests_of_those_below() -> None:
    below = RULE.replace("shouting", "below").replace("capitals: { over: 70% }", "rule: shouting")
    source = source_of(RULE.replace("points: 3", "points: 3\n  sites: [news]") + below)
    aside = below.replace('"AN OUTRAGE"', "{ text: AN OUTRAGE, site: blog }")
    other = source_of(RULE.replace("points: 3", "points: 3\n  sites: [news]") + aside)

    assert examine(source)[1] == []
    [problem] = examine(other)[1]
    assert "rule “below” should hit" in problem.message


def test_rules_may_only_point_upward() -> None:
    below = rule_when("{ rule: later }") + RULE.replace("shouting", "later")

    assert any("unknown rule above this one “later”" in line for line in told(source_of(below)))


def test_too_many_rules_are_refused() -> None:
    many = "".join(RULE.replace("shouting", f"rule-{number}") for number in range(501))

    assert any("more than 500 rules" in line for line in told(source_of(many)))


def test_patterns_are_doubted_where_ascii_borders_meet_other_letters() -> None:
    source = source_of(rule_when(r"{ pattern: '\bтварь\b' }") + rule_when("{ pattern: 'a*' }"))
    text = "\n".join(told(source))

    assert r"\b and \w know ASCII letters only" in text
    assert "matches the empty text" in text


def test_a_directory_is_read_with_its_lists_and_nothing_outside(tmp_path: Path) -> None:
    inside = tmp_path / "rules"
    (inside / "lists").mkdir(parents=True)
    (tmp_path / "secret.txt").write_text("secret")
    (inside / "lists" / "a.txt").write_text("idiot\n")
    text = source_of(rule_when("{ words: { list: [a, b] } }"), {"a": "", "b": ""}).rules
    (inside / "rules.yaml").write_text(text.replace("lists/b.txt", "../secret.txt"))

    source = read_directory(inside)

    assert source.lists == {"lists/a.txt": "idiot\n"}
    assert any("there is no file “../secret.txt”" in line for line in told(source))


def test_the_hash_stands_for_all_of_the_content() -> None:
    source = source_of(RULE, {"a": "one\n"})
    same = RulesetSource.from_dict(source.as_dict())

    assert (same, same.hash) == (source, source.hash)
    assert source_of(RULE, {"a": "two\n"}).hash != source.hash
    assert source_of(RULE + "\n", {"a": "one\n"}).hash != source.hash


def test_a_rule_speaks_only_on_the_sites_it_names() -> None:
    ruleset = load(source_of(rule_when("{ reply: true }", ", sites: [news]")))

    assert hit_of(ruleset, "a", reply=True, site="news")
    assert hit_of(ruleset, "a", reply=True, site="blog") is None
