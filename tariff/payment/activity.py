"""What a contract term sees: the cells of priced activity, the plan, and what the terms before it have added or withheld.
Sums of cells are made once and shared by every term and model that asks for the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

import polars as pl

from tariff.payment.beside import NOTHING, Beside
from tariff.payment.cells import CELL
from tariff.payment.coverage import Coverage, cover
from tariff.payment.scope import EVERYTHING, Scope

CONTRACT: Final = ("commissioner", "provider", "financial_year")
"""What tells one contract from another."""

LEDGER_LINE: Final = {
    **{name: pl.Int8() if name == "month" else pl.String() for name in CELL},
    "line": pl.String(),
    "pence": pl.Int64(),
}
"""A term's ledger lines: where, which line, how much. A blank in a key means all of it."""


def no_lines() -> pl.DataFrame:
    """No ledger lines."""
    return pl.DataFrame(schema=LEDGER_LINE)


class Acting(Protocol):
    """What may set the price of single spells, and with it what best practice earns: a contract term."""

    def prices_of(self, spells: pl.DataFrame) -> pl.DataFrame:
        """The spells with their `paid_pence` and `earned_pence` as they are then."""
        ...

    def earned_after(self, activity: Activity) -> pl.DataFrame | None:
        """What best practice earns in all that is paid then."""
        ...


@dataclass(frozen=True)
class Activity:
    """`cells` (`gather_cells`), the run's `plan`, what comes `beside` them, and `earlier`: the ledger lines of the terms before,
    with `LEDGER_LINE`'s columns; `by_scope` holds the same term by term, each with its scope. `readmitted` are the readmissions
    that came beside with what is paid for each so far (`readmitted.with_paid`), `earned` what best practice is in what is paid so
    far (`best_practice.with_earned`)."""

    cells: pl.DataFrame
    plan: pl.DataFrame | None = None
    beside: Beside = NOTHING
    earlier: pl.DataFrame = field(default_factory=no_lines)
    by_scope: tuple[tuple[Scope, pl.DataFrame], ...] = ()
    readmitted: pl.DataFrame | None = None
    earned: pl.DataFrame | None = None
    _shared: dict[Any, Any] = field(default_factory=dict, repr=False)

    def after(self, lines: pl.DataFrame, scope: Scope = EVERYTHING) -> Activity:
        """The same activity as the next term sees it, once `lines` have been added by a term that governs `scope`."""
        return replace(self, earlier=pl.concat([self.earlier, lines]), by_scope=(*self.by_scope, (scope, lines)))

    @property
    def alone(self) -> Activity:
        """The same activity as a term would see it if it stood alone."""
        known, earned = self.readmitted, self.beside.best_practice
        return replace(
            self,
            earlier=self.earlier.clear(),
            by_scope=(),
            readmitted=None
            if known is None
            else known.with_columns(paid_pence="price_pence", earned_pence="best_practice_pence"),
            earned=None if earned is None else earned.with_columns(earned_pence="pence"),
        )

    def acted_on_by(self, term: Acting) -> Activity:
        """The same activity once a term has set what single readmissions are paid, which are spells of who readmitted, and what
        best practice earns."""
        return replace(self, readmitted=self._readmitted_after(term), earned=term.earned_after(self))

    def _readmitted_after(self, term: Acting) -> pl.DataFrame | None:
        if self.readmitted is None:
            return None
        told = self.readmitted.rename({"provider": "initial_provider", "readmitted_by": "provider"})
        priced = term.prices_of(told).rename({"provider": "readmitted_by", "initial_provider": "provider"})
        return priced.select(self.readmitted.columns)

    def totals(self, scope: Scope, keys: Sequence[str] = CONTRACT) -> pl.DataFrame:
        """`lines`, `units` and `value_pence` of what `scope` governs by `keys`, sorted; earlier terms count in it."""
        sums = self._sums(scope, tuple(keys))
        # a line with a blank covers all that its own term governs
        inside = [lines if its.within(scope) else lines.filter(scope.covers()) for its, lines in self.by_scope]
        added = pl.concat([no_lines(), *inside])
        if not added.height:
            return sums
        nothing = [pl.lit(0, pl.Int64).alias(name) for name in ("lines", "units")]
        more = added.select(*keys, *nothing, pl.col("pence").alias("value_pence"))
        return _summed(pl.concat([sums, more]), keys)

    def astride(self, scope: Scope) -> pl.DataFrame:
        """The lines of earlier terms that cover, for all that is known, some of what is inside `scope` and some of what is not:
        what of their money lies inside cannot be told."""
        met = [lines for its, lines in self.by_scope if its.overlaps(scope) and not its.within(scope)]
        return pl.concat([no_lines(), *(lines.filter(scope.straddles()) for lines in met)])

    def is_any_in(self, scope: Scope) -> bool:
        """Whether there is any activity that `scope` governs."""
        return bool(self._inside(scope).height)

    def cells_paid(self, scope: Scope) -> pl.DataFrame:
        """The cells that `scope` governs, in one order, with `paid_pence`: their price and what earlier lines change."""
        added = self.earlier.group_by(CELL).agg(pl.col("pence").sum().alias("added"))
        found = self._inside(scope).join(added, on=CELL, how="left", nulls_equal=True, maintain_order="left")
        return found.with_columns((pl.col("price_pence") + pl.col("added").fill_null(0)).alias("paid_pence")).drop("added")

    def coverage(self, scope: Scope = EVERYTHING, plan: pl.DataFrame | None = None) -> Coverage:
        """`plan` (the run's own unless given) laid over what `scope` governs."""
        rows = self.plan if plan is None else plan
        if rows is None:
            raise ValueError("there is no plan to lay over the activity")
        name = (scope, "run" if plan is None else rows.hash_rows().sum())
        if name not in self._shared:
            self._shared[name] = cover(self._inside(scope), rows)
        found: Coverage = self._shared[name]
        added = self.earlier.filter(scope.covers())
        return found if not added.height else _with_earlier(found, cover(_as_cells(added), rows))

    def _sums(self, scope: Scope, keys: tuple[str, ...]) -> pl.DataFrame:
        if (scope, keys) not in self._shared:
            named = self._inside(scope).select(*keys, "lines", "units", pl.col("price_pence").alias("value_pence"))
            self._shared[scope, keys] = _summed(named, keys)
        sums: pl.DataFrame = self._shared[scope, keys]
        return sums

    def _inside(self, scope: Scope) -> pl.DataFrame:
        """The cells that a scope governs, summed over what no plan can tell apart."""
        if scope not in self._shared:
            inside = self.cells if scope.is_everything else self.cells.filter(scope.covers())
            self._shared[scope] = inside
        found: pl.DataFrame = self._shared[scope]
        return found


def as_lines(frame: pl.DataFrame) -> pl.DataFrame:
    """`frame` with the columns of a term's ledger lines: keys it lacks are blank (all), lines of 0 pence go, sorted."""
    shaped = frame.select(
        (pl.col(name) if name in frame.columns else pl.lit(None)).cast(dtype).alias(name) for name, dtype in LEDGER_LINE.items()
    )
    return shaped.filter(pl.col("pence") != 0).sort([*CELL, "line"], nulls_last=True)


def _summed(frame: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    sums = pl.col("lines", "units", "value_pence").sum()
    return frame.group_by(keys).agg(sums).sort(keys, nulls_last=True) if keys else frame.select(sums)


def _as_cells(lines: pl.DataFrame) -> pl.DataFrame:
    nothing = [pl.lit(0, pl.Int64).alias(name) for name in ("lines", "units")]
    return lines.select(*CELL, *nothing, pl.col("pence").alias("price_pence"))


def _with_earlier(found: Coverage, added: Coverage) -> Coverage:
    """A coverage with what earlier terms added to the value of each plan row. What no row covers is left as it was paid."""
    planned = found.planned.with_columns(pl.col("value_pence") + added.planned["value_pence"])
    return Coverage(planned, found.unplanned)
