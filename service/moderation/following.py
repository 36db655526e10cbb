"""What follows from what people decided before: new members of a campaign.

Called in the transaction that records the verdicts, so that nothing is
published in between. Only rejections are followed, never approvals.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection

from service.domain.comment import REVIEWABLE, CommentId
from service.domain.decision import EventKind
from service.storage import comments, following
from service.storage.comments import Cause


def follow(db: Connection, ids: Collection[CommentId], now: datetime) -> None:
    """Give the comments just judged the status that their campaign was given."""
    followed = following.new_members(db, list(ids), now)
    found = comments.locked_comments(db, followed) if followed else {}
    for comment_id, comment in found.items():
        decision = followed[comment_id]
        if comment.status not in REVIEWABLE:
            continue
        _, _, login = decision.actor.partition(":")
        cause = Cause(
            EventKind.DECISION,
            f"campaign:{login}",
            now,
            note="Follows the decision on its campaign",
            batch=decision.batch,
        )
        comments.change_status(db, comment, decision.decision.status, cause, {"decided_at": now})
