"""Admitted patient care: admission group, policies, and the encoding of spells for the kernel (RULES 1.1)."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tariff.buffers import read_only
from tariff.classify.codes import (
    CODE_BLANK,
    NOTHING_32,
    Codes,
    Facts,
    Question,
    by_code_or_trust,
    grouped_row,
    numbers_of,
)
from tariff.classify.lines import common_questions, local_prices, with_missing_identifiers
from tariff.facts import ELIGIBLE_PROVIDER, GROUPING, METHOD_GROUP, PATIENT_CLASSIFICATION, SPELL_HRG
from tariff.rulepack.book import eligible_providers

if TYPE_CHECKING:
    from tariff.kernels.admitted import Spells
    from tariff.rulepack import RulePack

ELECTIVE_METHODS: Final = frozenset({"11", "12", "13"})
EMERGENCY_METHODS: Final = frozenset({"21", "22", "23", "24", "25", "28", "2A", "2B", "2C", "2D"})
OTHER_NON_ELECTIVE_METHODS: Final = frozenset({"31", "32", "81", "82", "83"})
"""Admission methods (RULES 1.1): waiting list, booked, planned; emergency; maternity, transfers and births."""

_UNKNOWN, _ELECTIVE, _EMERGENCY, _OTHER = range(4)
_GROUPING_BLANK, _GROUPING_COUNTS, _GROUPING_OTHER = range(3)


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


class AdmittedCodes:
    """How the codes of admitted activity map onto the rows of one rule pack's `PriceBook`."""

    def __init__(self, pack: RulePack) -> None:
        counted = set(getattr(pack.rules.short_stay, "grouping_methods", ()))

        def grouping(code: str) -> int:
            return _GROUPING_COUNTS if code in counted else _GROUPING_OTHER

        hrgs, eligible = [row.hrg for row in pack.admitted], list(eligible_providers(pack))
        self.facts = Facts(
            (
                *common_questions(pack, "hrg"),
                Question("hrg", SPELL_HRG, grouped_row(hrgs), CODE_BLANK, rows=len(hrgs)),
                Question("admission_method", METHOD_GROUP, admission_group, _UNKNOWN),
                Question("patient_classification", PATIENT_CLASSIFICATION, patient_classification, 0),
                Question("grouping_method", GROUPING, grouping, _GROUPING_BLANK),
                Question("provider", ELIGIBLE_PROVIDER, by_code_or_trust(eligible), 0, rows=len(eligible)),
            )
        )
        self.services = SpecialisedServices(pack)
        self.columns = self.facts.columns | self.services.columns


class ServiceSets(NamedTuple):
    """Sets of specialised services: where each set's top-up rows begin and end in `rows`, and whether it holds a code that
    the pack lacks. Set 0 is empty."""

    start: NDArray[np.int32]
    rows: NDArray[np.int32]
    unknown: NDArray[np.uint8]


class SpecialisedServices:
    """What the specialised services of a spell, codes separated by `;` whatever their case, mean in one rule pack (RULES 1.6)."""

    def __init__(self, pack: RulePack) -> None:
        self._on = pack.rules.top_up.method != "none"
        self._row_of = {top_up.top_up.upper(): number for number, top_up in enumerate(pack.top_ups, start=1)}
        self._sets: dict[tuple[tuple[int, ...], bool], int] = {((), False): 0}
        self._lock = Lock()
        self._numbers = Codes(self._set_number, 0, np.int32)

    def _set_number(self, text: str) -> int:
        codes = [code for part in text.split(";") if (code := part.strip())] if self._on else []
        rows = tuple(sorted({self._row_of[code] for code in codes if code in self._row_of}))
        unknown = any(code not in self._row_of for code in codes)
        with self._lock:
            return self._sets.setdefault((rows, unknown), len(self._sets))

    @property
    def columns(self) -> frozenset[str]:
        """The column that is asked, if any."""
        return frozenset({"specialised_services"}) if self._on else frozenset()

    def of(self, column: pl.Series | None, height: int) -> tuple[NDArray[np.int32], ServiceSets]:
        """The set of every row of `column`, empty where none names a service; and the sets."""
        named = self._on and column is not None and column.null_count() < height
        numbers = read_only(self._numbers.of(column, height)) if named else NOTHING_32
        with self._lock:
            sets = list(self._sets)
        rows = np.array([row for of_set, _ in sets for row in of_set], dtype=np.int32)
        start = np.cumsum([0, *(len(of_set) for of_set, _ in sets)]).astype(np.int32)
        return numbers, ServiceSets(start, rows, np.array([unknown for _, unknown in sets], dtype=np.uint8))


def encode_spells(block: pl.DataFrame, codes: AdmittedCodes) -> Spells:
    """A block of canonical admitted activity as arrays for the kernel. Absent optional columns are blank."""
    from tariff.kernels.admitted import Spells
    from tariff.kernels.settling import BLANK

    specialised = block["specialised_services"] if "specialised_services" in block.columns else None
    services, sets = codes.services.of(specialised, block.height)
    return Spells(
        facts=with_missing_identifiers(codes.facts.of(block), block, "spell_id"),
        admission_date=numbers_of(block, "admission_date", BLANK),
        discharge_date=numbers_of(block, "discharge_date", BLANK),
        age=numbers_of(block, "age", BLANK),
        length_of_stay=numbers_of(block, "length_of_stay", BLANK),
        adjusted_length_of_stay=numbers_of(block, "adjusted_length_of_stay", BLANK),
        critical_care_days=numbers_of(block, "critical_care_days", BLANK),
        rehabilitation_days=numbers_of(block, "rehabilitation_days", BLANK),
        palliative_care_days=numbers_of(block, "palliative_care_days", BLANK),
        delayed_discharge_days=numbers_of(block, "delayed_discharge_days", BLANK),
        services=services,
        service_start=sets.start,
        service_rows=sets.rows,
        service_unknown=sets.unknown,
        local_price=local_prices(block),
    )
