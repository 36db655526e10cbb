"""The text of lists: entries come and go, everything else stays; and who uses which list."""

import pytest

from service.domain.listing import is_entry, remarks_of, with_entries, without_entries
from service.domain.ruleset import RulesetSource
from service.rule_file import list_uses
from service.rulesets import ListChange

TEXT = "# Things that fly\n# above us\n\nzeppelin # of old\nhot air balloon\n"


@pytest.mark.parametrize(
    ("text", "entries", "expected"),
    [
        ("", ["a kite"], "a kite\n"),
        ("a kite", ["a crow"], "a kite\na crow\n"),
        ("a kite # red\n", ["a kite"], "a kite # red\n"),
        ("a kite\n", ["a crow", "a crow"], "a kite\na crow\n"),
    ],
)
def test_entries_are_added_at_the_end_and_once(
    text: str, entries: list[str], expected: str
) -> None:
    assert with_entries(text, entries) == expected


def test_an_entry_is_removed_with_its_remark_and_nothing_else() -> None:
    assert (
        without_entries(TEXT, ["zeppelin"]) == "# Things that fly\n# above us\n\nhot air balloon\n"
    )
    assert without_entries(TEXT, ["zepp", "balloon", ""]) == TEXT
    assert without_entries("one\r\ntwo\r\n", ["one"]) == "two\r\n"


def test_what_stands_above_a_list_tells_of_it() -> None:
    assert remarks_of(TEXT) == ["Things that fly", "above us"]
    assert remarks_of("zeppelin\n# no heading\n") == []


@pytest.mark.parametrize(
    ("text", "expected"), [("c#", True), ("two words", True), ("#x", False), ("a #b", False)]
)
def test_what_would_be_a_comment_is_no_entry(text: str, expected: bool) -> None:
    assert is_entry(text) is expected


def test_a_change_of_a_list_is_a_draft_unless_it_changes_nothing() -> None:
    source = RulesetSource("format: 1\n", {"lists/fly.txt": TEXT})

    change = ListChange("lists/fly.txt", ("a kite",), ("zeppelin",))
    draft = change.applied_to(source)

    assert draft is not None
    assert draft.applied_to(source).lists["lists/fly.txt"].endswith("hot air balloon\na kite\n")
    assert change.note == "list fly: added a kite; removed zeppelin"
    assert ListChange("lists/fly.txt", ("zeppelin",)).applied_to(source) is None
    assert ListChange("lists/fly.txt", (), ("a kite",)).applied_to(source) is None


def test_a_long_change_is_told_in_short() -> None:
    change = ListChange("lists/fly.txt", tuple("abcdefgh"))

    assert change.note == "list fly: added a, b, c, d, e and 3 more"


def test_lists_are_told_by_what_uses_them() -> None:
    uses = list_uses(
        """\
lists: {bad: lists/bad.txt, fine: lists/fine.txt, shops: lists/shops.txt, nets: n.txt, idle: i.txt}
rules:
  - id: one
    when: {any: [{words: {list: [bad], except: fine}}, {phrase: "{bad} ... never"}]}
  - id: two
    when: {domains: {list: shops}}
    unless: {ips: {list: nets}}
"""
    )

    assert (uses["bad"].kind, uses["bad"].rules, uses["bad"].exceptions) == (
        "words",
        ["one"],
        ["fine"],
    )
    assert (uses["fine"].rules, uses["fine"].excepting) == ([], ["one"])
    assert (uses["shops"].kind, uses["nets"].kind, uses["nets"].rules) == (
        "domains",
        "networks",
        ["two"],
    )
    assert (uses["idle"].kind, uses["idle"].rules) == ("", [])
