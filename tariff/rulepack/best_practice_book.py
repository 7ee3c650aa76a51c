"""The best-practice rows of a pack compiled to arrays, as the kernels read them (RULES 3). Row 0 pays nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from tariff.columns import SETTINGS
from tariff.rulepack.best_practice_rows import ATTENDANCES, EMERGENCY_SETTING, PROVIDER_GATE, SETTING_PRICE

if TYPE_CHECKING:
    from tariff.rulepack.best_practice_rows import BestPracticeRow
    from tariff.rulepack.pack import RulePack

NO_AMOUNT: Final = -1
"""No price, no addition: a blank cell."""
ANY_ATTENDANCE: Final = -1
NO_LOWEST_AGE, NO_HIGHEST_AGE, NO_LONGEST_STAY = -1, 999, 2**31 - 1


(
    TARIFF,
    MET_PRICE,
    OTHERWISE,
    ADDITION_PAID,
    SETTINGS_COVERED,
    EMERGENCY_ONLY,
    ATTENDANCE,
    LOWEST_AGE,
    HIGHEST_AGE,
    LONGEST_STAY,
    SHOWN_BY_LINE,
    BY_SETTING,
    GROUPS,
    REPLACES_SHORT_STAY,
) = range(14)
"""Columns of the terms: number of the tariff; price where it is met, price where it is not, addition (pence, NO_AMOUNT = none);
settings as bits by number of columns.SETTINGS (0 = any), of emergencies alone; kind of attendance; ages in years; stay in days;
whether nothing has to be shown, whether a line in another setting does not meet it; bits of its exclusive groups; whether the
short-stay reduction gives way."""

BestPracticeBook = NDArray[np.int64]
"""The terms of every row of best_practice.csv, (row, column): one array, because a kernel is handed it line by line."""


def tariffs_of(pack: RulePack) -> tuple[str, ...]:
    """The pack's tariffs by precedence: those the rule names, then the others in order of the table. The position of a tariff is
    its number in the kernels."""
    named = getattr(pack.rules.best_practice, "precedence", ())
    present = {row.tariff for row in pack.best_practice}
    return tuple(dict.fromkeys([*(tariff for tariff in named if tariff in present), *(row.tariff for row in pack.best_practice)]))


def is_shown_by_line(row: BestPracticeRow, with_criteria: frozenset[str]) -> bool:
    """Whether the line itself shows that the tariff is met: nothing has to be shown, and no provider has to pass a gate."""
    return row.mechanism != PROVIDER_GATE and row.tariff not in with_criteria


def compile_best_practice(pack: RulePack) -> BestPracticeBook:
    """The terms of the pack's best-practice rows, in order of the table; row 0 pays nothing."""
    rule, rows = pack.rules.best_practice, pack.best_practice
    number = {tariff: position for position, tariff in enumerate(tariffs_of(pack))}
    with_criteria = frozenset(criterion.tariff for criterion in pack.best_practice_criteria)
    exclusive = tuple(enumerate(getattr(rule, "exclusive", ())))
    groups = {row.tariff: sum(1 << place for place, names in exclusive if row.tariff in names) for row in rows}
    replacing = frozenset(getattr(rule, "replaces_short_stay", ()))

    terms = np.zeros((len(rows) + 1, 14), dtype=np.int64)
    for place, row in enumerate(rows, start=1):
        terms[place, TARIFF] = number[row.tariff]
        terms[place, MET_PRICE], terms[place, OTHERWISE] = _amount(row.price), _amount(row.otherwise)
        terms[place, ADDITION_PAID] = _amount(row.addition)
        terms[place, SETTINGS_COVERED] = _setting_bits(row)
        terms[place, EMERGENCY_ONLY] = EMERGENCY_SETTING in row.settings and "non_elective" not in row.settings
        terms[place, ATTENDANCE] = ANY_ATTENDANCE if row.attendance is None else ATTENDANCES.index(row.attendance)
        terms[place, LOWEST_AGE] = NO_LOWEST_AGE if row.minimum_age is None else row.minimum_age
        terms[place, HIGHEST_AGE] = NO_HIGHEST_AGE if row.maximum_age is None else row.maximum_age
        terms[place, LONGEST_STAY] = NO_LONGEST_STAY if row.maximum_stay_days is None else row.maximum_stay_days
        terms[place, SHOWN_BY_LINE] = is_shown_by_line(row, with_criteria)
        terms[place, BY_SETTING] = row.mechanism == SETTING_PRICE
        terms[place, GROUPS] = groups[row.tariff]
        terms[place, REPLACES_SHORT_STAY] = row.tariff in replacing
    terms.flags.writeable = False
    return terms


def _amount(pence: int | None) -> int:
    return NO_AMOUNT if pence is None else pence


def _setting_bits(row: BestPracticeRow) -> int:
    """One bit a setting; an emergency is a non-elective stay."""
    names = {"non_elective" if setting == EMERGENCY_SETTING else setting for setting in row.settings}
    return sum(1 << SETTINGS.index(name) for name in names)
