"""Emergency readmissions within 30 days, 2011/12 to 2018/19 (RULES 5.2): after an elective discharge not paid (2011/12) or not
paid in the share that a local review found avoidable; after another discharge not paid in part. The provider that
discharged the patient bears it. Which lines are readmissions comes with the priced lines or from a file; this term never
guesses it."""

from __future__ import annotations

from typing import ClassVar, Final, Literal

import polars as pl

from tariff.columns import PODS
from tariff.errors import Fault
from tariff.money import BASIS_POINTS, half_up
from tariff.payment.activity import Activity, as_lines, no_lines
from tariff.payment.best_practice import taken_back
from tariff.payment.figures import (
    AMOUNT,
    MONTH_OR_ALL,
    TEXT,
    TEXT_OR_ALL,
    FigureColumn,
    FileName,
    Share,
    percentage,
    read_figures,
)
from tariff.payment.readmitted import KEYS
from tariff.payment.scope import Scope
from tariff.payment.term import Cause, ContractTerm, adjustment

READMISSION: Final = Cause(
    "readmission",
    "Emergency readmissions, not paid",
    "Emergency readmissions within 30 days are not paid, or paid in part; the provider that discharged the patient bears it.",
)

AFTER: Final = ("elective", "other")


def readmission_deduction(price_pence: int, share_bp: int) -> int:
    """What is not paid of readmissions worth `price_pence`: `share_bp` basis points, half-up once."""
    return half_up(price_pence * share_bp, BASIS_POINTS)


class Readmissions(ContractTerm):
    """`elective_share` of readmissions after an elective discharge and `other_share` of the others are not paid; a share that is
    not given is the one that the rule pack's own readmission rule applied. Readmissions come with the priced lines, or from a
    `file`: commissioner, provider (that discharged), financial_year, after, pounds, and where known month, pod,
    treatment_function, currency of the readmission. `absent`: with neither, refuse or leave off.

    The share is that of what the model pays for the line: nothing of what a pathway pays for, half of it at half the tariff."""

    term: Literal["readmissions"]
    elective_share: Share | None = None
    other_share: Share | None = None
    file: FileName | None = None
    absent: Literal["refuse", "leave_off"] = "refuse"

    about: ClassVar[str] = (
        "Emergency readmissions within 30 days are not paid, or paid in part; the provider that discharged bears it."
    )
    causes: ClassVar[tuple[Cause, ...]] = (READMISSION,)
    figures: ClassVar[tuple[str, ...]] = ("elective_share", "other_share")
    choices: ClassVar[tuple[str, ...]] = ("file", "absent")

    @property
    def words(self) -> str:
        """The term in one sentence."""
        shares = [
            f"{percentage(share)} after {which} discharge"
            for share, which in ((self.elective_share, "an elective"), (self.other_share, "another"))
            if share is not None
        ]
        told = f"{', '.join(shares)} (shares: {self.label})" if shares else "in the share of the rule pack"
        return f"Emergency readmissions within 30 days are not paid: {told}."

    def faults(self, activity: Activity) -> list[Fault]:
        """No readmissions known, or no share given for those that are."""
        known = self._known(activity)
        if known is None:
            if self.absent == "leave_off":
                return []
            told = "the priced lines come without their readmissions"
            return [
                Fault(
                    "",
                    told,
                    'find them when pricing, list them in a file: file = "FILE", or leave the term off: absent = "leave_off"',
                )
            ]
        if self.file is None:
            return []
        lacking = [
            f"{after}_share" for after in AFTER if self._share(after) is None and known.filter(pl.col("after") == after).height
        ]
        told = "the share not paid comes from a local review and is not given"
        return [Fault("", told, f"give {' and '.join(lacking)}, such as '25%'")] if lacking else []

    def notes(self, activity: Activity) -> tuple[str, ...]:
        """That the term does nothing, where it is left off or there is nothing to deduct."""
        known = self._known(activity)
        if known is not None:
            return () if known.height else (_NONE_FOUND,)
        return ("Readmissions are paid in full here: the priced lines come without them.",)

    def ledger_lines(self, activity: Activity) -> pl.DataFrame:
        """What is not paid, by provider that discharged and the readmission's own cell."""
        known = self._known(activity)
        if known is None:
            return no_lines()
        inside = known.filter(self.scope.covers())
        deducted = [
            -self._deduction(after, pence, of_the_pack)
            for after, pence, of_the_pack in inside.select("after", "pence", "unpaid_pence").iter_rows()
        ]
        return as_lines(adjustment(inside, READMISSION, deducted))

    def earned_after(self, activity: Activity) -> pl.DataFrame | None:
        """With the price of a readmission goes what best practice earned on it, in the same share, where the lines tell it."""
        if activity.earned is None or activity.readmitted is None or self.file is not None:
            return activity.earned
        inside = activity.readmitted.filter(self.scope.covers() & (pl.col("earned_pence") != 0))
        sums = _summed(inside, "earned_pence", ("pack", "tariffs", "statuses"))
        back = [
            self._deduction(after, pence, of_the_pack)
            for after, pence, of_the_pack in sums.select("after", "pence", "unpaid_pence").iter_rows()
        ]
        return taken_back(activity.earned, sums.with_columns(pl.Series("back_pence", back, pl.Int64)))

    def _deduction(self, after: str, pence: int, of_the_pack: int) -> int:
        share = self._share(after)
        return of_the_pack if share is None else readmission_deduction(pence, share)

    def _share(self, after: str) -> int | None:
        return self.elective_share if after == "elective" else self.other_share

    def _known(self, activity: Activity) -> pl.DataFrame | None:
        """Readmissions by the keys of a cell and `after`: `pence` paid for them so far, and the rule pack's share of it."""
        if self.file is None:
            return None if activity.readmitted is None else _summed(activity.readmitted)
        listed = read_figures(self.file, _FILE, (*KEYS, "after"))
        years = activity.cells["financial_year"].unique().implode()
        within = listed.rename({"pounds": "pence"}).filter(pl.col("financial_year").is_in(years))
        return within.with_columns(unpaid_pence=pl.lit(0, pl.Int64))

    def listed_inside(self, scope: Scope, activity: Activity) -> bool:
        """Whether what it takes back by its file counts in another term's scope."""
        known = None if self.file is None else self._known(activity)
        return known is not None and bool(known.filter(self.scope.covers() & scope.covers()).height)

    def listed_in(self, scope: Scope, activity: Activity) -> bool:
        """Whether its file lists readmissions that may lie in another term's scope. Who readmitted them it does not tell."""
        known = None if self.file is None else self._known(activity)
        if known is None:
            return False
        listed = known.filter(self.scope.covers()).with_columns(provider=pl.lit(None, pl.String))
        return bool(listed.filter(scope.may_cover()).height)


def _summed(readmitted: pl.DataFrame, amount: str = "paid_pence", said: tuple[str, ...] = ()) -> pl.DataFrame:
    """An amount of single readmissions in all (`pence`), and the rule pack's share of it."""
    of_the_pack = [
        many * readmission_deduction(paid, share)
        for paid, share, many in readmitted.select(amount, "share_bp", "readmissions").iter_rows()
    ]
    sums = readmitted.with_columns(
        pl.Series("unpaid_pence", of_the_pack, pl.Int64), pence=pl.col(amount) * pl.col("readmissions")
    )
    keys = (*KEYS, "after", *said)
    return sums.group_by(keys).agg(pl.col("pence", "unpaid_pence").sum()).sort(keys)


_NONE_FOUND: Final = "No readmissions are deducted here: the rule pack has no rule for these dates, or none was found."


def _after(cell: str) -> str:
    if cell not in AFTER:
        raise ValueError(f"'{cell}' is not known: elective or other")
    return cell


def _pod(cell: str) -> str:
    if cell not in PODS:
        raise ValueError(f"'{cell}' is not a point of delivery")
    return cell


_FILE: Final = {
    "commissioner": TEXT,
    "provider": TEXT,
    "financial_year": TEXT,
    "month": MONTH_OR_ALL,
    "pod": FigureColumn(_pod, pl.String(), optional=True),
    "treatment_function": TEXT_OR_ALL,
    "currency": TEXT_OR_ALL,
    "after": FigureColumn(_after, pl.String()),
    "pounds": AMOUNT,
}
