"""What was measured, beside what is wanted of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Measure:
    """One line of the table. Without a goal it is there to be read, not to be met."""

    name: str
    value: float
    unit: str = ""
    goal: float | None = None
    better: Literal["more", "less"] = "more"

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None without one."""
        if self.goal is None:
            return None
        return self.value >= self.goal if self.better == "more" else self.value <= self.goal


def table(measures: Iterable[Measure]) -> str:
    """Return the measures as lines of text."""
    lines = [f"{'measure':<64} {'value':>12} {'goal':>10}  "]
    lines += [_line(measure) for measure in measures]
    return "\n".join(lines)


def percentile(values: Iterable[float], share: float) -> float:
    """Return the value below which `share` (0 to 1) of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _line(measure: Measure) -> str:
    value = f"{measure.value:,.2f} {measure.unit}".rstrip()
    sign = {"more": ">=", "less": "<="}[measure.better]
    goal = "" if measure.goal is None else f"{sign} {measure.goal:g}"
    word = {True: "ok", False: "short", None: ""}[measure.met]
    return f"{measure.name:<64} {value:>12} {goal:>10}  {word}".rstrip()
