"""The bridge as a picture: inline SVG that prints and needs no network. Drawing alone turns money into floats; every figure
that can be read on a chart is text made from pence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final

from tariff.report.words import short_money, signed

LESS: Final = "#28A197"
MORE: Final = "#F46A25"
NET: Final = "#12436D"
INK: Final = "#0B0C0C"
GREY: Final = "#6F777B"
_FONT: Final = "Arial, Helvetica, sans-serif"
_ROW_HEIGHT: Final = 46
_WIDTH: Final = 430


@dataclass(frozen=True, slots=True)
class BridgeStep:
    """One bar: its label and what it adds to the payment, in pence."""

    label: str
    pence: int


def bridge_svg(name: str, title: str, description: str, steps: Sequence[BridgeStep], net: BridgeStep, axis: str) -> str:
    """A waterfall of differences from the baseline, which is the zero line: `steps` from top to bottom, then their sum `net`.

    `name` makes ids unique on the page; `title` and `description` are its text alternative; `axis` says what zero is."""
    import altair as alt  # imported where it is used: it costs a second
    import vl_convert

    scale, unit = _unit(max(abs(value) for value in (*_reach(steps), net.pence)))
    rows = [*_floating(steps, scale), _row(net, 0, scale, "net")]
    order = [row["label"] for row in rows]
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        y=alt.Y(
            "label:N",
            sort=order,
            title=None,
            axis=alt.Axis(
                labelLimit=230, labelFontSize=13, labelColor=INK, domain=False, ticks=False, labelPadding=12, labelExpr=_wrapped()
            ),
        )
    )
    low, high = _domain(rows)
    x = alt.X(
        "start:Q",
        title=f"{axis}, {unit}",
        scale=alt.Scale(domain=[low, high], nice=False),
        axis=alt.Axis(
            tickCount=5,
            format="~g",
            labelExpr="replace(format(datum.value, ',~g'), '-', '−')",
            labelColor=GREY,
            titleColor=GREY,
            gridColor="#E6E8EA",
            domain=False,
            ticks=False,
            titleFontWeight="normal",
            titlePadding=10,
        ),
    )
    colours = alt.Color("kind:N", scale=alt.Scale(domain=["less", "more", "net"], range=[LESS, MORE, NET]), legend=None)
    bars = base.mark_bar(height=24).encode(x=x, x2="end:Q", color=colours)
    zero = alt.Chart(alt.InlineData(values=[{"zero": 0}])).mark_rule(color=INK, strokeWidth=1.2).encode(x="zero:Q")
    right = base.transform_filter("datum.side == 'right'").mark_text(
        align="left", dx=7, fontSize=13, fontWeight="bold", color=INK
    )
    left = base.transform_filter("datum.side == 'left'").mark_text(
        align="right", dx=-7, fontSize=13, fontWeight="bold", color=INK
    )
    layers = [bars, zero, right.encode(x="edge:Q", text="text:N"), left.encode(x="edge:Q", text="text:N")]
    chart = (
        alt.layer(*layers)
        .properties(width=_WIDTH, height=_ROW_HEIGHT * len(rows))
        .configure(font=_FONT)
        .configure_view(strokeWidth=0)
    )
    svg: str = vl_convert.vegalite_to_svg(chart.to_dict())
    return _with_text_alternative(svg, name, title, description)


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
        "edge": after / scale,
        "side": side,
        "kind": kind,
        "text": signed(short_money(step.pence)),
    }


def _domain(rows: Sequence[dict[str, Any]]) -> tuple[float, float]:
    """The axis holds zero, every bar, and room for the labels at their ends."""
    ends = [0.0, *(row[end] for row in rows for end in ("start", "end"))]
    room = 0.24 * ((max(ends) - min(ends)) or 1.0)
    left = any(row["side"] == "left" for row in rows)
    right = any(row["side"] == "right" for row in rows)
    return min(ends) - (room if left else 0.04 * room), max(ends) + (room if right else 0.04 * room)


def _wrapped() -> str:
    """A Vega expression that breaks a long label in two at the space nearest its middle marker `|`."""
    return "split(datum.label, '|')"


def wrap_label(label: str, width: int = 26) -> str:
    """`label` with `|` where it should break: at the last space before `width`, once."""
    if len(label) <= width:
        return label
    cut = label.rfind(" ", 0, width + 1)
    return label if cut < 0 else f"{label[:cut]}|{label[cut + 1 :]}"


_ROOT: Final = re.compile(r"<svg\b[^>]*>")


def _with_text_alternative(svg: str, name: str, title: str, description: str) -> str:
    """The SVG as one image with a title and a description, ids of its own, and no namespace addresses (inline SVG needs none)."""
    root = _ROOT.search(svg)
    if root is None:
        raise ValueError("the chart is not SVG")
    view = re.search(r'viewBox="([^"]*)"', root[0])
    opening = (
        f'<svg role="img" aria-labelledby="{name}-title {name}-description" viewBox="{view[1] if view else ""}"'
        f' style="width:100%;height:auto;max-width:{_natural_width(root[0])}px">'
        f'<title id="{name}-title">{escape(title)}</title><desc id="{name}-description">{escape(description)}</desc>'
    )
    inner = svg[root.end() :]
    inner = re.sub(r'\s(?:role|aria-[a-z]+)="[^"]*"', "", inner)
    inner = re.sub(r'id="(\w+)"', rf'id="{name}-\1"', inner)
    inner = re.sub(r"url\(#(\w+)\)", rf"url(#{name}-\1)", inner)
    return opening + re.sub(r'\sxmlns(?::\w+)?="[^"]*"', "", inner)


def _natural_width(root: str) -> int:
    found = re.search(r'width="(\d+)', root)
    return int(found[1]) if found else _WIDTH
