"""Site learners: their state, and what each learned at a time."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "learners",
        sa.Column("site_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("by_itself", sa.Boolean(), nullable=False),
        sa.Column("switched_by", sa.String(length=80), nullable=False),
        sa.Column("switched_at", sa.BigInteger(), nullable=True),
        sa.Column("since_event", sa.BigInteger(), nullable=False),
        sa.Column("seen_event", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_learners_site_id_sites")),
        sa.PrimaryKeyConstraint("site_id", name=op.f("pk_learners")),
    )
    op.create_table(
        "learner_versions",
        sa.Column("site_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.String(length=12), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("weights", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["site_id"], ["sites.id"], name=op.f("fk_learner_versions_site_id_sites")
        ),
        sa.PrimaryKeyConstraint("site_id", "number", name=op.f("pk_learner_versions")),
    )


def downgrade() -> None:
    """Drop them: everything can be learned again from the decisions."""
    op.drop_table("learner_versions")
    op.drop_table("learners")
