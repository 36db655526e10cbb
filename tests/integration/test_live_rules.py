"""Workers follow the live ruleset of the record, whatever Redis or a bad one does."""

from datetime import UTC, datetime
from typing import Any
from unittest.mock import Mock

import pytest
import redis
import sqlalchemy as sa

from service.domain.comment import Author, Submission, ThreadRef
from service.domain.errors import StoreUnavailable
from service.domain.payload import submission_to_json
from service.domain.ruleset import SHIPPED_BY, Hindrance, RulesetSource, RuleState
from service.jobs import MODERATION, connect
from service.storage import rulesets
from service.storage.tables import ruleset_versions
from tests.integration.test_metrics import scrape
from tests.support.judging import shipped
from tests.support.versions import publish, rule, ruleset, says
from tests.support.world import World
from worker.queue_worker import QueueWorker
from worker.rulesets import LiveRules

on_both = pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])


@pytest.fixture
def dialect() -> str:
    """One database is enough here."""
    return "sqlite"


def publish_unexamined(world: World, source: RulesetSource) -> None:
    """Make a ruleset live that nobody looked at."""
    now = datetime.now(UTC)
    with world.store.write() as db:
        live = rulesets.live_version(db)
        rulesets.keep(db, source, (), now)
        base = live.number if live else None
        rulesets.publish(db, source.hash, base=base, author="moderator:x", note="", now=now)


def check_of(world: World, body: str) -> dict[str, Any]:
    """Return what the check of a text carries."""
    submission = Submission(ThreadRef("anywhere"), Author(name="Ann"), body)
    return {"site_id": world.site.id, "submission": submission_to_json(submission)}


def damage(world: World, ruleset_hash: str) -> None:
    """Spoil what the record keeps of a ruleset, as far as the database lets it happen."""
    text, kind = ('{"rules": "form', "TEXT")
    if world.store.dialect == "postgresql":
        # It keeps whole JSON only.
        text, kind = ('{"rules": "form"}', "JSON")
    spoil = sa.text(f"UPDATE rulesets SET source = CAST(:text AS {kind}) WHERE hash = :hash")
    with world.store.write() as db:
        db.execute(spoil, {"text": text, "hash": ruleset_hash})


def unpublish_everything(world: World) -> None:
    """Leave the record without any version."""
    with world.store.write() as db:
        db.execute(sa.delete(ruleset_versions))


def test_the_first_worker_publishes_what_ships(world: World) -> None:
    world.runtime.warm_up()
    LiveRules(world.store).prepare()

    with world.store.read() as db:
        [version] = rulesets.history(db, 10)
        rules = rulesets.outline_of(db, version.hash)
    assert (version.number, version.hash, version.author) == (1, shipped().hash, SHIPPED_BY)
    assert [rule.id for rule in rules] == [rule.id for rule in shipped().rules]


def test_a_new_version_judges_the_very_next_comment(
    world: World, redis_client: redis.Redis
) -> None:
    assert world.status(world.judged_comment(body="Buy a zeppelin")) == "approved"
    version = publish(world.store, ruleset(says("zeppelin")))
    redis_client.flushall()

    comment_id = world.post_comment(body="Buy another zeppelin")
    world.runtime.moderate([comment_id])

    assert world.status(comment_id) == "held"
    assert world.verdict(comment_id)["ruleset"] == version.hash
    assert world.verdict(comment_id)["hits"][0]["why"] == "Says zeppelin"
    assert world.runtime.facts() == {"ruleset": version.hash, "ruleset_failed": ""}


def test_a_ruleset_that_does_not_load_leaves_the_last_good_one(world: World) -> None:
    publish(world.store, ruleset(says("zeppelin")))
    world.runtime.facts()
    bad = RulesetSource("format: 1\nrules: nonsense\n")
    publish_unexamined(world, bad)

    held = world.judged_comment(body="Buy a zeppelin")

    assert world.verdict(held)["hits"][0]["rule"] == "word"
    good = ruleset(says("zeppelin")).hash
    assert world.runtime.facts() == {"ruleset": good, "ruleset_failed": bad.hash}
    publish(world.store, ruleset(says("balloon")))
    assert world.runtime.facts()["ruleset_failed"] == ""


@on_both
def test_a_damaged_ruleset_leaves_the_last_good_one(world: World, worker: QueueWorker) -> None:
    publish(world.store, ruleset(says("zeppelin")))
    beat(worker)
    damaged = publish(world.store, ruleset(says("balloon")))
    damage(world, damaged.hash)

    held = world.judged_comment(body="Buy a zeppelin")
    beat(worker)

    good = ruleset(says("zeppelin")).hash
    assert world.verdict(held)["ruleset"] == good
    assert world.runtime.facts() == {"ruleset": good, "ruleset_failed": damaged.hash}
    assert "could not load the live ruleset" in told(world)["warning"]
    assert scrape(world.client)[("anteroom_ruleset_failures",)] == 1
    newer = publish(world.store, ruleset(says("airship")))
    assert world.runtime.facts() == {"ruleset": newer.hash, "ruleset_failed": ""}


@on_both
def test_a_damaged_ruleset_and_none_before_hold_everything(world: World) -> None:
    damage(world, publish(world.store, ruleset(says("balloon"))).hash)

    comment_id = world.judged_comment(body="A calm remark.")
    beat(listed(world))

    assert world.status(comment_id) == "held"
    assert world.rules_hit(comment_id) == {"no-ruleset"}
    assert "holds every comment" in told(world)["warning"]
    assert scrape(world.client)[("anteroom_ruleset_failures",)] == 1


def test_a_ruleset_that_breaks_what_compiles_it_leaves_the_last_good_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(world.store, ruleset(says("zeppelin")))
    world.runtime.facts()
    bad = publish(world.store, ruleset(says("balloon")))
    monkeypatch.setattr("worker.rulesets.load", Mock(side_effect=RecursionError))

    good = ruleset(says("zeppelin")).hash
    assert world.runtime.facts() == {"ruleset": good, "ruleset_failed": bad.hash}


def test_a_ruleset_that_cannot_be_read_while_the_database_is_away_is_read_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = publish(world.store, ruleset(says("zeppelin")))
    rules = LiveRules(world.store)
    with monkeypatch.context() as away, world.store.read() as db:
        away.setattr(rulesets, "source_of", Mock(side_effect=StoreUnavailable))
        with pytest.raises(StoreUnavailable):
            rules.current(db)

    assert rules.facts["ruleset_failed"] == ""
    assert rules.prepare().hash == version.hash


def test_without_a_ruleset_everything_is_held_and_judged_again_later(world: World) -> None:
    world.runtime.warm_up()
    unpublish_everything(world)

    comment_id = world.judged_comment(body="A calm remark.")

    [reason] = world.verdict(comment_id)["hits"]
    assert (reason["rule"], reason["category"]) == ("no-ruleset", "engine")
    assert world.status(comment_id) == "held"
    publish(world.store, ruleset(says("zeppelin")))
    assert world.moderation.mend() == 1
    world.run_worker_once()
    assert world.status(comment_id) == "approved"
    kinds = [event.kind for event in world.events(comment_id)]
    assert kinds == ["verdict", "retried", "verdict"]


def test_a_worker_that_never_had_a_good_ruleset_holds_everything(world: World) -> None:
    publish_unexamined(world, RulesetSource("format: 1\n"))

    comment_id = world.judged_comment(body="A calm remark.")

    assert world.rules_hit(comment_id) == {"no-ruleset"}


def test_a_rule_that_was_put_aside_runs_in_the_shadow(world: World) -> None:
    version = publish(world.store, ruleset(says("zeppelin"), says("balloon", "other")))
    state = RuleState("word", Hindrance.BRAKED, "Held too much", datetime.now(UTC))
    with world.store.write() as db:
        rulesets.add_state(db, version.number, state)

    comment_id = world.judged_comment(body="Buy a zeppelin")

    assert world.status(comment_id) == "approved"
    [hit] = world.verdict(comment_id)["hits"]
    assert (hit["rule"], hit["mode"]) == ("word", "shadow")


def test_a_check_is_judged_by_the_newest_rules_too(world: World) -> None:
    publish(world.store, ruleset(says("zeppelin")))

    assert world.runtime.check(check_of(world, "zeppelin"))["status"] == "held"
    publish(world.store, ruleset(says("balloon")))
    assert world.runtime.check(check_of(world, "zeppelin"))["status"] == "approved"


def test_the_digest_of_a_rule_stands_for_all_it_depends_on(world: World) -> None:
    listed = "{ words: { list: bad } }"
    one = publish(world.store, ruleset(rule(listed), says("balloon", "other"), bad="zeppelin\n"))
    two = publish(world.store, ruleset(rule(listed), says("balloon", "other"), bad="airship\n"))
    same = ruleset(rule(listed), says("balloon", "other"), bad="airship\n")
    three = publish(world.store, RulesetSource(f"{same.rules}# a remark\n", same.lists))

    assert one.changed == ("word", "other")
    assert two.changed == ("word",)
    assert three.changed == ()


# --- what others see of it -----------------------------------------------------


@pytest.fixture
def worker(world: World) -> QueueWorker:
    """A worker that told Redis that it lives."""
    return listed(world)


def listed(world: World) -> QueueWorker:
    """Return a worker that told Redis that it lives."""
    connection = connect(world.settings.redis_url)
    worker = QueueWorker(MODERATION, connection, world.runtime.facts)
    worker.register_birth()  # type: ignore[no-untyped-call]  # RQ has no types here
    return worker


def told(world: World) -> Any:
    """Return what /readyz tells of the rules."""
    return world.client.get("/readyz").get_json()["ruleset"]


def beat(worker: QueueWorker) -> None:
    """Let the worker tell that it lives, as it does while it waits for jobs."""
    worker.heartbeat(timeout=20)


def test_operators_see_which_ruleset_each_worker_runs(world: World, worker: QueueWorker) -> None:
    first = publish(world.store, ruleset(says("zeppelin")))
    beat(worker)
    running = [{"queue": "moderation", "ruleset": first.hash, "failed": ""}]
    assert told(world) == {"live": first.hash, "workers": running, "warning": None}

    second = publish(world.store, ruleset(says("balloon")))

    behind = told(world)
    assert (behind["live"], behind["workers"]) == (second.hash, running)
    assert behind["warning"] == "1 workers do not run the live ruleset yet."
    beat(worker)
    assert told(world)["workers"][0]["ruleset"] == second.hash


def test_operators_see_it_again_after_redis_forgot(
    world: World, worker: QueueWorker, redis_client: redis.Redis
) -> None:
    beat(worker)
    redis_client.flushall()
    beat(worker)

    assert [one["ruleset"] for one in told(world)["workers"]] == [shipped().hash]


def test_operators_are_told_of_a_ruleset_that_does_not_load(
    world: World, worker: QueueWorker
) -> None:
    publish(world.store, ruleset(says("zeppelin")))
    beat(worker)
    publish_unexamined(world, RulesetSource("format: 1\nrules: nonsense\n"))
    beat(worker)

    assert "could not load the live ruleset" in told(world)["warning"]
    figures = scrape(world.client)
    assert figures[("anteroom_ruleset_failures",)] == 1
    good = ruleset(says("zeppelin")).hash
    assert figures[("anteroom_worker_rulesets", "moderation", good)] == 1


def test_operators_are_told_when_nothing_runs(world: World, worker: QueueWorker) -> None:
    world.runtime.warm_up()
    unpublish_everything(world)
    beat(worker)

    assert told(world)["live"] is None
    assert "holds every comment" in told(world)["warning"]


def test_rules_that_were_put_aside_and_run_times_are_figures(
    world: World, worker: QueueWorker
) -> None:
    version = publish(world.store, ruleset(says("zeppelin")))
    state = RuleState("word", Hindrance.SWITCHED_OFF, "Failed", datetime.now(UTC))
    with world.store.write() as db:
        rulesets.add_state(db, version.number, state)
    world.runtime.moderate([world.post_comment() for _ in range(100)])

    figures = scrape(world.client)

    assert figures[("anteroom_ruleset_info", version.hash)] == 1
    assert figures[("anteroom_rules_put_aside", "word", "off")] == 1
    assert 0 < figures[("anteroom_rule_seconds", "word")] < 0.05
