"""Versions of the ruleset: one is live, all are kept, and of two who publish one is told."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from service.domain.errors import RulesetConflict, RulesetNotFound
from service.domain.ruleset import (
    SHIPPED_BY,
    Hindrance,
    RuleOutline,
    RulesetSource,
    RulesetVersion,
    RuleState,
    difference,
)
from service.storage import Store, rulesets
from tests.contract.desk import at_once

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def source(text: str = "one", **lists: str) -> RulesetSource:
    """Return a ruleset whose text is of no matter here."""
    return RulesetSource(f"format: 1\n# {text}\n", {f"lists/{k}.txt": v for k, v in lists.items()})


def outline(*rules: str, digest: str = "a") -> list[RuleOutline]:
    """Return rules in brief, all defined alike."""
    return [RuleOutline(rule, "spam", 10, "live", "Because", digest) for rule in rules]


def publish(
    store: Store,
    content: RulesetSource,
    *,
    base: int | None,
    rules: Sequence[RuleOutline] = (),
    author: str = "moderator:ann",
) -> RulesetVersion:
    """Keep and publish a ruleset."""
    with store.write() as db:
        rulesets.keep(db, content, rules, NOW)
        return rulesets.publish(db, content.hash, base=base, author=author, note="why", now=NOW)


def shipped(store: Store, content: RulesetSource) -> RulesetVersion | None:
    """Start a program that brings `content` along."""
    with store.write() as db:
        return rulesets.publish_shipped(db, content, outline("slur"), NOW)


def live(store: Store) -> RulesetVersion | None:
    """Return what is live."""
    with store.read() as db:
        return rulesets.live_version(db)


def test_nothing_is_live_before_the_first_version(store: Store) -> None:
    assert live(store) is None
    with store.read() as db:
        assert rulesets.live_with_states(db) is None
        assert rulesets.history(db, 10) == []


def test_the_newest_version_is_live_and_every_content_is_kept(store: Store) -> None:
    first = publish(store, source("one", slurs="a\n"), base=None)
    second = publish(store, source("two"), base=1)

    assert (first.number, first.parent) == (1, None)
    assert (second.number, second.parent) == (2, first.hash)
    assert live(store) == second
    with store.read() as db:
        assert rulesets.history(db, 10) == [second, first]
        assert rulesets.history(db, 10, before=2) == [first]
        assert rulesets.version_by_number(db, 1) == first
        assert rulesets.source_of(db, first.hash) == source("one", slurs="a\n")


@pytest.mark.parametrize("base", [None, 2, 7])
def test_a_change_of_what_is_no_longer_live_is_refused(store: Store, base: int | None) -> None:
    publish(store, source("one"), base=None, author="moderator:bea")

    with pytest.raises(RulesetConflict) as refused:
        publish(store, source("two"), base=base)

    assert (refused.value.number, refused.value.author) == (1, "moderator:bea")
    assert live(store) == publish_count(store, 1)


def publish_count(store: Store, count: int) -> RulesetVersion:
    """Return the newest of exactly `count` versions."""
    with store.read() as db:
        versions = rulesets.history(db, 100)
    assert len(versions) == count
    return versions[0]


def test_of_two_who_publish_at_once_one_is_told(store: Store) -> None:
    publish(store, source("one"), base=None)

    outcomes = at_once(
        [lambda text=text: publish(store, source(text), base=1) for text in ("two", "three")]  # type: ignore[misc]
    )

    refused = [outcome for outcome in outcomes if isinstance(outcome, RulesetConflict)]
    assert len(refused) == 1
    assert publish_count(store, 2).number == 2


def test_only_what_is_kept_can_be_published(store: Store) -> None:
    with store.write() as db, pytest.raises(RulesetNotFound):
        rulesets.publish(db, "0" * 12, base=None, author="x", note="", now=NOW)
    with store.read() as db, pytest.raises(RulesetNotFound):
        rulesets.version_by_number(db, 3)
    with store.read() as db, pytest.raises(RulesetNotFound):
        rulesets.source_of(db, "0" * 12)


def test_a_revert_is_a_version_of_its_own(store: Store) -> None:
    first = publish(store, source("one"), base=None)
    publish(store, source("two"), base=1)

    third = publish(store, source("one"), base=2)

    assert (third.number, third.hash) == (3, first.hash)


def test_a_version_tells_which_rules_it_changed(store: Store) -> None:
    publish(store, source("one"), base=None, rules=outline("slur", "flood"))
    mixed = [*outline("slur"), *outline("flood", digest="b"), *outline("new")]

    second = publish(store, source("two"), base=1, rules=mixed)

    assert second.changed == ("flood", "new")
    with store.read() as db:
        assert rulesets.outline_of(db, second.hash) == mixed


# --- the ruleset that ships ----------------------------------------------------


def test_the_first_start_publishes_what_ships_and_the_second_nothing(store: Store) -> None:
    first = shipped(store, source("one"))

    assert first is not None
    assert (first.number, first.author) == (1, SHIPPED_BY)
    assert shipped(store, source("one")) is None


def test_an_upgrade_replaces_what_nobody_touched_and_an_old_program_does_not(
    store: Store,
) -> None:
    shipped(store, source("one"))

    second = shipped(store, source("two"))

    assert second is not None
    assert second.number == 2
    assert shipped(store, source("one")) is None
    assert live(store) == second


def test_an_upgrade_leaves_alone_what_people_chose(store: Store) -> None:
    shipped(store, source("one"))
    chosen = publish(store, source("ours"), base=1)

    assert shipped(store, source("two")) is None
    assert live(store) == chosen


# --- rules in the shadow -------------------------------------------------------


def brake(store: Store, version: int, rule: str) -> bool:
    """Put a rule into the shadow."""
    with store.write() as db:
        return rulesets.add_state(
            db, version, RuleState(rule, Hindrance.BRAKED, "Holds 7 % by itself", NOW)
        )


def in_the_shadow(store: Store) -> set[str]:
    """Return the rules of the live version that run in the shadow."""
    with store.read() as db:
        found = rulesets.live_with_states(db)
    assert found is not None
    return set(found[2])


def test_a_rule_is_put_into_the_shadow_once(store: Store) -> None:
    publish(store, source("one"), base=None, rules=outline("slur"))

    assert brake(store, 1, "slur")
    assert not brake(store, 1, "slur")

    with store.read() as db:
        assert rulesets.live_with_states(db) == (1, source("one").hash, frozenset({"slur"}))
        [state] = rulesets.states_of(db, 1)
    assert (state.rule, state.why, state.since) == ("slur", "Holds 7 % by itself", NOW)


@pytest.mark.parametrize(
    ("content", "rules", "left"),
    [
        pytest.param("one", outline("slur", "flood"), set(), id="confirmed"),
        pytest.param(
            "two", [*outline("slur", digest="b"), *outline("flood")], {"flood"}, id="one changed"
        ),
        pytest.param("two", outline("flood", "new"), {"flood"}, id="one removed"),
    ],
)
def test_a_rule_comes_back_when_it_is_changed_or_confirmed(
    store: Store, content: str, rules: list[RuleOutline], left: set[str]
) -> None:
    publish(store, source("one"), base=None, rules=outline("slur", "flood"))
    for rule in ("slur", "flood"):
        brake(store, 1, rule)

    publish(store, source(content), base=1, rules=rules)

    assert in_the_shadow(store) == left


# --- what is kept --------------------------------------------------------------


def test_what_was_only_tried_is_forgotten(store: Store) -> None:
    published = publish(store, source("one"), base=None)
    with store.write() as db:
        rulesets.keep(db, source("draft"), (), NOW)

    with store.write() as db:
        assert rulesets.forget_unpublished(db, NOW, 10) == 0
        assert rulesets.forget_unpublished(db, NOW + timedelta(days=1), 10) == 1

    with store.read() as db:
        assert rulesets.source_of(db, published.hash) == source("one")
        with pytest.raises(RulesetNotFound):
            rulesets.source_of(db, source("draft").hash)


def test_a_difference_names_files_and_lines() -> None:
    old = RulesetSource("format: 1\nrules: []\n", {"lists/gone.txt": "a\n"})
    new = RulesetSource("format: 1\nrules: [x]\n", {"lists/new.txt": "b\nc\n"})

    assert difference(old, new).splitlines() == [
        "--- rules.yaml",
        "+++ rules.yaml",
        "@@ -1,2 +1,2 @@",
        " format: 1",
        "-rules: []",
        "+rules: [x]",
        "--- lists/gone.txt",
        "+++ /dev/null",
        "@@ -1 +0,0 @@",
        "-a",
        "--- /dev/null",
        "+++ lists/new.txt",
        "@@ -0,0 +1,2 @@",
        "+b",
        "+c",
    ]
    assert difference(None, new).startswith("--- /dev/null\n+++ rules.yaml\n")
    assert difference(new, new) == ""
