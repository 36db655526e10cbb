"""Small charts as SVG, coloured by the page's stylesheet; beside each stands a table."""

from collections.abc import Sequence
from dataclasses import dataclass

import svg
from markupsafe import Markup

_WIDTH, _HEIGHT, _GAP = 600, 160, 2
_BASE = 18
#: Narrower, so that what is written in it can be read on a telephone.
_STRIPS_WIDTH, _STRIP, _STRIP_HEIGHT = 420, 44, 14
_SCALE, _SCALE_HEIGHT = 100, 16


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
    return _picture(title, _WIDTH, _HEIGHT + _BASE, elements)


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


def strips(title: str, rows: Sequence[Bar]) -> Markup:
    """Return a chart of stacked bars that lie, one below the other, each with its number."""
    longest = max([1, *(row.total for row in rows)])
    elements: list[svg.Element] = []
    for index, row in enumerate(rows):
        top = index * _STRIP
        words = f"{row.total:,} {row.label}"
        elements.append(svg.Text(x=0, y=top + 14, class_=["tick", "loud"], text=words))
        elements += _strip(row, top + 20, longest)
    height = len(rows) * _STRIP
    return _picture(title, _STRIPS_WIDTH, height, elements)


def interval(title: str, low: float, share: float, high: float) -> Markup:
    """Return a share between 0 and 1 as a point on a line, with the interval it lies in."""
    left, right = (round(_SCALE * value, 2) for value in (low, high))
    return _picture(
        title,
        _SCALE,
        _SCALE_HEIGHT,
        [
            svg.Line(x1=0, x2=_SCALE, y1=8, y2=8, class_=["axis"]),
            svg.Rect(x=left, y=4, width=max(1, right - left), height=8, class_=["span"]),
            svg.Rect(
                x=round(min(_SCALE - 3, _SCALE * share), 2), y=1, width=3, height=14,
                class_=["point"],
            ),
        ],
    )  # fmt: skip


def _strip(row: Bar, top: float, longest: int) -> list[svg.Element]:
    found: list[svg.Element] = [
        svg.Rect(x=0, y=top, width=_STRIPS_WIDTH, height=_STRIP_HEIGHT, class_=["ground"])
    ]
    left = 0.0
    for name, count in row.parts:
        width = count / longest * _STRIPS_WIDTH
        if count:
            found.append(
                svg.Rect(
                    x=round(left, 2), y=top, width=round(max(1.0, width), 2), height=_STRIP_HEIGHT,
                    class_=[name], elements=[svg.Title(text=f"{row.label}: {count:,} {name}")],
                )
            )  # fmt: skip
        left += width
    return found


def _picture(title: str, width: float, height: float, elements: list[svg.Element]) -> Markup:
    picture = svg.SVG(
        viewBox=svg.ViewBoxSpec(0, 0, width, height),
        class_=["chart"],
        extra={"role": "img"},
        elements=[svg.Title(text=title), *elements],
    )
    return Markup(picture.as_str())  # noqa: S704  # numbers and dates only, and the library escapes
