"""Rulesets in versions, campaigns, samples and trials."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables, and what hits and comments tell besides."""
    op.create_table(
        "rulesets",
        sa.Column("hash", sa.String(length=12), nullable=False),
        sa.Column("source", sa.JSON(), nullable=False),
        sa.Column("outline", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_rulesets")),
    )
    op.create_table(
        "ruleset_versions",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.String(length=12), nullable=False),
        sa.Column("parent", sa.String(length=12), nullable=True),
        sa.Column("author", sa.String(length=80), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("changed", sa.JSON(), nullable=False),
        sa.Column("published_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["hash"], ["rulesets.hash"], name=op.f("fk_ruleset_versions_hash_rulesets")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_ruleset_versions")),
    )
    op.create_index(op.f("ix_ruleset_versions_hash"), "ruleset_versions", ["hash"], unique=False)
    op.create_table(
        "rule_states",
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["version"],
            ["ruleset_versions.number"],
            name=op.f("fk_rule_states_version_ruleset_versions"),
        ),
        sa.PrimaryKeyConstraint("version", "rule", name=op.f("pk_rule_states")),
    )
    op.create_table(
        "campaign_bands",
        sa.Column("band", sa.String(length=8), nullable=False),
        sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("campaign", sa.String(length=32), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("band", "slot", name=op.f("pk_campaign_bands")),
    )
    op.create_table(
        "samples",
        sa.Column("comment_id", sa.String(length=36), nullable=False),
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["comment_id"], ["comments.id"], name=op.f("fk_samples_comment_id_comments")
        ),
        sa.PrimaryKeyConstraint("comment_id", name=op.f("pk_samples")),
    )
    op.create_index(op.f("ix_samples_at"), "samples", ["at"], unique=False)
    op.create_table(
        "trials",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("ruleset", sa.String(length=12), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("asked_by", sa.String(length=80), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("result", sa.JSON(), nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["ruleset"], ["rulesets.hash"], name=op.f("fk_trials_ruleset_rulesets")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trials")),
    )
    op.create_index(op.f("ix_trials_asked_at"), "trials", ["asked_at"], unique=False)
    op.add_column("comments", sa.Column("campaign", sa.String(length=32), nullable=True))
    op.create_index(op.f("ix_comments_campaign"), "comments", ["campaign"], unique=False)
    op.add_column(
        "hits",
        sa.Column("mode", sa.String(length=6), server_default="live", nullable=False),
    )


def downgrade() -> None:
    """Drop what was added."""
    op.drop_column("hits", "mode")
    op.drop_index(op.f("ix_comments_campaign"), table_name="comments")
    op.drop_column("comments", "campaign")
    op.drop_table("trials")
    op.drop_table("samples")
    op.drop_table("campaign_bands")
    op.drop_table("rule_states")
    op.drop_table("ruleset_versions")
    op.drop_table("rulesets")
