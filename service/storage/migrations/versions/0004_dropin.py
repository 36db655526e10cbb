"""Webhooks: who hears of what, and every attempt; checks by Akismet clients."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

#: A 64-bit key that counts up on both databases.
Serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables, and say how sites have their comments checked."""
    op.add_column(
        "sites",
        sa.Column("akismet_keep_days", sa.Integer(), nullable=False, server_default="30"),
    )
    op.add_column(
        "sites",
        sa.Column("akismet_discard", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column(
        "threads",
        sa.Column("source", sa.String(length=8), nullable=False, server_default="native"),
    )
    op.create_table(
        "webhook_endpoints",
        sa.Column("id", Serial, nullable=False),
        sa.Column("site_id", Serial, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("seed", sa.String(length=64), nullable=False),
        sa.Column("old_seed", sa.String(length=64), nullable=True),
        sa.Column("old_until", sa.BigInteger(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("resting_until", sa.BigInteger(), nullable=True),
        sa.Column("disabled_at", sa.BigInteger(), nullable=True),
        sa.Column("disabled_why", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id"], ["sites.id"], name=op.f("fk_webhook_endpoints_site_id_sites")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_endpoints")),
    )
    op.create_index(op.f("ix_webhook_endpoints_site_id"), "webhook_endpoints", ["site_id"])
    op.create_table(
        "outbox",
        sa.Column("id", Serial, nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("endpoint_id", Serial, nullable=False),
        sa.Column("comment_id", sa.String(length=36), nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=9), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("delivered_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["endpoint_id"],
            ["webhook_endpoints.id"],
            name=op.f("fk_outbox_endpoint_id_webhook_endpoints"),
        ),
        sa.ForeignKeyConstraint(
            ["comment_id"], ["comments.id"], name=op.f("fk_outbox_comment_id_comments")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("key", name=op.f("uq_outbox_key")),
    )
    op.create_index(op.f("ix_outbox_comment_id"), "outbox", ["comment_id"])
    op.create_index(
        "ix_outbox_due",
        "outbox",
        ["endpoint_id", "next_at"],
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index("ix_outbox_log", "outbox", ["state", "id"])
    op.create_table(
        "deliveries",
        sa.Column("id", Serial, nullable=False),
        sa.Column("message_id", Serial, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("took_ms", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["outbox.id"], name=op.f("fk_deliveries_message_id_outbox")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
    )
    op.create_index(op.f("ix_deliveries_message_id"), "deliveries", ["message_id"])
    op.create_table(
        "akismet_checks",
        sa.Column("comment_id", sa.String(length=36), nullable=False),
        sa.Column("site_id", Serial, nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("callback", sa.Text(), nullable=True),
        sa.Column("callback_key", sa.String(length=12), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["comment_id"], ["comments.id"], name=op.f("fk_akismet_checks_comment_id_comments")
        ),
        sa.ForeignKeyConstraint(
            ["site_id"], ["sites.id"], name=op.f("fk_akismet_checks_site_id_sites")
        ),
        sa.PrimaryKeyConstraint("comment_id", name=op.f("pk_akismet_checks")),
    )
    op.create_index("ix_akismet_checks_fingerprint", "akismet_checks", ["site_id", "fingerprint"])
    op.create_index(
        "ix_akismet_checks_due",
        "akismet_checks",
        ["next_at"],
        sqlite_where=sa.text("next_at IS NOT NULL"),
        postgresql_where=sa.text("next_at IS NOT NULL"),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("akismet_checks")
    op.drop_column("threads", "source")
    op.drop_column("sites", "akismet_discard")
    op.drop_column("sites", "akismet_keep_days")
    op.drop_table("deliveries")
    op.drop_table("outbox")
    op.drop_table("webhook_endpoints")
