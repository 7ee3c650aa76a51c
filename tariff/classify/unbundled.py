"""Unbundled care and other currencies: points of delivery and the encoding of items for the kernel (RULES 1.9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from tariff.classify.codes import CODE_BLANK, Facts, Question, grouped_row, numbers_of
from tariff.classify.lines import common_questions, local_prices, with_missing_identifiers
from tariff.columns import PODS
from tariff.facts import ITEM_CURRENCY, ITEM_POD

if TYPE_CHECKING:
    from tariff.kernels.unbundled import Items
    from tariff.rulepack import RulePack

TRANSPORTS: Final = frozenset({"XA06Z", "XB08Z"})
"""Critical care transport, neonatal and paediatric: a journey, not a day."""
POD_OF_ROOT: Final = {
    "SB": "UNBCHEMO",
    "SC": "UNBRTHPY",
    "SD": "UNBPALL",
    "RA": "UNBRAD",
    "RD": "UNBRAD",
    "RN": "UNBRAD",
    "VC": "UNBREHAB",
    "XA": "UNBNCC",
    "XB": "UNBPCC",
    "XC": "UNBACC",
}
"""Point of delivery by the root of an unbundled HRG (FORMATS section 3)."""


def point_of_delivery(currency: str) -> str:
    """National point of delivery of a currency whose row in the rule pack states none."""
    if currency in TRANSPORTS:
        return "CCTRANS"
    if currency.startswith("LD"):
        return "CRD" if currency.endswith("B") else "ARD"
    return POD_OF_ROOT.get(currency[:2], "UNBOTHER")


class UnbundledCodes:
    """How the codes of unbundled care map onto the rows of one rule pack."""

    def __init__(self, pack: RulePack) -> None:
        stated = {row.currency: row.pod for row in pack.unbundled if row.pod}

        def pod(code: str) -> int:
            return PODS.index(stated.get(code) or point_of_delivery(code))

        currencies = [row.currency for row in pack.unbundled]
        self.facts = Facts(
            (
                *common_questions(pack, "currency"),
                Question("currency", ITEM_CURRENCY, grouped_row(currencies), CODE_BLANK, rows=len(currencies)),
                Question("currency", ITEM_POD, pod, PODS.index("NOTCLASSIFIED")),
            )
        )
        self.columns = self.facts.columns


def encode_items(block: pl.DataFrame, codes: UnbundledCodes) -> Items:
    """A block of canonical unbundled care as arrays for the kernel. Absent optional columns are blank."""
    from tariff.kernels.settling import BLANK
    from tariff.kernels.unbundled import Items

    return Items(
        facts=with_missing_identifiers(codes.facts.of(block), block, "line_id"),
        activity_date=numbers_of(block, "date", BLANK),
        age=numbers_of(block, "age", BLANK),
        units=numbers_of(block, "units", BLANK),
        local_price=local_prices(block),
    )
