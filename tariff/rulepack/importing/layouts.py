"""The tables that official workbooks hold, and how each is known: by what its column titles say and what its codes look like,
never by the place of a sheet or a column (FORMATS, price workbook)."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Final

from tariff.rulepack.importing import figures
from tariff.rulepack.importing.figures import FigureReader
from tariff.rulepack.importing.titles import Meaning, meaning

UNBUNDLED_ROOTS: Final = ("SB", "SC", "SD", "RA", "RD", "RN", "VC", "XA", "XB", "XC", "XD", "LD")
"""Roots of the HRGs that are paid beside the core HRG (RULES 1.9)."""


@dataclass(frozen=True, slots=True)
class Field:
    """A column of a layout: the titles that mean it, the title an official workbook prints, and how its cells are read."""

    name: str
    printed: str
    meanings: tuple[Meaning, ...]
    read: FigureReader

    def is_titled(self, title: str) -> bool:
        """Whether a title means this column."""
        return any(meant.is_said_by(title) for meant in self.meanings)


@dataclass(frozen=True, slots=True)
class Layout:
    """A table as workbooks print it: where it goes in a pack, its columns, its key and what a key looks like."""

    table: str
    title: str
    fields: tuple[Field, ...]
    code: re.Pattern[str]
    claimed_by: tuple[Meaning, ...]
    required: Callable[[Collection[str]], frozenset[str]]
    several: bool = False
    """Whether several sheets may hold parts of the table."""

    @property
    def key(self) -> str:
        """The column that names a row."""
        return self.fields[0].name

    @property
    def is_named(self) -> bool:
        """Whether its rows have names."""
        return any(field.name == "name" for field in self.fields)

    def field(self, name: str) -> Field:
        """The column of that name."""
        return next(field for field in self.fields if field.name == name)

    def missing(self, found: Collection[str], without: Collection[str] = ()) -> list[Field]:
        """The columns that the table cannot do without, in the order of the layout; `without` names those waived."""
        wanted = self.required(found) - set(found) - set(without)
        return [field for field in self.fields if field.name in wanted]

    def claims(self, name: str) -> bool:
        """Whether a sheet of that name says that it holds this table."""
        return any(claim.is_said_by(name) for claim in self.claimed_by)


def _fields(*rows: tuple[str, str, FigureReader, tuple[Meaning, ...]]) -> tuple[Field, ...]:
    return tuple(Field(name, printed, meanings, read) for name, printed, read, meanings in rows)


_NOT_A_PRICE = "bpt trim per percent applicable applied calculation short"
_HRG: Final = (
    meaning("hrg", "name description bpt level chapter subchapter sub root label"),
    meaning("currency", "name description unit bpt price tariff"),
)
_NAME: Final = (
    meaning("name", "bpt file sheet chapter"),
    meaning("description", "bpt chapter"),
    meaning("label", "bpt chapter"),
)

_ADMITTED_FIELDS: Final = _fields(
    ("hrg", "HRG code", figures.code, _HRG),
    ("name", "HRG name", figures.name, _NAME),
    (
        "outpatient_procedure",
        "Outpatient procedure tariff (£)",
        figures.price,
        (meaning("outpatient procedure", f"{_NOT_A_PRICE} attendance non"),),
    ),
    (
        "combined",
        "Combined day case / ordinary elective spell tariff (£)",
        figures.price,
        (meaning("combined", f"{_NOT_A_PRICE} non"), meaning("day case elective", f"{_NOT_A_PRICE} non")),
    ),
    ("day_case", "Day case spell tariff (£)", figures.price, (meaning("day case", f"{_NOT_A_PRICE} combined elective non"),)),
    (
        "ordinary_elective",
        "Ordinary elective spell tariff (£)",
        figures.price,
        (meaning("ordinary elective", f"{_NOT_A_PRICE} combined case non"),),
    ),
    (
        "elective_trim",
        "Ordinary elective long stay trim point (days)",
        figures.days,
        (meaning("elective trim", "bpt per non"),),
    ),
    ("non_elective", "Non-elective spell tariff (£)", figures.price, (meaning("non elective", f"{_NOT_A_PRICE} long"),)),
    (
        "non_elective_trim",
        "Non-elective long stay trim point (days)",
        figures.days,
        (meaning("non elective trim", "bpt per"),),
    ),
    (
        "per_day_long_stay",
        "Per day long stay payment (for days exceeding trim point) (£)",
        figures.payment,
        (meaning("per day", "bpt short"), meaning("excess bed day", "bpt trim")),
    ),
    (
        "short_stay_applies",
        "Reduced short stay emergency tariff applicable?",
        figures.yes_or_no,
        (meaning("short stay applicable", "bpt percent"), meaning("short stay applies", "bpt percent")),
    ),
    (
        "short_stay_percent",
        "% applied in calculation of reduced short stay emergency tariff",
        figures.percentage,
        (meaning("short stay percent", "bpt applicable"),),
    ),
    (
        "short_stay_price",
        "Reduced short stay emergency tariff (£)",
        figures.price,
        (meaning("short stay emergency", "bpt percent applicable applies applied calculation"),),
    ),
)

_SPLIT: Final = frozenset({"day_case", "ordinary_elective"})
_SHORT_STAY: Final = frozenset({"short_stay_applies", "short_stay_percent", "short_stay_price"})
_LONG_STAY: Final = frozenset({"non_elective_trim", "per_day_long_stay"})
_ANNEX_A: Final = frozenset(field.name for field in _ADMITTED_FIELDS) - {"name"}


def _admitted_columns(found: Collection[str]) -> frozenset[str]:
    """Annex A is known by its short-stay columns, or by separate prices beside the combined one, and holds every column. The
    workbook of the payment scheme holds a combined price and a trim point; a unit price list only prices by setting."""
    present = frozenset(found)
    if present & _SHORT_STAY or ("combined" in present and present & _SPLIT):
        return _ANNEX_A
    if present & {"combined", "elective_trim", "outpatient_procedure", *_LONG_STAY}:
        scheme = frozenset({"hrg", "outpatient_procedure", "combined", "elective_trim", "non_elective"})
        return scheme | (_LONG_STAY if present & _LONG_STAY else frozenset())
    return frozenset({"hrg", "non_elective"}) | _SPLIT


def _always(*names: str) -> Callable[[Collection[str]], frozenset[str]]:
    return lambda _: frozenset(names)


ADMITTED_LAYOUT: Final = Layout(
    table="admitted",
    title="admitted care and outpatient procedures",
    fields=_ADMITTED_FIELDS,
    code=re.compile(r"[A-Z]{2}\d{2}[A-Z]"),
    claimed_by=(meaning("apc"), meaning("admitted"), meaning("outpatient procedure")),
    required=_admitted_columns,
)

SUS_LAYOUT: Final = Layout(
    table="sus",
    title="SUS tariff reference of admitted care",
    fields=_fields(
        ("hrg", "HRG", figures.code, _HRG),
        ("spell_type", "Spell type (DAY or ORD)", figures.code, (meaning("spell type"),)),
        ("admission_type", "Admission type (ELE or NON)", figures.code, (meaning("admission type"),)),
        ("short_stay", "Short stay emergency (SSEM)", figures.code, (meaning("ssem"), meaning("short stay", "tariff price"))),
        ("name", "HRG name", figures.name, _NAME),
        (
            "price",
            "Tariff (£)",
            figures.price,
            (meaning("tariff", "type per trim long excess"), meaning("price", "type per trim long excess")),
        ),
        ("trim", "Trim point (days)", figures.days, (meaning("trim", "per"),)),
        ("per_day", "Per day long stay payment (£)", figures.payment, (meaning("per day"), meaning("excess bed day"))),
    ),
    code=re.compile(r"[A-Z]{2}\d{2}[A-Z]"),
    claimed_by=(meaning("sus"),),
    required=_always("hrg", "spell_type", "admission_type", "short_stay", "price"),
)


def _attendance(
    name: str, printed: str, code: str, says: str, without: str
) -> tuple[str, str, FigureReader, tuple[Meaning, ...]]:
    """An attendance price: by its WF currency, or by words alone."""
    others = " ".join(other for other in _WF if other != code)
    spoken = meaning(says, f"{without} {others} bpt name")
    return name, f"{code.upper()} {printed} (£)", figures.price, (meaning(code, "name"), spoken)


_WF: Final = ("wf01a", "wf01b", "wf01c", "wf01d", "wf02a", "wf02b", "wf02c", "wf02d")
_DISTANT = "face telephone"
OUTPATIENT_LAYOUT: Final = Layout(
    table="outpatient",
    title="outpatient attendances by treatment function",
    fields=_fields(
        (
            "treatment_function",
            "Treatment function code",
            figures.code,
            (meaning("treatment function", "name description first follow"),),
        ),
        ("name", "Treatment function name", figures.name, _NAME),
        _attendance("first_single", "First attendance, single professional", "wf01b", "first single", f"follow multi {_DISTANT}"),
        _attendance("first_multi", "First attendance, multi-professional", "wf02b", "first multi", f"follow single {_DISTANT}"),
        _attendance("follow_up_single", "Follow-up, single professional", "wf01a", "follow up single", f"first multi {_DISTANT}"),
        _attendance("follow_up_multi", "Follow-up, multi-professional", "wf02a", "follow up multi", f"first single {_DISTANT}"),
        _attendance("first_distant_single", "First non-face-to-face, single", "wf01d", "non face first single", "follow multi"),
        _attendance("first_distant_multi", "First non-face-to-face, multi", "wf02d", "non face first multi", "follow single"),
        _attendance(
            "follow_distant_single", "Follow-up non-face-to-face, single", "wf01c", "non face follow single", "first multi"
        ),
        _attendance(
            "follow_distant_multi", "Follow-up non-face-to-face, multi", "wf02c", "non face follow multi", "first single"
        ),
        (
            "first_distant",
            "First non-face-to-face attendance (£)",
            figures.price,
            (meaning("non face first", f"follow single multi {' '.join(_WF)}"),),
        ),
        (
            "follow_distant",
            "Follow-up non-face-to-face attendance (£)",
            figures.price,
            (meaning("non face follow", f"first single multi {' '.join(_WF)}"),),
        ),
    ),
    code=re.compile(r"\d{3}"),
    claimed_by=(meaning("outpatient attendance"), meaning("treatment function"), meaning("outpatient", "procedure apc")),
    required=_always("treatment_function", "first_single", "first_multi", "follow_up_single", "follow_up_multi"),
)

EMERGENCY_LAYOUT: Final = Layout(
    table="emergency",
    title="emergency care attendances",
    fields=_fields(
        ("currency", "HRG code", figures.code, _HRG),
        ("name", "HRG name", figures.name, _NAME),
        (
            "price",
            "Type 1 and 2 departments (£)",
            figures.price,
            (meaning("type 1", "3 code"), meaning("price", "type bpt"), meaning("tariff", "type bpt")),
        ),
        ("type_3_price", "Type 3 departments (£)", figures.price, (meaning("type 3", "1 2 code"),)),
    ),
    code=re.compile(r"VB\d{2}[A-Z]"),
    claimed_by=(meaning("ae"), meaning("emergency"), meaning("urgent care")),
    required=_always("currency", "price"),
)

UNBUNDLED_LAYOUT: Final = Layout(
    table="unbundled",
    title="unbundled services",
    fields=_fields(
        ("currency", "HRG code", figures.code, _HRG),
        ("name", "HRG name", figures.name, _NAME),
        (
            "unit",
            "Unit",
            figures.name,
            (meaning("unit", "price tariff cost rate"), meaning("currency unit", "price tariff cost")),
        ),
        ("price", "Tariff (£)", figures.price, (meaning("price", "bpt reporting"), meaning("tariff", "bpt reporting"))),
    ),
    code=re.compile(rf"(?:{'|'.join(UNBUNDLED_ROOTS)})\d{{2}}[A-Z]"),
    claimed_by=(meaning("unbundled"), meaning("imaging"), meaning("chemotherapy"), meaning("radiotherapy"), meaning("dialysis")),
    required=_always("currency", "price"),
    several=True,
)

_PROVIDER: Final = (
    meaning("provider", "name type"),
    meaning("organisation code"),
    meaning("org code"),
    meaning("trust code"),
    meaning("ods"),
)
MFF_LAYOUT: Final = Layout(
    table="mff",
    title="market forces factors",
    fields=_fields(
        ("provider", "Provider code", figures.code, _PROVIDER),
        ("name", "Provider name", figures.name, (*_NAME, meaning("trust", "code"), meaning("organisation", "code"))),
        ("mff", "MFF", figures.factor, (meaning("mff", "change underlying"), meaning("payment index", "change"))),
    ),
    code=re.compile(r"[A-Z0-9]{3}|[A-Z0-9]{5}"),
    claimed_by=(meaning("mff"),),
    required=_always("provider", "mff"),
)

_TOP_UP: Final = (
    meaning("flag", "name description"),
    meaning("ssc", "name description"),
    meaning("top up code"),
    meaning("service code"),
    meaning("service line code"),
)
TOP_UPS_LAYOUT: Final = Layout(
    table="top_ups",
    title="specialised top-up rates",
    fields=_fields(
        ("top_up", "Prescribed service flag", figures.code, _TOP_UP),
        ("name", "Service name", figures.name, (*_NAME, meaning("area", "bpt"))),
        ("financial_year", "Financial year", figures.code, (meaning("financial year"), meaning("year", "top rate percent age"))),
        (
            "percent",
            "Top-up rate (%)",
            figures.percentage,
            (meaning("top up", "code flag name"), meaning("rate", "name"), meaning("percent", "name")),
        ),
        ("minimum_age", "Lowest age", figures.age, (meaning("minimum age"), meaning("lowest age"), meaning("age from"))),
        ("maximum_age", "Highest age", figures.age, (meaning("maximum age"), meaning("highest age"), meaning("age to"))),
    ),
    code=re.compile(r"[A-Z0-9_.-]+"),
    claimed_by=(meaning("top up", "provider eligible eligibility"),),
    required=_always("top_up", "percent"),
)

TOP_UP_PROVIDERS_LAYOUT: Final = Layout(
    table="top_up_providers",
    title="providers eligible for specialised top-ups",
    fields=_fields(
        ("top_up", "Prescribed service flag", figures.code, _TOP_UP),
        ("provider", "Provider code", figures.code, _PROVIDER),
    ),
    code=re.compile(r"[A-Z0-9_.-]+"),
    claimed_by=(meaning("top up provider"), meaning("top up eligible"), meaning("top up eligibility")),
    required=_always("top_up", "provider"),
)

LAYOUTS: Final = (
    SUS_LAYOUT,
    ADMITTED_LAYOUT,
    OUTPATIENT_LAYOUT,
    EMERGENCY_LAYOUT,
    UNBUNDLED_LAYOUT,
    MFF_LAYOUT,
    TOP_UPS_LAYOUT,
    TOP_UP_PROVIDERS_LAYOUT,
)

LEFT_ALONE: Final = (
    (
        meaning("bpt"),
        "best-practice tariffs: what must be shown does not stand in the sheet; write best_practice.csv and its criteria by hand",
    ),
    (meaning("non mandatory"), "non-mandatory prices are no national prices"),
    (meaning("maternity"), "maternity pathway prices: the pack has no table for them yet"),
    (meaning("no national price"), "it names what has no national price"),
)
"""Sheets that look like tables of prices and are none that a pack can hold, by their name."""


def layouts_claimed(name: str) -> Iterator[Layout]:
    """The layouts that a sheet's name claims."""
    return (layout for layout in LAYOUTS if layout.claims(name))
