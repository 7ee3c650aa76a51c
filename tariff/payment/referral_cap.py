"""A cap on referrals from one consultant to another (RULES 6.3 no. 7): first attendances that another consultant referred, beyond
an agreed share of all first attendances, are not paid. Which attendances those are, the source of referral says: national code
05, a consultant other than in an emergency department (NHS Data Dictionary, Source of Referral for Out-Patients)."""

from __future__ import annotations

from typing import ClassVar, Final, Literal

import polars as pl

from tariff.errors import Fault
from tariff.money import BASIS_POINTS, half_up
from tariff.payment.activity import CONTRACT, Activity, as_lines
from tariff.payment.activity_cap import FIRST_PODS
from tariff.payment.cells import CELL, NOT_GIVEN
from tariff.payment.figures import Share, percentage
from tariff.payment.scope import Scope, scope_of_pods
from tariff.payment.term import Cause, ContractTerm, adjustment
from tariff.reasons import PRICED
from tariff.rulepack.model import Codes

REFERRAL_CAP: Final = Cause(
    "referral_cap",
    "Consultant referrals beyond the agreed share",
    "First attendances that another consultant referred, beyond the agreed share, are not paid, at their average price.",
)

CONSULTANT: Final = "05"
"""A consultant, other than in an emergency department."""

_BY: Final = (*CONTRACT, "treatment_function")
_KEYS: Final = tuple(name for name in CELL if name != "gp_practice")


def gather_referrals(priced: pl.LazyFrame) -> pl.DataFrame:
    """Units of priced lines that say who referred the patient, by the keys of a cell (practices apart) and `referral_source`."""
    texts = [pl.col(name).cast(pl.String).fill_null(NOT_GIVEN) for name in _KEYS if name != "month"]
    told = (pl.col("outcome").cast(pl.String) == PRICED) & pl.col("referral_source").is_not_null()
    sums = priced.filter(told).group_by(*_KEYS, "referral_source").agg(pl.col("units").sum())
    return sums.with_columns(texts).sort(*_KEYS, "referral_source").collect()


def beyond_share(value_pence: int, units: int, referred: int, share_bp: int) -> int:
    """What is not paid of first attendances, `units` worth `value_pence` of which `referred` came from consultants: those beyond
    `share_bp` basis points of all, at the average price of all. Half-up once."""
    excess = max(0, referred * BASIS_POINTS - share_bp * units)
    return half_up(value_pence * excess, units * BASIS_POINTS) if units > 0 else 0


class ReferralCap(ContractTerm):
    """Units within the scope (first attendances unless it says otherwise) from one of `sources`, beyond `share` of all of them,
    by contract and treatment function. Attendances that do not say who referred the patient count among all."""

    term: Literal["referral_cap"]
    share: Share
    sources: Codes = (CONSULTANT,)
    scope: Scope = scope_of_pods(FIRST_PODS)

    about: ClassVar[str] = (
        "First attendances that another consultant referred, beyond a share of all, are not paid, at their average price."
    )
    causes: ClassVar[tuple[Cause, ...]] = (REFERRAL_CAP,)
    figures: ClassVar[tuple[str, ...]] = ("share",)

    @property
    def words(self) -> str:
        """The term in one sentence."""
        referred = f"referred by source {' or '.join(self.sources)}"
        who = "that another consultant referred" if self.sources == (CONSULTANT,) else referred
        most = f"beyond {percentage(self.share)} of all, by treatment function"
        return f"First attendances {who}, {most}, are not paid (share: {self.label})."

    def faults(self, activity: Activity) -> list[Fault]:
        """Attendances of which none says who referred the patient."""
        paid, known = self._paid_and_known(activity)
        told = "no first attendance among the priced lines says who referred the patient"
        return (
            [Fault("", told, "price the activity with its referral_source, or take the term out")] if paid and not known else []
        )

    def notes(self, activity: Activity) -> tuple[str, ...]:
        """How many attendances do not say who referred the patient, where it is more than one in a hundred."""
        paid, known = self._paid_and_known(activity)
        if 100 * (paid - known) <= paid:
            return ()
        share = percentage(half_up((paid - known) * BASIS_POINTS, paid))
        return (f"{share} of first attendances do not say who referred the patient: no consultant is taken to have.",)

    def ledger_lines(self, activity: Activity) -> pl.DataFrame:
        """What is not paid, by contract and treatment function."""
        from_them = self._known(activity).filter(pl.col("referral_source").is_in(list(self.sources)))
        referred = from_them.group_by(_BY).agg(pl.col("units").sum().alias("referred"))
        rows = activity.totals(self.scope, _BY).join(referred, on=_BY).sort(_BY)
        sums = rows.select("value_pence", "units", "referred").iter_rows()
        taken = [-beyond_share(max(0, value), units, those, self.share) for value, units, those in sums]
        return as_lines(adjustment(rows, REFERRAL_CAP, taken))

    def _paid_and_known(self, activity: Activity) -> tuple[int, int]:
        """Units within the scope, and those of them that say who referred the patient."""
        return int(activity.totals(self.scope, ())["units"].sum()), int(self._known(activity)["units"].sum())

    def _known(self, activity: Activity) -> pl.DataFrame:
        """The referrals within the scope."""
        referrals = activity.beside.referrals
        return _NONE if referrals is None else referrals.filter(self.scope.covers())


_NONE: Final = pl.DataFrame(
    schema={
        **{name: pl.Int8() if name == "month" else pl.String() for name in _KEYS},
        "referral_source": pl.String(),
        "units": pl.Int64(),
    }
)
