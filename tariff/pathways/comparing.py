"""Pathways as tables for a report: price against episodic cost, who wins and loses, break-even, leakage, and what each decision
in a definition moves. None carries a patient; money is in pence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, Final

import polars as pl

from tariff.pathways.bundling import form
from tariff.pathways.care import care_lines
from tariff.pathways.definitions import Definitions
from tariff.pathways.partitions import in_parts, partitions_for
from tariff.rulepack.pathway_model import AnchoredEpisode, AnyPathway

_PAID: Final = pl.col("flag").is_null()
_TARIFF: Final = ("definition", "phase", "level")
_WINSORISED: Final = (0.01, 0.99)
_QUANTILES: Final = {"lowest_pence": 0.0, "tenth_pence": 0.1, "median_pence": 0.5, "ninetieth_pence": 0.9, "highest_pence": 1.0}


def price_against_cost(pathways: pl.DataFrame, by: Sequence[str] = ("lead_provider",)) -> pl.DataFrame:
    """For every definition, phase and level, and `by`: pathways paid, what they are paid, what the care in them would have been
    paid line by line, the gain (positive: the lead provider gains), and the spread of episodic value."""
    quantiles = [pl.col("episodic_pence").quantile(at, "nearest").cast(pl.Int64).alias(name) for name, at in _QUANTILES.items()]
    return (
        pathways.filter(_PAID)
        .group_by(*_TARIFF, *by)
        .agg(
            pl.len().cast(pl.Int64).alias("pathways"),
            pl.col("price_pence").sum().alias("bundle_pence"),
            pl.col("episodic_pence").sum(),
            pl.col("complications").sum().cast(pl.Int64),
            *quantiles,
        )
        .with_columns(gain_pence=pl.col("bundle_pence") - pl.col("episodic_pence"))
        .sort(*_TARIFF, *by, nulls_last=True)
    )


def winners_and_losers(pathways: pl.DataFrame) -> pl.DataFrame:
    """For every definition and lead provider: pathways, gain or loss against episodic payment, and how much of it is case-mix:
    `level_pence` is what the provider would gain if its pathways cost the average of their level everywhere, `own_pence` the
    rest, which is its own cost."""
    means = pathways.filter(_PAID).group_by(*_TARIFF).agg(total=pl.col("episodic_pence").sum(), number=pl.len().cast(pl.Int64))
    return (
        pathways.filter(_PAID)
        .join(means, on=list(_TARIFF), nulls_equal=True)
        .group_by("definition", "lead_provider", *_TARIFF[1:])
        .agg(
            pathways=pl.len().cast(pl.Int64),
            bundle_pence=pl.col("price_pence").sum(),
            episodic_pence=pl.col("episodic_pence").sum(),
            expected_pence=pl.len().cast(pl.Int64) * pl.col("total").first() // pl.col("number").first(),
        )
        .group_by("definition", "lead_provider")
        .agg(pl.col("pathways", "bundle_pence", "episodic_pence", "expected_pence").sum())
        .with_columns(
            gain_pence=pl.col("bundle_pence") - pl.col("episodic_pence"),
            level_pence=pl.col("bundle_pence") - pl.col("expected_pence"),
            own_pence=pl.col("expected_pence") - pl.col("episodic_pence"),
        )
        .sort("definition", "gain_pence", "lead_provider", descending=[False, True, False])
    )


def break_even(pathways: pl.DataFrame) -> pl.DataFrame:
    """For every definition, phase and level the price at which pathways together cost what line by line they would, as paid and
    with the dearest and cheapest hundredth drawn in to the 1st and 99th percentile (`low_pence`, `high_pence`: what a level's
    outlier amounts may be set from); prices include market forces."""
    low, high = (pl.col("episodic_pence").quantile(at, "nearest").cast(pl.Int64) for at in _WINSORISED)
    drawn_in = pl.col("episodic_pence").clip(low, high)
    number = pl.len().cast(pl.Int64)
    return (
        pathways.filter(_PAID)
        .group_by(*_TARIFF)
        .agg(
            pathways=number,
            mean_price_pence=pl.col("price_pence").sum() // number,
            break_even_pence=pl.col("episodic_pence").sum() // number,
            winsorised_pence=drawn_in.sum() // number,
            low_pence=low,
            high_pence=high,
        )
        .sort(*_TARIFF, nulls_last=True)
    )


def leakage(lines: pl.LazyFrame, pathways: pl.DataFrame) -> pl.DataFrame:
    """For every definition and lead provider the care inside that other providers gave, in lines and pence, and its share of all
    care inside in basis points."""
    leads = pathways.filter(_PAID).select("pathway_id", "definition", "lead_provider").unique("pathway_id")
    elsewhere = pl.col("provider") != pl.col("lead_provider")
    return (
        lines.filter(pl.col("pathway_pence") != 0)
        .select("pathway_id", "provider", "pathway_pence")
        .join(leads.lazy(), on="pathway_id")
        .group_by("definition", "lead_provider")
        .agg(
            inside_pence=pl.col("pathway_pence").sum(),
            elsewhere_lines=elsewhere.sum().cast(pl.Int64),
            elsewhere_pence=pl.col("pathway_pence").filter(elsewhere).sum(),
        )
        .with_columns(elsewhere_bp=pl.col("elsewhere_pence") * 10_000 // pl.col("inside_pence"))
        .sort("definition", "lead_provider")
        .collect()
    )


def left_out(lines: pl.LazyFrame) -> pl.DataFrame:
    """For every definition and category the lines that pathways left outside and what they are paid by themselves."""
    name = pl.col("pathway_id").str.split(":").list.first()
    return (
        lines.filter(pl.col("pathway_category").cast(pl.String).str.starts_with("outside_"))
        .group_by(pathway=name, category=pl.col("pathway_category").cast(pl.String))
        .agg(lines=pl.len().cast(pl.Int64), pence=pl.col("price_pence").sum())
        .sort("pathway", "category")
        .collect()
    )


Decisions = Mapping[str, Mapping[str, Any]]
"""Changes to definitions by a name of the decision: fields of a definition and the value they take."""
DECISIONS: Final[Decisions] = {
    "window 30 days shorter": {"window_days": -30},
    "window 30 days longer": {"window_days": 30},
    "no look-back": {"look_back_days": 0},
    "no warranty": {"warranty_days": 0},
    "stays that cross the window wholly inside": {"proration": "by_start"},
    "nothing outside by name": {"outside": ()},
    "no anchor kept out by name": {"not_opened": ()},
    "care at other providers outside": {"lead_provider_only": True},
    "later wins": {"yields_to": None},
    "no stop-loss": {"stop_loss": None},
    "nothing withheld": {"quality": None},
}
"""Window days are added to the definition's own; a `yields_to` of None is every pathway there is."""


Paid = Callable[[Definitions], tuple[pl.DataFrame, int]]
"""Forms pathways under definitions: the pathways, and the pence still paid line by line."""


def bundle_under(
    priced: pl.LazyFrame | pl.DataFrame,
    activity: Sequence[pl.LazyFrame | pl.DataFrame],
    registers: pl.LazyFrame | pl.DataFrame | None = None,
    *,
    until: date | None = None,
) -> Paid:
    """What `sensitivity` asks of priced lines and the activity they were priced from."""
    size = priced.lazy().select(height=pl.len(), pence=pl.col("price_pence").sum()).collect(engine="streaming")
    parts = in_parts(care_lines(priced, activity), partitions_for(int(size["height"][0])))
    return paid_under(parts, int(size["height"][0]), int(size["pence"][0]), registers, until=until)


def paid_under(
    parts: Sequence[pl.LazyFrame],
    height: int,
    total_pence: int,
    registers: pl.LazyFrame | pl.DataFrame | None = None,
    *,
    until: date | None = None,
) -> Paid:
    """What `sensitivity` asks of lines of care in parts (`bundling.form`), all lines together being paid `total_pence`."""

    def paid(definitions: Definitions) -> tuple[pl.DataFrame, int]:
        formed = form(parts, height, definitions, registers, until=until)
        return formed.pathways, total_pence - int(formed.pathways["episodic_pence"].sum())

    return paid


def sensitivity(paid_under: Paid, definitions: Definitions, decisions: Decisions = DECISIONS) -> pl.DataFrame:
    """What each decision moves. One row a decision and definition: pathways paid, bundle pence, episodic pence inside,
    `moves_pence`, the change in what commissioners pay in all, bundles and lines together, and `pathways_changed`, of whichever
    definition, which is how many that is about."""
    base, base_lines = paid_under(definitions)
    total = int(base["price_pence"].sum()) + base_lines
    rows = [_row("as defined", None, base, 0, 0)]
    for decision, change in decisions.items():
        for name in definitions.families:
            changed = definitions.changed(
                lambda its, name=name, change=change: _changed(its, change, definitions) if its.name == name else its  # type: ignore[misc]
            )
            if changed == definitions:
                continue
            pathways, lines = paid_under(changed)
            moves = int(pathways["price_pence"].sum()) + lines - total
            rows.append(_row(decision, name, pathways, moves, _how_many_differ(base, pathways)))
    return pl.DataFrame(rows)


def _how_many_differ(before: pl.DataFrame, after: pl.DataFrame) -> int:
    """Pathways that are in one of two tables only, or not alike in both."""
    told = ("pathway_id", "flag", "lines", "price_pence", "episodic_pence")
    one, other = (frame.select(told).with_columns(pl.col("flag").cast(pl.String)) for frame in (before, after))
    apart = [mine.join(theirs, on=told, how="anti", nulls_equal=True) for mine, theirs in ((one, other), (other, one))]
    return pl.concat(apart)["pathway_id"].n_unique()


def _row(decision: str, definition: str | None, pathways: pl.DataFrame, moves: int, changed: int) -> dict[str, Any]:
    own = pathways.filter(_PAID & (pl.lit(definition is None) | (pl.col("definition") == (definition or ""))))
    return {
        "decision": decision,
        "definition": definition or "",
        "pathways": own.height,
        "bundle_pence": int(own["price_pence"].sum()),
        "episodic_pence": int(own["episodic_pence"].sum()),
        "moves_pence": moves,
        "pathways_changed": changed,
    }


def _changed(definition: AnyPathway, change: Mapping[str, Any], definitions: Definitions) -> AnyPathway:
    if not set(change) <= set(type(definition).model_fields):
        return definition
    values = dict(change)
    if isinstance(definition, AnchoredEpisode):
        if "window_days" in values:
            values["window_days"] = max(0, definition.window_days + values["window_days"])
        if "yields_to" in values:
            values["yields_to"] = tuple(
                dict.fromkeys(its.name for its, _ in definitions.pathways if isinstance(its, AnchoredEpisode))
            )
            values["alongside"] = ()
    return definition.model_copy(update=values)
