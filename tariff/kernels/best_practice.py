"""Best-practice tariffs: which rows of the pack cover a line, what evidence says of them, and what they pay (RULES 3).

Every line is priced once as it is paid. A line that a tariff covers is worth up to three prices more: without best practice,
with all that lacks evidence counted as met, with all that evidence says is not met counted as met. The differences say what
the evidence earned, what is at stake, and what was lost; they are prices of the whole line, so every rule acts in them."""

# numba functions are not annotated: their argument types are those of the arrays named in the docstrings.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tariff.columns import SETTINGS
from tariff.compiled import rule
from tariff.kernels.settling import BLANK, BLANK_PENCE, PRICED, settle
from tariff.money import AMOUNT_LIMIT_PENCE
from tariff.reasons import Basis
from tariff.rulepack.best_practice_book import (
    ADDITION_PAID,
    ANY_ATTENDANCE,
    ATTENDANCE,
    BY_SETTING,
    EMERGENCY_ONLY,
    GROUPS,
    HIGHEST_AGE,
    LONGEST_STAY,
    LOWEST_AGE,
    MET_PRICE,
    NO_AMOUNT,
    NO_HIGHEST_AGE,
    NO_LOWEST_AGE,
    OTHERWISE,
    REPLACES_SHORT_STAY,
    SETTINGS_COVERED,
    SHOWN_BY_LINE,
    TARIFF,
)
from tariff.rulepack.book import NO_PRICE

NO_EVIDENCE, MET, NOT_MET = range(3)
"""What evidence says of a tariff on a line."""

S_NON_ELECTIVE = SETTINGS.index("non_elective")
B_BEST_PRACTICE = int(Basis.BEST_PRACTICE)
B_BEST_PRACTICE_NOT_MET = int(Basis.BEST_PRACTICE_NOT_MET)
B_BEST_PRACTICE_NO_EVIDENCE = int(Basis.BEST_PRACTICE_NO_EVIDENCE)
B_BEST_PRACTICE_UNKNOWN = int(Basis.BEST_PRACTICE_UNKNOWN)


class Cases(NamedTuple):
    """The best-practice side of encoded lines. Most lines have none, so each has a place (0 = none) among those that have: its
    case, a list of rows that may cover it by precedence, and its evidence, a set of answers for every tariff."""

    place: NDArray[np.int32]  # per line
    case: NDArray[np.int32]  # per place; case 0 has no rows
    evidence: NDArray[np.int32]  # per place; set 0 says nothing
    unknown: NDArray[np.uint8]  # per place: the line names a tariff that the pack has not
    start: NDArray[np.int32]  # per case: where its rows begin
    rows: NDArray[np.int32]
    status: NDArray[np.uint8]  # (evidence set, tariff)


class Standing(NamedTuple):
    """What came of best practice, one element a place. Pence are differences of whole prices; tariffs are bits by number."""

    best_practice_pence: NDArray[np.int64]
    best_practice_at_stake_pence: NDArray[np.int64]
    best_practice_lost_pence: NDArray[np.int64]
    best_practice_row: NDArray[np.int32]
    candidates: NDArray[np.int64]
    met: NDArray[np.int64]
    not_met: NDArray[np.int64]
    elsewhere: NDArray[np.int64]  # of those not met: the line is in another setting than the price by setting covers


_NOTHING = np.zeros(1, np.int32)
NO_CASES: Final = Cases(
    np.empty(0, np.int32), _NOTHING, _NOTHING, np.zeros(1, np.uint8), np.zeros(2, np.int32), _NOTHING, np.zeros((1, 1), np.uint8)
)
"""No line has a case: the pack pays no best practice, or no line is covered."""


def no_standing(places: int) -> Standing:
    """Where the lines at so many places (and place 0) stand before any is priced."""
    count = places + 1
    return Standing(
        best_practice_pence=np.zeros(count, np.int64),
        best_practice_at_stake_pence=np.zeros(count, np.int64),
        best_practice_lost_pence=np.zeros(count, np.int64),
        best_practice_row=np.zeros(count, np.int32),
        candidates=np.zeros(count, np.int64),
        met=np.zeros(count, np.int64),
        not_met=np.zeros(count, np.int64),
        elsewhere=np.zeros(count, np.int64),
    )


@rule
def age_within(age, lowest, highest):
    """Whether an age is within the bounds, both included; a blank age is within no bound that is stated."""
    if age == BLANK:
        return lowest == NO_LOWEST_AGE and highest == NO_HIGHEST_AGE
    return lowest <= age <= highest


@rule
def covers(terms, row, age, attendance):
    """Whether the row is about lines of this age and kind of attendance."""
    stated = terms[row, ATTENDANCE]
    if stated != ANY_ATTENDANCE and stated != attendance:
        return False
    return age_within(age, terms[row, LOWEST_AGE], terms[row, HIGHEST_AGE])


@rule
def in_its_setting(terms, row, setting, is_emergency, stay):
    """Whether the line is in a setting, and short enough, for the row."""
    settings = terms[row, SETTINGS_COVERED]
    if settings != 0 and (settings >> setting) & 1 == 0:
        return False
    if terms[row, EMERGENCY_ONLY] != 0 and not is_emergency:
        return False
    return stay <= terms[row, LONGEST_STAY]


@rule
def could_be_in_its_setting(terms, row, setting, is_emergency):
    """Whether lines admitted as this one was, electively or not, could be in a setting of the row: an emergency is no day case
    that was kept overnight."""
    other_than_non_elective = terms[row, SETTINGS_COVERED] & ~np.int64(1 << S_NON_ELECTIVE)
    if setting != S_NON_ELECTIVE:
        return other_than_non_elective != 0
    if terms[row, SETTINGS_COVERED] == other_than_non_elective:
        return False
    return is_emergency or terms[row, EMERGENCY_ONLY] == 0


@rule
def standing_of(terms, rows, start, end, status, said, setting, is_emergency, stay, age, attendance):
    """Candidate tariffs, those met, those not met, those not met because the line is in another setting (bits by number), the
    rows that cover the line (bits by position in its case), and the first row of the first candidate.

    What is neither met nor not met lacks evidence. Of a tariff the first row that covers the line counts. Not met is also what
    the setting decides: a price by setting has nothing to show but the setting (RULES 3.1 B), and covers lines that could have
    been in it."""
    candidates = met = not_met = elsewhere = covering = np.int64(0)
    first = first_elsewhere = 0
    for position in range(start, end):
        row = rows[position]
        tariff = terms[row, TARIFF]
        bit = np.int64(1) << tariff
        if candidates & bit or not covers(terms, row, age, attendance):
            continue
        if not in_its_setting(terms, row, setting, is_emergency, stay):
            if terms[row, BY_SETTING] != 0 and could_be_in_its_setting(terms, row, setting, is_emergency):
                elsewhere |= bit
                first_elsewhere = first_elsewhere or row
            continue
        candidates |= bit
        covering |= np.int64(1) << (position - start)
        first = first or row
        answer = status[said, tariff]
        if terms[row, SHOWN_BY_LINE] != 0:
            # evidence against what the line itself shows: a contradiction, and so no evidence
            answer = NO_EVIDENCE if answer == NOT_MET else MET
        if answer == MET:
            met |= bit
        elif answer == NOT_MET:
            not_met |= bit
    elsewhere &= ~candidates
    return candidates | elsewhere, met, not_met | elsewhere, elsewhere, covering, first or first_elsewhere


@rule
def effect_of(terms, rows, start, covering, counted, ordinary):
    """Price, addition, whether the short-stay reduction gives way, and the first row that pays, where the tariffs in `counted`
    (bits) are met; `covering` are the rows that cover the line.

    Additions add, one of an exclusive group alone. Of the others the first by precedence sets the price; where none is met, the
    first that prints a price for that case; else the ordinary price stands."""
    price, addition, replaces, paying = ordinary, np.int64(0), False, 0
    groups = np.int64(0)
    settled = settled_otherwise = False
    position = start
    while covering != 0:
        row, here = rows[position], covering & 1
        covering >>= 1
        position += 1
        if here == 0:
            continue
        if (counted >> terms[row, TARIFF]) & 1 == 0:
            if terms[row, OTHERWISE] != NO_AMOUNT and not settled and not settled_otherwise:
                price, settled_otherwise = terms[row, OTHERWISE], True
            continue
        if groups & terms[row, GROUPS]:
            continue
        if terms[row, ADDITION_PAID] != NO_AMOUNT:
            addition = min(addition + terms[row, ADDITION_PAID], np.int64(AMOUNT_LIMIT_PENCE + 1))
        elif not settled:
            price, settled = terms[row, MET_PRICE], True
        else:
            continue
        groups |= terms[row, GROUPS]
        replaces = replaces or terms[row, REPLACES_SHORT_STAY] != 0
        paying = paying or row
    return price, addition, replaces, paying


@rule
def standing_flags(candidates, met, not_met, paying):
    """What the basis says of best practice."""
    flags = 0
    if paying != 0:
        flags |= B_BEST_PRACTICE
    if not_met != 0:
        flags |= B_BEST_PRACTICE_NOT_MET
    if candidates & ~met & ~not_met:
        flags |= B_BEST_PRACTICE_NO_EVIDENCE
    return flags


@rule
def worth(price, total):
    """A price that the line would have: nothing where there is none, at most the bound of amounts."""
    return np.int64(0) if price == NO_PRICE else min(total, np.int64(AMOUNT_LIMIT_PENCE))


@rule
def with_addition(price, addition):
    """What a unit costs with the addition; no price where there is none."""
    return price if price == NO_PRICE else price + addition


@rule
def item_would_be(terms, rows, start, covering, counted, ordinary, units, factor, whole_pounds):
    """What a line of outpatient or unbundled care would be paid where the tariffs in `counted` are met."""
    other, added, _, _ = effect_of(terms, rows, start, covering, counted, ordinary)
    blank = np.int64(BLANK_PENCE)
    reason, _, total, _ = settle(np.int64(PRICED), with_addition(other, added), units, factor, blank, whole_pounds)
    return worth(other, total if reason == PRICED else np.int64(AMOUNT_LIMIT_PENCE))


@rule
def stand_item(
    standing, place, terms, rows, start, covering, candidates, met, not_met, elsewhere, paying, first,
    ordinary, units, factor, whole_pounds, total,
):  # fmt: skip
    """Put where a line of outpatient or unbundled care stands into `standing`, and say what its basis tells of it. Its price is a
    price times units, so what it would be otherwise is found by settling it again."""
    standing.best_practice_row[place] = paying or first
    standing.candidates[place], standing.met[place] = candidates, met
    standing.not_met[place], standing.elsewhere[place] = not_met, elsewhere
    opened, failed = candidates & ~not_met, met | (not_met & ~elsewhere)
    if met != 0:
        without = item_would_be(terms, rows, start, covering, np.int64(0), ordinary, units, factor, whole_pounds)
        standing.best_practice_pence[place] = total - without
    if opened != met:
        other = item_would_be(terms, rows, start, covering, opened, ordinary, units, factor, whole_pounds)
        standing.best_practice_at_stake_pence[place] = other - total
    if failed != met:
        other = item_would_be(terms, rows, start, covering, failed, ordinary, units, factor, whole_pounds)
        standing.best_practice_lost_pence[place] = other - total
    return standing_flags(candidates, met, not_met, paying)
