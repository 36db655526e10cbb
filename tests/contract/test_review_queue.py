"""What moderators look at, on every database."""

from datetime import timedelta
from typing import Any

import pytest

from service.domain.comment import Author, CommentId, Status
from service.domain.decision import Decision
from service.storage.comments import comment_by_id
from service.storage.reviewing import (
    AuthorHistory,
    ReviewFilter,
    author_history,
    counts_by_status,
    review_item,
    review_list,
)
from tests.contract.desk import Desk


def listed(desk: Desk, limit: int = 50, **wanted: Any) -> list[CommentId]:
    """Return the ids that a filter lets through, in order."""
    with desk.store.read() as db:
        page = review_list(db, ReviewFilter(**wanted), limit=limit)
    return [item.comment.id for item in page.items]


def severe(desk: Desk, severity: int) -> CommentId:
    """Return a held comment of that severity."""
    comment_id = desk.submit()
    desk.judge(comment_id, points=10 * severity)
    return comment_id


def history_of(desk: Desk, comment_id: CommentId) -> AuthorHistory:
    """Return the history of the comment's author."""
    with desk.store.read() as db:
        return author_history(db, desk.get(comment_id))


def test_the_worst_come_first_and_among_equals_the_oldest(desk: Desk) -> None:
    mild, worst, bad, mild_too = (severe(desk, number) for number in (1, 3, 2, 1))

    assert listed(desk, status=Status.HELD) == [worst, bad, mild, mild_too]


def test_pages_follow_each_other_without_gap_or_repetition(desk: Desk) -> None:
    for severity in (1, 3, 2, 1, 3, 1, 2):
        severe(desk, severity)
    whole, pages, place = listed(desk), [], None

    with desk.store.read() as db:
        while True:
            page = review_list(db, ReviewFilter(), limit=2, after=place)
            pages.append([item.comment.id for item in page.items])
            place = page.next
            if place is None:
                break

    assert [len(page) for page in pages] == [2, 2, 2, 1]
    assert [each for page in pages for each in page] == whole


def test_a_last_page_that_is_full_has_no_next(desk: Desk) -> None:
    severe(desk, 1)
    severe(desk, 1)

    with desk.store.read() as db:
        assert review_list(db, ReviewFilter(), limit=2).next is None


def test_a_comment_decided_between_pages_shifts_none_of_the_others(desk: Desk) -> None:
    first, second, third = (severe(desk, 1) for _ in range(3))
    with desk.store.read() as db:
        page = review_list(db, ReviewFilter(status=Status.HELD), limit=2)
    desk.decide(first, Decision.APPROVE)

    with desk.store.read() as db:
        following = review_list(db, ReviewFilter(status=Status.HELD), limit=2, after=page.next)

    assert [item.comment.id for item in page.items] == [first, second]
    assert [item.comment.id for item in following.items] == [third]


def test_the_list_carries_the_whole_evidence(desk: Desk) -> None:
    comment_id = desk.held("Buy secret words.")

    with desk.store.read() as db:
        item = review_item(db, comment_id)

    assert item is not None
    assert (item.comment, item.severity) == (desk.get(comment_id), 1)
    assert item.evidence == desk.evidence(comment_id)
    assert item.evidence["hits"][0]["why"] == "Quotes secret words"


def test_a_comment_that_nobody_judged_yet_has_no_evidence(desk: Desk) -> None:
    comment_id = desk.submit()

    with desk.store.read() as db:
        item = review_item(db, comment_id)

    assert item is not None
    assert item.evidence is None


def test_an_unknown_comment_cannot_be_reviewed(desk: Desk) -> None:
    with desk.store.read() as db:
        assert review_item(db, CommentId("nothing")) is None


def test_filters_narrow_the_list(desk: Desk) -> None:
    other_site = desk.add_site("other")
    pending = desk.submit(thread="first")
    links = desk.held(thread="first")
    words = desk.submit(thread="second", caller=other_site)
    desk.judge(words, rule="listed-word")

    assert listed(desk, status=Status.PENDING) == [pending]
    assert listed(desk, category="links") == [links, words]
    assert listed(desk, category="policy") == []
    assert listed(desk, rule="listed-word") == [words]
    assert listed(desk, site="news") == [links, pending]
    assert listed(desk, site="nowhere") == []
    assert listed(desk, thread="second") == [words]
    assert listed(desk, site="news", thread="first", rule="two-links") == [links]


def test_the_age_filter_includes_its_beginning_and_excludes_its_end(desk: Desk) -> None:
    comment_id = desk.held()
    created_at = desk.get(comment_id).created_at
    instant = timedelta(milliseconds=1)

    assert listed(desk, created_from=created_at) == [comment_id]
    assert listed(desk, created_from=created_at + instant) == []
    assert listed(desk, created_before=created_at) == []
    assert listed(desk, created_before=created_at + instant) == [comment_id]


def test_an_author_is_found_by_name_by_proven_id_or_by_hashed_address(desk: Desk) -> None:
    ann = desk.held(author=Author("Ann Smith", "ann@mail.example", verified_id="u17"))
    desk.held(author=Author("Bob", "bob@mail.example", verified_id="u170"))

    assert listed(desk, author="smith") == [ann]
    assert listed(desk, author="u17") == [ann]
    assert listed(desk, email_hash=desk.keyring.hash("email", "ann@mail.example")) == [ann]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("secret", True),
        ("SECRET", True),
        ("100% off_er", True),
        ("/slash", True),
        ("back\\slash", True),
        ("it's", True),
        ("kerstin", True),
        ("100x off_er", False),
        ("off-er", False),
        ("%secret%", False),
        ("_ecret", False),
        ("' OR 1=1 --", False),
    ],
)
def test_a_search_means_what_was_typed(desk: Desk, text: str, found: bool) -> None:
    body = "It's secret: 100% off_er, a /slash and a back\\slash"
    comment_id = desk.held(body, author=Author("Kerstin"))

    assert listed(desk, text=text) == ([comment_id] if found else [])


def test_counts_tell_every_status_and_its_oldest(desk: Desk) -> None:
    first, _, _ = desk.held(), desk.held(), desk.approved()
    elsewhere = desk.submit(caller=desk.add_site("other"))

    with desk.store.read() as db:
        everywhere, news = counts_by_status(db), counts_by_status(db, "news")

    assert set(everywhere) == set(Status)
    assert everywhere[Status.HELD].count == 2
    assert everywhere[Status.HELD].oldest == desk.get(first).created_at
    assert everywhere[Status.PENDING].oldest == desk.get(elsewhere).created_at
    assert (everywhere[Status.SPAM].count, everywhere[Status.SPAM].oldest) == (0, None)
    assert (news[Status.HELD].count, news[Status.PENDING].count) == (2, 0)


def test_a_history_keeps_what_is_proven_apart_from_what_is_claimed(desk: Desk) -> None:
    proven = Author("Ann", "ann@mail.example", verified_id="u17")
    impostor = Author("Ann", "ANN@mail.example")
    first = desk.approved(author=proven)
    desk.decide(desk.held(author=proven), Decision.SPAM)
    claims_to_be_ann = desk.held(author=impostor)
    desk.approved(author=proven, caller=desk.add_site("other"))

    history = history_of(desk, claims_to_be_ann)
    assert history.proven is None
    assert history.claimed is not None
    assert history.claimed.by_status == {Status.APPROVED: 1, Status.SPAM: 1, Status.HELD: 1}

    history = history_of(desk, first)
    assert history.proven is not None
    assert history.proven.by_status == {Status.APPROVED: 1, Status.SPAM: 1}
    assert (history.proven.total, history.proven.first_seen) == (2, desk.get(first).created_at)


def test_an_author_without_any_identity_has_no_history(desk: Desk) -> None:
    nobody = desk.held(author=Author("Anonymous"))

    assert history_of(desk, nobody) == AuthorHistory(proven=None, claimed=None)


def test_a_comment_is_seen_only_by_its_own_site(desk: Desk) -> None:
    comment_id, other = desk.held(), desk.add_site("other")

    with desk.store.read() as db:
        assert comment_by_id(db, comment_id, desk.site.id) is not None
        assert comment_by_id(db, comment_id, other.site.id) is None


def test_a_stored_comment_is_what_was_sent(desk: Desk) -> None:
    author = Author(
        "Ann", "ann@mail.example", "https://ann.example", "203.0.113.7", "A browser",
        "https://search.example", "u17", email_verified=True,
    )  # fmt: skip

    comment = desk.get(desk.submit("Grüße\n\tund 👋🏽", author=author, external_id="42"))

    assert (comment.author, comment.body) == (author, "Grüße\n\tund 👋🏽")
    assert (comment.site_slug, comment.thread.key, comment.external_id) == (
        "news", "an-article", "42",
    )  # fmt: skip
    assert (comment.status, comment.version, comment.root_id) == (Status.PENDING, 1, comment.id)
