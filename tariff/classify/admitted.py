"""Admitted patient care: admission group, policies, and the encoding of spells for the kernel (RULES 1.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tariff.classify.codes import CODE_BLANK, Codes, by_code_or_trust, grouped_row, numbers_of, with_codes
from tariff.classify.lines import Policies, Providers, local_prices, row_faults
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
        rules = pack.rules
        counted = set(getattr(rules.short_stay, "grouping_methods", ()))
        self.top_up_row: Mapping[str, int] = (
            {}
            if rules.top_up.method == "none"
            else {top_up.top_up: number for number, top_up in enumerate(pack.top_ups, start=1)}
        )
        self.top_ups_on = rules.top_up.method != "none"
        self.method = Codes(admission_group, _UNKNOWN)
        self.patient_classification = Codes(patient_classification, 0)
        self.hrg = Codes(grouped_row(row.hrg for row in pack.admitted), CODE_BLANK, np.int32)
        self.grouping = Codes(lambda code: _GROUPING_COUNTS if code in counted else _GROUPING_OTHER, _GROUPING_BLANK)
        self.policies = Policies(pack, "hrg")
        self.providers = Providers(pack)
        self.eligible_provider = Codes(by_code_or_trust(eligible_providers(pack)), 0, np.int32)

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

        return Codes(set_number, 0, np.int32, as_written=True).of(column, height), rows_of_set, unknown


def encode_spells(block: pl.DataFrame, codes: AdmittedCodes) -> Spells:
    """A block of canonical admitted activity as arrays for the kernel. Absent optional columns are blank."""
    from tariff.kernels.admitted import Spells
    from tariff.kernels.settling import BLANK

    height = block.height
    block = with_codes(block, "provider", "commissioner", "hrg")

    def column(name: str) -> pl.Series | None:
        return block[name] if name in block.columns else None

    provider, by_trust = codes.providers.rows(block)
    services, rows_of_set, unknown = codes.services(column("specialised_services"), height)
    return Spells(
        fault=row_faults(block, "spell_id"),
        admission_date=numbers_of(block, "admission_date", BLANK),
        discharge_date=numbers_of(block, "discharge_date", BLANK),
        method_group=codes.method.of(column("admission_method"), height),
        patient_classification=codes.patient_classification.of(column("patient_classification"), height),
        age=numbers_of(block, "age", BLANK),
        hrg=codes.hrg.of(column("hrg"), height),
        policy=codes.policies.of(block),
        grouping=codes.grouping.of(column("grouping_method"), height),
        length_of_stay=numbers_of(block, "length_of_stay", BLANK),
        adjusted_length_of_stay=numbers_of(block, "adjusted_length_of_stay", BLANK),
        critical_care_days=numbers_of(block, "critical_care_days", BLANK),
        rehabilitation_days=numbers_of(block, "rehabilitation_days", BLANK),
        palliative_care_days=numbers_of(block, "palliative_care_days", BLANK),
        delayed_discharge_days=numbers_of(block, "delayed_discharge_days", BLANK),
        provider=provider,
        by_trust=by_trust,
        eligible_provider=np.abs(codes.eligible_provider.of(column("provider"), height)),
        services=services,
        service_start=np.cumsum([0, *(len(rows) for rows in rows_of_set)]).astype(np.int32),
        service_rows=np.array([row for rows in rows_of_set for row in rows], dtype=np.int32),
        service_unknown=np.array(unknown, dtype=np.uint8),
        local_price=local_prices(block),
    )
