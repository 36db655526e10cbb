"""The review console: people's rights, search, notes, standings, campaigns."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

#: A 64-bit key that counts up on both databases.
Serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# Trigrams find parts of words in every script, and both databases know them.
_SQLITE_SEARCH = (
    "CREATE VIRTUAL TABLE searchable_text USING fts5("
    "text, content='searchable', content_rowid='id', tokenize='trigram')",
    "CREATE TRIGGER searchable_written AFTER INSERT ON searchable BEGIN"
    " INSERT INTO searchable_text(rowid, text) VALUES (new.id, new.text); END",
    "CREATE TRIGGER searchable_deleted AFTER DELETE ON searchable BEGIN"
    " INSERT INTO searchable_text(searchable_text, rowid, text)"
    " VALUES ('delete', old.id, old.text); END",
    "CREATE TRIGGER comments_text_forgotten AFTER UPDATE OF body, author_name ON comments"
    " WHEN old.body <> new.body OR old.author_name <> new.author_name BEGIN"
    " DELETE FROM searchable WHERE comment_id = new.id; END",
    "CREATE TRIGGER comments_address_forgotten AFTER UPDATE OF author_ip_hash ON comments"
    " WHEN old.author_ip_hash IS NOT new.author_ip_hash BEGIN"
    " UPDATE searchable SET address_hash = new.author_ip_hash"
    " WHERE comment_id = new.id; END",
)
_POSTGRESQL_SEARCH = (
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    "CREATE INDEX ix_searchable_text ON searchable USING gin (text gin_trgm_ops)",
    "CREATE FUNCTION forget_searchable() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    " IF old.body <> new.body OR old.author_name <> new.author_name THEN"
    " DELETE FROM searchable WHERE comment_id = new.id;"
    " ELSE UPDATE searchable SET address_hash = new.author_ip_hash"
    " WHERE comment_id = new.id; END IF; RETURN NULL; END $$",
    "CREATE TRIGGER comments_forgotten"
    " AFTER UPDATE OF body, author_name, author_ip_hash ON comments FOR EACH ROW"
    " WHEN (old.body <> new.body OR old.author_name <> new.author_name"
    " OR old.author_ip_hash IS DISTINCT FROM new.author_ip_hash)"
    " EXECUTE FUNCTION forget_searchable()",
)


def upgrade() -> None:
    """Add what the console needs."""
    _add_columns()
    _add_indexes()
    _add_tables()
    sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in _SQLITE_SEARCH if sqlite else _POSTGRESQL_SEARCH:
        op.execute(sa.text(statement.replace(":", "\\:")))


def _add_columns() -> None:
    for column in (
        sa.Column("every_site", sa.Boolean(), nullable=False, server_default=sa.text("true")),
        sa.Column("email", sa.Text(), nullable=False, server_default=sa.text("''")),
        sa.Column("digest_hours", sa.Integer()),
        sa.Column("totp_nonce", sa.String(length=32)),
        sa.Column("totp_step", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
        sa.Column("preferences", sa.JSON(), nullable=False, server_default=sa.text("'{}'")),
    ):
        op.add_column("moderators", column)


def _add_indexes() -> None:
    _partial("ix_events_people", "events", ["actor", "at"], "kind IN ('decision', 'undo')")
    refused = ["status", "decided_at", "id"]
    _partial("ix_comments_refused", "comments", refused, "status IN ('rejected', 'spam')")


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, sqlite_where=condition, postgresql_where=condition)


def _add_tables() -> None:
    op.create_table(
        "moderator_sites",
        _reference("moderator_sites", "moderator_id", "moderators"),
        _reference("moderator_sites", "site_id", "sites"),
        sa.PrimaryKeyConstraint("moderator_id", "site_id", name=op.f("pk_moderator_sites")),
    )
    op.create_table(
        "digests",
        _reference("digests", "moderator_id", "moderators"),
        _reference("digests", "site_id", "sites"),
        sa.Column("sent_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("moderator_id", "site_id", name=op.f("pk_digests")),
    )
    op.create_table(
        "acts",
        sa.Column("id", Serial, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_acts")),
    )
    op.create_table(
        "switches",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_switches")),
    )
    op.create_table(
        "searchable",
        sa.Column("id", Serial, nullable=False),
        _reference("searchable", "comment_id", "comments", sa.String(length=36)),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("address_hash", sa.String(length=64)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_searchable")),
        sa.UniqueConstraint("comment_id", name=op.f("uq_searchable_comment_id")),
    )
    op.create_index(op.f("ix_searchable_address_hash"), "searchable", ["address_hash"])
    op.create_table(
        "notes",
        sa.Column("id", Serial, nullable=False),
        _reference("notes", "site_id", "sites"),
        _reference("notes", "comment_id", "comments", sa.String(length=36), nullable=True),
        sa.Column("author", sa.Text()),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notes")),
    )
    op.create_index(op.f("ix_notes_comment_id"), "notes", ["comment_id"])
    op.create_index("ix_notes_author", "notes", ["site_id", "author"])
    op.create_table(
        "standings",
        sa.Column("id", Serial, nullable=False),
        _reference("standings", "site_id", "sites"),
        sa.Column("verified_id", sa.Text(), nullable=False),
        sa.Column("standing", sa.String(length=8), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("taken_back_at", sa.BigInteger()),
        sa.Column("taken_back_by", sa.String(length=80)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_standings")),
    )
    op.create_index("ix_standings_author", "standings", ["site_id", "verified_id"])
    op.create_table(
        "followed",
        sa.Column("id", Serial, nullable=False),
        sa.Column("campaign", sa.String(length=32), nullable=False),
        sa.Column("decision", sa.String(length=8), nullable=False),
        sa.Column("domains", sa.Text(), nullable=False),
        sa.Column("batch", sa.String(length=36), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("taken_back_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_followed")),
    )
    op.create_index(op.f("ix_followed_campaign"), "followed", ["campaign"])
    op.create_index(op.f("ix_followed_batch"), "followed", ["batch"])


def _reference(
    table: str,
    column: str,
    target: str,
    kind: sa.types.TypeEngine[Any] = Serial,
    *,
    nullable: bool = False,
) -> sa.Column[object]:
    name = op.f(f"fk_{table}_{column}_{target}")
    return sa.Column(column, kind, sa.ForeignKey(f"{target}.id", name=name), nullable=nullable)


def downgrade() -> None:
    """Drop what the console needs."""
    if op.get_bind().dialect.name == "sqlite":
        for name in ("comments_text_forgotten", "comments_address_forgotten"):
            op.execute(f"DROP TRIGGER {name}")
        op.execute("DROP TABLE searchable_text")
    else:
        op.execute("DROP TRIGGER comments_forgotten ON comments")
        op.execute("DROP FUNCTION forget_searchable")
    for table in (
        "followed", "standings", "notes", "searchable", "switches", "acts", "digests",
        "moderator_sites",
    ):  # fmt: skip
        op.drop_table(table)
    op.drop_index("ix_comments_refused", table_name="comments")
    op.drop_index("ix_events_people", table_name="events")
    for column in ("every_site", "email", "digest_hours", "totp_nonce", "totp_step", "preferences"):
        op.drop_column("moderators", column)
