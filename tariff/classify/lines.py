"""What every kind of activity is asked before it is priced: who is outside national prices, whose market forces factor holds,
what was already wrong with the row (RULES 1.1, 1.7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tariff.buffers import numbers_or
from tariff.classify.codes import NOTHING_64, Question, by_code_or_trust
from tariff.columns import READ_FAULT
from tariff.facts import FAULT, NOBODY, POLICY, PROVIDER
from tariff.reasons import REASON_NUMBER

if TYPE_CHECKING:
    from tariff.rulepack import RulePack

_NOT_NHS_FUNDED, _OUTSIDE_NATIONAL_TARIFF, _EXCLUDED_BY_PACK = 1, 2, 4


def private_category(code: str) -> int:
    """Administrative category 02: a private patient (RULES 1.1)."""
    return _NOT_NHS_FUNDED if code in {"02", "2"} else 0


def private_commissioner(code: str) -> int:
    """VPP00 stands for private patients (RULES 1.1)."""
    return _NOT_NHS_FUNDED if code == "VPP00" else 0


def local_agreement(serial_number: str) -> int:
    """A commissioning serial number whose last significant character is `=` (NHS Data Dictionary)."""
    return _OUTSIDE_NATIONAL_TARIFF if serial_number.rstrip().endswith("=") else 0


def common_questions(pack: RulePack, currency: str) -> tuple[Question, ...]:
    """What lines of every kind are asked; `currency` is the column that holds their HRG."""
    rule = pack.rules.exclusions
    hrgs, functions = frozenset(rule.hrgs), frozenset(rule.treatment_functions)
    provider_row = by_code_or_trust(row.provider for row in pack.provider_factors)
    excluded = []
    if hrgs:
        excluded.append(Question(currency, POLICY, lambda code: _EXCLUDED_BY_PACK if code in hrgs else 0, 0))
    if functions:
        excluded.append(Question("treatment_function", POLICY, lambda code: _EXCLUDED_BY_PACK if code in functions else 0, 0))
    return (
        Question("provider", NOBODY, lambda _: 0, 1),
        Question("provider", PROVIDER, provider_row, 0, rows=len(pack.provider_factors)),
        Question("commissioner", NOBODY, lambda _: 0, 1),
        Question("commissioner", POLICY, private_commissioner, 0),
        Question("administrative_category", POLICY, private_category, 0),
        Question("commissioning_serial_number", POLICY, local_agreement, 0),
        *excluded,
        Question(READ_FAULT, FAULT, lambda code: REASON_NUMBER.get(code, 0), 0, as_written=True),
    )


def _blank_rows(column: pl.Series) -> NDArray[np.bool_]:
    """Rows without a value: null, or text of nothing but spaces, as a frame of the user's own may hold."""
    from tariff.texts.scanning import none_blank

    if column.dtype == pl.String:
        if not column.null_count() and none_blank(column):
            return np.zeros(len(column), np.bool_)
        return (column.str.strip_chars_start() == "").fill_null(value=True).to_numpy()
    return column.is_null().to_numpy()


def with_missing_identifiers(facts: NDArray[np.uint64], block: pl.DataFrame, identifier: str) -> NDArray[np.uint64]:
    """The facts of lines, with a fault where the identifier is blank, unless the reader has found another. A block of lines that
    are known to have identifiers may come without them."""
    if identifier not in block.columns:
        return facts
    blank = np.flatnonzero(_blank_rows(block[identifier]))
    if blank.size:
        fault = np.uint64((1 << FAULT.bits) - 1)
        missing = np.uint64(FAULT.held(REASON_NUMBER["missing_identifier"]))
        facts[blank] |= np.where(facts[blank] & fault == 0, missing, np.uint64(0))
    return facts


def local_prices(block: pl.DataFrame) -> NDArray[np.int64]:
    """Local prices in pence, as the kernels take them: empty where no line has one."""
    from tariff.kernels.settling import BLANK_PENCE

    if "local_price" not in block.columns or block["local_price"].null_count() == block.height:
        return NOTHING_64
    return numbers_or(block["local_price"].cast(pl.Int64), BLANK_PENCE)
