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

from tariff.buffers import filled
from tariff.kernels.compiled import rule
from tariff.kernels.settling import BLANK, BLANK_PENCE, PRICED, settle
from tariff.money import AMOUNT_LIMIT_PENCE
from tariff.reasons import Basis
from tariff.rulepack.best_practice_book import ANY_ATTENDANCE, NO_AMOUNT, NO_HIGHEST_AGE, NO_LOWEST_AGE
from tariff.rulepack.book import NO_PRICE

NO_EVIDENCE, MET, NOT_MET = range(3)
"""What evidence says of a tariff on a line."""

B_BEST_PRACTICE = int(Basis.BEST_PRACTICE)
B_BEST_PRACTICE_NOT_MET = int(Basis.BEST_PRACTICE_NOT_MET)
B_BEST_PRACTICE_NO_EVIDENCE = int(Basis.BEST_PRACTICE_NO_EVIDENCE)
B_BEST_PRACTICE_UNKNOWN = int(Basis.BEST_PRACTICE_UNKNOWN)


class Cases(NamedTuple):
    """The best-practice side of encoded lines. A case is a list of rows that may cover a line, by precedence; case 0 is none.
    An evidence set is what evidence says of every tariff; set 0 says nothing."""

    case: NDArray[np.int32]  # per line
    evidence: NDArray[np.int32]  # per line: evidence set
    unknown: NDArray[np.uint8]  # per line: it names a tariff that the pack has not
    start: NDArray[np.int32]  # per case: where its rows begin
    rows: NDArray[np.int32]
    status: NDArray[np.uint8]  # (evidence set, tariff)


class Standing(NamedTuple):
    """What came of best practice, one element a line. Pence are differences of whole prices; tariffs are bits by number."""

    best_practice_pence: NDArray[np.int64]
    best_practice_at_stake_pence: NDArray[np.int64]
    best_practice_lost_pence: NDArray[np.int64]
    best_practice_row: NDArray[np.int32]
    candidates: NDArray[np.int64]
    met: NDArray[np.int64]
    not_met: NDArray[np.int64]
    elsewhere: NDArray[np.int64]  # of those not met: the line is in another setting than the price by setting covers
    evidence: NDArray[np.int32]  # evidence set of the line


NO_CASES: Final = Cases(
    np.empty(0, np.int32),
    np.empty(0, np.int32),
    np.empty(0, np.uint8),
    np.zeros(2, np.int32),
    np.empty(0, np.int32),
    np.zeros((1, 1), np.uint8),
)
"""No line has a case: the pack pays no best practice, or no line is covered."""


def no_standing(count: int) -> Standing:
    """Where `count` lines stand before any is priced."""
    bits = {name: filled(count, 0, np.int64) for name in ("candidates", "met", "not_met", "elsewhere")}
    return Standing(
        best_practice_pence=filled(count, 0, np.int64),
        best_practice_at_stake_pence=filled(count, 0, np.int64),
        best_practice_lost_pence=filled(count, 0, np.int64),
        best_practice_row=filled(count, 0, np.int32),
        evidence=filled(count, 0, np.int32),
        **bits,
    )


@rule
def age_within(age, lowest, highest):
    """Whether an age is within the bounds, both included; a blank age is within no bound that is stated."""
    if age == BLANK:
        return lowest == NO_LOWEST_AGE and highest == NO_HIGHEST_AGE
    return lowest <= age <= highest


@rule
def in_its_setting(book, row, setting, is_emergency, stay):
    """Whether the line is in a setting, and short enough, for the row."""
    settings = book.settings[row]
    if settings != 0 and (settings >> setting) & 1 == 0:
        return False
    if book.emergency_only[row] != 0 and not is_emergency:
        return False
    return stay <= book.longest_stay[row]


@rule
def covers(book, row, age, attendance):
    """Whether the row is about lines of this age and kind of attendance."""
    stated = book.attendance[row]
    return stated in (ANY_ATTENDANCE, attendance) and age_within(age, book.lowest_age[row], book.highest_age[row])


@rule
def standing_of(book, rows, status, setting, is_emergency, stay, age, attendance):
    """Candidate tariffs, those met, those not met, those not met because the line is in another setting (bits by number), and
    the first row of the first candidate. What is neither met nor not met lacks evidence. Not met is also what the setting
    of the line decides: a price by setting has nothing to show but the setting (RULES 3.1 B)."""
    candidates = met = not_met = elsewhere = np.int64(0)
    first = 0
    for row in rows:
        bit = np.int64(1) << book.tariff[row]
        if not covers(book, row, age, attendance):
            continue
        if not in_its_setting(book, row, setting, is_emergency, stay):
            if book.by_setting[row] != 0 and candidates & bit == 0:
                elsewhere |= bit
            continue
        if candidates & bit:
            continue
        candidates |= bit
        if first == 0:
            first = row
        said = MET if book.shown_by_line[row] != 0 else status[book.tariff[row]]
        if said == MET:
            met |= bit
        elif said == NOT_MET:
            not_met |= bit
    elsewhere &= ~candidates
    if first == 0 and elsewhere != 0:
        for row in rows:
            if (elsewhere >> book.tariff[row]) & 1:
                first = row
                break
    return candidates | elsewhere, met, not_met | elsewhere, elsewhere, first


@rule
def effect_of(book, rows, counted, ordinary, setting, is_emergency, stay, age, attendance):
    """Price, addition, whether the short-stay reduction is replaced, and the first row that pays, where the tariffs in `counted`
    (bits) are met.

    Additions add, one of an exclusive group alone. Of the others the first by precedence sets the price; where none is met, the
    first that prints a price for that case; else the ordinary price stands."""
    price, addition, replaces, paying = ordinary, np.int64(0), False, 0
    done = groups = np.int64(0)
    settled = settled_otherwise = False
    for row in rows:
        bit = np.int64(1) << book.tariff[row]
        if done & bit or not covers(book, row, age, attendance) or not in_its_setting(book, row, setting, is_emergency, stay):
            continue
        done |= bit
        if counted & bit == 0:
            if book.otherwise[row] != NO_AMOUNT and not settled and not settled_otherwise:
                price, settled_otherwise = book.otherwise[row], True
            continue
        if groups & book.group[row]:
            continue
        if book.addition[row] != NO_AMOUNT:
            addition = min(addition + book.addition[row], np.int64(AMOUNT_LIMIT_PENCE + 1))
        elif not settled:
            price, settled = book.price[row], True
        else:
            continue
        groups |= book.group[row]
        replaces = replaces or book.replaces_short_stay[row] != 0
        if paying == 0:
            paying = row
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
def stand_item(
    standing, i, said, book, rows, candidates, met, not_met, elsewhere, first, paying,
    ordinary, setting, age, attendance, units, factor, whole_pounds, total,
):  # fmt: skip
    """Put where a line of outpatient or unbundled care stands into `standing`: its price is a price times units, so what it
    would be otherwise is found by settling it again."""
    standing.best_practice_row[i] = paying if paying != 0 else first
    standing.candidates[i], standing.met[i], standing.not_met[i] = candidates, met, not_met
    standing.elsewhere[i], standing.evidence[i] = elsewhere, said
    for counted, sign, difference in (
        (np.int64(0), -1, standing.best_practice_pence),
        (candidates & ~not_met, 1, standing.best_practice_at_stake_pence),
        (met | (not_met & ~elsewhere), 1, standing.best_practice_lost_pence),
    ):
        if counted == met:
            continue
        other, added, _, _ = effect_of(book, rows, counted, ordinary, setting, False, np.int32(0), age, attendance)
        reason, _, would_be, _ = settle(
            np.int64(PRICED), with_addition(other, added), units, factor, np.int64(BLANK_PENCE), whole_pounds
        )
        difference[i] = sign * (worth(other, would_be if reason == PRICED else np.int64(AMOUNT_LIMIT_PENCE)) - total)
