"""Campaigns in the record: found by bands, bounded, forgotten with what they came from."""

from datetime import timedelta

import sqlalchemy as sa

from service.domain.clock import utc_now
from service.domain.comment import CommentId, Status
from service.storage import campaigns, judging
from service.storage.campaigns import Mark
from service.storage.tables import campaign_bands
from tests.contract.desk import Desk, verdict

NEW = Mark(f"{0xA0:032x}", ("0:00aa", "16:0000"))
OTHER = Mark(f"{0xB1:032x}", ("16:0000",))


def marked(desk: Desk, mark: Mark) -> CommentId:
    """Judge a new comment that belongs to a campaign; return its id."""
    comment_id = desk.submit()
    judged = judging.Judged(comment_id, 1, verdict(Status.APPROVED), mark)
    with desk.store.write() as db:
        judging.record_verdicts(db, [judged], utc_now())
    assert desk.row(comment_id).campaign == mark.campaign
    return comment_id


def under(desk: Desk, *bands: str) -> dict[str, list[str]]:
    """Return the campaigns under these bands."""
    with desk.store.read() as db:
        return dict(campaigns.campaigns_by_band(db, bands))


def test_a_campaign_is_found_by_each_of_its_bands(desk: Desk) -> None:
    marked(desk, NEW)
    marked(desk, OTHER)

    assert under(desk, "0:00aa", "48:ffff") == {"0:00aa": [NEW.campaign]}
    assert sorted(under(desk, "16:0000")["16:0000"]) == [NEW.campaign, OTHER.campaign]


def test_two_that_begin_the_same_campaign_do_no_harm(desk: Desk) -> None:
    marked(desk, NEW)
    marked(desk, NEW)

    assert under(desk, "0:00aa") == {"0:00aa": [NEW.campaign]}


def test_a_verdict_that_does_not_count_leaves_no_campaign(desk: Desk) -> None:
    comment_id = desk.held()
    judged = judging.Judged(comment_id, 1, verdict(Status.APPROVED), NEW)

    with desk.store.write() as db:
        assert judging.record_verdicts(db, [judged], utc_now()) == set()

    assert under(desk, "0:00aa") == {}
    assert desk.row(comment_id).campaign is None


def test_who_comes_later_takes_the_slot_of_one_before(desk: Desk) -> None:
    names = [f"{number:032x}" for number in range(campaigns.SLOTS + 2)]
    for name in names:
        marked(desk, Mark(name, ("0:00aa",)))

    assert sorted(under(desk, "0:00aa")["0:00aa"]) == names[2:]


def test_a_campaign_ends_a_month_after_its_last_comment(desk: Desk) -> None:
    ended, going_on = Mark(f"{0:032x}", ("0:0000",)), Mark(f"{1:032x}", ("0:0001",))
    for mark in (ended, going_on):
        marked(desk, mark)
    with desk.store.write() as db:
        db.execute(sa.update(campaign_bands).values(seen_at=utc_now() - timedelta(days=31)))
    marked(desk, going_on)

    assert desk.moderation.retain().campaigns == 1

    assert under(desk, "0:0000", "0:0001") == {"0:0001": [going_on.campaign]}


def test_erasing_the_last_comment_of_a_campaign_forgets_it(desk: Desk) -> None:
    first, second = marked(desk, NEW), marked(desk, NEW)

    desk.moderation.erase(first, actor="system")
    assert desk.row(first).campaign is None
    assert under(desk, "0:00aa") != {}
    desk.moderation.erase(second, actor="system")

    assert under(desk, "0:00aa") == {}
