"""Capitation: a sum a head of a weighted population pays for all that the scope governs, however much is done (RULES 4.3,
5.5). A corridor bounds the risk: where the value of activity leaves it, the commissioner shares what lies beyond."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final, Literal

import polars as pl

from tariff.errors import Fault
from tariff.money import BASIS_POINTS, half_up, pounds
from tariff.payment.activity import Activity, as_lines
from tariff.payment.figures import (
    COUNT,
    FACTOR,
    FACTOR_SCALE,
    TEXT,
    TEXT_OR_ALL,
    FileName,
    Margin,
    Pounds,
    Share,
    percentage,
    read_figures,
)
from tariff.payment.term import Cause, ContractTerm, adjustment

BUDGET: Final = Cause(
    "capitation",
    "Budget a head instead of activity",
    "The population's budget is paid whatever is done; this is the difference from what activity is worth.",
)
CORRIDOR: Final = Cause(
    "risk_corridor",
    "Risk shared beyond the corridor",
    "Where activity's value leaves the corridor, the commissioner shares the rest.",
)

_BY: Final = ("commissioner", "financial_year")


def capitation_budget(weighted_heads: int, per_head_pence: int) -> int:
    """`weighted_heads` (ten-thousandths of a head) times `per_head_pence`, half-up once."""
    return half_up(weighted_heads * per_head_pence, FACTOR_SCALE)


def corridor_share(value_pence: int, budget_pence: int, corridor_bp: int, share_bp: int) -> int:
    """What the commissioner adds (positive) or takes back (negative): `share_bp` of what lies beyond the budget give or take
    `corridor_bp` of it. Half-up once."""
    budget = budget_pence * BASIS_POINTS
    high, low = budget + budget_pence * corridor_bp, budget - budget_pence * corridor_bp
    value = value_pence * BASIS_POINTS
    return half_up((max(0, value - high) - max(0, low - value)) * share_bp, BASIS_POINTS**2)


class Capitation(ContractTerm):
    """`per_head` pounds a year for each head of `population` (a file: commissioner, financial_year where it matters,
    gp_practice and age_band where it has them, registered), weighted by age band where `weights` (a file: age_band, weight) are
    given. `corridor` and `share_beyond` bound the risk. What it changes stands with the commissioner as a whole."""

    term: Literal["capitation"]
    per_head: Pounds
    population: FileName
    weights: FileName | None = None
    corridor: Margin | None = None
    share_beyond: Share = BASIS_POINTS

    about: ClassVar[str] = "A sum a head of the weighted population, whatever the activity, with a corridor that bounds the risk."
    settles: ClassVar[Literal["", "price", "payment"]] = "payment"
    measured: ClassVar[Mapping[str, str]] = {
        "corridor": "so much over and under the budget: at 5% the risk is shared outside 95% to 105% of it",
    }
    causes: ClassVar[tuple[Cause, ...]] = (BUDGET, CORRIDOR)
    figures: ClassVar[tuple[str, ...]] = ("per_head", "corridor", "share_beyond")
    choices: ClassVar[tuple[str, ...]] = ("population", "weights")

    @property
    def words(self) -> str:
        """The term in one sentence."""
        shared = ""
        if self.corridor is not None:
            shared = f"; the commissioner shares {percentage(self.share_beyond)} of what lies more than "
            shared += f"{percentage(self.corridor)} from it"
        weighted = "weighted head" if self.weights else "head"
        sum_a_head = f"{pounds(self.per_head)} a {weighted}"
        return f"A budget of {sum_a_head} whatever the activity{self.scope.words}{shared} (figures: {self.label})."

    def faults(self, activity: Activity) -> list[Fault]:
        """Age bands without a weight, and commissioners without a population."""
        bands = [] if self.weights is None else sorted(set(self._people(activity)["age_band"]) - set(self._weights()), key=str)
        faults = [Fault(str(self.weights), f"says nothing of age band {band or '(blank)'}", "add its weight") for band in bands]
        if faults:
            return faults
        known = set(self._heads(activity))
        lacking = [key for key in self._values(activity).select(_BY).iter_rows() if key not in known]
        return [
            Fault(str(self.population), f"says nothing of commissioner {who} in {year}", "add its population")
            for who, year in sorted(lacking)
        ]

    def ledger_lines(self, activity: Activity) -> pl.DataFrame:
        """Budget less the value of activity, and the share beyond the corridor, by commissioner and year."""
        values = {(who, year): value for who, year, value in self._values(activity).select(*_BY, "value_pence").iter_rows()}
        budgets = {key: capitation_budget(heads, self.per_head) for key, heads in self._heads(activity).items()}
        rows = pl.DataFrame(list(budgets), schema=dict.fromkeys(_BY, pl.String), orient="row")
        lines = [adjustment(rows, BUDGET, [budget - values.get(key, 0) for key, budget in budgets.items()])]
        if self.corridor is not None:
            shares = [
                corridor_share(values.get(key, 0), budget, self.corridor, self.share_beyond) for key, budget in budgets.items()
            ]
            lines.append(adjustment(rows, CORRIDOR, shares))
        return as_lines(pl.concat(lines))

    def _values(self, activity: Activity) -> pl.DataFrame:
        return activity.totals(self.scope, _BY)

    def _people(self, activity: Activity) -> pl.DataFrame:
        """The population of each year with activity: rows without a year hold for all of them."""
        people = read_figures(self.population, _POPULATION, ("commissioner", "financial_year", "gp_practice", "age_band"))
        inside = people.filter(pl.col("commissioner").is_in(self.scope.commissioners)) if self.scope.commissioners else people
        years = activity.cells.select("financial_year").unique().sort("financial_year")
        dated = inside.filter(pl.col("financial_year").is_not_null()).join(years, on="financial_year", how="semi")
        undated = inside.filter(pl.col("financial_year").is_null()).drop("financial_year").join(years, how="cross")
        return pl.concat([dated, undated.select(dated.columns)])

    def _weights(self) -> dict[str | None, int]:
        if self.weights is None:
            return {}
        return dict(read_figures(self.weights, _WEIGHTS, ("age_band",)).iter_rows())

    def _heads(self, activity: Activity) -> dict[tuple[str, str], int]:
        """Weighted heads in ten-thousandths, by commissioner and year, in order."""
        weights = self._weights()
        heads: dict[tuple[str, str], int] = {}
        people = self._people(activity).select(*_BY, "age_band", "registered").sort(_BY)
        for who, year, band, registered in people.iter_rows():
            weight = weights.get(band, 0) if self.weights else FACTOR_SCALE
            heads[who, year] = heads.get((who, year), 0) + registered * weight
        return heads


_POPULATION: Final = {
    "commissioner": TEXT,
    "financial_year": TEXT_OR_ALL,
    "gp_practice": TEXT_OR_ALL,
    "age_band": TEXT_OR_ALL,
    "registered": COUNT,
}
_WEIGHTS: Final = {"age_band": TEXT, "weight": FACTOR}
