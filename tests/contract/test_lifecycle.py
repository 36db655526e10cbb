"""Any sequence of what can happen to comments, against a model of a few lines."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from service.domain.comment import REVIEWABLE, WITHDRAWABLE, CommentId, Status
from service.domain.decision import Decision, EventKind
from service.domain.errors import CommentNotFound, DecisionConflict, NotWithdrawable
from service.storage import Store, open_store
from tests.contract.desk import Desk
from tests.support.databases import SqliteDatabases, as_setting

DECISIONS = st.sampled_from(list(Decision))
#: How far behind the comment a caller's knowledge of it is.
LAG = st.sampled_from([0, 0, 0, 1, 2])

#: Every way in which a comment may move, by what moves it.
LEGAL = {
    EventKind.VERDICT: {(Status.PENDING, to) for to in (Status.APPROVED, Status.HELD)},
    EventKind.DECISION: {(start, each.status) for start in REVIEWABLE for each in Decision},
    EventKind.UNDO: {(start, to) for start in REVIEWABLE for to in REVIEWABLE},
    EventKind.REPORT: {(Status.APPROVED, Status.APPROVED)},
    EventKind.REOPENED: {(Status.APPROVED, Status.HELD)},
    EventKind.WITHDRAWN: {(start, Status.WITHDRAWN) for start in WITHDRAWABLE},
    EventKind.ERASED: {(start, Status.ERASED) for start in Status},
}


@dataclass
class Story:
    """What the model knows of a comment: each change as (kind, from, to)."""

    changes: list[tuple[EventKind, Status, Status]] = field(default_factory=list)
    reporters: int = 0

    @property
    def status(self) -> Status:
        """Where it should stand."""
        return self.changes[-1][2] if self.changes else Status.PENDING

    @property
    def version(self) -> int:
        """At which version it should be."""
        return len(self.changes) + 1

    def may_decide(self, version: int) -> bool:
        """Whether a decision by somebody who saw `version` should win."""
        judged_since = self.changes[-1:] and self.changes[-1][0] is EventKind.VERDICT
        seen = version == self.version or (judged_since and version == self.version - 1)
        return bool(seen) and self.status in REVIEWABLE

    def may_become(self, wanted: Status) -> bool:
        """Whether a decision changes something: to confirm what rules approved does."""
        by_people = self.changes[-1:] and self.changes[-1][0] in (
            EventKind.DECISION,
            EventKind.UNDO,
        )
        return self.status in REVIEWABLE and not (self.status is wanted and by_people)

    def move(self, kind: EventKind, to: Status) -> None:
        """Write the change down."""
        self.changes.append((kind, self.status, to))


class Lifecycle(RuleBasedStateMachine):
    """Submits, judges, decides, undoes, withdraws, reports and erases at random."""

    store: Store
    comments = Bundle("comments")
    decided = Bundle("decided")
    batches = Bundle("batches")

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk(self.store)
        self.stories: dict[CommentId, Story] = {}
        self.moves: dict[Any, list[tuple[CommentId, int, Status]]] = {}

    def teardown(self) -> None:
        """Give up what this run held open."""
        self.desk.close()
        self.store.close()

    @rule(target=comments)
    def submit(self) -> CommentId:
        """A website sends a comment."""
        comment_id = self.desk.submit()
        self.stories[comment_id] = Story()
        return comment_id

    @rule(comment_id=comments, lag=LAG, to=st.sampled_from([Status.APPROVED, Status.HELD]))
    def judge(self, comment_id: CommentId, lag: int, to: Status) -> None:
        """A worker records what it found, perhaps late."""
        story = self.stories[comment_id]
        expected = story.status is Status.PENDING and lag == 0

        assert self.desk.judge(comment_id, to, version=story.version - lag) == expected

        if expected:
            story.move(EventKind.VERDICT, to)

    @rule(target=decided, comment_id=comments, decision=DECISIONS, lag=LAG)
    def decide(self, comment_id: CommentId, decision: Decision, lag: int) -> Any:
        """A moderator decides on what they saw, perhaps long ago."""
        story = self.stories[comment_id]
        version = story.version - lag
        if not story.may_decide(version):
            with pytest.raises(DecisionConflict) as conflict:
                self.desk.decide(comment_id, decision, version=version)
            assert conflict.value.status is story.status
            return multiple()

        event = self.desk.decide(comment_id, decision, version=version)

        self._remember(event.id, [(comment_id, story.version + 1, story.status)])
        story.move(EventKind.DECISION, decision.status)
        return event.id

    @rule(target=batches, ids=st.lists(comments, max_size=4, unique=True), decision=DECISIONS)
    def decide_many(self, ids: list[CommentId], decision: Decision) -> Any:
        """A moderator decides on several at once."""
        result = self.desk.moderation.decide_many(ids, decision, moderator=self.desk.moderator)

        movable = [each for each in ids if self.stories[each].may_become(decision.status)]
        assert result.decided == movable
        assert sorted([*result.decided, *result.unchanged]) == sorted(ids)
        if not result.decided:
            return multiple()
        self._remember(
            result.batch,
            [(each, self.stories[each].version + 1, self.stories[each].status)
             for each in result.decided],
        )  # fmt: skip
        for each in result.decided:
            self.stories[each].move(EventKind.DECISION, decision.status)
        return result.batch

    @rule(target=batches, event=decided)
    def undo_event(self, event: int) -> Any:
        """A moderator takes one decision back."""
        ((comment_id, version, back_to),) = self.moves[event]
        story = self.stories[comment_id]
        if story.version != version:
            with pytest.raises(DecisionConflict):
                self.desk.moderation.undo(event=event, moderator=self.desk.moderator)
            return multiple()

        result = self.desk.moderation.undo(event=event, moderator=self.desk.moderator)

        assert result.decided == [comment_id]
        self._remember(result.batch, [(comment_id, version + 1, story.status)])
        story.move(EventKind.UNDO, back_to)
        return result.batch

    @rule(target=batches, batch=batches)
    def undo_batch(self, batch: str) -> Any:
        """A moderator takes a batch back, be it of decisions or of undoings."""
        standing = [
            (comment_id, back_to)
            for comment_id, version, back_to in self.moves[batch]
            if self.stories[comment_id].version == version
        ]

        result = self.desk.moderation.undo(batch=batch, moderator=self.desk.moderator)

        assert result.decided == [comment_id for comment_id, _ in standing]
        self._remember(
            result.batch,
            [(comment_id, self.stories[comment_id].version + 1, self.stories[comment_id].status)
             for comment_id, _ in standing],
        )  # fmt: skip
        for comment_id, back_to in standing:
            self.stories[comment_id].move(EventKind.UNDO, back_to)
        return result.batch if standing else multiple()

    @rule(comment_id=comments)
    def withdraw(self, comment_id: CommentId) -> None:
        """The author takes the comment back."""
        story = self.stories[comment_id]
        if story.status not in WITHDRAWABLE | {Status.WITHDRAWN}:
            with pytest.raises(NotWithdrawable):
                self.desk.moderation.withdraw(comment_id)
            return

        self.desk.moderation.withdraw(comment_id)

        if story.status is not Status.WITHDRAWN:
            story.move(EventKind.WITHDRAWN, Status.WITHDRAWN)

    @rule(comment_id=comments)
    def report(self, comment_id: CommentId) -> None:
        """One more reader reports the comment."""
        story = self.stories[comment_id]
        story.reporters += 1
        reporter = f"reader-{story.reporters}"
        if story.status is not Status.APPROVED:
            with pytest.raises(CommentNotFound):
                self.desk.report(comment_id, reporter)
        elif self.desk.report(comment_id, reporter):
            story.move(EventKind.REOPENED, Status.HELD)

    @precondition(lambda self: len(self.stories) > 2)
    @rule(comment_id=comments)
    def erase(self, comment_id: CommentId) -> None:
        """The website has the comment erased."""
        self.desk.moderation.erase(comment_id, actor="site:news")

        story = self.stories[comment_id]
        if story.status is not Status.ERASED:
            story.move(EventKind.ERASED, Status.ERASED)

    @invariant()
    def every_comment_stands_where_the_model_has_it(self) -> None:
        """Status and version agree, and only erasure takes the text."""
        for comment_id, story in self.stories.items():
            comment = self.desk.get(comment_id)
            assert (comment.status, comment.version) == (story.status, story.version)
            assert (comment.body == "") == (story.status is Status.ERASED)

    @invariant()
    def every_story_is_whole_and_legal(self) -> None:
        """The audit log tells the model's changes, version by version, and no others."""
        for comment_id, story in self.stories.items():
            events = self.desk.events(comment_id)
            changes = [event for event in events if event.kind is not EventKind.REPORT]
            assert [event.version for event in changes] == list(range(2, story.version + 1))
            told = [(event.kind, event.from_status, event.to_status) for event in changes]
            assert told == story.changes
            for event in events:
                assert (event.from_status, event.to_status) in LEGAL[event.kind]

    def _remember(self, name: Any, moves: list[tuple[CommentId, int, Status]]) -> None:
        self.moves[name] = moves


@pytest.fixture
def lifecycle(sqlite_databases: SqliteDatabases) -> Iterator[type[Lifecycle]]:
    """The machine, each of its runs over a fresh database."""
    urls: list[str] = []

    class OverFreshDatabase(Lifecycle):
        def __init__(self) -> None:
            urls.append(sqlite_databases.fresh())
            self.store = open_store(as_setting(urls[-1]))
            super().__init__()

    yield OverFreshDatabase
    for url in urls:
        sqlite_databases.drop(url)


@pytest.mark.timeout(600)  # passes in seconds; a failure takes minutes to make small
def test_whatever_happens_in_whatever_order_the_story_is_whole(
    lifecycle: type[Lifecycle],
) -> None:
    run_state_machine_as_test(
        lifecycle,
        settings=settings(
            max_examples=25,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
