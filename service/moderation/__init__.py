"""The use cases of moderation: who may change a comment, when, and what it leaves behind.

Each method is one promise to a caller. The modules beside this one hold the
steps; the transaction around them is opened here.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from service.domain.clock import utc_now
from service.domain.comment import Comment, CommentId, SiteId
from service.domain.decision import Decision, Event, Moderator, Reason
from service.domain.ruleset import RuleState
from service.domain.standing import AuthorStanding
from service.jobs import JobQueue
from service.keyring import Keyring
from service.moderation import deciding, erasing, participants
from service.moderation.deciding import MAX_BATCH, BatchResult
from service.moderation.likely_spam import LikelySpam
from service.moderation.mending import Mending
from service.moderation.retention import Retention, RetentionResult
from service.moderation.sampling import Sampling
from service.moderation.sweep import Sweep, SweepResult
from service.moderation.watch import Watch
from service.settings import Settings
from service.storage import Store, comments, following, searching, sites, standings
from service.storage.following import FOLLOWED_FOR, Followed
from service.storage.takeback import Doing

__all__ = ["MAX_BATCH", "BatchResult", "Moderation", "RetentionResult", "SweepResult"]

#: Comments that one round makes known to searches: short enough for others to wait.
_INDEXED_AT_ONCE = 500
_KEYS_AT_ONCE = 500


class Moderation:
    """Changes comments for moderators, authors, readers, websites and the clock."""

    def __init__(
        self,
        store: Store,
        jobs: JobQueue,
        keyring: Keyring,
        settings: Settings,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._store = store
        self._jobs = jobs
        self._keyring = keyring
        self._clock = clock
        self._sweep = Sweep(store, jobs, overdue_seconds=settings.overdue_seconds)
        self._retention = Retention(store, settings)
        self._likely_spam = LikelySpam(store)
        self._mending = Mending(store, jobs)
        self._watch = Watch(store)
        self._sampling = Sampling(store, settings)

    def decide(
        self,
        comment_id: CommentId,
        decision: Decision,
        *,
        moderator: Moderator,
        version: int,
        reason: Reason | None = None,
        note: str = "",
        rule: str | None = None,
    ) -> Event:
        """Give the comment the status decided on, if it is still as the moderator saw it.

        `rule` is the one rule that the moderator calls wrong for it. A verdict
        that arrived since does not count as a change: a person's decision
        prevails over the rules in either order. Raises CommentNotFound, or
        DecisionConflict telling where the comment stands and who moved it.
        """
        said = self._said(moderator, decision, reason, note, rule)
        with self._store.write() as db:
            return deciding.decide(db, comment_id, said, version)

    def decide_many(
        self,
        ids: Sequence[CommentId],
        decision: Decision,
        *,
        moderator: Moderator,
        reason: Reason | None = None,
        note: str = "",
    ) -> BatchResult:
        """Decide on up to MAX_BATCH comments under one batch id.

        Those that cannot be decided on, or already stand so, are listed as
        unchanged with a reason in plain words.
        """
        said = self._said(moderator, decision, reason, note)
        with self._store.write() as db:
            return deciding.decide_many(db, ids, said)

    def undo(
        self, *, event: int | None = None, batch: str | None = None, moderator: Moderator
    ) -> BatchResult:
        """Take back one decision, or all those of a batch, by compensating events.

        Only what is still as the decision left it goes back. For a single event
        anything else raises DecisionConflict; in a batch it is listed as
        unchanged. An unknown event or batch raises CommentNotFound. An undo is
        itself a decision that can be undone.
        """
        if (event is None) == (batch is None):
            raise ValueError("undo takes either an event or a batch")
        with self._store.write() as db:
            undoing = deciding.Undoing(db, moderator, self._clock())
            result = undoing.event(event) if event is not None else undoing.batch(batch or "")
            if batch is not None:
                following.stop_following(db, batch, self._clock())
        if undoing.pending:
            self._jobs.moderate(undoing.pending)
        return result

    def decide_for_site(
        self, comment_id: CommentId, decision: Decision, *, site: str, reason: Reason
    ) -> BatchResult:
        """Let the website itself decide on a comment as it stands now."""
        said = deciding.Said(decision, f"site:{site}", self._clock(), reason)
        with self._store.write() as db:
            return deciding.decide_many(db, [comment_id], said)

    def undo_last(self, moderator: Moderator) -> BatchResult | AuthorStanding | None:
        """Take back the last thing the moderator did that stands, a decision with its batch.

        Returns what came of it, the author's standing if that was it, or None
        if nothing of theirs stands any more.
        """
        now = self._clock()
        last, standing = self._last_by(moderator)
        if standing is not None and (last is None or last.at < standing.at):
            with self._store.write() as db:
                standings.take_back_standing(db, standing.id, moderator.actor, now)
            return standing
        if last is None:
            return None
        if last.batch:
            return self.undo(batch=last.batch, moderator=moderator)
        return self.undo(event=last.id, moderator=moderator)

    def last_done_at(self, moderator: Moderator) -> datetime | None:
        """Return when the moderator did what `undo_last` would take back, None for nothing."""
        done = [each.at for each in self._last_by(moderator) if each is not None]
        return max(done, default=None)

    def _last_by(self, moderator: Moderator) -> tuple[Event | None, AuthorStanding | None]:
        with self._store.read() as db:
            return (
                comments.last_decision_by(db, moderator.actor),
                standings.last_standing_by(db, moderator.actor, self._clock()),
            )

    def take_back(self, doings: Sequence[Doing], moderator: Moderator, *, rule: str) -> BatchResult:
        """Take back what a rule or a person did, in short transactions under one batch id.

        What a rule held is approved, and the rule called wrong there; what a
        person decided goes back to where it stood before. Whatever somebody
        changed in the meantime is left and listed as unchanged.
        """
        whole = BatchResult()
        for start in range(0, len(doings), MAX_BATCH):
            some = doings[start : start + MAX_BATCH]
            done = (
                self._approve(some, moderator, rule, whole.batch)
                if rule
                else (self._reverse(some, moderator, whole.batch))
            )
            whole.decided += done.decided
            whole.unchanged |= done.unchanged
        return whole

    def decide_campaign(
        self,
        campaign: str,
        ids: Sequence[CommentId],
        decision: Decision,
        *,
        moderator: Moderator,
        follow: bool,
    ) -> BatchResult:
        """Decide on members of a campaign; with `follow` new ones follow a rejection.

        They do so for a week, if they link to the same domains. Where nobody
        links anywhere nothing is followed.
        """
        said = self._said(moderator, decision, None, "")
        with self._store.write() as db:
            result = deciding.decide_many(db, ids, said)
            if follow and decision is not Decision.APPROVE:
                following.add_followed(
                    db,
                    [
                        Followed(
                            campaign,
                            decision,
                            domains,
                            result.batch,
                            moderator.actor,
                            said.at,
                            said.at + FOLLOWED_FOR,
                        )
                        for domains in following.domain_sets(db, result.decided)
                    ],
                )
        return result

    def index(self) -> int:
        """Let searches find comments that came since; return how many."""
        with self._store.read() as db:
            if not searching.index_is_behind(db):
                return 0
        with self._store.write() as db:
            return searching.index_comments(db, _INDEXED_AT_ONCE)

    def withdraw(self, comment_id: CommentId) -> Comment:
        """Let the author take the comment back; doing so twice is no mistake.

        Raises CommentNotFound, or NotWithdrawable once somebody decided on it.
        """
        with self._store.write() as db:
            return participants.withdraw(db, comment_id, self._clock())

    def report(
        self, comment_id: CommentId, *, site_id: SiteId, reporter: str, reason: str, note: str = ""
    ) -> bool:
        """Keep a reader's report; return True if it sends the comment back to review.

        `reporter` is a keyed hash: only the first report of each reader counts.
        Raises CommentNotFound for whatever the public cannot read.
        """
        complaint = participants.Complaint(reporter, reason, note, self._clock())
        with self._store.write() as db:
            return participants.report(db, comment_id, site_id, complaint)

    def erase(self, comment_id: CommentId, *, site_id: SiteId | None = None, actor: str) -> None:
        """Delete everything the comment said, for good; doing so twice is no mistake.

        What remains is a tombstone: ids, times, and the audit log without its
        notes. Raises CommentNotFound, also for comments of another site.
        """
        with self._store.write() as db:
            erasing.erase(db, comment_id, site_id=site_id, actor=actor, now=self._clock())

    def erase_email(self, email: str) -> int:
        """Erase all comments written under the address, on every site; return how many."""
        return erasing.erase_email(self._store, self._keyring, email, self._clock)

    def sweep(self) -> SweepResult:
        """Put comments that wait too long into new jobs; see `Sweep`."""
        return self._sweep.run()

    def mend(self) -> int:
        """Have judged again what was held only because something broke; see `Mending`."""
        return self._mending.run()

    def watch(self) -> list[RuleState]:
        """Put rules into the shadow that hold too much or keep failing; see `Watch`."""
        return self._watch.run()

    def sample(self) -> int:
        """Choose approved comments for people to look at; see `Sampling`."""
        return self._sampling.run()

    def clear_likely_spam(self) -> int:
        """Mark likely spam that waited long enough, if that is on; see `LikelySpam`."""
        return self._likely_spam.run()

    def harden_keys(self) -> int:
        """Bring keys that an earlier version stored to the form of this one; return how many."""
        with self._store.write() as db:
            return sites.harden_keys(db, self._keyring, _KEYS_AT_ONCE)

    def retain(self) -> RetentionResult:
        """Delete what was kept long enough; see `Retention`."""
        return self._retention.run()

    def _said(
        self,
        moderator: Moderator,
        decision: Decision,
        reason: Reason | None,
        note: str,
        rule: str | None = None,
    ) -> deciding.Said:
        return deciding.Said(
            decision, moderator.actor, self._clock(), reason, note, rule, moderator.sites
        )

    def _approve(
        self, some: Sequence[Doing], moderator: Moderator, rule: str, batch: str
    ) -> BatchResult:
        said = self._said(moderator, Decision.APPROVE, None, f"Taken back from {rule}", rule)
        with self._store.write() as db:
            return deciding.decide_many(db, [each.comment_id for each in some], said, batch)

    def _reverse(self, some: Sequence[Doing], moderator: Moderator, batch: str) -> BatchResult:
        with self._store.write() as db:
            undoing = deciding.Undoing(db, moderator, self._clock())
            result = undoing.events([each.event_id or 0 for each in some], batch)
        if undoing.pending:
            self._jobs.moderate(undoing.pending)
        return result
