"""The rows of a pack's tables and what each must satisfy. Column meanings here are the ones rules/README.md prints."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from tariff.money import BASIS_POINTS, PENCE_PER_POUND, half_up, pounds
from tariff.rulepack.best_practice_rows import BEST_PRACTICE, BEST_PRACTICE_CRITERIA
from tariff.rulepack.cell_text import (
    read_age,
    read_code,
    read_factor,
    read_hrg,
    read_payment,
    read_percent,
    read_pod,
    read_price,
    read_provider,
    read_trim,
    read_unit,
    read_yes_or_no,
)
from tariff.rulepack.model import check_currency, check_treatment_function
from tariff.rulepack.tables import RowFault, Sourced, TableColumn, TableSpec

LOWEST_PUBLISHED_TRIM_DAYS: Final = 5
"""No published trim point of 2017/18 or 2018/19 is lower (FORMATS, price workbook)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmittedRow(Sourced):
    """Prices of one HRG: pence before market forces factor (None = no national price), trim points in days, the short-stay
    percentage in basis points."""

    hrg: str
    name: str
    outpatient_procedure: int | None
    combined: int | None
    day_case: int | None
    ordinary_elective: int | None
    elective_trim: int | None
    non_elective: int | None
    non_elective_trim: int | None
    per_day_long_stay: int | None
    short_stay_applies: bool
    short_stay_percent: int | None
    short_stay_price: int | None

    @property
    def has_price(self) -> bool:
        """Whether the HRG has a national price in any admitted setting or as an outpatient procedure."""
        prices = (self.outpatient_procedure, self.combined, self.day_case, self.ordinary_elective, self.non_elective)
        return any(price is not None for price in prices)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutpatientRow(Sourced):
    """Attendance prices of one treatment function: pence before market forces factor, None = no national price. `mff` is False
    where the prices hold local market forces already."""

    treatment_function: str
    name: str
    first_single: int | None
    first_multi: int | None
    follow_up_single: int | None
    follow_up_multi: int | None
    first_non_face_to_face: int | None
    follow_up_non_face_to_face: int | None
    mff: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyRow(Sourced):
    """Prices of one emergency care currency in pence, None = none: in departments of types 1 and 2, and of type 3."""

    currency: str
    name: str
    price: int | None
    type_3_price: int | None
    mff: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UnbundledRow(Sourced):
    """Price of one unbundled or other currency in pence per unit, None = none; `pod` None = told by the root of the HRG. A
    pass-through currency has no price: it is paid at the cost that the line states."""

    currency: str
    name: str
    unit: str
    price: int | None
    pod: str | None
    pass_through: bool
    mff: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderFactor(Sourced):
    """Market forces factor of one provider, in millionths."""

    provider: str
    name: str
    mff: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TopUp(Sourced):
    """A specialised top-up: percentage in basis points, ages on admission (inclusive; None = no bound)."""

    top_up: str
    name: str
    percent: int
    minimum_age: int | None
    maximum_age: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TopUpProvider(Sourced):
    """A provider eligible for a top-up."""

    top_up: str
    provider: str


def one_way_to_price_elective_care(row: AdmittedRow) -> Iterator[RowFault]:
    """A combined price, or separate day-case and ordinary-elective prices: not both."""
    if row.combined is not None and (row.day_case is not None or row.ordinary_elective is not None):
        what = "stands beside a day_case or ordinary_elective price"
        yield RowFault("combined", what, "a combined price covers both: leave either it or the separate prices blank")


def settings_without_trim_point(row: AdmittedRow) -> Iterator[tuple[str, RowFault]]:
    """A per-day payment needs the trim point of each setting that has a price (a day case never has excess days): the settings in
    which it is missing. (A pack may declare that it lacks those of a setting, so no row is held to this on its own.)"""
    if row.per_day_long_stay is None:
        return
    remedy = "give the trim point in days, or leave per_day_long_stay blank"
    if row.elective_trim is None and (row.combined is not None or row.ordinary_elective is not None):
        what = "is blank though the row has an elective price and a per-day payment"
        yield "ordinary_elective", RowFault("elective_trim", what, remedy)
    if row.non_elective_trim is None and row.non_elective is not None:
        what = "is blank though the row has a non-elective price and a per-day payment"
        yield "non_elective", RowFault("non_elective_trim", what, remedy)


def a_short_stay_price_that_reduces(row: AdmittedRow) -> Iterator[RowFault]:
    """The short-stay price is a reduction of the non-elective price, for HRGs to which it applies (RULES 1.4)."""
    if row.short_stay_price is not None and not row.short_stay_applies:
        yield RowFault("short_stay_price", "is given though short_stay_applies is not yes", "write yes, or leave the price blank")
    if row.short_stay_applies and row.short_stay_price is None and row.short_stay_percent is None:
        yield RowFault("short_stay_applies", "is yes but neither percentage nor price is given", "give one of them, or write no")
    if row.short_stay_price is not None and row.non_elective is not None and row.short_stay_price > row.non_elective:
        what = f"{pounds(row.short_stay_price)} is above the non-elective price {pounds(row.non_elective)}"
        yield RowFault("short_stay_price", what, "the short-stay price is a reduction: check both against the workbook")


def no_price_for_what_passes_through(row: UnbundledRow) -> Iterator[RowFault]:
    """A pass-through drug or device is paid at its cost, which stands on the line (RULES 1.9)."""
    if row.pass_through and row.price is not None:
        what = "is given though pass_through is yes"
        yield RowFault(
            "price", what, "a pass-through currency is paid at the line's own cost: leave the price blank, or write no"
        )


def ages_in_order(row: TopUp) -> Iterator[RowFault]:
    """The lowest age is not above the highest."""
    if row.minimum_age is not None and row.maximum_age is not None and row.minimum_age > row.maximum_age:
        yield RowFault("minimum_age", f"{row.minimum_age} is above maximum_age {row.maximum_age}", "swap them")


def short_stay_price_as_its_percentage(row: AdmittedRow) -> Iterator[RowFault]:
    """The printed short-stay price is within £1 of its percentage; the printed price wins, so this only warns."""
    if row.short_stay_price is None or row.short_stay_percent is None or row.non_elective is None:
        return
    worked = half_up(row.non_elective * row.short_stay_percent, BASIS_POINTS * PENCE_PER_POUND) * PENCE_PER_POUND
    if abs(worked - row.short_stay_price) > PENCE_PER_POUND:
        what = f"{pounds(row.short_stay_price)} is more than £1 from non_elective x short_stay_percent, {pounds(worked)}"
        yield RowFault("short_stay_price", what, "the printed price is used")


def short_stay_with_something_to_reduce(row: AdmittedRow) -> Iterator[RowFault]:
    """A short-stay reduction without a non-elective price can never act."""
    if row.short_stay_applies and row.non_elective is None:
        yield RowFault("short_stay_applies", "is yes but the row has no non-elective price", "the reduction will never act")


def trim_point_as_low_as_published(row: AdmittedRow) -> Iterator[RowFault]:
    """Published trim points are never below 5 days."""
    for column, trim in (("elective_trim", row.elective_trim), ("non_elective_trim", row.non_elective_trim)):
        if trim is not None and trim < LOWEST_PUBLISHED_TRIM_DAYS:
            yield RowFault(column, f"{trim} days is below 5, the lowest ever published", "check it against the workbook")


_PRICE = "write pounds as printed, such as 8,207 or 119.50; leave the cell blank where there is no national price"
_TRIM = "write the trim point in whole days, or leave it blank"
_PERCENT = "write a percentage such as 25% or a share such as 0.25"
_PROVIDER = "write the organisation code in capitals, such as RXX or RXX01"
_CODE = "write the code as activity carries it"
_AGE = "write an age in whole years, or leave it blank"
_TREATMENT_FUNCTION = "a treatment function is three digits, such as 110"
_CURRENCY = "write the currency in capital letters and digits, such as XC05Z"
_YES_OR_NO = "write yes or no"


def _price(name: str, meaning: str) -> TableColumn:
    return TableColumn(name, read_price, meaning, _PRICE)


def _mff_column() -> TableColumn:
    meaning = "no: the price holds local market forces already, so no factor is applied; blank = yes"
    return TableColumn("mff", read_yes_or_no, meaning, _YES_OR_NO, blank=True)


ADMITTED: Final = TableSpec(
    name="admitted",
    columns=(
        TableColumn("hrg", read_hrg, "HRG", "an HRG is two letters, two digits, one letter, such as HN22E", required=True),
        TableColumn("name", str, "name of the HRG", "", blank=""),
        _price("outpatient_procedure", "price as an outpatient procedure, £"),
        _price("combined", "combined day case and ordinary elective spell price, £"),
        _price("day_case", "day case spell price, £, where there is no combined price"),
        _price("ordinary_elective", "ordinary elective spell price, £, where there is no combined price"),
        TableColumn("elective_trim", read_trim, "ordinary elective trim point, days", _TRIM),
        _price("non_elective", "non-elective spell price, £"),
        TableColumn("non_elective_trim", read_trim, "non-elective trim point, days", _TRIM),
        TableColumn("per_day_long_stay", read_payment, "payment for each day beyond the trim point, £; 0 pays nothing", _PRICE),
        TableColumn(
            "short_stay_applies",
            read_yes_or_no,
            "yes: the reduced short-stay emergency price applies",
            _YES_OR_NO,
            blank=False,
        ),
        TableColumn("short_stay_percent", read_percent, "short-stay price as a percentage of the non-elective price", _PERCENT),
        _price("short_stay_price", "reduced short-stay emergency price, £; wins over the percentage"),
    ),
    row=AdmittedRow,
    key=("hrg",),
    row_rules=(one_way_to_price_elective_care, a_short_stay_price_that_reduces),
    row_warnings=(short_stay_price_as_its_percentage, short_stay_with_something_to_reduce, trim_point_as_low_as_published),
)
OUTPATIENT: Final = TableSpec(
    name="outpatient",
    columns=(
        TableColumn("treatment_function", check_treatment_function, "treatment function", _TREATMENT_FUNCTION, required=True),
        TableColumn("name", str, "name of the treatment function", "", blank=""),
        _price("first_single", "first attendance, single professional, £"),
        _price("first_multi", "first attendance, multi-professional, £"),
        _price("follow_up_single", "follow-up attendance, single professional, £"),
        _price("follow_up_multi", "follow-up attendance, multi-professional, £"),
        _price("first_non_face_to_face", "first attendance not face to face, £"),
        _price("follow_up_non_face_to_face", "follow-up attendance not face to face, £"),
        _mff_column(),
    ),
    row=OutpatientRow,
    key=("treatment_function",),
)
EMERGENCY: Final = TableSpec(
    name="emergency",
    columns=(
        TableColumn("currency", check_currency, "emergency care HRG", _CURRENCY, required=True),
        TableColumn("name", str, "name of the currency", "", blank=""),
        _price("price", "price in a department of type 1 or 2, £"),
        _price("type_3_price", "price in a department of type 3, £; blank = the simplest currency's price"),
        _mff_column(),
    ),
    row=EmergencyRow,
    key=("currency",),
)
UNBUNDLED: Final = TableSpec(
    name="unbundled",
    columns=(
        TableColumn("currency", check_currency, "unbundled HRG or other currency", _CURRENCY, required=True),
        TableColumn("name", str, "name of the currency", "", blank=""),
        TableColumn(
            "unit",
            read_unit,
            "what one unit is: day, session, contact, item, ...",
            "write day, session or the like",
            required=True,
        ),
        _price("price", "price of one unit, £"),
        TableColumn(
            "pod", read_pod, "point of delivery; blank = by the root of the HRG", "write a national code, or leave it blank"
        ),
        TableColumn("pass_through", read_yes_or_no, "yes: paid at the cost the line states; blank = no", _YES_OR_NO, blank=False),
        _mff_column(),
    ),
    row=UnbundledRow,
    key=("currency",),
    row_rules=(no_price_for_what_passes_through,),
)
MFF: Final = TableSpec(
    name="mff",
    columns=(
        TableColumn(
            "provider",
            read_provider,
            "provider code; three characters stand for all sites of the trust",
            _PROVIDER,
            required=True,
        ),
        TableColumn("name", str, "name of the provider", "", blank=""),
        TableColumn(
            "mff", read_factor, "market forces factor, 1.000000 = none", "write a factor such as 1.037386", required=True
        ),
    ),
    row=ProviderFactor,
    key=("provider",),
)
TOP_UPS: Final = TableSpec(
    name="top_ups",
    columns=(
        TableColumn("top_up", read_code, "specialised service code", _CODE, required=True),
        TableColumn("name", str, "name of the top-up", "", blank=""),
        TableColumn("percent", read_percent, "top-up as a percentage of the price", _PERCENT, required=True),
        TableColumn("minimum_age", read_age, "lowest age on admission; blank = none", _AGE),
        TableColumn("maximum_age", read_age, "highest age on admission; blank = none", _AGE),
    ),
    row=TopUp,
    key=("top_up",),
    row_rules=(ages_in_order,),
)
TOP_UP_PROVIDERS: Final = TableSpec(
    name="top_up_providers",
    columns=(
        TableColumn("top_up", read_code, "specialised service code, as in top_ups.csv", _CODE, required=True),
        TableColumn("provider", read_provider, "provider that is paid the top-up", _PROVIDER, required=True),
    ),
    row=TopUpProvider,
    key=("top_up", "provider"),
)
TABLES: Final[dict[str, TableSpec[Any]]] = {
    spec.name: spec
    for spec in (
        ADMITTED,
        OUTPATIENT,
        EMERGENCY,
        UNBUNDLED,
        MFF,
        TOP_UPS,
        TOP_UP_PROVIDERS,
        BEST_PRACTICE,
        BEST_PRACTICE_CRITERIA,
    )
}
"""The price and rate tables a pack may hold, by name."""
PRICE_TABLES: Final = ("admitted", "outpatient", "emergency", "unbundled")
"""Those that hold prices, one for each kind of activity."""
