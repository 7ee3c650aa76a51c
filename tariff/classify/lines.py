"""What every kind of activity is asked before it is priced: who is outside national prices, whose market forces factor holds,
what was already wrong with the row (RULES 1.1, 1.7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tariff.buffers import filled
from tariff.classify.codes import Codes, by_code_or_trust
from tariff.columns import READ_FAULT
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


class Policies:
    """Which exclusion policies of a rule pack bear on a line, as bits; `currency` is the column that holds its HRG."""

    def __init__(self, pack: RulePack, currency: str) -> None:
        rule = pack.rules.exclusions
        hrgs, functions = frozenset(rule.hrgs), frozenset(rule.treatment_functions)
        self._codes = {
            "administrative_category": Codes(private_category, 0),
            "commissioner": Codes(private_commissioner, 0),
            "commissioning_serial_number": Codes(local_agreement, 0),
        }
        if hrgs:
            self._codes[currency] = Codes(lambda code: _EXCLUDED_BY_PACK if code in hrgs else 0, 0)
        if functions:
            self._codes["treatment_function"] = Codes(lambda code: _EXCLUDED_BY_PACK if code in functions else 0, 0)

    def of(self, block: pl.DataFrame) -> NDArray[np.uint8]:
        """The bits of every row."""
        bits = filled(block.height, 0, np.uint8)
        for name, codes in self._codes.items():
            if name in block.columns:
                bits |= codes.of(block[name], block.height)
        return bits


class Providers:
    """The rows of a rule pack's market forces factors."""

    def __init__(self, pack: RulePack) -> None:
        self._codes = Codes(by_code_or_trust(row.provider for row in pack.provider_factors), 0, np.int32)

    def rows(self, block: pl.DataFrame) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
        """The row of every line's provider, 0 none, and whether it was found by the first three characters."""
        rows = self._codes.of(block["provider"], block.height)
        return np.abs(rows), (rows < 0).astype(np.uint8)


_BLANK_CODE: Final = Codes(lambda _: 0, 1)


_READ_FAULTS: Final = Codes(lambda code: REASON_NUMBER.get(code, 0), 0, as_written=True)


def _blank_rows(column: pl.Series) -> NDArray[np.bool_]:
    """Rows without a value: null, or text of nothing but spaces, as a frame of the user's own may hold. Looked at closely only
    where a text is empty or begins with a space, because nearly none does."""
    blank = column.is_null()
    if column.dtype == pl.String:
        suspect = (column.str.len_bytes() == 0) | column.str.starts_with(" ") | column.str.starts_with("\t")
        if suspect.any():
            blank |= (column.str.strip_chars_start() == "").fill_null(value=False)
    return blank.to_numpy()


def row_faults(block: pl.DataFrame, identifier: str) -> NDArray[np.uint8]:
    """What was already wrong with a row before it is priced: a cell the reader could not read, then a blank key."""
    height = block.height
    faults = filled(height, 0, np.uint8)
    nobody = _BLANK_CODE.of(block["provider"], height) | _BLANK_CODE.of(block["commissioner"], height)
    faults[nobody != 0] = REASON_NUMBER["missing_organisation"]
    faults[_blank_rows(block[identifier])] = REASON_NUMBER["missing_identifier"]
    if READ_FAULT in block.columns and block[READ_FAULT].null_count() < height:
        found = _READ_FAULTS.of(block[READ_FAULT], height)
        faults = np.where(found != 0, found, faults)
    return faults


def local_prices(block: pl.DataFrame) -> NDArray[np.int64]:
    """Local prices in pence, as the kernels take them."""
    from tariff.kernels.settling import BLANK_PENCE

    if "local_price" not in block.columns:
        return filled(block.height, BLANK_PENCE, np.int64)
    return block["local_price"].cast(pl.Int64).fill_null(BLANK_PENCE).rechunk().to_numpy()
