"""The best-practice rows of a pack compiled to arrays, as the kernels read them (RULES 3). Row 0 pays nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

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


class BestPracticeBook(NamedTuple):
    """Money in pence; ages in years; stays in days; one element a row of best_practice.csv."""

    tariff: NDArray[np.int64]  # number of the tariff
    price: NDArray[np.int64]  # where it is met
    otherwise: NDArray[np.int64]  # where it is not
    addition: NDArray[np.int64]
    settings: NDArray[np.int64]  # bit n: setting n of columns.SETTINGS; 0 = any
    emergency_only: NDArray[np.uint8]
    attendance: NDArray[np.int64]  # kind of attendance
    lowest_age: NDArray[np.int64]
    highest_age: NDArray[np.int64]
    longest_stay: NDArray[np.int64]
    shown_by_line: NDArray[np.uint8]  # no criterion to show: the line itself meets the tariff
    by_setting: NDArray[np.uint8]  # price by setting: a line in another setting does not meet it
    group: NDArray[np.int64]  # bits of its exclusive groups; 0 = none
    replaces_short_stay: NDArray[np.uint8]


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
    """The arrays of the pack's best-practice rows, in order of the table."""
    rule, rows = pack.rules.best_practice, pack.best_practice
    number = {tariff: position for position, tariff in enumerate(tariffs_of(pack))}
    with_criteria = frozenset(criterion.tariff for criterion in pack.best_practice_criteria)
    exclusive = tuple(enumerate(getattr(rule, "exclusive", ())))
    groups = {row.tariff: sum(1 << place for place, names in exclusive if row.tariff in names) for row in rows}
    replacing = frozenset(getattr(rule, "replaces_short_stay", ()))

    def column(values: list[int], none: int, dtype: type = np.int64) -> Any:
        array: NDArray[Any] = np.array([none, *values], dtype=dtype)
        array.flags.writeable = False
        return array

    return BestPracticeBook(
        tariff=column([number[row.tariff] for row in rows], 0),
        price=column([_amount(row.price) for row in rows], NO_AMOUNT),
        otherwise=column([_amount(row.otherwise) for row in rows], NO_AMOUNT),
        addition=column([_amount(row.addition) for row in rows], NO_AMOUNT),
        settings=column([_setting_bits(row) for row in rows], 0),
        emergency_only=column(
            [EMERGENCY_SETTING in row.settings and "non_elective" not in row.settings for row in rows], 0, np.uint8
        ),
        attendance=column([ANY_ATTENDANCE if row.attendance is None else ATTENDANCES.index(row.attendance) for row in rows], -1),
        lowest_age=column([NO_LOWEST_AGE if row.minimum_age is None else row.minimum_age for row in rows], NO_LOWEST_AGE),
        highest_age=column([NO_HIGHEST_AGE if row.maximum_age is None else row.maximum_age for row in rows], NO_HIGHEST_AGE),
        longest_stay=column([NO_LONGEST_STAY if row.maximum_stay_days is None else row.maximum_stay_days for row in rows], 0),
        shown_by_line=column([is_shown_by_line(row, with_criteria) for row in rows], 0, np.uint8),
        by_setting=column([row.mechanism == SETTING_PRICE for row in rows], 0, np.uint8),
        group=column([groups[row.tariff] for row in rows], 0),
        replaces_short_stay=column([row.tariff in replacing for row in rows], 0, np.uint8),
    )


def _amount(pence: int | None) -> int:
    return NO_AMOUNT if pence is None else pence


def _setting_bits(row: BestPracticeRow) -> int:
    """One bit a setting; an emergency is a non-elective stay."""
    names = {"non_elective" if setting == EMERGENCY_SETTING else setting for setting in row.settings}
    return sum(1 << SETTINGS.index(name) for name in names)
