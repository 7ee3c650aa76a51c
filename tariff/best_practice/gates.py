"""Provider gates by counting (RULES 3.1 C): where a criterion's threshold stands in the pack, the share of a provider's lines
that met it says whether the provider passed it in a period. The counts are evidence like any other: a gate that is stated stands
beside them, and the two may contradict each other."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from tariff.best_practice.evidence import GATE_SCHEMA
from tariff.money import BASIS_POINTS
from tariff.rulepack.best_practice_rows import PROVIDER_GATE

if TYPE_CHECKING:
    from tariff.best_practice.evidence import Evidence
    from tariff.rulepack import RulePack


def counted_gates(priced: pl.LazyFrame, evidence: Evidence, pack: RulePack, starts: date, ends: date) -> pl.DataFrame:
    """One row a provider, tariff and criterion with a threshold: `lines` that the tariff covers and that were completed from
    `starts` to `ends`, how many `met_lines` evidence says met it, and whether that passes (`met`), with the columns of a gate.

    Of a provider of which evidence answers the criterion at all, a line without an answer counts as one that did not meet it;
    of any other provider nothing is known, and it has no row. `priced` was priced under `pack`."""
    asked = thresholds(pack)
    gates = asked["tariff"].unique()
    covered = (
        priced.filter(pl.col("activity_date").is_between(starts, ends))
        .select(
            pl.col("provider").cast(pl.String).str.strip_chars().str.to_uppercase(),
            pl.col("line_id").cast(pl.String).str.strip_chars(),
            tariff=pl.col("best_practice_tariff").str.split(";"),
        )
        .drop_nulls("tariff")
        .explode("tariff")
        .filter(pl.col("tariff").is_in(gates.implode()))
        .join(asked.lazy(), on="tariff")
    )
    said = evidence.lines.lazy().select("provider", "line_id", "tariff", "criterion", "met")
    counted = (
        covered.join(said, on=["provider", "line_id", "tariff", "criterion"], how="left")
        .group_by("provider", "tariff", "criterion", "threshold")
        .agg(lines=pl.len(), answered=pl.col("met").count(), met_lines=pl.col("met").fill_null(value=False).sum())
        .filter(pl.col("answered") > 0)
        .with_columns(met=pl.col("met_lines") * BASIS_POINTS >= pl.col("lines") * pl.col("threshold"))
        .with_columns(period_start=pl.lit(starts), period_end=pl.lit(ends))
        .sort("provider", "tariff", "criterion")
        .collect()
    )
    return counted.select(*GATE_SCHEMA, "lines", "met_lines", "threshold")


def with_gates(evidence: Evidence, gates: pl.DataFrame) -> Evidence:
    """The evidence with counted gates beside those it states."""
    from tariff.best_practice.evidence import Evidence

    together = pl.concat([evidence.gates, gates.select(list(GATE_SCHEMA))]).unique(maintain_order=True)
    return Evidence(evidence.lines, together, evidence.problems)


def thresholds(pack: RulePack) -> pl.DataFrame:
    """By `tariff` and `criterion`, the `threshold` of gates that can be counted, in basis points."""
    gates = {row.tariff for row in pack.best_practice if row.mechanism == PROVIDER_GATE}
    rows = [
        (row.tariff, row.criterion, row.threshold)
        for row in pack.best_practice_criteria
        if row.tariff in gates and row.threshold is not None
    ]
    return pl.DataFrame(rows, schema={"tariff": pl.String(), "criterion": pl.String(), "threshold": pl.Int64()}, orient="row")
