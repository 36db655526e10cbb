"""Comments and contexts to judge, without a database."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection

from service.domain.comment import Author, Comment, CommentId, SiteId, Status, ThreadId, ThreadRef
from service.domain.history import AuthorHistory
from service.domain.verdict import Verdict
from service.storage import Store
from worker.context import Context
from worker.engine import judge
from worker.models.score import Score
from worker.ruleset import Ruleset
from worker.ruleset.shipped import load_ruleset
from worker.rulesets import Live, LiveRules
from worker.signals.comment import Signals

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
STRANGER = Author(name="Ann", email="ann@example.com")
#: An author whom the website vouches for and whom people approved before.
REGULAR = Author(name="Ann", email="ann@example.com", verified_id="user-7")
RECORD = AuthorHistory(approved=3, seen=3)


class Says:
    """Models that say the same of every comment, by the names of their scores."""

    facts: Mapping[str, str] = {}

    def __init__(self, **scores: float) -> None:
        self._scores = scores

    def score(self, name: str, signals: Signals) -> Score | None:
        """Return what was given."""
        return Score(self._scores[name]) if name in self._scores else None

    def version(self, model: str, signals: Signals) -> str | None:
        """Return that they are none."""
        return None


@cache
def shipped() -> Ruleset:
    """Return the ruleset that ships."""
    return load_ruleset()


class FixedRules(LiveRules):
    """Rules that no version of the record stands for; `None` is no rules at all."""

    def __init__(self, store: Store, ruleset: Ruleset | None) -> None:
        super().__init__(store)
        self._fixed = Live(ruleset)

    def prepare(self) -> Live:
        """Return the rules; nothing is published."""
        return self._fixed

    def current(self, db: Connection) -> Live:
        """Return the rules."""
        return self._fixed

    @property
    def facts(self) -> dict[str, str]:
        """Which ruleset this is."""
        return {"ruleset": self._fixed.hash, "ruleset_failed": ""}


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
