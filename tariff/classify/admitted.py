"""Admitted patient care: admission group, policies, and the encoding of spells for the kernel (RULES 1.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tariff.classify.codes import Codes, as_codes, by_code_or_trust, numbers_of
from tariff.columns import READ_FAULT
from tariff.reasons import REASON_NUMBER
from tariff.rulepack.book import eligible_providers

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


def _is_blank(code: str) -> int:
    return 1 if not code.strip() else 0


_BLANK_CODE: Final = Codes(_is_blank, 1)


def _blank_rows(column: pl.Series) -> NDArray[np.bool_]:
    """Rows without a value: null, or text of nothing but spaces, as a frame of the user's own may hold."""
    blank = column.is_null()
    if column.dtype == pl.String:
        blank |= (column.str.strip_chars_start() == "").fill_null(value=False)
    return blank.to_numpy()


def _row_faults(block: pl.DataFrame) -> NDArray[np.uint8]:
    """What was already wrong with a row before it is priced: a cell the reader could not read, then a blank key."""
    height = block.height
    faults = np.zeros(height, dtype=np.uint8)
    nobody = _BLANK_CODE.of(block["provider"], height) | _BLANK_CODE.of(block["commissioner"], height)
    faults[nobody != 0] = REASON_NUMBER["missing_organisation"]
    faults[_blank_rows(block["spell_id"])] = REASON_NUMBER["missing_identifier"]
    if READ_FAULT in block.columns and block[READ_FAULT].null_count() < height:
        found = Codes(REASON_NUMBER.__getitem__, 0).of(block[READ_FAULT], height)
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
        admission_date=numbers_of(block, "admission_date", BLANK),
        discharge_date=numbers_of(block, "discharge_date", BLANK),
        method_group=codes.method.of(column("admission_method"), height),
        patient_classification=codes.patient_classification.of(column("patient_classification"), height),
        age=numbers_of(block, "age", BLANK),
        hrg=codes.hrg.of(column("hrg"), height),
        policy=codes.policy(block),
        grouping=codes.grouping.of(column("grouping_method"), height),
        length_of_stay=numbers_of(block, "length_of_stay", BLANK),
        adjusted_length_of_stay=numbers_of(block, "adjusted_length_of_stay", BLANK),
        critical_care_days=numbers_of(block, "critical_care_days", BLANK),
        rehabilitation_days=numbers_of(block, "rehabilitation_days", BLANK),
        palliative_care_days=numbers_of(block, "palliative_care_days", BLANK),
        delayed_discharge_days=numbers_of(block, "delayed_discharge_days", BLANK),
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
