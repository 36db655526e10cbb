"""The worker's side: comments are judged once, completely, and people prevail."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import redis
import sqlalchemy as sa

from service.domain.comment import Author, CommentId, Status, Submission, ThreadRef
from service.domain.decision import Decision, EventKind
from service.domain.payload import submission_to_json
from service.domain.site import Moderation
from service.jobs import JobQueue
from service.storage import judging
from service.storage.tables import comments, events, hits, verdicts
from tests.support.judging import FixedRules, shipped
from tests.support.world import World, comment_json
from worker.hand import Hand
from worker.mailservers import MailServers
from worker.ruleset import Match, Rule
from worker.runtime import NotRecorded, Runtime
from worker.signals.comment import Signals

TWO_LINKS = "compare http://example.com/a with http://example.org/b"
LONG_TEXT = "The very same words, said again and again by everybody."


def runtime_with(world: World, *rules: Rule, **changes: Any) -> Runtime:
    """Return a runtime over the world whose ruleset has further rules."""
    given: dict[str, Any] = {
        "store": world.store,
        "jobs": world.jobs,
        "rules": FixedRules(world.store, replace(shipped(), rules=shipped().rules + rules)),
        "mail_servers": MailServers(lookup=lambda _: None),
    }
    return Runtime(changes.pop("settings", world.settings), **(given | changes))


def count(world: World, table: sa.Table, comment_id: CommentId) -> int:
    """Return how many rows of a table belong to a comment."""
    where = table.c.comment_id == comment_id
    with world.store.read() as db:
        return db.execute(sa.select(sa.func.count()).select_from(table).where(where)).scalar_one()


def metrics(client: redis.Redis) -> dict[str, float]:
    """Return the figures that workers counted."""
    found: Any = client.hgetall("anteroom:metrics")
    return {name.decode(): float(value) for name, value in found.items()}


def test_a_calm_comment_is_approved_with_its_evidence(world: World) -> None:
    comment_id = world.judged_comment(body="I see it otherwise, politely.")

    row, verdict = world.row(comment_id), world.verdict(comment_id)
    assert (row.status, row.version, row.severity, row.pending_since) == ("approved", 2, 0, None)
    assert row.judged_at is not None
    assert verdict["status"] == "approved"
    assert verdict["ruleset"] == shipped().hash
    [event] = world.events(comment_id)
    assert (event.kind, event.actor, event.from_status, event.to_status, event.version) == (
        EventKind.VERDICT,
        "rules",
        Status.PENDING,
        Status.APPROVED,
        2,
    )


def test_a_held_comment_keeps_every_reason(world: World) -> None:
    comment_id = world.judged_comment(body=f"you asshole, {TWO_LINKS}")

    assert world.status(comment_id) == "held"
    assert world.rules_hit(comment_id) == {"insult-at-you", "several-links"}
    assert count(world, hits, comment_id) == 2


def test_a_job_that_comes_twice_changes_nothing(world: World, redis_client: redis.Redis) -> None:
    comment_id = world.judged_comment()
    before = metrics(redis_client)

    world.runtime.moderate([comment_id])

    assert world.row(comment_id).version == 2
    assert count(world, events, comment_id) == count(world, verdicts, comment_id) == 1
    assert metrics(redis_client) == before


def test_verdicts_are_counted_for_operators(world: World, redis_client: redis.Redis) -> None:
    world.judged_comment()
    world.judged_comment(body=TWO_LINKS)

    figures = metrics(redis_client)
    assert figures["judge_count"] == 2
    assert (figures["verdicts:approved"], figures["verdicts:held"]) == (1, 1)
    assert figures["rule:several-links"] == 1
    assert figures["judge_seconds_sum"] > 0
    assert sum(value for name, value in figures.items() if name.startswith("judge_bucket:")) == 2


def test_a_person_who_decides_while_the_rules_run_prevails(
    world: World, redis_client: redis.Redis
) -> None:
    comment_id = world.post_comment(body="decide me")

    def somebody_decides(signals: Signals) -> Match | None:
        world.moderation.decide(
            signals.comment.id, Decision.REJECT, moderator=world.moderator, version=1
        )
        return None

    runtime_with(world, Rule("meddling", "spam", 10, "", somebody_decides)).moderate([comment_id])

    assert world.status(comment_id) == "rejected"
    assert [event.kind for event in world.events(comment_id)] == [EventKind.DECISION]
    assert count(world, verdicts, comment_id) == count(world, hits, comment_id) == 0
    assert metrics(redis_client) == {}


def test_the_same_text_again_and_again_is_held(world: World) -> None:
    several = [world.judged_comment(body=LONG_TEXT) for _ in range(4)]

    assert [world.status(comment_id) for comment_id in several] == [*["approved"] * 3, "held"]
    assert world.rules_hit(several[-1]) == {"same-text"}


def test_repetitions_within_one_batch_count_as_well(world: World) -> None:
    several = [world.post_comment(body=LONG_TEXT) for _ in range(5)]

    world.runtime.moderate(several)

    assert sorted(map(world.status, several)) == [*["approved"] * 3, "held", "held"]


def test_a_check_gives_a_verdict_and_keeps_nothing(world: World, redis_client: redis.Redis) -> None:
    for _ in range(5):
        answer = world.runtime.check(_payload(world, LONG_TEXT))
    held = world.runtime.check(_payload(world, TWO_LINKS))

    assert (answer["status"], held["status"]) == ("approved", "held")
    assert answer["verdict"]["signals"]["count.text.1h"] == 0
    assert held["verdict"]["hits"][0]["rule"] == "several-links"
    assert world.count() == 0
    assert redis_client.keys("anteroom:*") == []


def test_a_check_knows_what_site_and_thread_want(build_world: Callable[..., World]) -> None:
    world = build_world(moderation=Moderation.ALL)

    answer = world.runtime.check(_payload(world, "hello"))

    assert answer["status"] == "held"


def _payload(world: World, body: str) -> dict[str, Any]:
    author = Author(name="Ann", email="ann@mail.example")
    submission = Submission(ThreadRef("unheard-of"), author, body)
    return {"site_id": world.site.id, "submission": submission_to_json(submission)}


def test_a_site_that_reviews_everything_sees_what_the_rules_say_too(
    build_world: Callable[..., World],
) -> None:
    world = build_world(moderation=Moderation.ALL)

    calm = world.judged_comment()
    links = world.judged_comment(body=TWO_LINKS)

    assert world.status(calm) == "held"
    [reason] = world.verdict(calm)["hits"]
    assert reason["why"] == "This site reviews every comment"
    assert world.rules_hit(links) >= {"site-reviews-every-comment", "several-links"}


def test_a_record_under_a_proven_identity_opens_the_door_and_a_claimed_one_does_not(
    world: World,
) -> None:
    proven = {"email": "proven@mail.example", "verified_id": "user-7"}
    claimed = {"email": "claimed@mail.example"}
    for author in (proven, claimed):
        world.approved_comment(author=author)

    assert world.status(world.judged_comment(body=TWO_LINKS, author=proven)) == "approved"
    assert world.status(world.judged_comment(body=f"{TWO_LINKS} too", author=claimed)) == "held"


def test_anothers_proven_identity_at_another_site_is_no_record(world: World) -> None:
    author = {"email": "proven@mail.example", "verified_id": "user-7"}
    world.approved_comment(author=author)
    _, key = world.second_site()
    posted = world.post(comment_json(body=TWO_LINKS, author=author), key=key)

    world.run_worker_once()

    assert world.status(posted.get_json()["id"]) == "held"


def test_a_job_takes_others_with_it_while_jobs_wait(world: World) -> None:
    waiting = [world.post_comment() for _ in range(6)]

    world.runtime.moderate(waiting[:1])

    assert {world.status(comment_id) for comment_id in waiting} == {"approved"}


def test_a_job_alone_takes_only_what_it_names(world: World) -> None:
    first, second = world.post_comment(), world.post_comment()
    world.jobs.connection.delete("rq:queue:moderation")

    world.runtime.moderate([first])

    assert (world.status(first), world.status(second)) == ("approved", "pending")


def test_two_workers_do_not_take_the_same(redis_client: redis.Redis) -> None:
    ids = [CommentId(f"comment-{number}") for number in range(4)]
    one, other = Hand(redis_client, seconds=9), Hand(redis_client, seconds=9)

    assert one.take(ids[:3]) == ids[:3]
    assert other.take(ids) == ids[3:]
    one.put_back(ids[:1])
    assert other.take(ids) == ids[:1]
    assert 0 < redis_client.ttl(f"anteroom:hand:{ids[1]}") <= 9


def test_a_rule_that_takes_too_long_holds_that_comment_alone(
    world: World, make_settings: Callable[..., Any]
) -> None:
    slow, calm = world.post_comment(body="endless"), world.post_comment()

    def never_ends(signals: Signals) -> Match | None:
        while signals.comment.body == "endless":
            pass
        return None

    impatient = make_settings(RULE_SECONDS="0.05")
    rule = Rule("endless", "spam", 10, "", never_ends)
    runtime_with(world, rule, settings=impatient).moderate([slow, calm])

    assert (world.status(slow), world.status(calm)) == ("held", "approved")
    [reason] = world.verdict(slow)["hits"]
    assert (reason["category"], reason["why"]) == ("engine", "Checking this comment took too long")


def test_a_verdict_that_cannot_be_stored_harms_no_other(world: World) -> None:
    poison, calm = world.post_comment(body="poison"), world.post_comment()
    world.jobs.connection.delete("rq:queue:moderation")

    _unstorable_runtime(world).moderate([poison, calm])

    assert (world.status(poison), world.status(calm)) == ("pending", "approved")
    assert world.jobs.backlog() == 1, "the poisonous one waits in a job of its own"
    with pytest.raises(NotRecorded, match=poison):
        _unstorable_runtime(world).moderate([poison])
    assert world.status(poison) == "pending"


def _unstorable_runtime(world: World) -> Runtime:
    """Return a runtime that gives the text "poison" a verdict that the record refuses."""

    def check(signals: Signals) -> Match | None:
        return Match() if signals.comment.body == "poison" else None

    # Twice under one name: a comment cannot be hit twice by one rule.
    rule = Rule("twin", "spam", 1, "", check)
    return runtime_with(world, rule, rule)


def test_without_redis_comments_are_judged_and_repetition_is_absent(world: World) -> None:
    comment_id = world.post_comment()
    jobs = JobQueue("unix:///nowhere/redis.sock")

    runtime_with(world, jobs=jobs).moderate([comment_id])

    assert world.status(comment_id) == "approved"
    assert "count.text.1h" in world.verdict(comment_id)["absent"]


def test_a_comment_undone_to_pending_is_judged_again(world: World) -> None:
    comment_id = world.judged_comment(body=TWO_LINKS)
    with world.store.write() as db:
        db.execute(
            sa.update(comments)
            .where(comments.c.id == comment_id)
            .values(status="pending", version=3, body="no link any more")
        )

    world.runtime.moderate([comment_id])

    assert (world.status(comment_id), world.row(comment_id).version) == ("approved", 4)
    assert count(world, verdicts, comment_id) == 1
    assert count(world, hits, comment_id) == 0


def test_what_cannot_be_judged_is_held_with_a_plain_reason(world: World) -> None:
    waiting, decided = world.post_comment(), world.post_comment()
    world.moderation.decide(decided, Decision.APPROVE, moderator=world.moderator, version=1)

    with world.store.write() as db:
        held = judging.hold_unjudgeable(db, [waiting, decided], datetime.now(UTC))

    assert held == {waiting}
    assert (world.status(waiting), world.status(decided)) == ("held", "approved")
    [reason] = world.verdict(waiting)["hits"]
    assert (reason["rule"], reason["category"]) == ("could-not-be-judged", "engine")


def test_the_longest_waiting_come_first(world: World) -> None:
    several = [world.post_comment() for _ in range(4)]

    with world.store.read() as db:
        assert set(judging.oldest_pending(db, 10, most_attempts=2)) == set(several)
        assert judging.oldest_pending(db, 10, most_attempts=2, exclude=several[:3]) == several[3:]
        assert len(judging.oldest_pending(db, 2, most_attempts=2)) == 2


def test_a_history_tells_proof_from_claims(world: World) -> None:
    author = {"email": "ann@mail.example", "verified_id": "user-7"}
    for decision in (Decision.APPROVE, Decision.SPAM):
        comment_id = world.judged_comment(author=author)
        world.moderation.decide(comment_id, decision, moderator=world.moderator, version=2)
    proven = world.post_comment(author=author)
    claimed = world.post_comment(author={"email": "ann@mail.example"})

    with world.store.read() as db:
        pending = judging.pending_comments(db, [proven, claimed])
        histories = judging.author_histories(db, pending)

    known = histories[proven]
    assert (known.approved, known.rejected, known.seen) == (1, 1, 2)
    told = histories[claimed]
    assert (told.approved, told.rejected) == (0, 0)
    assert (told.claimed_approved, told.claimed_rejected, told.seen) == (1, 1, 2)


def test_an_undeliverable_address_is_a_hint(world: World) -> None:
    comment_id = world.judged_comment(author={"email": "a@takes-no-mail.example"})

    assert world.rules_hit(comment_id) == {"undeliverable-email"}
    assert world.status(comment_id) == "approved"
