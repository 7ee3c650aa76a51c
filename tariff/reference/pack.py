"""A rule pack as the reference uses it: read from the tables after overlays with every cell as printed, and the rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Final, TypeVar, cast

from tariff.errors import Fault, RulesError
from tariff.money import BASIS_POINTS, basis_points, millionths, pence
from tariff.reference.amounts import to_pounds
from tariff.reference.best_practice import BestPractice, best_practice_of

Rules = Mapping[str, Mapping[str, object]]
Cells = Mapping[str, str | None]
T = TypeVar("T")

METHODS: Final = {
    "setting": ("national",),
    "exclusions": ("national",),
    "short_stay": ("none", "price_table"),
    "long_stay": ("none", "per_day_beyond_trim"),
    "top_up": ("none", "highest_eligible"),
    "outpatient": ("none", "national", "erf"),
    "emergency": ("none", "national"),
    "unbundled": ("none", "price_list"),
    "best_practice": ("none", "evidence"),
    "market_forces_factor": ("none", "by_provider"),
    "rounding": ("penny_once", "whole_pounds"),
}
"""The methods known here, by rule. Any other is refused: a rule that is not understood is never passed over."""

NON_FACE_TO_FACE: Final = ("own_price", "face_to_face_price")
"""How an attendance that is not face-to-face may be paid."""


@dataclass(frozen=True, slots=True)
class PriceRow:
    """One HRG's row of the admitted table: prices in pence, None where none is printed; trim points in days."""

    number: int
    hrg: str
    outpatient_procedure: int | None
    combined: int | None
    day_case: int | None
    ordinary_elective: int | None
    non_elective: int | None
    elective_trim: int | None
    non_elective_trim: int | None
    per_day_long_stay: int | None
    short_stay: int | None
    """The reduced short-stay emergency price, where the pack's rule and the row give one."""


@dataclass(frozen=True, slots=True)
class AttendanceRow:
    """One treatment function's row of the outpatient table. `prices` in pence: by (first or follow-up, single or multi) face to
    face, and by first or follow-up otherwise, None where none is printed."""

    number: int
    face_to_face: Mapping[tuple[str, str], int | None]
    non_face_to_face: Mapping[str, int | None]
    mff: bool


@dataclass(frozen=True, slots=True)
class EmergencyRow:
    """One currency's row of the emergency table: its price in departments of types 1 and 2, and of type 3, in pence."""

    number: int
    price: int | None
    type_3_price: int | None
    mff: bool


@dataclass(frozen=True, slots=True)
class UnbundledRow:
    """One currency's row of the unbundled table: its price per unit in pence; `pod` None = told by the root of the HRG."""

    number: int
    price: int | None
    pod: str | None
    pass_through: bool
    mff: bool


@dataclass(frozen=True, slots=True)
class ShortStayRule:
    """When the short-stay emergency reduction applies (RULES 1.4)."""

    minimum_age: int
    maximum_stay_days: int
    grouping_methods: frozenset[str]


@dataclass(frozen=True, slots=True)
class TopUp:
    """One specialised top-up: its share of the price and who may have it; `providers` None = every provider."""

    number: int
    share: Fraction
    minimum_age: int | None
    maximum_age: int | None
    providers: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class OutpatientRule:
    """How outpatients are paid (RULES 2.1, 2.2); defaults in pence, None where the pack states none."""

    pays_unpriced_follow_up_procedures: bool
    """Whether a follow-up with a procedure that has no price is paid as an attendance (national tariff), or not (ERF)."""
    non_face_to_face_as_face_to_face: bool
    no_price_treatment_functions: frozenset[str]
    defaults: Mapping[str, int | None]
    """The price of a face-to-face attendance that has none of its own, by `first` or `follow_up`."""


@dataclass(frozen=True, slots=True)
class EmergencyRule:
    """How emergency care is paid (RULES 2.5)."""

    simplest_currency: str
    dead_on_arrival_as: str | None


@dataclass(frozen=True, slots=True)
class ReferencePack:
    """A rule pack's tables and rules, as the reference uses them; made by `from_plain`. A rule whose method is `none` is
    None (short stay, top-ups, outpatients, emergency care, factors) or False (long stay, unbundled care)."""

    label: str
    starts: date
    ends: date
    rows: Mapping[str, PriceRow]
    attendances: Mapping[str, AttendanceRow]
    emergencies: Mapping[str, EmergencyRow]
    unbundled: Mapping[str, UnbundledRow]
    excluded_hrgs: frozenset[str]
    excluded_treatment_functions: frozenset[str]
    short_stay: ShortStayRule | None
    pays_long_stay: bool
    top_ups: Mapping[str, TopUp] | None
    top_up_includes_long_stay: bool
    outpatient: OutpatientRule | None
    emergency: EmergencyRule | None
    pays_unbundled: bool
    factors: Mapping[str, int] | None
    default_factor: int | None
    whole_pounds: bool
    best_practice: BestPractice | None

    @classmethod
    def from_plain(cls, plain: Mapping[str, object], evidence: Iterable[Mapping[str, object]] = ()) -> ReferencePack:
        """The pack from `RulePack.plain()`: the tables after overlays with every cell as printed, and the rules. `evidence` is
        the best-practice evidence of the run, row by row as text.

        Raises RulesError for a method that is not known here, ValueError for a cell that is not what it should be."""
        rules = cast(Rules, plain["rules"])
        tables = cast(Mapping[str, Sequence[Cells] | None], plain["tables"])
        _refuse_unknown_methods(rules)
        reduces_short_stays = rules["short_stay"]["method"] == "price_table"
        has_top_ups = rules["top_up"]["method"] == "highest_eligible"
        has_factors = rules["market_forces_factor"]["method"] == "by_provider"
        return cls(
            label=str(plain["label"]),
            starts=_calendar_date(plain["starts"]),
            ends=_calendar_date(plain["ends"]),
            rows=_price_rows(tables["admitted"] or (), reduces_short_stays=reduces_short_stays),
            attendances=_attendance_rows(tables.get("outpatient") or ()),
            emergencies=_emergency_rows(tables.get("emergency") or ()),
            unbundled=_unbundled_rows(tables.get("unbundled") or ()),
            excluded_hrgs=_codes(rules["exclusions"].get("hrgs")),
            excluded_treatment_functions=_codes(rules["exclusions"].get("treatment_functions")),
            short_stay=_short_stay_rule(rules["short_stay"]) if reduces_short_stays else None,
            pays_long_stay=rules["long_stay"]["method"] == "per_day_beyond_trim",
            top_ups=_top_ups(tables.get("top_ups") or (), tables.get("top_up_providers")) if has_top_ups else None,
            top_up_includes_long_stay=has_top_ups and bool(rules["top_up"]["includes_long_stay"]),
            outpatient=None if rules["outpatient"]["method"] == "none" else _outpatient_rule(rules["outpatient"]),
            emergency=None if rules["emergency"]["method"] == "none" else _emergency_rule(rules["emergency"]),
            pays_unbundled=rules["unbundled"]["method"] == "price_list",
            factors=_factors(tables.get("mff") or ()) if has_factors else None,
            default_factor=_cell(rules["market_forces_factor"], "default", millionths) if has_factors else None,
            whole_pounds=rules["rounding"]["method"] == "whole_pounds",
            best_practice=best_practice_of(
                rules["best_practice"],
                tables.get("best_practice") or (),
                tables.get("best_practice_criteria") or (),
                evidence,
            ),
        )


def _refuse_unknown_methods(rules: Rules) -> None:
    faults = [
        Fault(f"rules.{rule}", f"the reference knows no method '{rules[rule]['method']}'", f"it knows: {', '.join(methods)}")
        for rule, methods in METHODS.items()
        if rules[rule]["method"] not in methods
    ]
    way = rules["outpatient"].get("non_face_to_face") or NON_FACE_TO_FACE[0]
    if way not in NON_FACE_TO_FACE:
        known = f"it knows: {', '.join(NON_FACE_TO_FACE)}"
        faults.append(Fault("rules.outpatient", f"the reference knows no non_face_to_face '{way}'", known))
    if faults:
        raise RulesError("The reference cannot price with this rule pack.", faults)


def _cell(cells: Mapping[str, object], name: str, read: Callable[[str], T]) -> T | None:
    text = str(cells.get(name) or "").strip()
    return read(text) if text else None


def _says(cells: Cells, name: str, word: str) -> bool:
    return (cells.get(name) or "").strip().lower() == word


def _codes(values: object) -> frozenset[str]:
    return frozenset(str(value) for value in cast(Iterable[object], values or ()))


def _calendar_date(value: object) -> date:
    return value if isinstance(value, date) else date.fromisoformat(str(value))


def _price_rows(table: Iterable[Cells], *, reduces_short_stays: bool) -> dict[str, PriceRow]:
    return {
        str(cells["hrg"]): PriceRow(
            number=number,
            hrg=str(cells["hrg"]),
            outpatient_procedure=_cell(cells, "outpatient_procedure", pence),
            combined=_cell(cells, "combined", pence),
            day_case=_cell(cells, "day_case", pence),
            ordinary_elective=_cell(cells, "ordinary_elective", pence),
            non_elective=_cell(cells, "non_elective", pence),
            elective_trim=_cell(cells, "elective_trim", int),
            non_elective_trim=_cell(cells, "non_elective_trim", int),
            per_day_long_stay=_cell(cells, "per_day_long_stay", pence),
            short_stay=short_stay_price(cells) if reduces_short_stays else None,
        )
        for number, cells in enumerate(table, start=1)
    }


def short_stay_price(cells: Cells) -> int | None:
    """The reduced price of an HRG: the price printed, else the percentage of the non-elective price, half-up to the pound but
    never above what it reduces; none where the table does not say that a reduction applies (RULES 1.4)."""
    if not _says(cells, "short_stay_applies", "yes"):
        return None
    printed = _cell(cells, "short_stay_price", pence)
    share = _cell(cells, "short_stay_percent", basis_points)
    non_elective = _cell(cells, "non_elective", pence)
    if printed is not None or share is None or non_elective is None:
        return printed
    return min(non_elective, to_pounds(non_elective * Fraction(share, BASIS_POINTS)))


def _attendance_rows(table: Iterable[Cells]) -> dict[str, AttendanceRow]:
    return {
        str(cells["treatment_function"]): AttendanceRow(
            number=number,
            face_to_face={
                (visit, team): _cell(cells, f"{visit}_{team}", pence)
                for visit in ("first", "follow_up")
                for team in ("single", "multi")
            },
            non_face_to_face={visit: _cell(cells, f"{visit}_non_face_to_face", pence) for visit in ("first", "follow_up")},
            mff=not _says(cells, "mff", "no"),
        )
        for number, cells in enumerate(table, start=1)
    }


def _emergency_rows(table: Iterable[Cells]) -> dict[str, EmergencyRow]:
    return {
        str(cells["currency"]): EmergencyRow(
            number=number,
            price=_cell(cells, "price", pence),
            type_3_price=_cell(cells, "type_3_price", pence),
            mff=not _says(cells, "mff", "no"),
        )
        for number, cells in enumerate(table, start=1)
    }


def _unbundled_rows(table: Iterable[Cells]) -> dict[str, UnbundledRow]:
    return {
        str(cells["currency"]): UnbundledRow(
            number=number,
            price=_cell(cells, "price", pence),
            pod=_cell(cells, "pod", str),
            pass_through=_says(cells, "pass_through", "yes"),
            mff=not _says(cells, "mff", "no"),
        )
        for number, cells in enumerate(table, start=1)
    }


def _short_stay_rule(rule: Mapping[str, object]) -> ShortStayRule:
    return ShortStayRule(
        minimum_age=cast(int, rule["minimum_age"]),
        maximum_stay_days=cast(int, rule["maximum_stay_days"]),
        grouping_methods=_codes(rule["grouping_methods"]),
    )


def _outpatient_rule(rule: Mapping[str, object]) -> OutpatientRule:
    return OutpatientRule(
        pays_unpriced_follow_up_procedures=rule["method"] == "national",
        non_face_to_face_as_face_to_face=rule["non_face_to_face"] == "face_to_face_price",
        no_price_treatment_functions=_codes(rule.get("no_price_treatment_functions")),
        defaults={visit: _cell(rule, f"default_{visit}", pence) for visit in ("first", "follow_up")},
    )


def _emergency_rule(rule: Mapping[str, object]) -> EmergencyRule:
    return EmergencyRule(
        simplest_currency=str(rule["simplest_currency"]), dead_on_arrival_as=_cell(rule, "dead_on_arrival_as", str)
    )


def _top_ups(table: Iterable[Cells], eligible: Sequence[Cells] | None) -> dict[str, TopUp]:
    def providers_of(code: str | None) -> frozenset[str] | None:
        return None if eligible is None else frozenset(str(row["provider"]) for row in eligible if row["top_up"] == code)

    return {
        str(cells["top_up"]).upper(): TopUp(
            number=number,
            share=Fraction(basis_points(str(cells["percent"])), BASIS_POINTS),
            minimum_age=_cell(cells, "minimum_age", int),
            maximum_age=_cell(cells, "maximum_age", int),
            providers=providers_of(cells["top_up"]),
        )
        for number, cells in enumerate(table, start=1)
    }


def _factors(table: Iterable[Cells]) -> dict[str, int]:
    return {str(cells["provider"]): millionths(str(cells["mff"])) for cells in table}
