"""The tables: one schema for SQLite and PostgreSQL.

Times are whole milliseconds since 1970 in UTC, so that both databases compare
and subtract them alike. Ids of comments are UUIDs of version 7: their order is
the order of arrival.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


#: What stands for times outside the calendar: still sums with whole days, in every zone.
_BEFORE_ALL = datetime(1970, 1, 1, tzinfo=UTC)
_AFTER_ALL = datetime(9999, 1, 1, tzinfo=UTC)


class Instant(TypeDecorator[datetime]):
    """An aware datetime, kept as whole milliseconds since 1970."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Return the milliseconds for `value`."""
        return None if value is None else milliseconds(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Return the instant in UTC."""
        return None if value is None else instant(value)


def milliseconds(moment: datetime) -> int:
    """Return the moment as the tables keep it."""
    return round(moment.timestamp() * 1000)


def instant(kept: int) -> datetime:
    """Return the moment that the tables keep so; the nearest where no calendar has it."""
    try:
        return datetime.fromtimestamp(kept / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        # One such row must not take pages, exports and backups with it.
        return _BEFORE_ALL if kept < 0 else _AFTER_ALL


#: A 64-bit key that counts up on both databases (SQLite does so for INTEGER only).
Serial = BigInteger().with_variant(Integer, "sqlite")

sites = Table(
    "sites",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("slug", String(64), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("origins", JSON, nullable=False),
    Column("moderation", String(8), nullable=False),
    Column("require_name", Boolean, nullable=False),
    Column("require_email", Boolean, nullable=False),
    Column("honeypot_field", String(64), nullable=False),
    Column("max_depth", Integer, nullable=False),
    Column("reports_to_reopen", Integer, nullable=False),
    Column("public_per_minute", Integer),
    Column("server_per_minute", Integer),
    Column("house_rules", Text, nullable=False),
    Column("akismet_keep_days", Integer, nullable=False, server_default="30"),
    Column("akismet_discard", Boolean, nullable=False, server_default="0"),
    Column("created_at", Instant, nullable=False),
)

site_keys = Table(
    "site_keys",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("site_id", ForeignKey("sites.id"), nullable=False, index=True),
    Column("kind", String(8), nullable=False),
    Column("prefix", String(16), nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
)

threads = Table(
    "threads",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("site_id", ForeignKey("sites.id"), nullable=False),
    Column("key", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("moderation", String(8)),
    Column("closed_at", Instant),
    Column("created_at", Instant, nullable=False),
    # Who shows its comments: we, or a website that only has them checked here.
    Column("source", String(8), nullable=False, server_default="native"),
    UniqueConstraint("site_id", "key"),
)

comments = Table(
    "comments",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("site_id", ForeignKey("sites.id"), nullable=False),
    Column("thread_id", ForeignKey("threads.id"), nullable=False),
    Column("parent_id", ForeignKey("comments.id")),
    Column("root_id", String(36), nullable=False),
    Column("depth", Integer, nullable=False),
    Column("key_id", ForeignKey("site_keys.id")),
    Column("external_id", Text),
    Column("status", String(9), nullable=False),
    Column("version", Integer, nullable=False),
    Column("severity", Integer, nullable=False),
    # Whether the rules that hold it all speak of spam; which language it seems to be in.
    Column("spam_only", Boolean, nullable=False, server_default=false()),
    Column("language", String(3)),
    Column("author_name", Text, nullable=False),
    Column("author_email", Text, nullable=False),
    Column("author_email_hash", String(64)),
    Column("author_url", Text, nullable=False),
    Column("author_ip", String(45)),
    Column("author_ip_hash", String(64)),
    Column("author_user_agent", Text, nullable=False),
    Column("author_referrer", Text, nullable=False),
    Column("author_verified_id", Text),
    Column("author_email_verified", Boolean, nullable=False),
    Column("body", Text, nullable=False),
    Column("form_opened_at", Instant),
    Column("honeypot_filled", Boolean, nullable=False),
    Column("report_count", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("request_id", String(64), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("pending_since", Instant),
    Column("judged_at", Instant),
    Column("decided_at", Instant),
    Column("campaign", String(32), index=True),
    UniqueConstraint("site_id", "external_id"),
)
# What the sweep looks for: few rows at any moment, so the index stays tiny.
Index(
    "ix_comments_pending",
    comments.c.pending_since,
    sqlite_where=text("status = 'pending'"),
    postgresql_where=text("status = 'pending'"),
)
# The review queue in its order, worst first, then oldest: a page is read, not sorted
# (3 ms instead of 240 ms among 100,000). With the last columns in it, lanes are
# counted without looking at a comment.
Index(
    "ix_comments_queue",
    comments.c.status,
    comments.c.severity.desc(),
    comments.c.id,
    comments.c.spam_only,
    comments.c.site_id,
)
# What people rejected, newest decision first; nothing that intake or judging writes.
Index(
    "ix_comments_refused",
    comments.c.status,
    comments.c.decided_at,
    comments.c.id,
    sqlite_where=text("status IN ('rejected', 'spam')"),
    postgresql_where=text("status IN ('rejected', 'spam')"),
)
# The public page of a thread: with the root in it, a page of conversations is
# found without looking at the others (12 ms instead of 230 ms among 100,000).
Index(
    "ix_comments_thread",
    comments.c.thread_id,
    comments.c.status,
    comments.c.root_id,
    comments.c.id,
)
# An author's history, by what can be looked up of them.
Index("ix_comments_email", comments.c.site_id, comments.c.author_email_hash)
Index(
    "ix_comments_verified",
    comments.c.site_id,
    comments.c.author_verified_id,
    sqlite_where=text("author_verified_id IS NOT NULL"),
    postgresql_where=text("author_verified_id IS NOT NULL"),
)

#: First come, first served: who used an idempotency key, an external id or the
#: same text first. The primary key is what makes a second one impossible.
claims = Table(
    "claims",
    metadata,
    Column("kind", String(12), primary_key=True),
    Column("key", String(64), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("comment_id", ForeignKey("comments.id"), nullable=False, index=True),
    Column("expires_at", Instant, index=True),
)

verdicts = Table(
    "verdicts",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("comment_id", ForeignKey("comments.id"), nullable=False),
    Column("ruleset", String(64), nullable=False),
    Column("status", String(9), nullable=False),
    Column("at", Instant, nullable=False),
    Column("evidence", JSON, nullable=False),
    UniqueConstraint("comment_id", "ruleset"),
)

#: One row for each rule that matched, for filters and counts; the evidence
#: itself stands in the verdict.
hits = Table(
    "hits",
    metadata,
    Column("comment_id", ForeignKey("comments.id"), primary_key=True),
    Column("rule", String(64), primary_key=True),
    Column("category", String(32), nullable=False),
    Column("needed", Boolean, nullable=False),
    Column("mode", String(6), nullable=False, server_default="live"),
)
Index("ix_hits_rule", hits.c.rule, hits.c.comment_id)

#: Where the comment leads, as far as the verdict tells: registrable domains.
link_domains = Table(
    "link_domains",
    metadata,
    Column("comment_id", ForeignKey("comments.id"), primary_key=True),
    Column("domain", Text, primary_key=True),
)
Index("ix_link_domains_domain", link_domains.c.domain, link_domains.c.comment_id)

events = Table(
    "events",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("comment_id", ForeignKey("comments.id"), nullable=False, index=True),
    Column("at", Instant, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("actor", String(80), nullable=False),
    Column("from_status", String(9), nullable=False),
    Column("to_status", String(9), nullable=False),
    Column("version", Integer, nullable=False),
    Column("reason", String(32), nullable=False),
    Column("note", Text, nullable=False),
    Column("batch", String(36), index=True),
)
# Everything that one person did, by time.
Index(
    "ix_events_people",
    events.c.actor,
    events.c.at,
    sqlite_where=text("kind IN ('decision', 'undo')"),
    postgresql_where=text("kind IN ('decision', 'undo')"),
)

reports = Table(
    "reports",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("comment_id", ForeignKey("comments.id"), nullable=False),
    Column("reporter_hash", String(64), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("note", Text, nullable=False),
    Column("at", Instant, nullable=False),
    UniqueConstraint("comment_id", "reporter_hash"),
)

moderators = Table(
    "moderators",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("login", String(64), nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    Column("role", String(16), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("disabled_at", Instant),
    # False: only the sites in `moderator_sites`.
    Column("every_site", Boolean, nullable=False, server_default=text("true")),
    Column("email", Text, nullable=False, server_default=text("''")),
    Column("digest_hours", Integer),
    # With the installation's secret this gives the one-time passwords' secret.
    Column("totp_nonce", String(32)),
    # The half minute whose password was used last: each counts once.
    Column("totp_step", BigInteger, nullable=False, server_default=text("0")),
    Column("preferences", JSON, nullable=False, server_default=text("'{}'")),
)

#: Bearer tokens and browser sessions of moderators: both end at once when the
#: row goes or the person is disabled.
moderator_tokens = Table(
    "moderator_tokens",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("moderator_id", ForeignKey("moderators.id"), nullable=False, index=True),
    Column("kind", String(8), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
)

#: Work that must be done by one process at a time; see `Store.lease`.
leases = Table(
    "leases",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("holder", String(36), nullable=False),
    Column("until", Instant, nullable=False),
)

#: Rulesets by their content, never changed: sources as they were written, and an
#: outline of their rules, so that telling of them needs no worker.
rulesets = Table(
    "rulesets",
    metadata,
    Column("hash", String(12), primary_key=True),
    Column("source", JSON, nullable=False),
    Column("outline", JSON, nullable=False),
    Column("created_at", Instant, nullable=False),
)

#: What was made live, and when: the newest row is what runs. Counted by hand, so
#: that of two who publish at once one finds the number taken.
ruleset_versions = Table(
    "ruleset_versions",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("hash", ForeignKey("rulesets.hash"), nullable=False, index=True),
    Column("parent", String(12)),
    Column("author", String(80), nullable=False),
    Column("note", Text, nullable=False),
    Column("changed", JSON, nullable=False),
    Column("published_at", Instant, nullable=False),
)

#: Rules of one version that were put into the shadow since it was published.
rule_states = Table(
    "rule_states",
    metadata,
    Column("version", ForeignKey("ruleset_versions.number"), primary_key=True),
    Column("rule", String(64), primary_key=True),
    Column("state", String(8), nullable=False),
    Column("why", Text, nullable=False),
    Column("since", Instant, nullable=False),
)

#: Where texts that are nearly the same find each other: a campaign stands under
#: each band of the fingerprint of its first text, which is also its name. A band
#: has few slots, so that what is kept and looked at is bounded.
campaign_bands = Table(
    "campaign_bands",
    metadata,
    Column("band", String(8), primary_key=True),
    Column("slot", Integer, primary_key=True, autoincrement=False),
    Column("campaign", String(32), nullable=False),
    Column("seen_at", Instant, nullable=False),
)

#: Approved comments that a person is asked to look at, for the sake of a rule in
#: the shadow, or of none ("").
samples = Table(
    "samples",
    metadata,
    Column("comment_id", ForeignKey("comments.id"), primary_key=True),
    Column("rule", String(64), nullable=False),
    Column("at", Instant, nullable=False, index=True),
)

#: Rulesets tried out on stored or given comments, and what came of it.
trials = Table(
    "trials",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("kind", String(8), nullable=False),
    Column("ruleset", ForeignKey("rulesets.hash"), nullable=False),
    Column("options", JSON, nullable=False),
    Column("asked_by", String(80), nullable=False),
    Column("asked_at", Instant, nullable=False, index=True),
    Column("state", String(8), nullable=False),
    Column("done", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("result", JSON),
    Column("finished_at", Instant),
)

webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("site_id", ForeignKey("sites.id"), nullable=False, index=True),
    Column("url", Text, nullable=False),
    Column("events", JSON, nullable=False),
    Column("seed", String(64), nullable=False),
    Column("old_seed", String(64)),
    Column("old_until", Instant),
    Column("failures", Integer, nullable=False),
    Column("resting_until", Instant),
    Column("disabled_at", Instant),
    Column("disabled_why", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
)

#: What websites are told, written together with the change that it tells of.
outbox = Table(
    "outbox",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("key", String(40), nullable=False, unique=True),
    Column("endpoint_id", ForeignKey("webhook_endpoints.id"), nullable=False),
    Column("comment_id", ForeignKey("comments.id"), nullable=False, index=True),
    Column("type", String(32), nullable=False),
    Column("payload", JSON, nullable=False),
    Column("state", String(9), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Instant),
    Column("created_at", Instant, nullable=False),
    Column("delivered_at", Instant),
)
# What is due at an endpoint; few rows at any moment.
Index(
    "ix_outbox_due",
    outbox.c.endpoint_id,
    outbox.c.next_at,
    sqlite_where=text("state = 'waiting'"),
    postgresql_where=text("state = 'waiting'"),
)
Index("ix_outbox_log", outbox.c.state, outbox.c.id)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("message_id", ForeignKey("outbox.id"), nullable=False, index=True),
    Column("at", Instant, nullable=False),
    Column("took_ms", Integer, nullable=False),
    Column("status", Integer),
    Column("error", Text, nullable=False),
)

#: What is known of a comment that came to be checked by an Akismet client. Where
#: the verdict came too late, or is that a person has to look, `callback` and the key
#: tell whom to tell, and are forgotten then. The key is sealed by the installation's
#: secret; while one `awaits_person` there is nothing to tell yet.
akismet_checks = Table(
    "akismet_checks",
    metadata,
    Column("comment_id", ForeignKey("comments.id"), primary_key=True),
    Column("site_id", ForeignKey("sites.id"), nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("callback", Text),
    Column("sealed_key", String(64)),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Instant),
    Column("awaits_person", Boolean, nullable=False, server_default=false()),
)
Index("ix_akismet_checks_fingerprint", akismet_checks.c.site_id, akismet_checks.c.fingerprint)
Index(
    "ix_akismet_checks_due",
    akismet_checks.c.next_at,
    sqlite_where=text("next_at IS NOT NULL"),
    postgresql_where=text("next_at IS NOT NULL"),
)

#: The sites whose comments a moderator reviews who does not review all.
moderator_sites = Table(
    "moderator_sites",
    metadata,
    Column("moderator_id", ForeignKey("moderators.id"), primary_key=True),
    Column("site_id", ForeignKey("sites.id"), primary_key=True),
)

#: When each person was last written to about each site.
digests = Table(
    "digests",
    metadata,
    Column("moderator_id", ForeignKey("moderators.id"), primary_key=True),
    Column("site_id", ForeignKey("sites.id"), primary_key=True),
    Column("sent_at", Instant, nullable=False),
)

#: What people changed besides comments: accounts, authors' standing, switches.
acts = Table(
    "acts",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("actor", String(80), nullable=False),
    Column("kind", String(24), nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),
)

#: Switches that people set in the console, with who set them.
switches = Table(
    "switches",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", Integer, nullable=False),
    Column("actor", String(80), nullable=False),
    Column("at", Instant, nullable=False),
)

#: The text of each comment as searches see it, written soon after the comment
#: and deleted with its text. On SQLite a full-text table follows by triggers.
searchable = Table(
    "searchable",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("comment_id", ForeignKey("comments.id"), nullable=False, unique=True),
    Column("text", Text, nullable=False),
    Column("address_hash", String(64), index=True),
)

#: What moderators tell each other: about one comment, or about an author.
#: `author` is "verified:ID" or "email:HASH".
notes = Table(
    "notes",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("site_id", ForeignKey("sites.id"), nullable=False),
    Column("comment_id", ForeignKey("comments.id"), index=True),
    Column("author", Text),
    Column("text", Text, nullable=False),
    Column("actor", String(80), nullable=False),
    Column("at", Instant, nullable=False),
)
Index("ix_notes_author", notes.c.site_id, notes.c.author)

#: Authors that a person trusts or muted, by the identity that the website
#: vouches for; in force until `ends_at`, or until somebody took it back.
standings = Table(
    "standings",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("site_id", ForeignKey("sites.id"), nullable=False),
    Column("verified_id", Text, nullable=False),
    Column("standing", String(8), nullable=False),
    Column("actor", String(80), nullable=False),
    Column("at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("taken_back_at", Instant),
    Column("taken_back_by", String(80)),
)
Index("ix_standings_author", standings.c.site_id, standings.c.verified_id)

#: Decisions on a whole campaign that its new members follow for a while.
#: `domains` are the link domains they must share, sorted, one a line.
followed = Table(
    "followed",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("campaign", String(32), nullable=False, index=True),
    Column("decision", String(8), nullable=False),
    Column("domains", Text, nullable=False),
    Column("batch", String(36), nullable=False, index=True),
    Column("actor", String(80), nullable=False),
    Column("at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("taken_back_at", Instant),
)

#: The learner of each site. It learns from decisions after `since_event`, and did so
#: up to `seen_event`.
learners = Table(
    "learners",
    metadata,
    Column("site_id", ForeignKey("sites.id"), primary_key=True, autoincrement=False),
    Column("state", String(8), nullable=False),
    Column("by_itself", Boolean, nullable=False),
    Column("switched_by", String(80), nullable=False),
    Column("switched_at", Instant),
    Column("since_event", BigInteger, nullable=False),
    Column("seen_event", BigInteger, nullable=False),
)

#: What a learner had learned at a time. Only the newest version keeps its weights,
#: so that what must be forgotten is.
learner_versions = Table(
    "learner_versions",
    metadata,
    Column("site_id", ForeignKey("sites.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("hash", String(12), nullable=False),
    Column("at", Instant, nullable=False),
    Column("state", String(8), nullable=False),
    Column("figures", JSON, nullable=False),
    Column("weights", Text),
)
