"""The report as one self-contained page. What it says is put together here; how it looks is in the template."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from tariff._version import __version__
from tariff.money import pounds
from tariff.reasons import PRICED
from tariff.report.best_practice import (
    TariffSection,
    best_practice_finding,
    settings_table,
    tariff_sections,
    tariff_table,
)
from tariff.report.charts import BridgeScale, BridgeStep, ChartText, bridge_scale, bridge_svg, wrap_label
from tariff.report.compared import Compared
from tariff.report.outcomes import evidence_not_used
from tariff.report.pathway_section import level_table, owed_table, pathway_finding, provider_table
from tariff.report.suppression import CONFIDENTIAL, is_small
from tariff.report.table import Table
from tariff.report.tables import (
    assumption_table,
    bridge_table,
    comparison_table,
    gain_table,
    label_table,
    outcome_table,
    pathway_table,
)
from tariff.report.words import (
    counted,
    listed,
    more_or_less,
    percentage,
    short_money,
    signed,
)

if TYPE_CHECKING:
    from tariff.payment import Model

_AMOUNT: Final = re.compile(r"[−+]?£[\d,.]+\d(?:m\b)?")
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


@dataclass(frozen=True, slots=True)
class BestPracticeSection:
    """Best practice on the page: the finding, all tariffs, each tariff by provider, and what prices by setting paid where."""

    finding: str
    table: Table
    tariffs: list[TariffSection]
    settings: Table | None


@dataclass(frozen=True, slots=True)
class PathwaySection:
    """Pathways on the page: the finding, the table by level, and, where the pathways tell it, by lead provider and who owes."""

    finding: str
    table: Table
    providers: Table | None = None
    owed: Table | None = None


def render_page(report: Compared, written: date) -> str:
    """The whole page as HTML: no address outside itself, charts as inline SVG."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup, escape

    def whole_amounts(text: str) -> Markup:
        """Amounts of a heading are not broken across lines, least of all after their minus sign."""
        return Markup(_AMOUNT.sub(r'<span class="amount">\g<0></span>', str(escape(text))))

    environment = Environment(
        loader=PackageLoader("tariff.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["whole_amounts"] = whole_amounts
    return environment.get_template("report.html.j2").render(
        report=report,
        version=__version__,
        written=f"{written.day} {written:%B %Y}",
        overline=_overline(report),
        standfirst=_standfirst(report),
        figures=[_figure(report, model) for model in report.models],
        bridges=_bridges(report),
        comparisons=[comparison_table(report, dimension) for dimension in report.dimensions if dimension != "provider"],
        gains=gain_table(report) if report.others else None,
        best_practice=_best_practice(report),
        pathways=_pathways(report),
        whole_contract=_pays_whole_contracts(report),
        outcomes=outcome_table(report),
        outcome_finding=_outcome_finding(report),
        labels=label_table(report),
        assumptions=assumption_table(report),
        left_off=[line for card in report.cards for line in _left_off(card)],
        pack_notes=[
            (pack["label"], pack["notes"]) for card in report.cards for pack in card.get("packs", ()) if pack.get("notes")
        ],
        warnings=[_warning(warning, suppress=report.suppress) for card in report.cards for warning in card.get("warnings", ())],
        evidence=list(evidence_not_used(report)),
        packs=_packs(report),
        inputs=[_input(facts) for card in report.cards for facts in card.get("inputs", ())],
        confidential=CONFIDENTIAL,
    )


def _best_practice(report: Compared) -> BestPracticeSection | None:
    """The best-practice section; None where no line is covered."""
    found = report.best_practice
    if found.is_empty or report.is_too_small:
        return None
    return BestPracticeSection(best_practice_finding(found), tariff_table(found), tariff_sections(found), settings_table(found))


def _pathways(report: Compared) -> PathwaySection | None:
    """The section of pathways; None where there are none. Without the table of pathways only what lies inside them is known."""
    found = report.pathway_figures
    if found.is_empty:
        inside = pathway_table(report)
        return None if inside is None else PathwaySection("Pathways", inside)
    if report.is_too_small:
        return None
    return PathwaySection(pathway_finding(found), level_table(found), provider_table(found), owed_table(found))


def _overline(report: Compared) -> str:
    kinds = listed([_KINDS.get(kind, kind) for kind in report.coverage["kinds"]])
    return f"Payment models compared · {kinds} · {_period(report)}" if kinds else "Payment models compared"


def _period(report: Compared) -> str:
    first, last = (date.fromisoformat(report.coverage[end]) for end in ("first_date", "last_date") if report.coverage[end])
    same_year = first.year == last.year
    start = f"{first.day} {first:%B}" if same_year else f"{first.day} {first:%B %Y}"
    return f"{start} to {last.day} {last:%B %Y}"


def _standfirst(report: Compared) -> str:
    priced = CONFIDENTIAL if report.is_too_small else f"{report.priced_lines:,}"
    of_all = "" if report.hides_line_count else f" of {report.lines:,}"
    providers = counted(report.coverage["providers"], "provider", "providers")
    return f"The same activity at {providers}, priced once and settled under each model: {priced}{of_all} lines priced."


def _figure(report: Compared, model: Model) -> KeyFigure:
    total = _total(report, model)
    if report.is_too_small:
        return KeyFigure(model.title, CONFIDENTIAL, "", model.words)
    difference = total["difference_pence"]
    change = "the baseline"
    if model.name != report.baseline:
        share = signed(percentage(difference, total["baseline_pence"]))
        change = f"{more_or_less(difference, short_money(abs(difference)))} ({share})" if difference else "the same"
    return KeyFigure(model.title, short_money(total["pence"]), change, model.words)


def _bridges(report: Compared) -> list[Bridge]:
    steps = {model.name: _steps(report, model) for model in report.others}
    scale = bridge_scale(steps.values())
    return [_bridge(report, model, *steps[model.name], scale) for model in report.others]


def _steps(report: Compared, model: Model) -> tuple[list[BridgeStep], BridgeStep]:
    """The causes of a model's bridge, and their sum."""
    rows = report.bridge_by(()).filter((pl.col("model") == model.name) & (pl.col("kind") == "cause"))
    causes = [BridgeStep(wrap_label(label), pence) for label, pence in rows.select("label", "pence").iter_rows()]
    return causes, BridgeStep("Difference in all", sum(cause.pence for cause in causes))


def _bridge(report: Compared, model: Model, causes: list[BridgeStep], net: BridgeStep, scale: BridgeScale) -> Bridge:
    base = report.models[report.baseline]
    before, after = (_total(report, which)["pence"] for which in (base, model))
    than = "than" if net.pence else "as"
    finding = f"{model.title}: {more_or_less(net.pence, short_money(abs(net.pence)))} {than} {base.in_a_sentence}"
    acting = {step.label for step in causes}
    told_of = next(ledger.causes for ledger in report.ledgers if ledger.model.name == model.name)
    sentences = tuple((cause.label, cause.sentence) for cause in told_of if wrap_label(cause.label) in acting)
    svg = ""
    if report.is_too_small:
        finding = f"{model.title}: {CONFIDENTIAL}"
    elif causes:
        told = "; ".join(f"{step.label.replace('|', ' ')} {signed(short_money(step.pence))}" for step in causes)
        ends = f"from {base.title}, {short_money(before)}, to {model.title}, {short_money(after)}"
        axis = f"Difference from {base.in_a_sentence} ({short_money(before)})"
        text = ChartText(finding, f"Waterfall {ends}: {told}.", axis)
        svg = bridge_svg(f"chart-{model.name}", text, causes, net, scale)
    return Bridge(model.name, finding, svg, sentences, bridge_table(report, model.name))


def _total(report: Compared, model: Model) -> dict[str, Any]:
    return next(row for row in report.totals if row["model"] == model.name)


def _pays_whole_contracts(report: Compared) -> bool:
    """Whether a term pays without saying at which point of delivery."""
    by_pod = report.compare_by(("pod",))
    return bool(by_pod.filter(pl.col("pod").is_null() & (pl.col("difference_pence") != 0)).height)


def _outcome_finding(report: Compared) -> str:
    unpriced = report.outcomes.filter(pl.col("outcome") != PRICED)
    if not unpriced.height:
        return "Every line was priced"
    if report.hides_line_count or report.is_too_small:
        return "What became of every line"
    share, worth = percentage(report.priced_lines, report.lines), int(unpriced["indicative_pence"].sum())
    told = f"; the rest would be worth {short_money(worth)} or more" if worth else ""
    return f"{share} of lines were priced{told}"


def _left_off(card: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Rules that a pack declares absent: pack, rule, why."""
    return [
        (pack["label"], _RULES.get(rule["rule"], rule["rule"]), rule.get("note") or rule["source"])
        for pack in card.get("packs", ())
        for rule in pack.get("rules", ())
        if rule["method"] == "none"
    ]


def _warning(warning: Mapping[str, Any], *, suppress: bool) -> str:
    if suppress and is_small(warning["lines"]):
        return f"{warning['sentence']} {CONFIDENTIAL} lines."
    lines = counted(warning["lines"], "line", "lines")
    return f"{warning['sentence']} {lines}, {pounds(warning['price_pence'], whole=True)}."


def _packs(report: Compared) -> list[dict[str, Any]]:
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
