"""Comments and contexts to judge, without a database."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from service.domain.comment import Author, Comment, CommentId, SiteId, Status, ThreadId, ThreadRef
from service.domain.history import AuthorHistory
from service.domain.verdict import Verdict
from worker.context import Context
from worker.engine import judge
from worker.ruleset import Ruleset
from worker.ruleset.shipped import load_ruleset

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
STRANGER = Author(name="Ann", email="ann@example.com")
#: An author whom the website vouches for and whom people approved before.
REGULAR = Author(name="Ann", email="ann@example.com", verified_id="user-7")
RECORD = AuthorHistory(approved=3, seen=3)


@cache
def shipped() -> Ruleset:
    """Return the ruleset that ships."""
    return load_ruleset()


def a_comment(body: str = "A calm remark.", **fields: Any) -> Comment:
    """Return a comment that waits for its verdict."""
    given: dict[str, Any] = {
        "id": CommentId("00000000-0000-7000-8000-000000000001"),
        "site_id": SiteId(1),
        "site_slug": "news",
        "thread_id": ThreadId(1),
        "thread": ThreadRef("article"),
        "status": Status.PENDING,
        "version": 1,
        "author": STRANGER,
        "body": body,
        "created_at": NOON,
    }
    return Comment(**(given | fields))


def verdict_on(body: str = "A calm remark.", /, **given: Any) -> Verdict:
    """Return the shipped rules' verdict; keywords are fields of the comment or its context."""
    known = Context.__dataclass_fields__
    context = {name: given.pop(name) for name in list(given) if name in known}
    return judge(a_comment(body, **given), shipped(), Context(**({"at": NOON} | context)))


def rules_of(verdict: Verdict) -> set[str]:
    """Return the names of the rules that matched."""
    return {hit.rule for hit in verdict.hits}
