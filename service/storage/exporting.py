"""Reading every comment out, one after the other, for export."""

from collections.abc import Iterator

import sqlalchemy as sa

from service.domain.comment import Comment, Status
from service.storage import Store
from service.storage.akismet import NATIVE
from service.storage.comments import row_to_comment, select_comments
from service.storage.tables import comments, sites, threads

_BATCH = 500


def every_comment(
    store: Store,
    *,
    site: str | None = None,
    status: Status | None = None,
    by_thread: bool = False,
) -> Iterator[Comment]:
    """Yield all comments in the order of arrival, of one site or status if given.

    With `by_thread` one thread comes after the other, in each a comment before the
    replies to it, and nothing that was only checked for a website that shows it itself.
    """
    # The time is in the id, and that of a reply may be before that of what it answers.
    place = (comments.c.thread_id, comments.c.depth, comments.c.id)
    order = place if by_thread else place[-1:]
    query = select_comments().order_by(*order)
    if by_thread:
        query = query.where(threads.c.source == NATIVE)
    if site is not None:
        query = query.where(sites.c.slug == site)
    if status is not None:
        query = query.where(comments.c.status == status)
    with store.read() as db:
        if db.dialect.name == "postgresql":
            db.execute(sa.text("SET LOCAL statement_timeout = 0"))
        for row in db.execute(query.execution_options(yield_per=_BATCH)):
            yield row_to_comment(row)
