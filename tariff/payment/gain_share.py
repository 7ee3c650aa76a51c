"""Gain and risk share: activity is paid at its price, then reconciled with a target (RULES 5.5; CJR and BPCI, RULES 4.4). Part
of a saving is paid out, part of an overspend is taken back, both bounded by a stop-gain and a stop-loss, and a saving is
paid only where quality is acceptable: clip(Σ target · (1 − discount) − Σ spend, −stop-loss · Σ target, +stop-gain · Σ
target)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final, Literal, NamedTuple

import polars as pl
from pydantic import model_validator

from tariff.errors import Fault
from tariff.money import BASIS_POINTS, half_up
from tariff.payment.activity import CONTRACT, Activity, as_lines
from tariff.payment.figures import AMOUNT, FACTOR, SHARE, TEXT, Factor, FigureColumn, FileName, Share, percentage, read_figures
from tariff.payment.plan_term import PlanTerm
from tariff.payment.term import Cause, ContractTerm, adjustment

GAIN: Final = Cause(
    "gain_share", "Share of saving, paid out", "Activity came to less than the target; this share of the saving is paid."
)
RISK: Final = Cause(
    "risk_share",
    "Share of overspend, taken back",
    "Activity came to more than the target; this share of the excess is taken back.",
)


class SharingRules(NamedTuple):
    """Shares and bounds in basis points; a bound of None does not bind. `discount_bp` lowers the target."""

    saving_paid_bp: int
    overspend_borne_bp: int
    stop_gain_bp: int | None = None
    stop_loss_bp: int | None = None
    discount_bp: int = 0


def reconcile(spend_pence: int, target_pence: int, rules: SharingRules, *, acceptable: bool = True) -> int:
    """What is paid out (positive) or taken back (negative) at the year's end. Each of discounted target, share and bound is
    rounded half-up once; a saving of a provider whose quality is not acceptable is not paid."""
    target = half_up(target_pence * (BASIS_POINTS - rules.discount_bp), BASIS_POINTS)
    apart = target - spend_pence
    share = rules.saving_paid_bp if apart > 0 else rules.overspend_borne_bp
    amount = half_up(apart * share, BASIS_POINTS)
    if rules.stop_gain_bp is not None:
        amount = min(amount, half_up(target * rules.stop_gain_bp, BASIS_POINTS))
    if rules.stop_loss_bp is not None:
        amount = max(amount, -half_up(target * rules.stop_loss_bp, BASIS_POINTS))
    return amount if acceptable else min(0, amount)


class Reconciled(ContractTerm):
    """What terms that reconcile have in common. `quality` (a file: provider, score, and where quality changes it the discount)
    gates savings at a score of `acceptable`."""

    saving_paid: Share = BASIS_POINTS
    overspend_borne: Share = BASIS_POINTS
    stop_gain: Share | None = None
    stop_loss: Share | None = None
    discount: Share = 0
    quality: FileName | None = None
    acceptable: Factor | None = None

    causes: ClassVar[tuple[Cause, ...]] = (GAIN, RISK)
    measured: ClassVar[Mapping[str, str]] = {
        "discount": "so much off the target",
        "stop_gain": "the most that is paid out, a share of the target less its discount",
        "stop_loss": "the most that is taken back, a share of the target less its discount",
    }
    figures: ClassVar[tuple[str, ...]] = (
        "saving_paid",
        "overspend_borne",
        "stop_gain",
        "stop_loss",
        "discount",
        "acceptable",
    )
    choices: ClassVar[tuple[str, ...]] = ("quality",)

    @model_validator(mode="after")
    def _gate_by_a_score(self) -> Reconciled:
        if (self.quality is None) != (self.acceptable is None):
            raise ValueError("a quality gate needs both: quality (a file of scores) and acceptable (the score to reach)")
        return self

    @property
    def how_shared(self) -> str:
        """The shares and bounds in words."""
        told = [f"{percentage(self.saving_paid)} of a saving is paid out"]
        told += [f"{percentage(self.overspend_borne)} of an overspend is taken back"]
        told += [] if self.stop_gain is None else [f"at most {percentage(self.stop_gain)} of the target paid out"]
        told += [] if self.stop_loss is None else [f"at most {percentage(self.stop_loss)} of the target taken back"]
        told += [] if self.quality is None else ["no saving paid where quality is not acceptable"]
        lowered = f" less {percentage(self.discount)}" if self.discount else ""
        return f"{lowered}: {', '.join(told)} (shares: {self.label})."

    def scores(self) -> Mapping[str, tuple[int, int | None]]:
        """Score and own discount by provider."""
        if self.quality is None:
            return {}
        return {who: (score, own) for who, score, own in read_figures(self.quality, _QUALITY, ("provider",)).iter_rows()}

    def quality_faults(self, providers: list[str]) -> list[Fault]:
        """Providers whose quality is not known, where it is a gate."""
        known = self.scores()
        lacking = [who for who in providers if who not in known] if self.quality else []
        return [Fault(str(self.quality), f"says nothing of provider {who}", "add its score") for who in lacking]

    def settled_lines(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The ledger lines of rows with `provider, value_pence, plan_pence` (the target)."""
        scores = self.scores()
        changes = [
            self._change(value, target, scores.get(who))
            for who, value, target in rows.select("provider", "value_pence", "plan_pence").iter_rows()
        ]
        paid = adjustment(rows, GAIN, [max(0, change) for change in changes])
        return pl.concat([paid, adjustment(rows, RISK, [min(0, change) for change in changes])])

    def _change(self, value: int, target: int, quality: tuple[int, int | None] | None) -> int:
        discount = self.discount if quality is None or quality[1] is None else quality[1]
        acceptable = self.acceptable is None or (quality is not None and quality[0] >= self.acceptable)
        rules = SharingRules(self.saving_paid, self.overspend_borne, self.stop_gain, self.stop_loss, discount)
        return reconcile(value, target, rules, acceptable=acceptable)


class GainShare(Reconciled, PlanTerm):
    """Activity is reconciled with the plan, or with the targets of a file (`against`), in one sum a contract."""

    term: Literal["gain_share"]
    settled: Literal["row", "contract"] = "contract"

    about: ClassVar[str] = (
        "Activity at its price, then reconciled with a target: saving and overspend shared between stop-gain and stop-loss."
    )
    choices: ClassVar[tuple[str, ...]] = (*PlanTerm.choices, "quality")

    @property
    def words(self) -> str:
        """The term in one sentence."""
        return f"Every line at its price{self.scope.words}, then reconciled with {self.plan_name}{self.how_shared}"

    def faults(self, activity: Activity) -> list[Fault]:
        """As any plan term; and providers whose quality is not known."""
        faults = super().faults(activity)
        if faults:
            return faults
        return self.quality_faults(self.coverage(activity).planned["provider"].drop_nulls().unique().sort().to_list())

    def adjustments(self, planned: pl.DataFrame) -> pl.DataFrame:
        """What is paid out and taken back."""
        return self.settled_lines(planned)


class EpisodeReconciliation(Reconciled):
    """Episodes of care, each with what it cost and its target, reconciled by contract on top of what was paid for them (CJR).
    `episodes` (a file): commissioner, provider, financial_year, episode, spend, target, cap (spend beyond it does not count;
    blank: no cap)."""

    term: Literal["episode_reconciliation"]
    episodes: FileName

    about: ClassVar[str] = "The same reconciliation over listed episodes, each spent up to its cap."
    choices: ClassVar[tuple[str, ...]] = ("quality", "episodes")

    @property
    def words(self) -> str:
        """The term in one sentence."""
        return f"Every line at its price, then the episodes of {self.episodes} reconciled with their targets{self.how_shared}"

    def faults(self, activity: Activity) -> list[Fault]:
        """Providers whose quality is not known."""
        return self.quality_faults(self._contracts(activity)["provider"].unique().sort().to_list())

    def ledger_lines(self, activity: Activity) -> pl.DataFrame:
        """What is paid out and taken back, by contract."""
        return as_lines(self.settled_lines(self._contracts(activity)))

    def _contracts(self, activity: Activity) -> pl.DataFrame:
        episodes = read_figures(self.episodes, _EPISODES, (*CONTRACT, "episode"))
        years = activity.cells["financial_year"].unique().implode()
        spend = pl.min_horizontal("spend", pl.col("cap").fill_null(pl.col("spend"))).sum().alias("value_pence")
        within = episodes.filter(pl.col("financial_year").is_in(years))
        return within.group_by(CONTRACT).agg(spend, pl.col("target").sum().alias("plan_pence")).sort(CONTRACT)


_QUALITY: Final = {"provider": TEXT, "score": FACTOR, "discount": FigureColumn(SHARE.read, pl.Int64(), optional=True)}
_EPISODES: Final = {
    "commissioner": TEXT,
    "provider": TEXT,
    "financial_year": TEXT,
    "episode": TEXT,
    "spend": AMOUNT,
    "target": AMOUNT,
    "cap": FigureColumn(AMOUNT.read, pl.Int64(), optional=True),
}
