"""What must be kept while a file is read, and may be too much for memory."""

import json
import sqlite3

#: In KiB; what does not fit goes to a file that nobody else sees and that ends with us.
_IN_MEMORY = 2_000


class Aside:
    """Texts put aside by name, however many."""

    def __init__(self) -> None:
        # The empty name stands for a database of its own, on disk once it is large.
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.execute(f"PRAGMA cache_size = -{_IN_MEMORY}")
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute("CREATE TABLE aside (name TEXT PRIMARY KEY, told TEXT) WITHOUT ROWID")
        self._db.execute("BEGIN")

    def __len__(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM aside").fetchone()[0])

    def __contains__(self, name: str) -> bool:
        return self.get(name) is not None

    def put(self, name: str, *told: str) -> None:
        """Keep the texts under this name, in place of what was there."""
        self._db.execute("INSERT OR REPLACE INTO aside VALUES (?, ?)", (name, json.dumps(told)))

    def get(self, name: str) -> list[str] | None:
        """Return what is kept under this name."""
        row = self._db.execute("SELECT told FROM aside WHERE name = ?", (name,)).fetchone()
        found: list[str] | None = json.loads(row[0]) if row else None
        return found

    def drop(self, name: str) -> None:
        """Keep nothing under this name any longer."""
        self._db.execute("DELETE FROM aside WHERE name = ?", (name,))

    def first(self) -> str | None:
        """Return one of the names, None if there is none."""
        row = self._db.execute("SELECT name FROM aside LIMIT 1").fetchone()
        return row[0] if row else None

    def close(self) -> None:
        """Forget everything."""
        self._db.close()
