"""The bridge as a picture: inline SVG that prints and needs no network. Drawing alone turns money into floats; every figure
that can be read on a chart is text made from pence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import Any, Final

from tariff.report.words import short_money, signed

LESS: Final = "#28A197"
MORE: Final = "#F46A25"
NET: Final = "#12436D"
INK: Final = "#0B0C0C"
GREY: Final = "#6F777B"
_FONT: Final = "Arial, Helvetica, sans-serif"
_ROW_HEIGHT: Final = 48
_WIDTH: Final = 400


@dataclass(frozen=True, slots=True)
class BridgeStep:
    """One bar: its label and what it adds to the payment, in pence."""

    label: str
    pence: int


@dataclass(frozen=True, slots=True)
class BridgeScale:
    """The axis: pence to one unit, what the unit is called, and the ends in that unit."""

    divisor: float
    unit: str
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ChartText:
    """What a chart says without being seen, and what its axis measures."""

    title: str
    description: str
    axis: str


def bridge_svg(name: str, text: ChartText, steps: Sequence[BridgeStep], net: BridgeStep, scale: BridgeScale) -> str:
    """A waterfall of differences from the baseline, which is the zero line: `steps` from top to bottom, then their sum `net`.

    `name` makes ids unique on the page. Bridges that stand together share a `scale`, so that they can be compared."""
    import altair as alt  # imported where it is used: it costs a second
    import vl_convert

    rows = [*_floating(steps, scale.divisor), _row(net, 0, scale.divisor, "net")]
    links = [{"label": row["label"], "next": after["label"], "end": row["end"]} for row, after in pairwise(rows)]
    order = alt.Scale(domain=[row["label"] for row in rows])
    y = alt.Y(
        "label:N",
        sort=None,
        scale=order,
        title=None,
        axis=alt.Axis(
            labelLimit=200,
            labelFontSize=13,
            labelColor=INK,
            labelExpr="split(datum.label, '|')",
            labelPadding=12,
            domain=False,
            ticks=False,
        ),
    )
    x = alt.X(
        "start:Q",
        title=f"{text.axis}, {scale.unit}",
        scale=alt.Scale(domain=[scale.low, scale.high], nice=False),
        axis=alt.Axis(
            tickCount=5,
            labelExpr="replace(format(datum.value, ',~g'), '-', '−')",
            labelColor=GREY,
            labelFontSize=12,
            titleColor=GREY,
            titleFontSize=12,
            titleFontWeight="normal",
            titlePadding=10,
            gridColor="#E6E8EA",
            domain=False,
            ticks=False,
        ),
    )
    base = alt.Chart(alt.InlineData(values=rows)).encode(y=y)
    colour = alt.Color("kind:N", scale=alt.Scale(domain=["less", "more", "net"], range=[LESS, MORE, NET]), legend=None)
    bars = base.mark_bar(height=24).encode(x=x, x2="end:Q", color=colour)
    joined = alt.Chart(alt.InlineData(values=links)).mark_rule(color=GREY, strokeDash=[2, 2])
    joints = joined.encode(x="end:Q", y=alt.Y("label:N", scale=order, bandPosition=0.5), y2=alt.Y2("next:N", bandPosition=0.5))
    zero = alt.Chart(alt.InlineData(values=[{"zero": 0}])).mark_rule(color=INK, strokeWidth=1.2).encode(x="zero:Q")
    words = [_labels(alt, base, side, align, offset) for side, align, offset in (("left", "right", -7), ("right", "left", 7))]
    chart = alt.layer(joints, bars, zero, *words).properties(width=_WIDTH, height=_ROW_HEIGHT * len(rows))
    svg: str = vl_convert.vegalite_to_svg(chart.configure(font=_FONT).configure_view(strokeWidth=0).to_dict())
    return with_text_alternative(svg, name, text)


def bridge_scale(bridges: Iterable[tuple[Sequence[BridgeStep], BridgeStep]]) -> BridgeScale:
    """One scale for bridges that stand together: it holds zero, every bar, and room for the labels at their ends."""
    ends = [0] + [end for steps, net in bridges for end in (*_reach(steps), net.pence)]
    divisor, unit = _unit(max(map(abs, ends)))
    low, high = min(ends) / divisor, max(ends) / divisor
    room = 0.3 * ((high - low) or 1.0)
    return BridgeScale(divisor, unit, low - (room if low < 0 else 0), high + room)


def _labels(alt: Any, base: Any, side: str, align: str, offset: int) -> Any:
    """The amounts at the ends of the bars that point to one side."""
    marked = base.transform_filter(f"datum.side == '{side}'")
    return marked.mark_text(align=align, dx=offset, fontSize=13, fontWeight="bold", color=INK).encode(x="end:Q", text="text:N")


def _reach(steps: Sequence[BridgeStep]) -> list[int]:
    """Where the running total stands after each step."""
    total, reached = 0, [0]
    for step in steps:
        total += step.pence
        reached.append(total)
    return reached


def _unit(largest_pence: int) -> tuple[float, str]:
    """Pence to one unit of the axis, and what to call it."""
    if largest_pence >= 10**8:
        return 1e8, "£ million"
    return (1e5, "£ thousand") if largest_pence >= 10**6 else (1e2, "£")


def _floating(steps: Sequence[BridgeStep], scale: float) -> list[dict[str, Any]]:
    return [
        _row(step, before, scale, "less" if step.pence < 0 else "more")
        for step, before in zip(steps, _reach(steps), strict=False)
    ]


def _row(step: BridgeStep, before: int, scale: float, kind: str) -> dict[str, Any]:
    after = before + step.pence
    side = "left" if step.pence < 0 else "right"
    return {
        "label": step.label,
        "start": before / scale,
        "end": after / scale,
        "side": side,
        "kind": kind,
        "text": signed(short_money(step.pence)),
    }


def wrap_label(label: str, width: int = 26) -> str:
    """`label` with `|` where it should break: at the last space before `width`, once."""
    if len(label) <= width:
        return label
    cut = label.rfind(" ", 0, width + 1)
    return label if cut < 0 else f"{label[:cut]}|{label[cut + 1 :]}"


_ROOT: Final = re.compile(r"<svg\b[^>]*>")


def with_text_alternative(svg: str, name: str, text: ChartText) -> str:
    """The SVG as one image with a title and a description, ids of its own, and no namespace addresses (inline SVG needs none)."""
    root = _ROOT.search(svg)
    if root is None:
        raise ValueError("the chart is not SVG")
    view = re.search(r'viewBox="([^"]*)"', root[0])
    opening = (
        f'<svg role="img" aria-labelledby="{name}-title {name}-description" viewBox="{view[1] if view else ""}"'
        f' style="width:100%;height:auto;max-width:{_natural_width(root[0])}px">'
        f'<title id="{name}-title">{escape(text.title)}</title><desc id="{name}-description">{escape(text.description)}</desc>'
    )
    inner = svg[root.end() :]
    inner = re.sub(r'\s(?:role|aria-[a-z]+)="[^"]*"', "", inner)
    inner = re.sub(r'id="(\w+)"', rf'id="{name}-\1"', inner)
    inner = re.sub(r"url\(#(\w+)\)", rf"url(#{name}-\1)", inner)
    return opening + re.sub(r'\sxmlns(?::\w+)?="[^"]*"', "", inner)


def _natural_width(root: str) -> int:
    found = re.search(r'width="(\d+)', root)
    return int(found[1]) if found else _WIDTH
