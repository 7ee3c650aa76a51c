"""Pathways and readmissions: sweeps over patients, each patient's lines in time, one after the other.

Lines come sorted by patient, start, end and what breaks ties (`tariff.pathways.sweeping`), days as days since 1970-01-01;
`first` holds where each patient's lines begin. Windows are opened by four sweeps (stays that are one, anchored episodes, phases
of a pregnancy, years of care) and then lines are put into windows by one."""

# numba functions are not annotated: their argument types are those of the arrays named in the docstrings.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tariff.columns import PATHWAY_CATEGORIES, PATHWAY_FLAGS
from tariff.compiled import compiled, rule
from tariff.kernels.rounding import half_up

NOBODY: Final = -1
OPENED: Final = 0
"""Status of a window that is paid; any other status is 1 + the number of a flag."""
EARLIER_WINS, LATER_WINS, ALONGSIDE = range(3)
"""What happens where an anchor falls into the window of an earlier pathway."""
ANCHORED, PHASED, YEARLY = range(3)
NO_PHASE, ANTENATAL, BIRTH, POSTNATAL = range(4)
ROLE_YEAR, ROLE_BOOKING, ROLE_POSTNATAL = range(3)
"""What a register entry is to a definition."""
NO_CODE, INSIDE, COMPLICATION, FIRST_FLAG = range(4)
"""Codes of a line for a definition: nothing to it, inside, inside and a complication, or FIRST_FLAG + flag: outside."""

C_ANCHOR, C_INSIDE, C_PRORATED, C_WARRANTY, C_FIRST_FLAG = range(5)
assert PATHWAY_CATEGORIES[:5] == ("anchor", "inside", "prorated", "warranty", f"outside_{PATHWAY_FLAGS[0]}")

_STATUS = {flag: 1 + number for number, flag in enumerate(PATHWAY_FLAGS)}
S_DEATH, S_STAY_ABOVE_LIMIT, S_OVERLAP, S_LATER_WINS = (
    _STATUS[flag] for flag in ("death", "stay_above_limit", "overlap", "later_wins")
)
F_OUT_OF_AREA, F_OTHER_PROVIDER = (PATHWAY_FLAGS.index(flag) for flag in ("out_of_area", "other_provider"))


class Windows(NamedTuple):
    """Windows found, one element each. Rows and entries are numbers within the sorted arrays, NOBODY where there is none."""

    patient: NDArray[np.int64]
    definition: NDArray[np.int64]
    phase: NDArray[np.int64]
    status: NDArray[np.int64]
    opened: NDArray[np.int64]  # the day that gives it its turn: the anchor's admission, booking, birth, entry
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    warranty_end: NDArray[np.int64]
    anchor: NDArray[np.int64]  # line
    head: NDArray[np.int64]  # first line of the anchor's stay
    entry: NDArray[np.int64]  # register entry


# --- readmissions --------------------------------------------------------------------------------------------------------


@rule
def is_readmission(discharge, admission, within_days):
    """Admitted on the day of an earlier discharge or up to so many days after it (RULES 5.2)."""
    return 0 <= admission - discharge <= within_days


@compiled
def initial_spells(first, start, end, key, within, longest_stay):
    """For every line the line of the spell before it, the one discharged last, or NOBODY. `within` is the days of the rule that
    holds for the line, negative where none does or the line is no emergency; a stay beyond `longest_stay` is no readmission, and
    no line is one after itself: `key` tells a line that is given twice."""
    found = np.full(len(start), NOBODY, dtype=np.int64)
    for patient in range(len(first) - 1):
        for line in range(first[patient], first[patient + 1]):
            if within[line] < 0 or end[line] - start[line] > longest_stay[line]:
                continue
            best = NOBODY
            for earlier in range(first[patient], line):
                if (
                    is_readmission(end[earlier], start[line], within[line])
                    and key[earlier] != key[line]
                    and (best == NOBODY or end[earlier] >= end[best])
                ):
                    best = earlier
            found[line] = best
    return found


# --- windows -------------------------------------------------------------------------------------------------------------


@rule
def continues(end_before, admission, end, gap_days, longest_stay):
    """Whether an admission by transfer continues the stay that ended before it."""
    return 0 <= admission - end_before <= gap_days and end - end_before <= longest_stay


@compiled
def merged_stays(first, start, end, provider, admitted, transferred_in, gap_days, longest_stay):
    """For every line the first line of its stay: transfers belong to the stay that they continue."""
    stay = np.arange(len(start))
    for patient in range(len(first) - 1):
        for line in range(first[patient], first[patient + 1]):
            if not transferred_in[line]:
                continue
            best = NOBODY
            for earlier in range(first[patient], line):
                if (
                    admitted[earlier]
                    and provider[earlier] != provider[line]
                    and continues(end[earlier], start[line], end[line], gap_days, longest_stay)
                    and (best == NOBODY or end[earlier] >= end[best])
                ):
                    best = earlier
            if best != NOBODY:
                stay[line] = stay[best]
    return stay


@rule
def window_end(stay_start, stay_end, days, from_admission):
    """Last day of the window; never before the end of the stay itself."""
    return max(stay_end, (stay_start if from_admission else stay_end) + days)


@rule
def anchor_status(barred, died, stay_days, death_bars, longest_days):
    """Whether an anchor opens a pathway, or the first flag why not."""
    if barred != OPENED:
        return np.int64(barred)
    if died and death_bars:
        return np.int64(S_DEATH)
    return np.int64(S_STAY_ABOVE_LIMIT) if stay_days > longest_days else np.int64(OPENED)


@rule
def _first_trigger(trigger, stay, head, last, definition, alone):
    """First line of the stay that triggers the definition, or NOBODY."""
    if trigger[head, definition]:
        return head
    if not alone:
        for line in range(head + 1, last):
            if stay[line] == head and trigger[line, definition]:
                return line
    return NOBODY


@compiled
def open_episodes(first, start, end, died, stay, trigger, barred, method, terms, meeting):
    """Windows of anchored episodes. `trigger` and `barred` are tables of line by definition (barred: 0 or a status), `terms` a
    row of numbers by definition (look-back, window, from admission, warranty, longest anchor, death bars), `meeting` what an
    anchor of one definition (column) does in a window of another (row)."""
    most = np.int64(trigger.sum())
    out = np.full((11, most), NOBODY, dtype=np.int64)
    count = 0
    stay_end = end.astype(np.int64)
    stay_died = died.copy()
    alone = np.ones(len(start), dtype=np.bool_)
    for line in range(len(start)):
        head = stay[line]
        if head != line:
            alone[head] = False
            stay_end[head] = max(stay_end[head], end[line])
            stay_died[head] = stay_died[head] or died[line]
    for patient in range(len(first) - 1):
        begun = count
        for head in range(first[patient], first[patient + 1]):
            if stay[head] != head:
                continue
            for definition in range(len(method)):
                if method[definition] != ANCHORED:
                    continue
                anchor = _first_trigger(trigger, stay, head, first[patient + 1], definition, alone[head])
                if anchor == NOBODY:
                    continue
                look_back, days, from_admission, warranty, longest, death_bars = terms[definition]
                status = anchor_status(
                    barred[anchor, definition], stay_died[head], stay_end[head] - start[head], death_bars, longest
                )
                if status == OPENED:
                    for other in range(begun, count):
                        if out[3, other] == OPENED and out[4, other] <= start[head] <= out[6, other]:
                            met = meeting[out[1, other], definition]
                            if met == EARLIER_WINS or (met == ALONGSIDE and out[9, other] == head):
                                status = np.int64(S_OVERLAP)
                if status == OPENED:
                    for other in range(begun, count):
                        if (
                            out[3, other] == OPENED
                            and out[4, other] <= start[head] <= out[6, other]
                            and meeting[out[1, other], definition] == LATER_WINS
                        ):
                            out[3, other] = S_LATER_WINS
                last_day = window_end(start[head], stay_end[head], days, from_admission)
                out[0, count] = patient
                out[1, count] = definition
                out[2, count] = NO_PHASE
                out[3, count] = status
                out[4, count] = start[head]
                out[5, count] = start[head] - look_back
                out[6, count] = last_day
                out[7, count] = max(last_day, stay_end[head] + warranty)
                out[8, count] = anchor
                out[9, count] = head
                count += 1
    return out[:, :count]


@rule
def pregnancy_end(booked, register_end, birth, longest_days):
    """Last day of antenatal care: the day before birth, else the end of the entry or the longest time."""
    return birth - 1 if birth >= 0 else min(register_end, booked + longest_days)


@compiled
def open_phases(first, start, end, trigger, barred, method, terms, first_entry, entry_definition, entry_role, entry_start,
                entry_end, entry_barred):  # fmt: skip
    """Windows of phased pathways: births, postnatal care after each, and antenatal care from each booking. `terms`: days within
    which births are one, longest antenatal time, postnatal days. Entries are sorted by patient, start, end and ties."""
    most = 2 * np.int64(trigger.sum()) + len(entry_start)
    out = np.full((11, most), NOBODY, dtype=np.int64)
    count = 0
    for definition in range(len(method)):
        if method[definition] != PHASED:
            continue
        same_birth, longest, postnatal_days = terms[definition]
        for patient in range(len(first) - 1):
            entries = range(first_entry[patient], first_entry[patient + 1])
            begun = count
            birth = NOBODY
            for line in range(first[patient], first[patient + 1]):
                if not trigger[line, definition]:
                    continue
                if birth != NOBODY and barred[line, definition] == OPENED and start[line] - out[4, birth] <= same_birth:
                    out[6, birth] = max(out[6, birth], end[line])
                    continue
                out[0, count] = patient
                out[1, count] = definition
                out[2, count] = BIRTH
                out[3, count] = barred[line, definition]
                out[4, count] = start[line]
                out[5, count] = start[line]
                out[6, count] = end[line]
                out[8, count] = line
                out[9, count] = line
                if barred[line, definition] == OPENED:
                    birth = count
                count += 1
            births = count
            for birth in range(begun, births):
                if out[3, birth] != OPENED:
                    continue
                last_day = out[6, birth] + postnatal_days
                out[:, count] = out[:, birth]
                out[2, count] = POSTNATAL
                out[4, count] = out[6, birth]
                out[5, count] = out[6, birth]
                out[6, count] = last_day
                for entry in entries:
                    if (
                        entry_definition[entry] == definition
                        and entry_role[entry] == ROLE_POSTNATAL
                        and entry_start[entry] <= last_day
                        and entry_end[entry] >= out[4, birth]
                    ):
                        out[10, count] = entry
                        out[3, count] = entry_barred[entry]
                        break
                count += 1
            until = np.int64(-1)
            for entry in entries:
                if entry_definition[entry] != definition or entry_role[entry] != ROLE_BOOKING:
                    continue
                born = np.int64(-1)
                for birth in range(begun, births):
                    days = out[4, birth] - entry_start[entry]
                    if out[3, birth] == OPENED and 0 <= days <= longest:
                        born = out[4, birth]
                        break
                last_day = pregnancy_end(entry_start[entry], entry_end[entry], born, longest)
                status = np.int64(entry_barred[entry])
                if status == OPENED and entry_start[entry] <= until:
                    status = np.int64(S_OVERLAP)
                out[0, count] = patient
                out[1, count] = definition
                out[2, count] = ANTENATAL
                out[3, count] = status
                out[4, count] = entry_start[entry]
                out[5, count] = entry_start[entry]
                out[6, count] = last_day
                out[10, count] = entry
                if status == OPENED:
                    until = last_day
                count += 1
    for window in range(count):
        out[7, window] = out[6, window]
    return out[:, :count]


@compiled
def open_years(method, longest, since, first_entry, entry_definition, entry_role, entry_start, entry_end, entry_barred):
    """Windows of years of care: each entry of the register until the next one of the patient takes over, those of the year that
    begins on `since`."""
    out = np.full((11, len(entry_start)), NOBODY, dtype=np.int64)
    count = 0
    for patient in range(len(first_entry) - 1):
        for entry in range(first_entry[patient], first_entry[patient + 1]):
            definition = entry_definition[entry]
            if method[definition] != YEARLY or entry_role[entry] != ROLE_YEAR:
                continue
            last_day = min(np.int64(entry_end[entry]), entry_start[entry] + longest[definition] - 1)
            for later in range(entry + 1, first_entry[patient + 1]):
                if entry_definition[later] == definition and entry_barred[later] == OPENED:
                    last_day = min(last_day, entry_start[later] - 1)
                    break
            status = np.int64(entry_barred[entry])
            if status == OPENED and last_day < entry_start[entry]:
                status = np.int64(S_OVERLAP)
            if max(last_day, entry_start[entry]) < since:
                continue
            out[0, count] = patient
            out[1, count] = definition
            out[2, count] = NO_PHASE
            out[3, count] = status
            out[4, count] = entry_start[entry]
            out[5, count] = entry_start[entry]
            out[6, count] = last_day
            out[7, count] = last_day
            out[10, count] = entry
            count += 1
    return out[:, :count]


# --- lines into windows --------------------------------------------------------------------------------------------------


@rule
def outside_flag(code, out_of_area, elsewhere):
    """The flag that keeps a line outside, or NOBODY where it is inside: what the definition lists, then the commissioner, then
    the provider."""
    if code >= FIRST_FLAG:
        return np.int64(code - FIRST_FLAG)
    if out_of_area:
        return np.int64(F_OUT_OF_AREA)
    return np.int64(F_OTHER_PROVIDER) if elsewhere else np.int64(NOBODY)


@rule
def share_inside(price, start, end, last_day):
    """The part of a stay's price that falls within the window, by days: nights up to the window's last day."""
    inside = last_day - start + 1
    return half_up(price * inside, end - start) if end - start > inside else price


@compiled
def put_into_windows(first, start, end, provider, commissioner, price, priced, code, trigger, barred, stay, first_window,
                     w_definition, w_phase, w_status, w_start, w_end, w_warranty_end, w_anchor, w_head, w_provider,
                     w_commissioner, same_commissioner, lead_only, by_days, settlement, same_birth, ends_from):  # fmt: skip
    """For every line its window (NOBODY: none), its category (-1: none) and the pence of it that the pathway pays for; and for
    every window the complications in it. Windows are sorted by patient and turn: the first that takes a line has it. A line that
    ends before `ends_from` of the definition is of an earlier year."""
    lines = len(start)
    window_of = np.full(lines, NOBODY, dtype=np.int64)
    category = np.full(lines, -1, dtype=np.int16)
    pence = np.zeros(lines, dtype=np.int64)
    complications = np.zeros(len(w_start), dtype=np.int32)
    for patient in range(len(first) - 1):
        windows = range(first_window[patient], first_window[patient + 1])
        if len(windows) == 0:
            continue
        for window in windows:
            if w_status[window] != OPENED or w_anchor[window] == NOBODY or w_phase[window] == POSTNATAL:
                continue
            definition = w_definition[window]
            for line in range(first[patient], first[patient + 1]):
                if w_phase[window] == BIRTH:
                    own = (
                        trigger[line, definition]
                        and barred[line, definition] == OPENED
                        and 0 <= start[line] - w_start[window] <= same_birth[definition]
                    )
                else:
                    own = stay[line] == w_head[window]
                if own and (priced[line] or line == w_anchor[window]) and window_of[line] == NOBODY:
                    window_of[line], category[line], pence[line] = window, C_ANCHOR, price[line]
        for line in range(first[patient], first[patient + 1]):
            if window_of[line] != NOBODY or not priced[line]:
                continue
            for window in windows:
                if w_status[window] != OPENED or not w_start[window] <= start[line] <= w_warranty_end[window]:
                    continue
                definition = w_definition[window]
                if end[line] < ends_from[definition]:
                    continue
                in_warranty = start[line] > w_end[window]
                its = code[line, definition]
                if its == NO_CODE or (in_warranty and its != COMPLICATION):
                    continue
                last_day = w_warranty_end[window] if in_warranty else w_end[window]
                if end[line] - last_day > settlement[definition]:
                    continue  # the pathway was settled before the line was known
                flag = outside_flag(
                    its,
                    same_commissioner[definition] and commissioner[line] != w_commissioner[window],
                    lead_only[definition] and provider[line] != w_provider[window],
                )
                if flag != NOBODY:
                    if window_of[line] == NOBODY and not in_warranty:
                        window_of[line], category[line] = window, C_FIRST_FLAG + flag
                    continue
                part = share_inside(price[line], start[line], end[line], last_day) if by_days[definition] else price[line]
                crosses = by_days[definition] and end[line] - start[line] > last_day - start[line] + 1
                window_of[line], pence[line] = window, part
                category[line] = C_PRORATED if crosses else (C_WARRANTY if in_warranty else C_INSIDE)
                complications[window] += its == COMPLICATION
                break
        for window in windows:
            anchor = w_anchor[window]
            if w_status[window] != OPENED and anchor != NOBODY and w_phase[window] != POSTNATAL and window_of[anchor] == NOBODY:
                window_of[anchor], category[anchor] = window, C_FIRST_FLAG + w_status[window] - 1
    return window_of, category, pence, complications
