"""Emergency care priced slowly: RULES 2.5. An attendance is paid beside the admission it may lead to."""

from __future__ import annotations

from typing import Final, NamedTuple

from tariff.reasons import Basis
from tariff.reference.pack import EmergencyRow, ReferencePack
from tariff.reference.priced import (
    Charge,
    Dates,
    Line,
    Placed,
    Price,
    Row,
    digit,
    indicative_price,
    local_price_or,
    national_price,
    priced_line,
    settle,
)

MAJOR, SINGLE_SPECIALTY, OTHER, WALK_IN_CENTRE = "1", "2", "3", "4"
DEPARTMENT_TYPES: Final = frozenset({MAJOR, SINGLE_SPECIALTY, OTHER, WALK_IN_CENTRE})
PLANNED_FOLLOW_UP: Final = frozenset({"2", "3"})
DEAD_ON_ARRIVAL: Final = "VB99Z"


class Arrival(NamedTuple):
    """The cells of one canonical emergency care row that decide its price."""

    line: Line
    department_type: str | None
    attendance_category: str | None

    @classmethod
    def of(cls, row: Row) -> Arrival:
        """The arrival of a row (columns.EMERGENCY); columns that are not there are blank."""
        return cls(
            line=Line.of(row, key="attendance_id", activity_date="arrival_date", currency="hrg"),
            department_type=digit(row, "department_type"),
            attendance_category=digit(row, "attendance_category"),
        )


def charge_of(arrival: Arrival, pack: ReferencePack) -> Charge | None:
    """The price of the currency in this type of department (RULES 2.5); None where there is none. A department that the types
    do not place, as a walk-in centre, counts as types 1 and 2: that is what its attendance would be worth."""
    row = pack.emergencies.get(arrival.line.currency or "")
    if pack.emergency is None or row is None:
        return None
    if arrival.department_type == OTHER:
        return type_3_charge(row, pack)
    if row.price is None and arrival.line.currency == DEAD_ON_ARRIVAL:
        row = pack.emergencies.get(pack.emergency.dead_on_arrival_as or "", row)
    return charge_at(row.price, row)


def type_3_charge(row: EmergencyRow, pack: ReferencePack) -> Charge | None:
    """The price in a department of type 3: the row's own, else that of the simplest currency (RULES 2.5)."""
    if row.type_3_price is not None or pack.emergency is None:
        return charge_at(row.type_3_price, row)
    simplest = pack.emergencies.get(pack.emergency.simplest_currency)
    charge = None if simplest is None else charge_at(simplest.price, simplest)
    return None if charge is None else charge._replace(flags=charge.flags | Basis.SIMPLEST_CURRENCY)


def charge_at(price: int | None, row: EmergencyRow) -> Charge | None:
    """A price of the row as a charge; None where it has none."""
    return None if price is None else Charge(price, Basis.EMERGENCY_CARE, row.number, row.mff)


def fault_of(arrival: Arrival) -> str | None:
    """The first reason why the row is impossible or lacks what a price needs; None where it is sound."""
    fault = arrival.line.fault()
    if fault is not None:
        return fault
    return None if arrival.department_type in DEPARTMENT_TYPES else "department_type"


def exclusion_of(arrival: Arrival, pack: ReferencePack) -> str | None:
    """Why national prices do not cover the attendance, so that only a local price can (RULES 1.1, 2.5; the pack)."""
    if arrival.line.is_outside_national_tariff:
        return "outside_national_tariff"
    if arrival.attendance_category in PLANNED_FOLLOW_UP:
        return "planned_follow_up"
    if arrival.line.is_listed(pack):
        return "excluded_by_pack"
    return "walk_in_centre" if arrival.department_type == WALK_IN_CENTRE else None


def price_where_covered(arrival: Arrival, pack: ReferencePack) -> Price | str:
    """The national price where national prices cover the attendance; else its local price; else the reason."""
    line = arrival.line
    if (exclusion := exclusion_of(arrival, pack)) is not None:
        return local_price_or(exclusion, line)
    if line.currency is None:
        return "missing_currency"
    if line.is_ungrouped:
        return "ungrouped"
    if line.currency not in pack.emergencies:
        return local_price_or("unknown_currency", line)
    charge = charge_of(arrival, pack)
    return local_price_or("no_price_in_setting", line) if charge is None else national_price(line, charge, pack)


def price_emergency(row: Row, pack: ReferencePack, *, dates: Dates = "strict") -> dict[str, object]:
    """One row of canonical emergency care activity (columns.EMERGENCY, and `read_fault`) priced: every column of a priced line,
    in its order. Never raises for what a row holds: an impossible row gets its reason."""
    arrival = Arrival.of(row)
    line = arrival.line
    decision = settle(
        fault_of(arrival),
        line.activity_date,
        line.is_nhs_funded,
        pack,
        dates,
        lambda: price_where_covered(arrival, pack),
    )
    placed = Placed(
        kind="emergency",
        line_id=row.get("attendance_id"),
        parent_line_id=None,
        activity_date=line.activity_date,
        pod="AE",
        setting="emergency_care",
        currency=row.get("hrg"),
    )
    return priced_line(row, placed, decision, pack, lambda: indicative_price(line, charge_of(arrival, pack), pack))
