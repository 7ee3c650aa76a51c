"""Best practice: the engine and the reference agree on every cell of every line, whatever evidence says; and what must hold of
any evidence: meeting a criterion never lowers a price, components add, the differences are those of the prices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tariff.best_practice.evidence import COLUMNS as EVIDENCE
from tariff.columns import COMPONENTS
from tariff.pricing import price
from tariff.rulepack import RulePack, load_pack

Differences = Callable[..., list[str]]
Generated = Callable[..., pl.DataFrame]
Rows = list[dict[str, Any]]
KEY = {"admitted": "spell_id", "outpatient": "attendance_id", "unbundled": "line_id"}
PACK = Path(__file__).parent.parent / "spec" / "pack"
LINES = {"admitted": 60_000, "outpatient": 24_000, "unbundled": 24_000}
SHARE_UNCOMPILED = 10
ORDERS = (
    "",
    'precedence = ["lysis", "hip"]\nexclusive = [["hip", "trauma1"], ["trauma2", "trauma1"]]\nreplaces_short_stay = ["copd"]\n',
    'exclusive = [["stroke", "lysis"]]\nreplaces_short_stay = ["sdec", "trauma1"]\n',
)


def covered_codes(pack: RulePack) -> list[str]:
    return sorted({code for row in pack.best_practice for code in (row.currency, row.treatment_function) if code})


def at_best_practice(activity: pl.DataFrame, pack: RulePack, seed: int) -> pl.DataFrame:
    """Two lines of three at a currency or treatment function that best practice is about."""
    rng = np.random.default_rng(seed)
    code = "currency" if "currency" in activity.columns else "hrg"
    currencies = [row.currency for row in pack.best_practice if row.currency]
    functions = [row.treatment_function for row in pack.best_practice if row.treatment_function]
    moved = pl.Series(rng.random(activity.height) < 0.67)
    told = pl.Series([currencies[n] for n in rng.integers(0, len(currencies), activity.height)])
    named = pl.Series([functions[n] for n in rng.integers(0, len(functions), activity.height)])
    changed = activity.with_columns(pl.when(moved).then(told).otherwise(code).alias(code))
    if code == "hrg" and "first_attendance" in activity.columns:
        changed = activity.with_columns(pl.when(moved).then(named).otherwise("treatment_function").alias("treatment_function"))
    return changed


def evidence_for(activity: pl.DataFrame, pack: RulePack, seed: int) -> Rows:
    """Evidence of every sort: whole and by criterion, met, not met and blank, contradictory, of lines and tariffs that are not
    there, of gates over periods that meet and overlap."""
    rng = np.random.default_rng(seed)
    key = next(column for column in KEY.values() if column in activity.columns)
    asked = [(row.tariff, row.criterion) for row in pack.best_practice_criteria]
    shown_by_line = [(row.tariff, "") for row in pack.best_practice if row.mechanism in ("setting_price", "session")]
    asked += [(tariff, "") for tariff, _ in asked] + [*dict.fromkeys(shown_by_line), ("no_such", ""), ("hip", "no_such")]
    by_tariff: dict[str, list[str]] = {}
    for tariff, criterion in asked:
        by_tariff.setdefault(tariff, []).append(criterion)
    rows: Rows = []
    for line in activity.select("provider", key).iter_rows():
        if rng.random() < 0.15 or line[1] is None:
            continue
        bias = rng.random()
        for tariff in rng.choice(sorted(by_tariff), size=3, replace=False):
            for criterion in by_tariff[str(tariff)]:
                if rng.random() < (0.15 if criterion == "" else 0.85):
                    said = ["yes", "no", "No", "1", None][min(4, int(rng.integers(0, 5) * bias * 1.3))]
                    rows.append(row_of(line[0], f"{line[1]} ", str(tariff), criterion.upper(), said))
                    if rng.random() < 0.01:
                        rows.append(row_of(line[0], line[1], str(tariff), criterion, "no"))
    providers = ["RNO", "RNO01", "RTR", "RTR05", "RMX", "rhi ", "RLO09"]
    for _ in range(80):
        starts = int(rng.integers(0, 330))
        ends = starts + int(rng.integers(0, 120))
        tariff, criterion = [("joint", ""), ("joint", "proms"), ("joint", "registry"), ("laparotomy", ""), ("hip", "")][
            int(rng.integers(0, 5))
        ]
        day = np.datetime64(pack.starts)
        period = {"period_start": str(day + starts), "period_end": str(day + ends)}
        provider = providers[int(rng.integers(0, len(providers)))]
        rows.append(row_of(provider, None, tariff, criterion, "yes" if rng.random() < 0.6 else "no") | period)
    return rows


def row_of(provider: str | None, line: str | None, tariff: str, criterion: str, met: str | None) -> dict[str, Any]:
    return dict.fromkeys(EVIDENCE) | {
        "provider": provider,
        "line_id": line,
        "tariff": tariff,
        "criterion": criterion,
        "met": met,
    }


def frame(rows: Rows) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict.fromkeys(EVIDENCE, pl.String()))


@pytest.fixture(scope="module")
def packs(every_pack: Sequence[RulePack], tmp_path_factory: pytest.TempPathFactory) -> list[RulePack]:
    """Packs of several rules of short stay, top-up, factor and rounding; and of several orders among tariffs."""
    ordered = []
    for number, order in enumerate(ORDERS):
        folder = tmp_path_factory.mktemp("orders") / f"order{number}"
        folder.mkdir()
        said = f'method = "evidence"\n{order}source = "a test"\nconfidence = "illustrative"\n'
        (folder / "overlay.toml").write_text(f'[overlay]\nname = "order{number}"\n[rules.best_practice]\n{said}')
        ordered.append(load_pack(PACK, overlays=(folder,)))
    return [*every_pack[5::12], *ordered]


@pytest.mark.parametrize("kind", KEY)
def test_generated_lines_with_evidence(
    kind: str, packs: list[RulePack], differences: Differences, generated: Generated, compiled: bool
) -> None:
    each = -(-LINES[kind] // len(packs)) // (1 if compiled else SHARE_UNCOMPILED)
    seen: set[str] = set()
    for seed, pack in enumerate(packs):
        activity = at_best_practice(generated(pack, each, seed, kind), pack, seed)
        evidence = evidence_for(activity, pack, seed)
        dates = "ignore" if seed % 4 == 1 else "strict"
        assert differences(activity, pack, dates, kind, evidence) == []
        priced = price(activity, pack, dates=dates, evidence=frame(evidence)).collect()  # type: ignore[arg-type]
        assert priced.select(pl.sum_horizontal(COMPONENTS) == pl.col("price_pence")).to_series().all()
        seen |= set(priced["best_practice_status"].drop_nulls().str.split(";").explode())
    assert seen == {"met", "not_met", "no_evidence"}


def test_meeting_a_criterion_never_lowers_a_price(spec_pack: RulePack, generated: Generated, compiled: bool) -> None:
    """Each line priced twice: with one answer of its evidence turned from no to yes. Stroke and lysis apart: the pack says by
    their order that meeting the first, and dearer for some, is paid instead of the second."""
    activity = at_best_practice(generated(spec_pack, 6_000 if compiled else 600, 5), spec_pack, 5)
    activity = activity.filter(pl.col("hrg").is_null() | (pl.col("hrg") != "TB02A"))
    before = [row for row in evidence_for(activity, spec_pack, 5) if row["line_id"]]
    lines = {(row["provider"], row["line_id"].strip()): row["tariff"] for row in before if row["met"] in ("no", "No")}
    turned = [
        row | {"met": "yes"} if lines.get((row["provider"], row["line_id"].strip())) == row["tariff"] else row for row in before
    ]
    low, high = (
        price(activity, spec_pack, columns=["line_id", "price_pence"], evidence=frame(rows)).collect()["price_pence"]
        for rows in (before, turned)
    )
    assert (high >= low).all()
    assert (high > low).any()


AT_THE_BOUND = pl.col("hrg").fill_null("").str.to_uppercase().str.contains("TA15A")
"""An addition to a price at the bound of amounts is beyond it."""
WHAT_IT_MAKES = ["provider", "line_id", "price_pence", "best_practice_pence", "best_practice_at_stake_pence"]


def test_the_differences_are_those_of_the_prices(spec_pack: RulePack, generated: Generated) -> None:
    """Priced with evidence, without any, and with all that is open said to be met: the columns say the same as the prices."""
    activity = at_best_practice(generated(spec_pack, 4_000, 9), spec_pack, 9).filter(pl.col("spell_id").is_not_null())
    activity = activity.filter(~AT_THE_BOUND & pl.col("local_price").is_null())
    evidence = [row for row in evidence_for(activity, spec_pack, 9) if row["line_id"]]
    wanted = [*WHAT_IT_MAKES, "best_practice_tariff", "best_practice_status"]
    said = price(activity, spec_pack, columns=wanted, evidence=frame(evidence)).collect()
    nothing_said = price(activity, spec_pack, columns=WHAT_IT_MAKES).collect()
    bare = pl.col("price_pence") - pl.col("best_practice_pence")
    assert said.select(bare).equals(nothing_said.select(bare))

    gates = {row.tariff for row in spec_pack.best_practice if row.mechanism == "provider_gate"}
    standing = said.select(
        "provider", "line_id", *(pl.col(f"best_practice_{name}").str.split(";") for name in ("tariff", "status"))
    )
    opened = {
        (provider, line, tariff)
        for provider, line, tariffs, statuses in standing.drop_nulls().iter_rows()
        for tariff, status in zip(tariffs, statuses, strict=True)
        if status == "no_evidence"
    }
    kept = [row for row in evidence if (row["provider"], row["line_id"].strip(), row["tariff"]) not in opened]
    answered = [row_of(provider, line, tariff, "", "yes") for provider, line, tariff in opened]
    all_met = price(activity, spec_pack, columns=WHAT_IT_MAKES, evidence=frame([*kept, *answered])).collect()
    plain = ~said["best_practice_tariff"].fill_null("").str.contains("|".join(gates))
    gained = all_met["price_pence"] - said["price_pence"]
    priced = said["price_pence"] > 0
    assert (gained == said["best_practice_at_stake_pence"]).filter(plain & priced).all()
    assert (gained != 0).any()


def test_evidence_in_any_order_and_files_in_pieces_price_alike(spec_pack: RulePack, generated: Generated) -> None:
    activity = at_best_practice(generated(spec_pack, 3_000, 3), spec_pack, 3)
    rows = evidence_for(activity, spec_pack, 3)
    whole = price(activity, spec_pack, evidence=frame(rows)).collect()
    shuffled = price(activity, spec_pack, evidence=frame(rows).sample(fraction=1.0, shuffle=True, seed=1)).collect()
    pieces = pl.concat([price(piece, spec_pack, evidence=frame(rows)).collect() for piece in activity.iter_slices(700)])
    assert whole.equals(shuffled)
    assert whole.equals(pieces)


def test_lines_that_no_tariff_covers_are_priced_as_without_evidence(spec_pack: RulePack, generated: Generated) -> None:
    activity = generated(spec_pack, 3_000, 4).filter(~AT_THE_BOUND)
    with_evidence = price(activity, spec_pack, evidence=frame(evidence_for(activity, spec_pack, 4))).collect()
    without = price(activity, spec_pack).collect()
    uncovered = with_evidence["best_practice_tariff"].is_null()
    assert with_evidence.filter(uncovered).equals(without.filter(uncovered))
