"""The numbers page: what came, what was decided, how long it took, how well rules did."""

from datetime import datetime, timedelta
from typing import Any, Literal

from flask import Blueprint, request
from pydantic import BaseModel

from service.domain.decision import Decision
from service.domain.lane import Lane
from service.storage.lanes import lane_counts
from service.storage.numbers import Numbers, numbers
from service.web.charts import Bar, bars
from service.web.chrome import page
from service.web.context import services
from service.web.health import missing_models
from service.web.login import guard, signed_in
from service.web.pages import html_errors
from service.web.remembered import Counted, Remembered
from service.web.schemas import validate

bp = Blueprint("numbers", __name__, url_prefix="/review/numbers")
bp.before_request(guard)
html_errors(bp)

_remembered: Remembered[tuple[datetime, Numbers]] = Remembered()


class _Query(BaseModel):
    days: Literal["7", "30", "90"] = "30"


@bp.get("")
def numbers_page() -> str:
    """The last days in numbers."""
    days = int(validate(_Query, request.args.to_dict()).days)
    counted = _counted(days)
    return page(
        "numbers.html",
        days=days,
        missing_models=missing_models(),
        **_shown(counted) if counted else {"found": None},
    )


def told(duration: timedelta | None) -> str:
    """Return a time as people say it: "4 hours", "under a minute"."""
    if duration is None:
        return "–"
    seconds = duration.total_seconds()
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            count = round(seconds / size)
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return "under a minute"


def _shown(counted: Counted[tuple[datetime, Numbers]]) -> dict[str, Any]:
    counted_at, found = counted.value
    with services().store.read() as db:
        waiting = lane_counts(db, signed_in().sites)[Lane.REVIEW]
    return {
        "found": found,
        "counted_at": counted_at,
        "renewing": counted.renewing,
        "oldest": waiting.oldest,
        "waiting": waiting,
        "arrivals": _arrivals(found),
        "decisions": _decisions(found),
        "duration": told,
        "Decision": Decision,
    }


def _counted(days: int) -> Counted[tuple[datetime, Numbers]] | None:
    needed, sites = services(), signed_in().sites

    def count() -> tuple[datetime, Numbers]:
        now = needed.clock()
        with needed.store.read() as db:
            return now, numbers(db, now, days, sites)

    return _remembered.get((needed.settings.database_url, days, sites), count)


def _arrivals(found: Numbers) -> str:
    return bars(
        f"{found.judged:,} comments judged in {len(found.days)} days",
        [
            Bar(f"{day.day:%d %b}", [("approved", day.approved), ("held", day.held)])
            for day in found.days
        ],
    )


def _decisions(found: Numbers) -> str:
    names = {Decision.APPROVE: "approved", Decision.REJECT: "rejected", Decision.SPAM: "spam"}
    return bars(
        f"{found.decided:,} decisions in {len(found.days)} days",
        [
            Bar(
                f"{day.day:%d %b}",
                [(name, day.decisions.get(decision, 0)) for decision, name in names.items()],
            )
            for day in found.days
        ],
    )
