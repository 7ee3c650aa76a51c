"""Unbundled care and other currencies priced slowly: RULES 1.9. Each item is paid beside the spell it may belong to, at a price
for each unit; drugs and devices that pass through are paid at their cost."""

from __future__ import annotations

from typing import Final, NamedTuple

from tariff.reasons import Basis
from tariff.reference.amounts import Amounts
from tariff.reference.best_practice import Facts
from tariff.reference.pack import ReferencePack, UnbundledRow
from tariff.reference.priced import (
    Charge,
    Covered,
    Dates,
    Line,
    Placed,
    Price,
    Row,
    indicative_price,
    local_price_or,
    price_with_best_practice,
    priced_line,
    settle,
    whole,
)

MOST_UNITS: Final = 10_000_000

TRANSPORT: Final = frozenset({"XA06Z", "XB08Z"})
"""Critical care transport stands apart from the roots it belongs to."""
POD_OF_ROOT: Final = {
    "SB": "UNBCHEMO",
    "SC": "UNBRTHPY",
    "SD": "UNBPALL",
    "RD": "UNBRAD",
    "RN": "UNBRAD",
    "RA": "UNBRAD",
    "VC": "UNBREHAB",
    "XC": "UNBACC",
    "XA": "UNBNCC",
    "XB": "UNBPCC",
}
DIALYSIS_ROOT: Final = "LD"


class Item(NamedTuple):
    """The cells of one canonical unbundled row that decide its price."""

    line: Line
    units: int | None

    @classmethod
    def of(cls, row: Row) -> Item:
        """The item of a row (columns.UNBUNDLED); columns that are not there are blank."""
        return cls(Line.of(row, key="line_id", activity_date="date", currency="currency"), whole(row, "units"))

    @property
    def has_sound_units(self) -> bool:
        """Whether there is a count of units, and one that the engine can hold."""
        return self.units is not None and 1 <= self.units <= MOST_UNITS


def point_of_delivery(item: Item, pack: ReferencePack) -> str:
    """The point-of-delivery code that the table states for the currency, else that of the HRG's root (RULES 1.9, FORMATS 3)."""
    currency = item.line.currency
    if currency is None:
        return "NOTCLASSIFIED"
    row = pack.unbundled.get(currency)
    if row is not None and row.pod is not None:
        return row.pod
    if currency in TRANSPORT:
        return "CCTRANS"
    if currency.startswith(DIALYSIS_ROOT):
        return "CRD" if currency.endswith("B") else "ARD"
    return POD_OF_ROOT.get(currency[:2], "UNBOTHER")


def charge_of(item: Item, pack: ReferencePack) -> Charge | None:
    """The currency's price times the units (RULES 1.9); None where there is no price, or no sound count of units."""
    row = pack.unbundled.get(item.line.currency or "")
    if not pack.pays_unbundled or row is None or row.price is None or not item.has_sound_units:
        return None
    return Charge(row.price * (item.units or 0), Basis.UNIT_PRICE, row.number, row.mff)


def pass_through(item: Item, price_row: int) -> Price | str:
    """A drug or device at the cost that the line states: no market forces factor (RULES 1.7), no top-up."""
    cost = item.line.local_price
    return "no_pass_through_cost" if cost is None else Price(Amounts(cost), Basis.PASS_THROUGH, price_row=price_row)


def price_where_covered(item: Item, pack: ReferencePack) -> Price | str:
    """The national price, or the cost of what passes through, where national rules cover the item; else its local price; else
    the reason."""
    line = item.line
    if (exclusion := line.exclusion(pack)) is not None:
        return local_price_or(exclusion, line)
    if line.currency is None:
        return "missing_currency"
    if line.is_ungrouped:
        return "ungrouped"
    row = pack.unbundled.get(line.currency)
    if row is None:
        return local_price_or("unknown_currency", line)
    if row.pass_through and pack.pays_unbundled:
        return pass_through(item, row.number)
    charge = charge_of(item, pack)
    if not pack.pays_unbundled:
        return local_price_or("no_price_in_setting", line)
    price = price_with_best_practice(line, charge, covered_by_best_practice(item, row), pack)
    return local_price_or("no_price_in_setting", line) if price is None else price


def covered_by_best_practice(item: Item, row: UnbundledRow) -> Covered:
    """The item as best practice sees it."""
    line = item.line
    facts = Facts(
        kind="unbundled",
        provider=line.provider or "",
        line_id=(line.identifier or "").strip(),
        day=line.activity_date,
        currency=line.currency,
        treatment_function=line.treatment_function,
        named=frozenset(),
        setting="unbundled",
        is_emergency=False,
        stay=0,
        age=line.age,
        attendance=None,
    )
    return Covered(facts, None, item.units or 0, Charge(0, Basis.UNIT_PRICE, row.number, row.mff))


def price_unbundled(row: Row, pack: ReferencePack, *, dates: Dates = "strict") -> dict[str, object]:
    """One row of canonical unbundled activity (columns.UNBUNDLED, and `read_fault`) priced: every column of a priced line, in
    its order. Never raises for what a row holds: an impossible row gets its reason."""
    item = Item.of(row)
    line = item.line
    decision = settle(
        line.fault() or (None if item.has_sound_units else "units_out_of_range"),
        line.activity_date,
        line.is_nhs_funded,
        pack,
        dates,
        lambda: price_where_covered(item, pack),
    )
    placed = Placed(
        kind="unbundled",
        line_id=row.get("line_id"),
        parent_line_id=row.get("parent_line_id"),
        activity_date=line.activity_date,
        pod=point_of_delivery(item, pack),
        setting="unbundled",
        currency=row.get("currency"),
        units=item.units or 0,
    )
    return priced_line(row, placed, decision, pack, lambda: indicative_price(line, charge_of(item, pack), pack))
