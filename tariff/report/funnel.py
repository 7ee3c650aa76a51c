"""A funnel plot as a picture: a point a provider, its share against its number of lines, and the limits within which chance alone
would keep 95% of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from tariff.best_practice.achievement import funnel_limits
from tariff.report.charts import GREY, INK, ChartText, with_text_alternative

WITHIN: Final = "#12436D"
OUTSIDE: Final = "#F46A25"
_FONT: Final = "Arial, Helvetica, sans-serif"
_WIDTH, _HEIGHT = 400, 300
_SHARE: Final = "Share that met best practice"
_STEPS: Final = 120
_NAME_WIDTH, _NAME_HEIGHT = 0.14, 0.05
"""Room that the name of a provider takes, as a share of the plot."""
_SIDES: Final = {0: "within the limits", 1: "above the limits", -1: "below the limits"}


@dataclass(frozen=True, slots=True)
class FunnelPoint:
    """A provider: lines with evidence, the share that met, and whether it lies below (−1), within (0) or above (1) the limits."""

    provider: str
    lines: int
    share: float
    outside: int


@dataclass(frozen=True, slots=True)
class Funnel:
    """The share over all providers, and the providers."""

    expected: float
    points: tuple[FunnelPoint, ...]


def funnel_svg(name: str, text: ChartText, funnel: Funnel) -> str:
    """The funnel plot as inline SVG. `name` makes ids unique on the page. Providers outside the limits have another shape and
    colour and are named."""
    import altair as alt  # imported where it is used: it costs a second
    import vl_convert

    widest = 1.12 * max(point.lines for point in funnel.points)
    y = alt.Y("share:Q", title=_SHARE, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%", tickCount=5))
    x = alt.X(
        "lines:Q",
        title=text.axis,
        scale=alt.Scale(domain=[0, widest], nice=False),
        axis=alt.Axis(tickCount=6, format=",d", tickMinStep=1),
    )
    limits = alt.Chart(alt.InlineData(values=_limits(funnel.expected, widest)))
    dashed = limits.mark_line(color=GREY, strokeDash=[4, 3], strokeWidth=1.2)
    curves = [dashed.encode(x=x, y=alt.Y(f"{end}:Q", title=_SHARE)) for end in ("low", "high")]
    middle = alt.Chart(alt.InlineData(values=[{"share": funnel.expected}])).mark_rule(color=INK, strokeWidth=1.2).encode(y=y)
    points = alt.Chart(alt.InlineData(values=_rows(funnel))).encode(x=x, y=y)
    sides = list(_SIDES.values())
    colour = alt.Color("side:N", scale=alt.Scale(domain=sides, range=[WITHIN, OUTSIDE, OUTSIDE]), legend=None)
    shape = alt.Shape("side:N", scale=alt.Scale(domain=sides, range=["circle", "triangle-up", "triangle-down"]), legend=None)
    marks = points.mark_point(size=90, filled=True, opacity=1).encode(color=colour, shape=shape)
    names = [_names(points, side, align, offset) for side, align, offset in (("right", "left", 9), ("left", "right", -9))]
    chart = alt.layer(*curves, middle, marks, *names).properties(width=_WIDTH, height=_HEIGHT)
    svg: str = vl_convert.vegalite_to_svg(_styled(chart).to_dict())
    return with_text_alternative(svg, name, text)


def _names(points: Any, side: str, align: str, offset: int) -> Any:
    """The names that stand on one side of their points."""
    return points.mark_text(align=align, dx=offset, dy=1, fontSize=14, color=INK).encode(text=f"{side}:N")


def _styled(chart: Any) -> Any:
    axes = {"labelColor": GREY, "labelFontSize": 13, "titleColor": GREY, "titleFontSize": 13, "titleFontWeight": "normal"}
    lines = {"gridColor": "#E6E8EA", "domain": False, "ticks": False, "titlePadding": 8}
    return chart.configure(font=_FONT).configure_view(strokeWidth=0).configure_axis(**axes, **lines)


def _rows(funnel: Funnel) -> list[dict[str, Any]]:
    most = max(point.lines for point in funnel.points)
    return [
        {
            "lines": point.lines,
            "share": point.share,
            "side": _SIDES[point.outside],
            "right": "" if not point.outside or _is_crowded(point, funnel, most) else point.provider,
            "left": point.provider if point.outside and _is_crowded(point, funnel, most) else "",
        }
        for point in funnel.points
    ]


def _is_crowded(point: FunnelPoint, funnel: Funnel, most: int) -> bool:
    """Whether another point stands where the name of this one would be, to its right."""
    beside = [(other.lines - point.lines) / most for other in funnel.points if abs(other.share - point.share) < _NAME_HEIGHT]
    return any(0 < distance < _NAME_WIDTH for distance in beside) and point.lines > _NAME_WIDTH * most


def _limits(expected: float, most: float) -> list[dict[str, float]]:
    lines = pl.Series([most * step / _STEPS for step in range(1, _STEPS + 1)])
    low, high = funnel_limits(pl.lit(expected), pl.col("lines"))
    return pl.DataFrame({"lines": lines}).with_columns(low.alias("low"), high.alias("high")).to_dicts()
