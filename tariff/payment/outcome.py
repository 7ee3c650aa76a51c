"""Outcome payment: a share of the price hangs on measured results, such as health gain by PROMs or complications, each against
a benchmark (RULES 4.4, 3.2). A measure pays its weight where the result is at least as good as the benchmark."""

from __future__ import annotations

from collections import defaultdict
from typing import ClassVar, Final, Literal

import polars as pl

from tariff.errors import Fault
from tariff.money import BASIS_POINTS, half_up
from tariff.payment.activity import Activity, as_lines, no_lines
from tariff.payment.figures import FACTOR, SHARE, TEXT, FigureColumn, FileName, Share, percentage, read_figures
from tariff.payment.shares import shares_not_known
from tariff.payment.term import Cause, ContractTerm, adjustment

OUTCOME: Final = Cause(
    "outcome", "Not paid for results short of the benchmark", "A share of the price hangs on measured results; this is not paid."
)


def outcome_withheld(value_pence: int, at_risk_bp: int, met_bp: int) -> int:
    """What is not paid of `at_risk_bp` basis points of the value where measures weighing `met_bp` are met. Half-up once."""
    return half_up(value_pence * at_risk_bp * (BASIS_POINTS - met_bp), BASIS_POINTS**2)


def is_met(result: int, benchmark: int, better: str) -> bool:
    """Whether a result is at least as good as its benchmark."""
    return result >= benchmark if better == "higher" else result <= benchmark


class Outcome(ContractTerm):
    """`at_risk` of the price is paid as far as measures are met. `results` (a file): provider, measure, weight, result,
    benchmark, better (higher or lower). `absent`: without results, refuse or leave off."""

    term: Literal["outcome"]
    at_risk: Share
    results: FileName | None = None
    absent: Literal["refuse", "leave_off"] = "refuse"

    about: ClassVar[str] = "A share of what is paid hangs on measured results against benchmarks."
    causes: ClassVar[tuple[Cause, ...]] = (OUTCOME,)
    figures: ClassVar[tuple[str, ...]] = ("at_risk",)
    choices: ClassVar[tuple[str, ...]] = ("results", "absent")

    @property
    def words(self) -> str:
        """The term in one sentence."""
        results = f"as in {self.results}" if self.results else "not given: paid in full"
        return (
            f"{percentage(self.at_risk)} of the price{self.scope.words} is paid only for results that reach their benchmark "
            f"(share: {self.label}; results {results})."
        )

    def faults(self, activity: Activity) -> list[Fault]:
        """Weights that do not add, and providers without results."""
        if self.results is None:
            told = "it pays by results, and none are given"
            return [Fault("", told, 'results = "FILE"')] if self.absent == "refuse" else []
        weights = {provider: sum(weight for weight, _ in found) for provider, found in self._measures().items()}
        faults = [
            Fault(str(self.results), f"the weights of provider {who} add to {percentage(weight)}, not 100%", "mend the weights")
            for who, weight in sorted(weights.items())
            if weight != BASIS_POINTS
        ]
        paid = activity.totals(self.scope)["provider"].drop_nulls().unique().sort().to_list()
        missing = [provider for provider in paid if provider not in weights]
        return faults + [Fault(str(self.results), f"says nothing of provider {who}", "add its results") for who in missing]

    def faults_after(self, activity: Activity) -> list[Fault]:
        """What is paid for more than the scope, and what no provider's results can be laid on."""
        return list(shares_not_known(activity, self.scope, "results are measured provider by provider")) if self.results else []

    def ledger_lines(self, activity: Activity) -> pl.DataFrame:
        """What is not paid to each contract."""
        if self.results is None:
            return no_lines()
        contracts = activity.totals(self.scope)
        met = {who: sum(weight for weight, reached in found if reached) for who, found in self._measures().items()}
        rows = contracts.select("provider", "value_pence").iter_rows()
        taken = [-outcome_withheld(value, self.at_risk, met.get(provider, BASIS_POINTS)) for provider, value in rows]
        return as_lines(adjustment(contracts, OUTCOME, taken))

    def _measures(self) -> dict[str, list[tuple[int, bool]]]:
        """By provider, the weight of each measure and whether it is met."""
        found: dict[str, list[tuple[int, bool]]] = defaultdict(list)
        if self.results is None:
            return found
        for provider, _, weight, result, benchmark, better in read_figures(
            self.results, _RESULTS, ("provider", "measure")
        ).iter_rows():
            found[provider].append((weight, is_met(result, benchmark, better)))
        return found


def _better(cell: str) -> str:
    if cell not in {"higher", "lower"}:
        raise ValueError(f"'{cell}' is not known: higher or lower")
    return cell


_RESULTS: Final = {
    "provider": TEXT,
    "measure": TEXT,
    "weight": SHARE,
    "result": FACTOR,
    "benchmark": FACTOR,
    "better": FigureColumn(_better, pl.String()),
}
