"""What comparing eight payment models over priced lines costs, beside one plain aggregation of the same lines: one `group_by`
over everything a ledger tells apart, summing units and each component of price. Both start from the Parquet file; the models are
gathered, settled, compared and bridged by commissioner and point of delivery. They take turns in one run, and the ratio of their
fastest turns is what counts: at most 4.

    pytest benchmarks/bench_payment.py -q -n0 -s                 1,000,000 lines (`--encoded` for other sizes)
"""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

import numpy as np
import polars as pl
import pytest

from tariff.columns import COMPONENTS, PRICED_LINE, schema
from tariff.comparison import bridge_ledgers, compare_ledgers
from tariff.payment import (
    Ledger,
    Models,
    gather_cells,
    load_models,
    plan_from_priced,
    settle,
)

MODELS = (
    "preset:episodic,preset:block,preset:cost-and-volume,preset:pbr-2013-14,preset:ntps-2016-17,preset:blended-2019-20,"
    "preset:api-2022-23,preset:nhsps-2025-26"
)
LEDGER_KEY = ("commissioner", "provider", "financial_year", "month", "pod", "treatment_function", "currency")
MOST = 4.0
BY = ("commissioner", "pod")


def make_lines(lines: int) -> pl.DataFrame:
    """Priced lines with as many cells to a line (some 0.4) as a synthetic commissioner year has."""
    draw = np.random.default_rng(20251122)
    currency = np.minimum(draw.exponential(180, lines), 2_399).astype(np.int64)
    months, providers = draw.integers(1, 13, lines), np.minimum(draw.exponential(3, lines), 19).astype(np.int64)
    types = schema(PRICED_LINE)
    numbers = pl.DataFrame(
        {"commissioner": draw.integers(0, 3, lines), "provider": providers, "month": months, "currency": currency}
    )
    money = {name: pl.lit(0, pl.Int64) for name in COMPONENTS}
    given = numbers.select(
        pl.format("XC{}", "commissioner").alias("commissioner"),
        pl.format("XP{}", "provider").alias("provider"),
        pl.col("month").cast(pl.Int8),
        pl.format("HN{}Z", "currency").alias("currency"),
        pl.format("{}", pl.col("currency") % 40 + 100).alias("treatment_function"),
        pl.lit("2024-25").alias("financial_year"),
        pl.Series("pod", np.array(["DC", "EL", "NEL", "NELST", "NELNE"])[currency % 5].tolist(), types["pod"]),
        pl.lit("priced").cast(types["outcome"]).alias("outcome"),
        pl.lit(1, pl.Int64).alias("units"),
        **{**money, "base_pence": pl.col("currency") * 997 + 10_000, "mff_pence": pl.col("currency") * 31},
        price_pence=pl.col("currency") * 1_028 + 10_000,
        best_practice_pence=pl.lit(0, pl.Int64),
    )
    absent = [pl.lit(None).cast(dtype).alias(name) for name, dtype in types.items() if name not in given.columns]
    return given.with_columns(absent).select(list(types))


def aggregate(path: Path) -> pl.DataFrame:
    sums = pl.col("units", *COMPONENTS, "price_pence").sum()
    return pl.scan_parquet(path).group_by(LEDGER_KEY).agg(pl.len(), sums).collect()


def compare_models(path: Path, models: Models, plan: pl.DataFrame) -> tuple[Ledger, ...]:
    priced = pl.scan_parquet(path)
    ledgers = settle(gather_cells(priced), models, plan)
    compare_ledgers(ledgers, BY)
    bridge_ledgers(ledgers, BY)
    return ledgers


@pytest.mark.measure
def test_eight_models_cost_at_most_four_aggregations(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    path = tmp_path / "priced.parquet"
    make_lines(request.config.getoption("--encoded")).write_parquet(path)
    models = load_models(MODELS)
    plan = plan_from_priced(pl.scan_parquet(path), uplift_bp=-200, years_on=0)
    plainly, compared = [], []
    for _ in range(request.config.getoption("--turns")):
        start = perf_counter()
        cells = aggregate(path)
        plainly.append(perf_counter() - start)
        start = perf_counter()
        ledgers = compare_models(path, models, plan)
        compared.append(perf_counter() - start)
    ratio = min(compared) / min(plainly)
    told = f"{cells.height:,} cells; aggregation {min(plainly):.2f} s, eight models {min(compared):.2f} s, ratio {ratio:.2f}"
    print(told)
    assert all(ledger.per_line["pence"].sum() == cells["price_pence"].sum() for ledger in ledgers)
    assert ratio <= MOST, told
