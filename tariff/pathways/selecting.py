"""Criteria of definitions as Polars expressions over lines of care (`care.CARE`, whose codes are clean)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from operator import and_, or_
from typing import Final

import polars as pl

from tariff.columns import PATHWAY_FLAGS
from tariff.kernels.pathways import COMPLICATION, FIRST_FLAG, INSIDE, NO_CODE, OPENED
from tariff.rulepack.pathway_model import FlaggedSelector, Level, Pathway, Selector

_BEGINNINGS: Final = {
    "hrgs": "currency",
    "procedures": "procedure",
    "primary_diagnoses": "diagnoses",
    "treatment_functions": "treatment_function",
    "admission_methods": "admission_method",
    "discharge_methods": "discharge_method",
    "commissioners": "commissioner",
}
"""Criteria and the column whose text their codes begin."""
_EVERY_LINE: Final = pl.col("priced").is_not_null()
_NO_LINE: Final = pl.col("priced").is_null()
"""`priced` is never null, so these are true and false with as many values as there are lines."""
_FEW: Final = 5
UNRELATED: Final = PATHWAY_FLAGS.index("unrelated")


def fits(selector: Selector) -> pl.Expr:
    """Whether a line fits every criterion of the selector; never null."""
    criteria = [_begins(column, getattr(selector, name)) for name, column in _BEGINNINGS.items() if getattr(selector, name)]
    criteria += [_is_one_of(column, codes) for column, codes in (("kind", selector.kinds), ("pod", selector.pods)) if codes]
    if selector.diagnoses:
        criteria.append(pl.col("diagnoses").str.contains(f"(?:^|;)(?:{'|'.join(selector.diagnoses)})"))
    if selector.minimum_age is not None:
        criteria.append(pl.col("age") >= selector.minimum_age)
    if selector.maximum_age is not None:
        criteria.append(pl.col("age") <= selector.maximum_age)
    return reduce(and_, criteria, _EVERY_LINE).fill_null(value=False)


def fits_any(selectors: Iterable[Selector]) -> pl.Expr:
    """Whether a line fits one of the selectors."""
    return reduce(or_, (fits(selector) for selector in selectors), _NO_LINE)


def columns_read(selectors: Iterable[Selector]) -> set[str]:
    """Columns of lines of care that the criteria of selectors look at."""
    by_criterion = _BEGINNINGS | {"kinds": "kind", "pods": "pod", "diagnoses": "diagnoses"}
    by_criterion |= {"minimum_age": "age", "maximum_age": "age"}
    return {
        column
        for selector in selectors
        for criterion, column in by_criterion.items()
        if getattr(selector, criterion) not in ((), None)
    }


def code_for(definition: Pathway) -> pl.Expr:
    """What a line is to a definition, as `put_into_windows` reads it; lines that are not priced are nothing to any."""
    cases = [
        (pl.col("priced").not_(), NO_CODE),
        *((fits(flagged), FIRST_FLAG + PATHWAY_FLAGS.index(flagged.flag)) for flagged in definition.outside),
        (fits_any(definition.complications), COMPLICATION),
        (fits_any(definition.inside), INSIDE),
    ]
    return _first_case(cases, FIRST_FLAG + UNRELATED).cast(pl.UInt8)


def status_by(not_opened: Sequence[FlaggedSelector], *, without_price: bool) -> pl.Expr:
    """Status of an anchor by its own line: another payer, not priced (`without_price`: that there is no national price is no
    obstacle), then the flags in their order, else open."""
    sound = pl.col("priced") | pl.col("without_price") if without_price else pl.col("priced")
    cases = [
        (pl.col("other_payer"), 1 + PATHWAY_FLAGS.index("other_payer")),
        (sound.not_(), 1 + PATHWAY_FLAGS.index("not_priced")),
        *((fits(flagged), 1 + PATHWAY_FLAGS.index(flagged.flag)) for flagged in not_opened),
    ]
    return _first_case(cases, OPENED).cast(pl.Int64)


def level_number(levels: Sequence[Level]) -> pl.Expr:
    """Position of the first level that the line fits."""
    cases = [(fits(level), position) for position, level in enumerate(levels[:-1])]
    return _first_case(cases, len(levels) - 1).cast(pl.Int64)


def _first_case(cases: Sequence[tuple[pl.Expr, int]], otherwise: int) -> pl.Expr:
    """The number of the first case that holds, for every line."""
    number = pl.when(_EVERY_LINE).then(otherwise).otherwise(otherwise)
    for holds, case in reversed(cases):
        number = pl.when(holds).then(case).otherwise(number)
    return number


def _is_one_of(column: str, codes: Sequence[str]) -> pl.Expr:
    return reduce(or_, (pl.col(column) == code for code in codes))


def _begins(column: str, beginnings: Sequence[str]) -> pl.Expr:
    """Whether a text begins with one of a few beginnings, each looked for, or with one of many, looked up by their lengths."""
    text = pl.col(column).str
    if len(beginnings) <= _FEW:
        return reduce(or_, (text.starts_with(beginning) for beginning in beginnings))
    by_length = {length: [one for one in beginnings if len(one) == length] for length in sorted({len(one) for one in beginnings})}
    return reduce(or_, (text.slice(0, length).is_in(codes) for length, codes in by_length.items()))
