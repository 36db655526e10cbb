"""Small charts as SVG, coloured by the page's stylesheet; beside each stands a table."""

from collections.abc import Sequence
from dataclasses import dataclass

import svg
from markupsafe import Markup

_WIDTH, _HEIGHT, _GAP = 600, 160, 2
_BASE = 18


@dataclass(frozen=True, slots=True)
class Bar:
    """One column of a chart: its label, and its parts from below by their class of colour."""

    label: str
    parts: Sequence[tuple[str, int]]

    @property
    def total(self) -> int:
        """Its height."""
        return sum(count for _, count in self.parts)


def bars(title: str, columns: Sequence[Bar]) -> Markup:
    """Return a chart of stacked columns; `title` is what it says in words."""
    highest = max([1, *(bar.total for bar in columns)])
    elements: list[svg.Element] = [
        svg.Line(x1=0, x2=_WIDTH, y1=_HEIGHT, y2=_HEIGHT, class_=["axis"]),
    ]
    step = _WIDTH / max(1, len(columns))
    for index, bar in enumerate(columns):
        elements += _column(bar, index * step, step, highest)
        if index % max(1, len(columns) // 6) == 0:
            elements.append(
                svg.Text(x=index * step, y=_HEIGHT + _BASE - 4, class_=["tick"], text=bar.label)
            )
    picture = svg.SVG(
        viewBox=svg.ViewBoxSpec(0, 0, _WIDTH, _HEIGHT + _BASE),
        class_=["chart"],
        extra={"role": "img"},
        elements=[svg.Title(text=title), *elements],
    )
    return Markup(picture.as_str())  # noqa: S704  # numbers and dates only, and the library escapes


def _column(bar: Bar, left: float, step: float, highest: int) -> list[svg.Element]:
    found: list[svg.Element] = []
    top = float(_HEIGHT)
    for name, count in bar.parts:
        height = count / highest * (_HEIGHT - 8)
        top -= height
        if count:
            found.append(
                svg.Rect(
                    x=round(left, 2),
                    y=round(top, 2),
                    width=round(max(1.0, step - _GAP), 2),
                    height=round(height, 2),
                    class_=[name],
                    elements=[svg.Title(text=f"{bar.label}: {count:,} {name}")],
                )
            )
    return found
