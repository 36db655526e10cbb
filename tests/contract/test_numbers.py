"""What moderation did, in numbers, on every database."""

from datetime import UTC, timedelta

from service.domain.comment import Status
from service.domain.decision import Decision
from service.storage.numbers import Numbers, numbers
from tests.contract.desk import Desk

HOUR = timedelta(hours=1)


def counted(desk: Desk, days: int = 7, **wanted: object) -> Numbers:
    with desk.store.read() as db:
        return numbers(db, desk.now, days, **wanted)  # type: ignore[arg-type]


def test_every_day_tells_verdicts_and_decisions(desk: Desk) -> None:
    desk.approved()
    for decision in (Decision.APPROVE, Decision.REJECT, Decision.REJECT):
        desk.decide(desk.held(), decision)

    found = counted(desk)

    today = found.days[-1]
    assert len(found.days) == 7
    assert today.day == desk.now.astimezone(UTC).date()
    assert (today.approved, today.held, today.decided) == (1, 3, 3)
    assert today.decisions == {Decision.APPROVE: 1, Decision.REJECT: 2}
    assert (found.judged, found.approved_share, found.decided) == (4, 0.25, 3)
    assert found.by_moderator == [("mod", 3)]


def test_the_wait_is_from_the_verdict_to_the_decision(desk: Desk) -> None:
    begun = desk.now
    for hours in (1, 2, 3, 4, 50):
        desk.now = begun
        comment_id = desk.held()
        desk.now = begun + hours * HOUR
        desk.decide(comment_id)

    found = counted(desk)

    assert (found.median_wait, found.long_wait) == (3 * HOUR, 50 * HOUR)


def test_what_was_overturned_is_told_by_rule(desk: Desk) -> None:
    for decision in (Decision.APPROVE, Decision.SPAM, Decision.SPAM, Decision.SPAM):
        desk.decide(desk.held(), decision)
    desk.held()
    desk.now += HOUR

    (overturn,) = counted(desk).overturns

    assert (overturn.rule, overturn.overturned, overturn.judged) == ("two-links", 1, 4)
    assert overturn.share == 0.25


def test_nothing_of_other_sites_or_earlier_days_counts(desk: Desk) -> None:
    elsewhere = desk.add_site("other")
    desk.decide(desk.held(caller=elsewhere))
    assert counted(desk, sites=frozenset({desk.site.id})).judged == 0
    assert counted(desk, sites=frozenset({desk.site.id})).by_moderator == []
    ours = counted(desk, sites=frozenset({elsewhere.site.id}))
    assert (ours.decided, list(ours.overturns)) == (1, [])
    desk.now += timedelta(days=8)
    assert counted(desk).judged == 0


def test_before_anything_happened_there_is_nothing_to_tell(desk: Desk) -> None:
    found = counted(desk)

    assert (found.judged, found.approved_share, found.median_wait) == (0, None, None)
    assert desk.status(desk.submit()) is Status.PENDING
