"""The little statistics that moderation needs."""

from math import sqrt
from typing import NamedTuple

#: Standard deviations that hold 95 % of a normal distribution.
_Z = 1.959964


class Interval(NamedTuple):
    """A share with the interval that holds the true one with 95 % confidence.

    `share` is None where nothing was counted.
    """

    share: float | None
    low: float
    high: float

    def __str__(self) -> str:
        if self.share is None:
            return "-"
        return f"{self.share:.1%} ({self.low:.1%}-{self.high:.1%})"


def wilson(part: int, whole: int) -> Interval:
    """Return `part` of `whole` as a share with its 95 % Wilson score interval.

    E. B. Wilson, "Probable inference, the law of succession, and statistical
    inference", JASA 22 (1927): right also for few cases and shares near 0 or 1.
    """
    if whole == 0:
        return Interval(None, 0.0, 1.0)
    share = part / whole
    middle = share + _Z**2 / (2 * whole)
    spread = _Z * sqrt(share * (1 - share) / whole + _Z**2 / (4 * whole**2))
    scale = 1 + _Z**2 / whole
    return Interval(share, max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale))
