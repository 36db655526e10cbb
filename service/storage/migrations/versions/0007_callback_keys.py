"""Who waits for a late verdict: the key sealed by the secret, and whether a person decides."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Replace the plain keys; whoever waits at this moment asks again by itself."""
    op.add_column("akismet_checks", sa.Column("sealed_key", sa.String(length=64), nullable=True))
    op.add_column(
        "akismet_checks",
        sa.Column("awaits_person", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    _forget_who_waits()
    op.drop_column("akismet_checks", "callback_key")


def downgrade() -> None:
    """Take the plain keys up again, none of which is known any more."""
    op.add_column("akismet_checks", sa.Column("callback_key", sa.String(length=12), nullable=True))
    _forget_who_waits()
    op.drop_column("akismet_checks", "awaits_person")
    op.drop_column("akismet_checks", "sealed_key")


def _forget_who_waits() -> None:
    # The migration has no secret to seal with, and without a key nobody believes a callback.
    nobody = {name: sa.null() for name in ("callback", "callback_key", "next_at")}
    op.execute(sa.update(_checks).where(_checks.c.callback.is_not(None)).values(nobody))


_checks = sa.table(
    "akismet_checks", sa.column("callback"), sa.column("callback_key"), sa.column("next_at")
)
