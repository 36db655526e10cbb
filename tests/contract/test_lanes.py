"""The lanes of the review queue, and searching in them, on every database."""

from typing import Any

import pytest
import sqlalchemy as sa

from service.domain.clock import utc_now
from service.domain.comment import Author, CommentId, Status
from service.domain.decision import Decision
from service.domain.lane import Lane
from service.domain.verdict import Hit, Total, Verdict
from service.storage import judging
from service.storage.lanes import LaneCount, lane_counts
from service.storage.reviewing import ReviewFilter, matching_ids, queue_rows
from service.storage.tables import samples, searchable
from tests.contract.desk import Desk


def listed(desk: Desk, limit: int = 50, **wanted: Any) -> list[CommentId]:
    """Return the ids that a filter lets through, in order."""
    with desk.store.read() as db:
        return matching_ids(db, ReviewFilter(**wanted), limit=limit)


def counts(desk: Desk, **wanted: Any) -> dict[Lane, LaneCount]:
    with desk.store.read() as db:
        return lane_counts(db, **wanted)


def judged(desk: Desk, *hits: tuple[str, int, str], body: str = "Words.") -> CommentId:
    """Return a held comment with hits of (category, points, mode)."""
    comment_id = desk.submit(body)
    found = tuple(
        Hit(f"rule-{number}", category, points, "Why", mode=mode, needed=mode == "live")  # type: ignore[arg-type]
        for number, (category, points, mode) in enumerate(hits)
    )
    totals = {category: Total(points, 10) for category, points, mode in hits if mode == "live"}
    verdict = Verdict(Status.HELD, "rules", utc_now(), 1.0, totals, found)
    with desk.store.write() as db:
        judging.record_verdicts(db, [judging.Judged(comment_id, 1, verdict)], desk.now)
    return comment_id


def test_only_what_is_far_over_for_spam_alone_is_likely_spam(desk: Desk) -> None:
    spam = judged(desk, ("spam", 20, "live"))
    doubtful = [
        judged(desk, ("spam", 19, "live")),
        judged(desk, ("abuse", 20, "live")),
        judged(desk, ("spam", 20, "live"), ("abuse", 1, "live")),
        judged(desk, ("abuse", 20, "live"), ("spam", 20, "shadow")),
    ]
    in_shadow = judged(desk, ("spam", 30, "live"), ("abuse", 10, "shadow"))

    assert listed(desk, lane=Lane.LIKELY_SPAM) == [in_shadow, spam]
    assert set(listed(desk, lane=Lane.REVIEW)) == set(doubtful)


def test_every_comment_stands_in_its_lane(desk: Desk) -> None:
    held, approved, pending = desk.held(), desk.approved(), desk.submit()
    rejected, spam, sampled = desk.held(), desk.held(), desk.approved()
    desk.decide(rejected, Decision.REJECT)
    desk.decide(spam, Decision.SPAM)
    with desk.store.write() as db:
        db.execute(sa.insert(samples).values(comment_id=sampled, rule="", at=desk.now))

    lanes = {lane: listed(desk, lane=lane) for lane in Lane}

    assert lanes == {
        Lane.REVIEW: [held],
        Lane.LIKELY_SPAM: [],
        Lane.SAMPLE: [sampled],
        Lane.APPROVED: [sampled, approved],
        Lane.REJECTED: [rejected],
        Lane.SPAM: [spam],
        Lane.PENDING: [pending],
        Lane.ALL: [sampled, spam, rejected, pending, approved, held],
    }
    found = counts(desk)
    assert {lane: count.count for lane, count in found.items()} == {
        lane: len(ids) for lane, ids in lanes.items() if lane is not Lane.ALL
    }
    assert found[Lane.REVIEW].oldest == desk.get(held).created_at


def test_what_people_refused_stands_in_the_order_of_their_decisions(desk: Desk) -> None:
    first, second, third = desk.held(), desk.held(), desk.held()
    for comment_id in (second, third, first):
        desk.decide(comment_id, Decision.REJECT)
        desk.now = utc_now()

    assert listed(desk, lane=Lane.REJECTED) == [first, third, second]


@pytest.mark.parametrize("lane", [Lane.REVIEW, Lane.REJECTED, Lane.APPROVED, Lane.ALL])
def test_pages_of_every_lane_follow_without_gap_or_repetition(desk: Desk, lane: Lane) -> None:
    for severity in (1, 3, 2, 1, 3):
        comment_id = judged(desk, ("abuse", 10 * severity, "live"))
        if lane in (Lane.REJECTED, Lane.APPROVED):
            decision = Decision.REJECT if lane is Lane.REJECTED else Decision.APPROVE
            desk.decide(comment_id, decision)
    whole, pages, place = listed(desk, lane=lane), [], None

    with desk.store.read() as db:
        while True:
            page = queue_rows(db, ReviewFilter(lane=lane), limit=2, after=place)
            pages += [row.id for row in page.rows]
            place = page.next
            if place is None:
                break

    assert pages == whole


def test_nothing_of_other_sites_is_counted_or_listed(desk: Desk) -> None:
    elsewhere = desk.add_site("other")
    own, foreign = desk.held(), desk.held(caller=elsewhere)

    ours = frozenset({desk.site.id})
    assert listed(desk, lane=Lane.REVIEW, sites=ours) == [own]
    assert listed(desk, lane=Lane.REVIEW, sites=frozenset({elsewhere.site.id})) == [foreign]
    assert listed(desk, lane=Lane.REVIEW, sites=frozenset()) == []
    assert counts(desk, site_ids=ours)[Lane.REVIEW].count == 1
    assert counts(desk, slug="other")[Lane.REVIEW].count == 1


def test_a_row_tells_the_comment_in_short(desk: Desk) -> None:
    comment_id = judged(desk, ("spam", 6, "live"), ("abuse", 10, "live"), body="x" * 500)

    with desk.store.read() as db:
        (row,) = queue_rows(db, ReviewFilter(), limit=5).rows

    assert (row.id, row.severity, len(row.excerpt)) == (comment_id, 1, 160)
    assert {hit.category for hit in row.hits} == {"spam", "abuse"}


@pytest.mark.parametrize("indexed", [True, False], ids=["indexed", "not indexed yet"])
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("secret", True),
        ("SECRET", True),
        ("cret: 100%", True),
        ("100% off_er", True),
        ('"quoted"', True),
        ("kerstin", True),
        ("秘密", True),
        ("很长的", True),
        ("секрет", True),
        ("сек", True),
        ("100x off_er", False),
        ("%secret%", False),
        ("_ecret", False),
        ('secret" OR "x', False),
        ("secret NOT", False),
    ],
)
def test_a_search_means_what_was_typed_in_every_script(
    desk: Desk, text: str, found: bool, indexed: bool
) -> None:
    body = 'It is secret: 100% off_er, "quoted", 这是很长的秘密文字, мой секрет'
    comment_id = desk.held(body, author=Author("Kerstin"))
    desk.held("Something else altogether")
    if indexed:
        assert desk.moderation.index() == 2

    assert listed(desk, lane=Lane.ALL, text=text) == ([comment_id] if found else [])


def test_what_came_after_the_index_is_found_too(desk: Desk) -> None:
    first = desk.held("a lighthouse")
    desk.moderation.index()
    second = desk.held("another lighthouse")

    assert listed(desk, text="lighthouse") == [first, second]
    assert desk.moderation.index() == 1
    assert desk.moderation.index() == 0
    assert listed(desk, text="lighthouse") == [first, second]


def test_a_text_that_is_deleted_leaves_the_index(desk: Desk) -> None:
    comment_id = desk.held("a lighthouse", author=Author("Ann", ip="203.0.113.7"))
    desk.moderation.index()

    desk.moderation.erase(comment_id, actor="system")

    with desk.store.read() as db:
        assert db.execute(sa.select(searchable)).all() == []
    assert listed(desk, text="lighthouse") == []
    assert desk.moderation.index() == 0


def test_an_address_that_is_deleted_leaves_the_index(desk: Desk) -> None:
    comment_id = desk.held(author=Author("Ann", ip="203.0.113.7"))
    desk.moderation.index()
    digest = desk.keyring.hash("address", "203.0.113.7")
    before = listed(desk, address_hash=digest)

    desk.set(comment_id, author_ip=None, author_ip_hash=None)

    assert before == [comment_id]
    assert listed(desk, address_hash=digest) == []


def test_matching_stops_at_a_bound(desk: Desk) -> None:
    for _ in range(3):
        desk.held()

    with desk.store.read() as db:
        assert len(matching_ids(db, ReviewFilter(), limit=2)) == 2
        assert len(matching_ids(db, ReviewFilter(), limit=9)) == 3
