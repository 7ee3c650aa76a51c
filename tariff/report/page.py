"""The report as one self-contained page. What it says is put together here; how it looks is in the template."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from tariff._version import __version__
from tariff.money import pounds
from tariff.reasons import PRICED
from tariff.report.charts import BridgeStep, bridge_svg, wrap_label
from tariff.report.suppression import CONFIDENTIAL
from tariff.report.tables import (
    Table,
    assumption_table,
    bridge_table,
    comparison_table,
    label_table,
    outcome_table,
)
from tariff.report.words import (
    counted,
    in_sentence,
    listed,
    more_or_less,
    percentage,
    short_money,
    signed,
)

if TYPE_CHECKING:
    from tariff.payment import Model
    from tariff.report.report import Report

_KINDS: Final = {
    "admitted": "admitted care",
    "outpatient": "outpatient care",
    "emergency": "emergency care",
    "unbundled": "unbundled activity",
}
_RULES: Final = {
    "exclusions": "Exclusions",
    "short_stay": "Short-stay reduction",
    "long_stay": "Long-stay payment",
    "top_up": "Specialised top-ups",
    "market_forces_factor": "Market forces factor",
}


@dataclass(frozen=True, slots=True)
class KeyFigure:
    """One figure at the head of the page."""

    title: str
    figure: str
    change: str
    words: str


@dataclass(frozen=True, slots=True)
class Bridge:
    """A model's bridge: the finding, the chart (none where nothing differs) and its table."""

    name: str
    finding: str
    svg: str
    sentences: tuple[tuple[str, str], ...]
    table: Table


def render_page(report: Report, written: date) -> str:
    """The whole page as HTML: no address outside itself, charts as inline SVG."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("tariff.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("report.html.j2").render(
        report=report,
        version=__version__,
        written=f"{written.day} {written:%B %Y}",
        overline=_overline(report),
        standfirst=_standfirst(report),
        figures=[_figure(report, model) for model in report.models],
        bridges=[_bridge(report, model) for model in report.others],
        comparisons=[comparison_table(report, dimension) for dimension in report.dimensions],
        whole_contract=_pays_whole_contracts(report),
        outcomes=outcome_table(report),
        outcome_finding=_outcome_finding(report),
        labels=label_table(report),
        assumptions=assumption_table(report),
        left_off=[line for card in report.cards for line in _left_off(card)],
        pack_notes=[
            (pack["label"], pack["notes"]) for card in report.cards for pack in card.get("packs", ()) if pack.get("notes")
        ],
        warnings=[_warning(warning) for card in report.cards for warning in card.get("warnings", ())],
        packs=_packs(report),
        inputs=[_input(facts) for card in report.cards for facts in card.get("inputs", ())],
        confidential=CONFIDENTIAL,
    )


def _overline(report: Report) -> str:
    kinds = listed([_KINDS.get(kind, kind) for kind in report.coverage["kinds"]])
    return f"Payment models compared · {kinds} · {_period(report)}" if kinds else "Payment models compared"


def _period(report: Report) -> str:
    first, last = (date.fromisoformat(report.coverage[end]) for end in ("first_date", "last_date") if report.coverage[end])
    same_year = first.year == last.year
    start = f"{first.day} {first:%B}" if same_year else f"{first.day} {first:%B %Y}"
    return f"{start} to {last.day} {last:%B %Y}"


def _standfirst(report: Report) -> str:
    priced = f"{report.priced_lines:,} of {counted(report.lines, 'line', 'lines')}"
    if report.is_too_small:
        priced = f"{CONFIDENTIAL} of {counted(report.lines, 'line', 'lines')}"
    providers = counted(report.coverage["providers"], "provider", "providers")
    return f"The same {priced} of activity at {providers}, priced once and settled under each model."


def _figure(report: Report, model: Model) -> KeyFigure:
    total = next(row for row in report.totals if row["model"] == model.name)
    if report.is_too_small:
        return KeyFigure(model.title, CONFIDENTIAL, "", model.words)
    difference = total["difference_pence"]
    change = "the baseline"
    if model.name != report.baseline:
        share = signed(percentage(difference, total["baseline_pence"]))
        change = f"{more_or_less(difference, short_money(abs(difference)))} ({share})" if difference else "the same"
    return KeyFigure(model.title, short_money(total["pence"]), change, model.words)


def _bridge(report: Report, model: Model) -> Bridge:
    steps = report.bridge_by(()).filter(pl.col("model") == model.name).to_dicts()
    causes = [BridgeStep(wrap_label(step["label"]), step["pence"]) for step in steps if step["kind"] == "cause"]
    start, end = steps[0], steps[-1]
    difference = end["pence"] - start["pence"]
    finding = f"{model.title}: {more_or_less(difference, short_money(abs(difference)))} than {in_sentence(report.baseline_title)}"
    finding = finding if difference else f"{model.title}: the same as {in_sentence(report.baseline_title)}"
    sentences = tuple((cause.label, cause.sentence) for cause in model.causes)
    if report.is_too_small or not causes:
        shown = f"{model.title}: {CONFIDENTIAL}" if report.is_too_small else finding
        return Bridge(model.name, shown, "", sentences, bridge_table(report, model.name))
    told = "; ".join(f"{step.label.replace('|', ' ')} {signed(short_money(step.pence))}" for step in causes)
    net = BridgeStep("Difference in all", difference)
    svg = bridge_svg(
        name=f"chart-{model.name}",
        title=finding,
        description=f"Waterfall from {report.baseline_title}, {short_money(start['pence'])}: {told}. "
        f"{model.title} comes to {short_money(end['pence'])}.",
        steps=causes,
        net=net,
        axis=f"Difference from {in_sentence(report.baseline_title)} ({short_money(start['pence'])})",
    )
    return Bridge(model.name, finding, svg, sentences, bridge_table(report, model.name))


def _pays_whole_contracts(report: Report) -> bool:
    """Whether a term pays without saying at which point of delivery."""
    by_pod = report.compare_by(("pod",))
    return bool(by_pod.filter(pl.col("pod").is_null() & (pl.col("difference_pence") != 0)).height)


def _outcome_finding(report: Report) -> str:
    share = percentage(report.priced_lines, report.lines)
    unpriced = report.outcomes.filter(pl.col("outcome") != PRICED)
    worth = short_money(int(unpriced["indicative_pence"].sum()))
    if report.is_too_small:
        return "What became of every line"
    if not unpriced.height:
        return "Every line was priced"
    return f"{share} of lines were priced; the rest would be worth about {worth}"


def _left_off(card: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Rules that a pack declares absent: pack, rule, why."""
    return [
        (pack["label"], _RULES.get(rule["rule"], rule["rule"]), rule.get("note") or rule["source"])
        for pack in card.get("packs", ())
        for rule in pack.get("rules", ())
        if rule["method"] == "none"
    ]


def _warning(warning: Mapping[str, Any]) -> str:
    lines = counted(warning["lines"], "line", "lines")
    return f"{warning['sentence']} {lines}, {pounds(warning['price_pence'], whole=True)}."


def _packs(report: Report) -> list[dict[str, Any]]:
    """Each pack that priced lines, with what the run cards know of it."""
    known = {pack["label"]: pack for card in report.cards for pack in card.get("packs", ())}
    return [
        {
            "label": row["pack"] or "not known",
            "lines": row["lines"],
            "pounds": pounds(row["price_pence"], whole=True),
            "title": known.get(row["pack"], {}).get("title", ""),
            "digest": known.get(row["pack"], {}).get("digest", ""),
            "overlays": known.get(row["pack"], {}).get("overlays", ()),
        }
        for row in report.packs.iter_rows(named=True)
    ]


def _input(facts: Mapping[str, Any]) -> str:
    """An input file by name (never by where it lay) and digest."""
    name = PurePath(str(facts.get("path") or facts.get("file") or facts.get("name") or "a file")).name
    digest = str(facts.get("sha256") or facts.get("digest") or "")
    rows = f", {facts['rows']:,} rows" if isinstance(facts.get("rows"), int) else ""
    return f"{name}{rows}{', sha256 ' + digest[:16] if digest else ''}"
