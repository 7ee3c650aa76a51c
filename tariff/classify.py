"""What a line is before it is priced: the admission group, the policies that keep it out of national prices, the rows of the
rule pack that its codes name. One rule a function, asked once per distinct code; the arrays go to the kernels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tariff.columns import READ_FAULT
from tariff.reasons import REASON_NUMBER
from tariff.rulepack.book import PriceBook, compile_book, eligible_providers, trust_of

if TYPE_CHECKING:
    from tariff.kernels.admitted import Spells
    from tariff.rulepack import RulePack

ELECTIVE_METHODS: Final = frozenset({"11", "12", "13"})
EMERGENCY_METHODS: Final = frozenset({"21", "22", "23", "24", "25", "28", "2A", "2B", "2C", "2D"})
OTHER_NON_ELECTIVE_METHODS: Final = frozenset({"31", "32", "81", "82", "83"})
"""Admission methods (RULES 1.1): waiting list, booked, planned; emergency; maternity, transfers and births."""

_UNKNOWN, _ELECTIVE, _EMERGENCY, _OTHER = range(4)
_NOT_NHS_FUNDED, _OUTSIDE_NATIONAL_TARIFF, _EXCLUDED_BY_PACK = 1, 2, 4
_GROUPING_BLANK, _GROUPING_COUNTS, _GROUPING_OTHER = range(3)
_HRG_UNKNOWN, _HRG_BLANK, _HRG_UNGROUPED = 0, -1, -2


def admission_group(method: str) -> int:
    """Elective, emergency, other non-elective, or unknown."""
    if method in ELECTIVE_METHODS:
        return _ELECTIVE
    if method in EMERGENCY_METHODS:
        return _EMERGENCY
    return _OTHER if method in OTHER_NON_ELECTIVE_METHODS else _UNKNOWN


def patient_classification(code: str) -> int:
    """National code 1 to 5; 0 where it is none of them."""
    return int(code) if code in {"1", "2", "3", "4", "5"} else 0


def private_category(code: str) -> int:
    """Administrative category 02: a private patient (RULES 1.1)."""
    return _NOT_NHS_FUNDED if code in {"02", "2"} else 0


def private_commissioner(code: str) -> int:
    """VPP00 stands for private patients (RULES 1.1)."""
    return _NOT_NHS_FUNDED if code == "VPP00" else 0


def local_agreement(serial_number: str) -> int:
    """A commissioning serial number whose last significant character is `=` (NHS Data Dictionary)."""
    return _OUTSIDE_NATIONAL_TARIFF if serial_number.rstrip().endswith("=") else 0


_UNASKED: Final = np.iinfo(np.int32).min
CODED: Final = pl.Categorical(pl.Categories(name="codes", namespace="tariff"))
"""How code columns are numbered: every distinct code has one number in the whole process."""
_NUMBERING: Final = pl.Series([""], dtype=CODED)
"""Polars forgets a numbering when no series uses it; this one keeps it. """


class Codes:
    """A question about a code, answered once per distinct code: `answer` takes the text, `blank` stands for no text.

    Answers are kept by the number of the code (see CODED), so that a block costs one look-up a row."""

    def __init__(self, answer: Callable[[str], int], blank: int, dtype: type = np.uint8) -> None:
        self._answer, self._blank, self._dtype = answer, blank, dtype
        self._answers = np.empty(0, dtype=np.int32)

    def of(self, column: pl.Series | None, height: int) -> NDArray[Any]:
        """The answer for every row of `column`; `blank` throughout where the file lacks the column."""
        if column is None or column.null_count() == height:
            return np.full(height, self._blank, dtype=self._dtype)
        coded = as_codes(column)
        physical = coded.to_physical()
        # any number of the block stands in for blanks, which get their own answer below
        filled = physical.fill_null(physical.drop_nulls()[0]) if physical.null_count() else physical
        numbers = filled.to_numpy()
        answers = self._answers if coded.dtype == CODED else np.empty(0, dtype=np.int32)
        if int(numbers.max()) >= answers.size or (answers[numbers] == _UNASKED).any():
            answers = self._ask(coded, answers)
        found = answers[numbers].astype(self._dtype)
        if physical.null_count():
            found[physical.is_null().to_numpy()] = self._blank
        return found

    def _ask(self, coded: pl.Series, known: NDArray[np.int32]) -> NDArray[np.int32]:
        """The answers with those to the codes of this block added. A new array, so that threads never see half of one."""
        distinct = coded.unique().drop_nulls()
        numbers = distinct.to_physical().to_numpy()
        answers = np.full(max(int(numbers.max()) + 1, known.size, 1), _UNASKED, dtype=np.int32)
        answers[: known.size] = known
        answers[numbers] = [self._answer(text) for text in distinct.cast(pl.String)]
        if coded.dtype == CODED:
            self._answers = answers
        return answers


def as_codes(column: pl.Series) -> pl.Series:
    """The column with its distinct texts numbered: a Categorical, or an Enum where it is one."""
    if isinstance(column.dtype, pl.Enum | pl.Categorical):
        return column
    return column.cast(pl.String).cast(CODED)


def by_code_or_trust(codes: Iterable[str]) -> Callable[[str], int]:
    """Row of a provider in a list: matched whole, then by its first three characters; negative where the trust matched; 0 none."""
    row_of = {code: row for row, code in enumerate(codes, start=1)}

    def row(code: str) -> int:
        return row_of.get(code) or -row_of.get(trust_of(code), 0)

    return row


class AdmittedCodes:
    """How the codes of admitted activity map onto the rows of one rule pack's `PriceBook`."""

    def __init__(self, pack: RulePack) -> None:
        hrg_row = {row.hrg: number for number, row in enumerate(pack.admitted, start=1)}
        rules = pack.rules
        excluded_hrgs, excluded_functions = set(rules.exclusions.hrgs), set(rules.exclusions.treatment_functions)
        counted = set(getattr(rules.short_stay, "grouping_methods", ()))
        self.top_up_row: Mapping[str, int] = (
            {}
            if rules.top_up.method == "none"
            else {top_up.top_up: number for number, top_up in enumerate(pack.top_ups, start=1)}
        )
        self.top_ups_on = rules.top_up.method != "none"
        self.method = Codes(admission_group, _UNKNOWN)
        self.patient_classification = Codes(patient_classification, 0)
        self.hrg = Codes(
            lambda hrg: _HRG_UNGROUPED if hrg.startswith("UZ") else hrg_row.get(hrg, _HRG_UNKNOWN), _HRG_BLANK, np.int32
        )
        self.policies = {
            "administrative_category": Codes(private_category, 0),
            "commissioner": Codes(private_commissioner, 0),
            "commissioning_serial_number": Codes(local_agreement, 0),
        }
        if excluded_hrgs:
            self.policies["hrg"] = Codes(lambda code: _EXCLUDED_BY_PACK if code in excluded_hrgs else 0, 0)
        if excluded_functions:
            self.policies["treatment_function"] = Codes(lambda code: _EXCLUDED_BY_PACK if code in excluded_functions else 0, 0)
        self.grouping = Codes(lambda code: _GROUPING_COUNTS if code in counted else _GROUPING_OTHER, _GROUPING_BLANK)
        self.provider = Codes(by_code_or_trust(row.provider for row in pack.provider_factors), 0, np.int32)
        self.eligible_provider = Codes(by_code_or_trust(eligible_providers(pack)), 0, np.int32)

    def policy(self, block: pl.DataFrame) -> NDArray[np.uint8]:
        """Which exclusion policies bear on each row, as bits."""
        bits = np.zeros(block.height, dtype=np.uint8)
        for name, codes in self.policies.items():
            if name in block.columns:
                bits |= codes.of(block[name], block.height)
        return bits

    def services(self, column: pl.Series | None, height: int) -> tuple[NDArray[np.int32], list[list[int]], list[bool]]:
        """Sets of specialised services in a block: each row's set, each set's top-up rows in table order, and whether a set
        holds a code that the pack lacks. Set 0 is empty."""
        rows_of_set: list[list[int]] = [[]]
        unknown = [False]

        def set_number(text: str) -> int:
            codes = [code for part in text.split(";") if (code := part.strip())]
            rows_of_set.append(sorted({self.top_up_row[code] for code in codes if code in self.top_up_row}))
            unknown.append(self.top_ups_on and any(code not in self.top_up_row for code in codes))
            return len(rows_of_set) - 1

        return Codes(set_number, 0, np.int32).of(column, height), rows_of_set, unknown


def _numbers(block: pl.DataFrame, name: str, blank: int) -> NDArray[np.int32]:
    """A column of days, ages or dates as int32, `blank` where it is null or the file lacks it. Dates count from 1970-01-01."""
    if name not in block.columns:
        return np.full(block.height, blank, dtype=np.int32)
    column = block[name].to_physical()
    if column.dtype != pl.Int32:
        # a count beyond int32 is impossible and must stay so: clipped, it is still out of every range
        column = column.clip(-(2**31) + 1, 2**31 - 1).cast(pl.Int32) if column.dtype.is_integer() else column.cast(pl.Int32)
    return (column.fill_null(blank) if column.null_count() else column).rechunk().to_numpy()


def _row_faults(block: pl.DataFrame) -> NDArray[np.uint8]:
    """What was already wrong with a row before it is priced: a cell the reader could not read, then a blank key."""
    faults = np.zeros(block.height, dtype=np.uint8)
    for reason, columns in (("missing_organisation", ("provider", "commissioner")), ("missing_identifier", ("spell_id",))):
        for name in columns:
            if block[name].null_count():
                faults[block[name].is_null().to_numpy()] = REASON_NUMBER[reason]
    if READ_FAULT in block.columns and block[READ_FAULT].null_count() < block.height:
        found = Codes(REASON_NUMBER.__getitem__, 0).of(block[READ_FAULT], block.height)
        faults = np.where(found != 0, found, faults)
    return faults


_CODED: Final = ("provider", "commissioner", "hrg")
"""Codes that more than one question is asked about: numbered once."""


def encode_spells(block: pl.DataFrame, codes: AdmittedCodes) -> Spells:
    """A block of canonical admitted activity as arrays for the kernel. Absent optional columns are blank."""
    from tariff.kernels.admitted import BLANK, BLANK_PENCE, Spells

    height = block.height
    block = block.with_columns(as_codes(block[name]) for name in _CODED if name in block.columns)

    def column(name: str) -> pl.Series | None:
        return block[name] if name in block.columns else None

    provider = codes.provider.of(column("provider"), height)
    services, rows_of_set, unknown = codes.services(column("specialised_services"), height)
    local_price = column("local_price")
    return Spells(
        fault=_row_faults(block),
        admission_date=_numbers(block, "admission_date", BLANK),
        discharge_date=_numbers(block, "discharge_date", BLANK),
        method_group=codes.method.of(column("admission_method"), height),
        patient_classification=codes.patient_classification.of(column("patient_classification"), height),
        age=_numbers(block, "age", BLANK),
        hrg=codes.hrg.of(column("hrg"), height),
        policy=codes.policy(block),
        grouping=codes.grouping.of(column("grouping_method"), height),
        length_of_stay=_numbers(block, "length_of_stay", BLANK),
        adjusted_length_of_stay=_numbers(block, "adjusted_length_of_stay", BLANK),
        critical_care_days=_numbers(block, "critical_care_days", BLANK),
        rehabilitation_days=_numbers(block, "rehabilitation_days", BLANK),
        palliative_care_days=_numbers(block, "palliative_care_days", BLANK),
        delayed_discharge_days=_numbers(block, "delayed_discharge_days", BLANK),
        provider=np.abs(provider),
        by_trust=(provider < 0).astype(np.uint8),
        eligible_provider=np.abs(codes.eligible_provider.of(column("provider"), height)),
        services=services,
        service_start=np.cumsum([0, *(len(rows) for rows in rows_of_set)]).astype(np.int32),
        service_rows=np.array([row for rows in rows_of_set for row in rows], dtype=np.int32),
        service_unknown=np.array(unknown, dtype=np.uint8),
        local_price=(
            np.full(height, BLANK_PENCE, dtype=np.int64)
            if local_price is None
            else local_price.cast(pl.Int64).fill_null(BLANK_PENCE).rechunk().to_numpy()
        ),
    )


class CompiledPack:
    """A rule pack ready to price: its book of arrays and the maps from codes to the book's rows."""

    def __init__(self, pack: RulePack) -> None:
        self.label: str = pack.label
        self.starts: date = pack.starts
        self.ends: date = pack.ends
        self.book: PriceBook = compile_book(pack)
        self.admitted = AdmittedCodes(pack)


_FIRST_YEAR, _LAST_YEAR = 1990, 2090
_CALENDAR_STARTS: Final = np.datetime64(f"{_FIRST_YEAR}-04-01", "D")


def _calendar() -> tuple[NDArray[np.int32], NDArray[np.int8]]:
    """For every day from 1 April 1990 to 31 March 2090: its financial year, counted from the first, and month, 1 = April."""
    days = np.arange(_CALENDAR_STARTS, np.datetime64(f"{_LAST_YEAR}-04-01", "D"))
    months = days.astype("datetime64[M]").astype(np.int64) - _CALENDAR_STARTS.astype("datetime64[M]").astype(np.int64)
    return (months // 12).astype(np.int32), (months % 12 + 1).astype(np.int8)


_YEAR_OF_DAY, _MONTH_OF_DAY = _calendar()
_YEAR_LABELS: Final = pl.Series([f"{year}-{(year + 1) % 100:02}" for year in range(_FIRST_YEAR, _LAST_YEAR)])


def financial_year_and_month(dates: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Financial year such as `2017-18`, and its month, 1 = April; blank where the date is. A calendar is looked up rather
    than computed, because this is done for every line."""
    physical = dates.to_physical()
    days = physical.fill_null(0).to_numpy() - int(_CALENDAR_STARTS.astype(np.int64))
    blank = physical.is_null()
    if days.size and not 0 <= int(days.min()) <= int(days.max()) < _YEAR_OF_DAY.size:
        return _computed_year_and_month(dates)
    years, months = _YEAR_LABELS.gather(_YEAR_OF_DAY[days]), pl.Series(_MONTH_OF_DAY[days])
    return (years.set(blank, None), months.set(blank, None)) if blank.any() else (years, months)


def _computed_year_and_month(dates: pl.Series) -> tuple[pl.Series, pl.Series]:
    day = pl.col("day")
    start = day.dt.year() - (day.dt.month() < 4).cast(pl.Int32)
    found = pl.DataFrame({"day": dates}).select(
        year=start.cast(pl.String) + "-" + ((start + 1) % 100).cast(pl.String).str.zfill(2),
        month=((day.dt.month().cast(pl.Int16) + 8) % 12 + 1).cast(pl.Int8),
    )
    return found["year"], found["month"]
