"""Times as other systems tell them, and which of them can be believed."""

from datetime import UTC, datetime, timedelta

_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
#: How far the clocks of two machines may be apart.
_AHEAD = timedelta(days=1)


def told_moment(text: str) -> datetime | None:
    """Return the time in UTC that ISO 8601 tells; None for what is none, or in no calendar.

    Without an offset it is taken for UTC.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def counted_moment(seconds: object) -> datetime | None:
    """Return the time so many seconds after 1970; None for what counts none."""
    try:
        return datetime.fromtimestamp(float(str(seconds)), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def believed(moment: datetime | None, now: datetime) -> datetime | None:
    """Return a time at which somebody can have written a comment, None for any other."""
    return moment if moment and _FIRST <= moment <= now + _AHEAD else None
