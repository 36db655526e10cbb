"""The time, as the record keeps it."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return this machine's clock in whole milliseconds, as the record keeps times."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def in_zulu(moment: datetime) -> str:
    """Return a time in UTC as ISO 8601 that ends in Z, as all our answers do."""
    return moment.isoformat().replace("+00:00", "Z")
