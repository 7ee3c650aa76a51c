"""Local prices: agreed prices a unit in place of the tariff, from a file, or the tariff changed by a percentage. They replace
the whole price, market forces factor included, for what they cover; the rest keeps its price."""

from __future__ import annotations

from typing import ClassVar, Final, Literal

import polars as pl
from pydantic import model_validator

from tariff.errors import Fault
from tariff.money import BASIS_POINTS, half_up
from tariff.payment.activity import Activity, as_lines
from tariff.payment.figures import AMOUNT, TEXT_OR_ALL, Change, FileName, percentage, read_figures
from tariff.payment.plan import by_pattern, columns_given
from tariff.payment.term import Cause, ContractTerm, adjustment

LOCAL_PRICE: Final = Cause("local_price", "Local prices", "Agreed prices in place of the tariff; this is the difference.")

_BLANKABLE: Final = ("commissioner", "provider", "pod", "treatment_function", "currency")


def changed_price(value_pence: int, change_bp: int) -> int:
    """What changes where the tariff is changed by `change_bp` basis points. Half-up once."""
    return half_up(value_pence * change_bp, BASIS_POINTS)


class LocalPrice(ContractTerm):
    """`prices` (a file: commissioner, provider, pod, treatment_function, currency – a blank means all – and price in pounds a
    unit), or `change`, such as -3%, of the tariff."""

    term: Literal["local_price"]
    prices: FileName | None = None
    change: Change | None = None

    about: ClassVar[str] = "Agreed prices, or a percentage, in place of the price."
    settles: ClassVar[Literal["", "price", "payment"]] = "price"
    causes: ClassVar[tuple[Cause, ...]] = (LOCAL_PRICE,)
    one_of: ClassVar[tuple[str, ...]] = ("prices", "change")
    figures: ClassVar[tuple[str, ...]] = ("change",)
    choices: ClassVar[tuple[str, ...]] = ("prices",)

    @model_validator(mode="after")
    def _say_one_thing(self) -> LocalPrice:
        if (self.prices is None) == (self.change is None):
            raise ValueError("give either prices (a file) or a change, such as '-3%'")
        return self

    @property
    def words(self) -> str:
        """The term in one sentence."""
        if self.change is not None:
            return f"The tariff changed by {percentage(self.change)}{self.scope.words} (change: {self.label})."
        return f"Local prices as in {self.prices}{self.scope.words}, the tariff for the rest (prices: {self.label})."

    @property
    def goes_by(self) -> frozenset[str]:
        """What the rows of its file tell apart."""
        if self.prices is None:
            return frozenset()
        return columns_given(read_figures(self.prices, _PRICES, _BLANKABLE), _BLANKABLE)

    def faults(self, activity: Activity) -> list[Fault]:
        """Activity that two prices cover."""
        if self.prices is None:
            return []
        twice = (
            self._found(activity.cells_paid(self.scope).with_row_index("cell"))
            .group_by("cell")
            .agg(pl.col("row").sort())
            .filter(pl.col("row").list.len() > 1)
        )
        pairs = twice.select(pl.col("row").list.head(2).list.to_struct(fields=["first", "second"])).unique().unnest("row")
        return [
            Fault(f"{self.prices}:{second + 2}", f"covers what line {first + 2} covers", "leave one out, or make it finer")
            for first, second in pairs.sort("first", "second").head(20).iter_rows()
        ]

    def ledger_lines(self, activity: Activity) -> pl.DataFrame:
        """The difference from tariff, cell by cell."""
        inside = activity.cells_paid(self.scope)
        if self.change is not None:
            return as_lines(_changed(inside, self.change))
        numbered = inside.with_row_index("cell")
        priced = numbered.join(self._found(numbered), on="cell")
        return as_lines(adjustment(priced, LOCAL_PRICE, pl.col("price") * pl.col("units") - pl.col("paid_pence")))

    def prices_of(self, spells: pl.DataFrame) -> pl.DataFrame:
        """Each at its own price, as if it were the only one of its cell; a spell is one unit."""
        return self._earned(self._with_price(spells, "paid_pence"))

    def earned_after(self, activity: Activity) -> pl.DataFrame | None:
        """A percentage changes what best practice earned with the rest of the price; an agreed price holds none of it."""
        return None if activity.earned is None else self._earned(activity.earned)

    def _earned(self, rows: pl.DataFrame) -> pl.DataFrame:
        return self._with_price(rows, "earned_pence", agreed=0)

    def _with_price(self, rows: pl.DataFrame, amount: str, agreed: int | None = None) -> pl.DataFrame:
        """The rows with an amount changed by the percentage, or with the agreed price (or `agreed`) in its place."""
        numbered = rows.with_row_index("cell")
        inside = numbered.filter(self.scope.covers())
        if self.change is not None:
            change = self.change
            price = [value + changed_price(value, change) for value in inside[amount]]
            told = inside.select("cell", pl.Series("price", price, pl.Int64))
        else:
            told = self._found(inside).select("cell", "price" if agreed is None else pl.lit(agreed, pl.Int64).alias("price"))
        priced = numbered.join(told, on="cell", how="left", maintain_order="left")
        return priced.with_columns(pl.coalesce("price", amount).alias(amount)).drop("cell", "price")

    def _found(self, inside: pl.DataFrame) -> pl.DataFrame:
        """Which row of the file prices which of the cells inside, numbered by `cell`: `cell, row, price`."""
        if self.prices is None:
            raise ValueError("there is no file of prices")
        listed = read_figures(self.prices, _PRICES, _BLANKABLE).with_row_index("row")
        cells = inside.select("cell", *_BLANKABLE)
        none = pl.DataFrame(schema={"cell": pl.UInt32, "row": pl.UInt32, "price": pl.Int64})
        found = [
            cells.join(some.select(*keys, "row", "price"), on=keys).select(none.columns)
            if keys
            else cells.join(some.select("row", "price"), how="cross").select(none.columns)
            for keys, some in by_pattern(listed, (), _BLANKABLE)
        ]
        return pl.concat([none, *found])


_ROUNDED: Final = ("commissioner", "provider", "financial_year", "month", "pod", "currency")
"""What a percentage is rounded by, once for each. Practices and treatment functions share the penny out, so that what is paid
does not hang on whether a comparison tells them apart."""


def _changed(cells: pl.DataFrame, change_bp: int) -> pl.DataFrame:
    ordered = cells.sort(*_ROUNDED, "treatment_function", "gp_practice", nulls_last=True)
    reached = ordered.select(pl.col("paid_pence").cum_sum().over(_ROUNDED))["paid_pence"]
    changes = ordered.with_columns(pl.Series("reached", [changed_price(value, change_bp) for value in reached], pl.Int64))
    before = pl.col("reached").shift(1, fill_value=0).over(_ROUNDED)
    return adjustment(changes, LOCAL_PRICE, pl.col("reached") - before)


_PRICES: Final = {**dict.fromkeys(_BLANKABLE, TEXT_OR_ALL), "price": AMOUNT}
