"""What follows from what people said before: of a campaign, or of an author.

Called in the transaction that records the verdicts, so that nothing is
published in between. Of campaigns only rejections are followed, never
approvals. A muted author is held, never rejected; a trusted one passes over
holds for spam, never over anything else.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection

from service.domain.comment import Comment, CommentId, Status
from service.domain.decision import EventKind
from service.domain.standing import AuthorStanding, Standing
from service.storage import comments, following, reviewing, standings
from service.storage.comments import Cause
from service.storage.following import Followed

_SPAM = "spam"
#: Where comments of muted authors stand in the review queue.
_MUTED_SEVERITY = 1


def follow(db: Connection, ids: Collection[CommentId], now: datetime) -> None:
    """Move the comments just judged on to where people's earlier word puts them."""
    known = standings.standings_for(db, ids, now) if ids else {}
    followed = following.new_members(db, list(ids), now) if ids else {}
    moved = [*known, *followed]
    found = comments.locked_comments(db, moved) if moved else {}
    for comment_id, comment in found.items():
        if decision := followed.get(comment_id):
            _follow_campaign(db, comment, decision, now)
        else:
            _follow_standing(db, comment, known[comment_id], now)


def _follow_campaign(db: Connection, comment: Comment, decision: Followed, now: datetime) -> None:
    cause = Cause(
        EventKind.DECISION,
        f"campaign:{decision.actor.partition(':')[2]}",
        now,
        note="Follows the decision on its campaign",
        batch=decision.batch,
    )
    comments.change_status(db, comment, decision.decision.status, cause, {"decided_at": now})


def _follow_standing(
    db: Connection, comment: Comment, standing: AuthorStanding, now: datetime
) -> None:
    cause = Cause(
        EventKind.STANDING, standing.actor, now, note=f"Its author is {standing.standing}"
    )
    if standing.standing is Standing.MUTED and comment.status is Status.APPROVED:
        comments.change_status(db, comment, Status.HELD, cause, {"severity": _MUTED_SEVERITY})
    elif (
        standing.standing is Standing.TRUSTED
        and comment.status is Status.HELD
        and reviewing.live_categories(db, comment.id) == {_SPAM}
    ):
        comments.change_status(db, comment, Status.APPROVED, cause)
