"""The first schema: sites, threads, comments, verdicts, events and people."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

#: A 64-bit key that counts up on both databases.
Serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create every table and index."""
    op.create_table(
        "leases",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("holder", sa.String(length=36), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )
    op.create_table(
        "moderators",
        sa.Column("id", Serial, nullable=False),
        sa.Column("login", sa.String(length=64), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("disabled_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_moderators")),
        sa.UniqueConstraint("login", name=op.f("uq_moderators_login")),
    )
    op.create_table(
        "sites",
        sa.Column("id", Serial, nullable=False),
        sa.Column("slug", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("origins", sa.JSON(), nullable=False),
        sa.Column("moderation", sa.String(length=8), nullable=False),
        sa.Column("require_name", sa.Boolean(), nullable=False),
        sa.Column("require_email", sa.Boolean(), nullable=False),
        sa.Column("honeypot_field", sa.String(length=64), nullable=False),
        sa.Column("max_depth", sa.Integer(), nullable=False),
        sa.Column("reports_to_reopen", sa.Integer(), nullable=False),
        sa.Column("public_per_minute", sa.Integer(), nullable=True),
        sa.Column("server_per_minute", sa.Integer(), nullable=True),
        sa.Column("house_rules", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sites")),
        sa.UniqueConstraint("slug", name=op.f("uq_sites_slug")),
    )
    op.create_table(
        "moderator_tokens",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("moderator_id", Serial, nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["moderator_id"],
            ["moderators.id"],
            name=op.f("fk_moderator_tokens_moderator_id_moderators"),
        ),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_moderator_tokens")),
    )
    op.create_index(
        op.f("ix_moderator_tokens_moderator_id"), "moderator_tokens", ["moderator_id"], unique=False
    )
    op.create_table(
        "site_keys",
        sa.Column("id", Serial, nullable=False),
        sa.Column("site_id", Serial, nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("prefix", sa.String(length=16), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_site_keys_site_id_sites")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site_keys")),
        sa.UniqueConstraint("hash", name=op.f("uq_site_keys_hash")),
    )
    op.create_index(op.f("ix_site_keys_site_id"), "site_keys", ["site_id"], unique=False)
    op.create_table(
        "threads",
        sa.Column("id", Serial, nullable=False),
        sa.Column("site_id", Serial, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("moderation", sa.String(length=8), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_threads_site_id_sites")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_threads")),
        sa.UniqueConstraint("site_id", "key", name=op.f("uq_threads_site_id")),
    )
    op.create_table(
        "comments",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("site_id", Serial, nullable=False),
        sa.Column("thread_id", Serial, nullable=False),
        sa.Column("parent_id", sa.String(length=36), nullable=True),
        sa.Column("root_id", sa.String(length=36), nullable=False),
        sa.Column("depth", sa.Integer(), nullable=False),
        sa.Column("key_id", Serial, nullable=True),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("status", sa.String(length=9), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("author_name", sa.Text(), nullable=False),
        sa.Column("author_email", sa.Text(), nullable=False),
        sa.Column("author_email_hash", sa.String(length=64), nullable=True),
        sa.Column("author_url", sa.Text(), nullable=False),
        sa.Column("author_ip", sa.String(length=45), nullable=True),
        sa.Column("author_ip_hash", sa.String(length=64), nullable=True),
        sa.Column("author_user_agent", sa.Text(), nullable=False),
        sa.Column("author_referrer", sa.Text(), nullable=False),
        sa.Column("author_verified_id", sa.Text(), nullable=True),
        sa.Column("author_email_verified", sa.Boolean(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("form_opened_at", sa.BigInteger(), nullable=True),
        sa.Column("honeypot_filled", sa.Boolean(), nullable=False),
        sa.Column("report_count", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("pending_since", sa.BigInteger(), nullable=True),
        sa.Column("judged_at", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["key_id"], ["site_keys.id"], name=op.f("fk_comments_key_id_site_keys")
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["comments.id"], name=op.f("fk_comments_parent_id_comments")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_comments_site_id_sites")),
        sa.ForeignKeyConstraint(
            ["thread_id"], ["threads.id"], name=op.f("fk_comments_thread_id_threads")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comments")),
        sa.UniqueConstraint("site_id", "external_id", name=op.f("uq_comments_site_id")),
    )
    op.create_index("ix_comments_email", "comments", ["site_id", "author_email_hash"], unique=False)
    op.create_index(
        "ix_comments_pending",
        "comments",
        ["pending_since"],
        unique=False,
        sqlite_where=sa.text("status = 'pending'"),
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_index(
        "ix_comments_queue", "comments", ["status", sa.text("severity DESC"), "id"], unique=False
    )
    op.create_index(
        "ix_comments_thread", "comments", ["thread_id", "status", "root_id", "id"], unique=False
    )
    op.create_index(
        "ix_comments_verified",
        "comments",
        ["site_id", "author_verified_id"],
        unique=False,
        sqlite_where=sa.text("author_verified_id IS NOT NULL"),
        postgresql_where=sa.text("author_verified_id IS NOT NULL"),
    )
    op.create_table(
        "claims",
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("comment_id", sa.String(length=36), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["comment_id"], ["comments.id"], name=op.f("fk_claims_comment_id_comments")
        ),
        sa.PrimaryKeyConstraint("kind", "key", name=op.f("pk_claims")),
    )
    op.create_index(op.f("ix_claims_comment_id"), "claims", ["comment_id"], unique=False)
    op.create_index(op.f("ix_claims_expires_at"), "claims", ["expires_at"], unique=False)
    op.create_table(
        "events",
        sa.Column("id", Serial, nullable=False),
        sa.Column("comment_id", sa.String(length=36), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("from_status", sa.String(length=9), nullable=False),
        sa.Column("to_status", sa.String(length=9), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("batch", sa.String(length=36), nullable=True),
        sa.ForeignKeyConstraint(
            ["comment_id"], ["comments.id"], name=op.f("fk_events_comment_id_comments")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
    )
    op.create_index(op.f("ix_events_batch"), "events", ["batch"], unique=False)
    op.create_index(op.f("ix_events_comment_id"), "events", ["comment_id"], unique=False)
    op.create_table(
        "hits",
        sa.Column("comment_id", sa.String(length=36), nullable=False),
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.Column("category", sa.String(length=32), nullable=False),
        sa.Column("needed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["comment_id"], ["comments.id"], name=op.f("fk_hits_comment_id_comments")
        ),
        sa.PrimaryKeyConstraint("comment_id", "rule", name=op.f("pk_hits")),
    )
    op.create_index("ix_hits_rule", "hits", ["rule", "comment_id"], unique=False)
    op.create_table(
        "reports",
        sa.Column("id", Serial, nullable=False),
        sa.Column("comment_id", sa.String(length=36), nullable=False),
        sa.Column("reporter_hash", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["comment_id"], ["comments.id"], name=op.f("fk_reports_comment_id_comments")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reports")),
        sa.UniqueConstraint("comment_id", "reporter_hash", name=op.f("uq_reports_comment_id")),
    )
    op.create_table(
        "verdicts",
        sa.Column("id", Serial, nullable=False),
        sa.Column("comment_id", sa.String(length=36), nullable=False),
        sa.Column("ruleset", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=9), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["comment_id"], ["comments.id"], name=op.f("fk_verdicts_comment_id_comments")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verdicts")),
        sa.UniqueConstraint("comment_id", "ruleset", name=op.f("uq_verdicts_comment_id")),
    )


def downgrade() -> None:
    """Drop every table."""
    op.drop_table("verdicts")
    op.drop_table("reports")
    op.drop_index("ix_hits_rule", table_name="hits")
    op.drop_table("hits")
    op.drop_index(op.f("ix_events_comment_id"), table_name="events")
    op.drop_index(op.f("ix_events_batch"), table_name="events")
    op.drop_table("events")
    op.drop_index(op.f("ix_claims_expires_at"), table_name="claims")
    op.drop_index(op.f("ix_claims_comment_id"), table_name="claims")
    op.drop_table("claims")
    op.drop_index(
        "ix_comments_verified",
        table_name="comments",
        sqlite_where=sa.text("author_verified_id IS NOT NULL"),
        postgresql_where=sa.text("author_verified_id IS NOT NULL"),
    )
    op.drop_index("ix_comments_thread", table_name="comments")
    op.drop_index("ix_comments_queue", table_name="comments")
    op.drop_index(
        "ix_comments_pending",
        table_name="comments",
        sqlite_where=sa.text("status = 'pending'"),
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.drop_index("ix_comments_email", table_name="comments")
    op.drop_table("comments")
    op.drop_table("threads")
    op.drop_index(op.f("ix_site_keys_site_id"), table_name="site_keys")
    op.drop_table("site_keys")
    op.drop_index(op.f("ix_moderator_tokens_moderator_id"), table_name="moderator_tokens")
    op.drop_table("moderator_tokens")
    op.drop_table("sites")
    op.drop_table("moderators")
    op.drop_table("leases")
