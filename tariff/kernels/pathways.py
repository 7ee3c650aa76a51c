"""Pathways and readmissions: sweeps over patients, each patient's lines in time, one after the other.

Lines come sorted by patient, start, end and what breaks ties (`tariff.pathways.turns`), days as days since 1970-01-01; `first`
holds where each patient's lines begin. Windows are opened by four sweeps (stays that are one, anchored episodes, phases of a
pregnancy, years of care) and then lines are put into windows by one.

A definition is a pathway as one rule pack states it; a family is a pathway by its name, whatever the pack. `trigger` (line by
family) holds the definition a line opens, the one of its date, or NOBODY. No sweep looks at all pairs of a patient's lines or
windows: an identifier that stands for thousands of patients must not hold up a run."""

# numba functions are not annotated: their argument types are those of the arrays named in the docstrings.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from typing import Final

import numpy as np

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

WINDOW: Final = (
    "patient", "definition", "phase", "status", "opened", "start", "end", "warranty_end", "anchor", "head", "entry",
)  # fmt: skip
"""Rows of an array of windows, one column a window. `opened` is the day that gives a window its turn: admission to the anchor's
stay, booking, birth, entry; `anchor` and `head` (the first of the anchor's stay) are lines, `entry` a register entry."""
(W_PATIENT, W_DEFINITION, W_PHASE, W_STATUS, W_OPENED, W_START, W_END, W_WARRANTY_END, W_ANCHOR, W_HEAD, W_ENTRY) = range(
    len(WINDOW)
)
EPISODE: Final = ("look_back", "window", "from_admission", "warranty", "longest_anchor", "death_bars")
"""Columns of the terms of anchored episodes, one row a definition."""
T_LOOK_BACK, T_WINDOW, T_FROM_ADMISSION, T_WARRANTY, T_LONGEST_ANCHOR, T_DEATH_BARS = range(len(EPISODE))
PREGNANCY: Final = ("same_birth", "longest_antenatal", "postnatal")
"""Columns of the terms of phased pathways, days."""
P_SAME_BIRTH, P_LONGEST_ANTENATAL, P_POSTNATAL = range(len(PREGNANCY))
SETTLED: Final = (
    "same_commissioner", "lead_only", "by_days", "settlement", "same_birth", "ends_from", "ends_until", "family",
)  # fmt: skip
"""Columns of how care is settled, one row a definition. What ends outside `ends_from` to `ends_until` is of another year."""
(
    D_SAME_COMMISSIONER, D_LEAD_ONLY, D_BY_DAYS, D_SETTLEMENT, D_SAME_BIRTH, D_ENDS_FROM, D_ENDS_UNTIL, D_FAMILY,
) = range(len(SETTLED))  # fmt: skip


# --- stays, and the spell before ------------------------------------------------------------------------------------------


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
        begins, ends = first[patient], first[patient + 1]
        if ends - begins < 2:
            continue
        by_end = np.argsort(end[begins:ends], kind="mergesort")
        ended = 0
        for line in range(begins, ends):
            while ended < len(by_end) and end[begins + by_end[ended]] <= start[line]:
                ended += 1
            if within[line] < 0 or end[line] - start[line] > longest_stay[line]:
                continue
            for place in range(ended - 1, -1, -1):
                earlier = begins + by_end[place]
                if not is_readmission(end[earlier], start[line], within[line]):
                    break
                if earlier < line and key[earlier] != key[line]:
                    found[line] = earlier
                    break
    return found


@rule
def continues(end_before, admission, end, gap_days, longest_stay):
    """Whether an admission by transfer continues the stay that ended before it."""
    return 0 <= admission - end_before <= gap_days and end - end_before <= longest_stay


@compiled
def merged_stays(first, start, end, provider, admitted, moved, gap_days, longest_stay):
    """For every line the first line of its stay, and the next one (or NOBODY): transfers belong to the stay that they continue.
    `moved` tells lines admitted by transfer; `gap_days` and `longest_stay` are those of the rule that holds for the line."""
    stay = np.arange(len(start))
    following = np.full(len(start), NOBODY, dtype=np.int64)
    last_of = np.arange(len(start))
    for patient in range(len(first) - 1):
        begins, ends = first[patient], first[patient + 1]
        if ends - begins < 2 or not moved[begins:ends].any():
            continue
        by_end = np.argsort(end[begins:ends], kind="mergesort")
        ended = 0
        for line in range(begins, ends):
            while ended < len(by_end) and end[begins + by_end[ended]] <= start[line]:
                ended += 1
            if not moved[line]:
                continue
            for place in range(ended - 1, -1, -1):
                earlier = begins + by_end[place]
                if start[line] - end[earlier] > gap_days[line]:
                    break
                if (
                    earlier < line
                    and admitted[earlier]
                    and provider[earlier] != provider[line]
                    and continues(end[earlier], start[line], end[line], gap_days[line], longest_stay[line])
                ):
                    head = stay[earlier]
                    stay[line] = head
                    following[last_of[head]] = line
                    last_of[head] = line
                    break
    return stay, following


# --- windows -------------------------------------------------------------------------------------------------------------


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
def _first_trigger(trigger, following, head, family):
    """First line of the stay that triggers a definition of the family, or NOBODY."""
    line = head
    while line != NOBODY and trigger[line, family] == NOBODY:
        line = following[line]
    return line


@rule
def _still_open(windows, live, lives, day):
    """Leaves in `live` the windows that are paid and not yet over on a day; how many they are."""
    kept = 0
    for place in range(lives):
        window = live[place]
        if windows[W_STATUS, window] == OPENED and windows[W_END, window] >= day:
            live[kept] = window
            kept += 1
    return kept


@rule
def _met(windows, live, lives, meeting, family, head):
    """The status of an anchor that may open, by the windows it falls into; those that yield to it are cancelled."""
    for place in range(lives):
        window = live[place]
        met = meeting[windows[W_DEFINITION, window], family]
        if met == EARLIER_WINS or (met == ALONGSIDE and windows[W_HEAD, window] == head):
            return np.int64(S_OVERLAP)
    for place in range(lives):
        window = live[place]
        if meeting[windows[W_DEFINITION, window], family] == LATER_WINS:
            windows[W_STATUS, window] = S_LATER_WINS
    return np.int64(OPENED)


@rule
def _add(windows, count, patient, definition, phase, status, opened, start, end, warranty_end, anchor, head, entry):
    """Adds a window; the new number of windows."""
    windows[W_PATIENT, count] = patient
    windows[W_DEFINITION, count] = definition
    windows[W_PHASE, count] = phase
    windows[W_STATUS, count] = status
    windows[W_OPENED, count] = opened
    windows[W_START, count] = start
    windows[W_END, count] = end
    windows[W_WARRANTY_END, count] = warranty_end
    windows[W_ANCHOR, count] = anchor
    windows[W_HEAD, count] = head
    windows[W_ENTRY, count] = entry
    return count + 1


@compiled
def open_episodes(first, start, end, died, stay, following, trigger, barred, anchored, terms, meeting):
    """Windows (WINDOW) of anchored episodes: those of families that `anchored` marks. `barred` (line by family) is 0 or a status,
    `terms` (EPISODE) by definition, `meeting` what an anchor of one family (column) does in a window of a definition (row)."""
    most = np.int64((trigger >= 0).sum())
    windows = np.empty((len(WINDOW), most), dtype=np.int64)
    live = np.empty(most, dtype=np.int64)
    count = 0
    for patient in range(len(first) - 1):
        lives = 0
        for head in range(first[patient], first[patient + 1]):
            if stay[head] != head:
                continue
            for family in range(trigger.shape[1]):
                if not anchored[family]:
                    continue
                anchor = _first_trigger(trigger, following, head, family)
                if anchor == NOBODY:
                    continue
                definition = trigger[anchor, family]
                discharged, has_died, line = end[head], died[head], following[head]
                while line != NOBODY:
                    discharged, has_died, line = max(discharged, end[line]), has_died or died[line], following[line]
                its = terms[definition]
                status = anchor_status(
                    barred[anchor, family], has_died, discharged - start[head], its[T_DEATH_BARS], its[T_LONGEST_ANCHOR]
                )
                lives = _still_open(windows, live, lives, start[head])
                if status == OPENED:
                    status = _met(windows, live, lives, meeting, family, head)
                last_day = window_end(start[head], discharged, its[T_WINDOW], its[T_FROM_ADMISSION])
                if status == OPENED:
                    live[lives] = count
                    lives += 1
                count = _add(
                    windows, count, patient, definition, NO_PHASE, status, start[head], start[head] - its[T_LOOK_BACK],
                    last_day, max(last_day, discharged + its[T_WARRANTY]), anchor, head, NOBODY,
                )  # fmt: skip
    return windows[:, :count]


@rule
def pregnancy_end(booked, register_end, birth, longest_days):
    """Last day of antenatal care: the day before birth, else the end of the entry or the longest time."""
    return birth - 1 if birth >= 0 else min(register_end, booked + longest_days)


@rule
def _add_births(windows, count, patient, lines, start, end, trigger, barred, family, terms):
    """Adds the births of a patient; those within days of one another are one. The new number of windows."""
    birth = NOBODY
    for line in range(lines[0], lines[1]):
        definition = trigger[line, family]
        if definition == NOBODY:
            continue
        opens = barred[line, family] == OPENED
        if opens and birth != NOBODY:
            same_birth = terms[windows[W_DEFINITION, birth], P_SAME_BIRTH]
            if start[line] - windows[W_OPENED, birth] <= same_birth:
                windows[W_END, birth] = max(windows[W_END, birth], end[line])
                windows[W_WARRANTY_END, birth] = windows[W_END, birth]
                continue
        if opens:
            birth = count
        count = _add(
            windows, count, patient, definition, BIRTH, barred[line, family], start[line], start[line], end[line], end[line],
            line, line, NOBODY,
        )  # fmt: skip
    return count


@rule
def _add_postnatal(windows, count, birth, entries, definition_of, role, entry_start, entry_end, entry_barred, terms):
    """Adds the care after a birth, by the register entry that was begun last when the care begins, else the first that begins
    during it. The new number of windows."""
    definition, born = windows[W_DEFINITION, birth], windows[W_END, birth]
    last_day = born + terms[definition, P_POSTNATAL]
    found, status = np.int64(NOBODY), np.int64(OPENED)
    for entry in range(entries[0], entries[1]):
        if (
            definition_of[entry] == definition
            and role[entry] == ROLE_POSTNATAL
            and entry_start[entry] <= last_day
            and entry_end[entry] >= windows[W_OPENED, birth]
            and (found == NOBODY or entry_start[entry] <= born)
        ):
            found, status = np.int64(entry), np.int64(entry_barred[entry])
    anchor = windows[W_ANCHOR, birth]
    return _add(
        windows, count, windows[W_PATIENT, birth], definition, POSTNATAL, status, born, born, last_day, last_day, anchor, anchor,
        found,
    )  # fmt: skip


@rule
def _born_after(windows, births, booked, longest_days):
    """Day of the first birth that a booking can lead to, or -1."""
    for birth in range(births[0], births[1]):
        days = windows[W_OPENED, birth] - booked
        if windows[W_STATUS, birth] == OPENED and 0 <= days <= longest_days:
            return windows[W_OPENED, birth]
    return np.int64(-1)


@compiled
def open_phases(first, start, end, trigger, barred, phased, family_of, terms, first_entry, definition_of, role, entry_start,
                entry_end, entry_barred):  # fmt: skip
    """Windows (WINDOW) of phased pathways, those of families that `phased` marks: births, postnatal care after each, and
    antenatal care from each booking. `terms` (PREGNANCY) and `family_of` are by definition; register entries (`definition_of` to
    `entry_barred`) are sorted by patient, start, end and ties."""
    windows = np.empty((len(WINDOW), 2 * np.int64((trigger >= 0).sum()) + len(entry_start)), dtype=np.int64)
    count = 0
    for patient in range(len(first) - 1):
        lines = (first[patient], first[patient + 1])
        entries = (first_entry[patient], first_entry[patient + 1])
        for family in range(trigger.shape[1]):
            if not phased[family]:
                continue
            begun = count
            count = _add_births(windows, count, patient, lines, start, end, trigger, barred, family, terms)
            births = (begun, count)
            for birth in range(births[0], births[1]):
                if windows[W_STATUS, birth] == OPENED:
                    count = _add_postnatal(
                        windows, count, birth, entries, definition_of, role, entry_start, entry_end, entry_barred, terms
                    )
            until = np.int64(-1)
            for entry in range(entries[0], entries[1]):
                if role[entry] != ROLE_BOOKING or family_of[definition_of[entry]] != family:
                    continue
                booked, longest = entry_start[entry], terms[definition_of[entry], P_LONGEST_ANTENATAL]
                last_day = pregnancy_end(booked, entry_end[entry], _born_after(windows, births, booked, longest), longest)
                status = np.int64(entry_barred[entry])
                if status == OPENED and booked <= until:
                    status = np.int64(S_OVERLAP)
                if status == OPENED:
                    until = last_day
                count = _add(
                    windows, count, patient, definition_of[entry], ANTENATAL, status, booked, booked, last_day, last_day, NOBODY,
                    NOBODY, entry,
                )  # fmt: skip
    return windows[:, :count]


@rule
def _care_began(entry, first_entry, definition_of, entry_start, entry_end, entry_barred):
    """First day of the unbroken care on the register that an entry is part of: a transfer goes on where the entry before ends."""
    began, until = np.int64(entry_start[entry]), np.int64(entry_start[first_entry]) - 2
    for earlier in range(first_entry, entry):
        if definition_of[earlier] == definition_of[entry] and entry_barred[earlier] == OPENED:
            if entry_start[earlier] > until + 1:
                began = np.int64(entry_start[earlier])
            until = max(until, np.int64(entry_end[earlier]))
    return began if entry_start[entry] <= until + 1 else np.int64(entry_start[entry])


@rule
def _year_ends(entry, entries, definition_of, entry_start, entry_end, entry_barred, longest_days):
    """Last day of an entry of a year of care: its own, the longest time since care began, or the day before the next one takes
    over."""
    began = _care_began(entry, entries[0], definition_of, entry_start, entry_end, entry_barred)
    last_day = min(np.int64(entry_end[entry]), began + longest_days - 1)
    for later in range(entry + 1, entries[1]):
        if definition_of[later] == definition_of[entry] and entry_barred[later] == OPENED:
            return min(last_day, entry_start[later] - 1)
    return last_day


@compiled
def open_years(yearly, longest, settled, first_entry, definition_of, role, entry_start, entry_end, entry_barred):
    """Windows (WINDOW) of years of care, of the definitions that `yearly` marks: each entry of the register until the next one of
    the patient takes over, where it touches the year. `longest` is the days of care at most, from the first of entries that
    follow on each other; `settled` (SETTLED) by definition."""
    windows = np.empty((len(WINDOW), len(entry_start)), dtype=np.int64)
    count = 0
    for patient in range(len(first_entry) - 1):
        entries = (first_entry[patient], first_entry[patient + 1])
        for entry in range(entries[0], entries[1]):
            definition, begins = definition_of[entry], entry_start[entry]
            if not yearly[definition] or role[entry] != ROLE_YEAR:
                continue
            last_day = _year_ends(entry, entries, definition_of, entry_start, entry_end, entry_barred, longest[definition])
            status = np.int64(entry_barred[entry])
            if status == OPENED and last_day < begins:
                status = np.int64(S_OVERLAP)
            if max(last_day, begins) < settled[definition, D_ENDS_FROM] or begins > settled[definition, D_ENDS_UNTIL]:
                continue
            count = _add(
                windows, count, patient, definition, NO_PHASE, status, begins, begins, last_day, last_day, NOBODY, NOBODY, entry
            )
    return windows[:, :count]


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


@rule
def _takes_births(windows, window, last, start, trigger, barred, settled, priced, window_of):
    """Puts the births of one pregnancy into their window; their lines are marked, the first lines come first."""
    definition, anchor = windows[W_DEFINITION, window], windows[W_ANCHOR, window]
    its = settled[definition]
    family = its[D_FAMILY]
    for line in range(anchor, last):
        if start[line] - windows[W_START, window] > its[D_SAME_BIRTH]:
            break
        same = trigger[line, family] != NOBODY and barred[line, family] == OPENED
        if same and window_of[line] == NOBODY and (priced[line] or line == anchor):
            window_of[line] = window


@rule
def _takes_stay(windows, window, following, priced, window_of):
    """Puts the lines of the anchor's stay into its window."""
    line = windows[W_HEAD, window]
    while line != NOBODY:
        if window_of[line] == NOBODY and (priced[line] or line == windows[W_ANCHOR, window]):
            window_of[line] = window
        line = following[line]


@rule
def _not_over(windows, live, lives, day):
    """Leaves in `live`, in their order, the windows whose warranty is not over on a day; how many they are."""
    kept = 0
    for place in range(lives):
        window = live[place]
        if windows[W_WARRANTY_END, window] >= day:
            live[kept] = window
            kept += 1
    return kept


@compiled
def put_into_windows(first, start, end, provider, commissioner, price, priced, code, following, trigger, barred, first_window,
                     windows, lead, payer, settled, look_back):  # fmt: skip
    """For every line its window (NOBODY: none), its category (-1: none) and the pence of it that the pathway pays for; and for
    every window the complications in it. `windows` (WINDOW) are sorted by patient and turn: the first that takes a line has it.
    `code` is by line and definition, `settled` (SETTLED) by definition, `look_back` the longest of any."""
    window_of = np.full(len(start), NOBODY, dtype=np.int64)
    category = np.full(len(start), -1, dtype=np.int16)
    pence = np.zeros(len(start), dtype=np.int64)
    complications = np.zeros(windows.shape[1], dtype=np.int32)
    live = np.empty(windows.shape[1], dtype=np.int64)
    for patient in range(len(first) - 1):
        its_windows = range(first_window[patient], first_window[patient + 1])
        if len(its_windows) == 0:
            continue
        for window in its_windows:
            if windows[W_STATUS, window] != OPENED or windows[W_ANCHOR, window] == NOBODY:
                continue
            if windows[W_PHASE, window] == BIRTH:
                _takes_births(windows, window, first[patient + 1], start, trigger, barred, settled, priced, window_of)
            elif windows[W_PHASE, window] != POSTNATAL:
                _takes_stay(windows, window, following, priced, window_of)
        upcoming, lives = first_window[patient], 0
        for line in range(first[patient], first[patient + 1]):
            if window_of[line] != NOBODY:
                category[line], pence[line] = C_ANCHOR, price[line]
                continue
            while upcoming < first_window[patient + 1] and windows[W_OPENED, upcoming] - look_back <= start[line]:
                if windows[W_STATUS, upcoming] == OPENED:
                    live[lives] = upcoming
                    lives += 1
                upcoming += 1
            lives = _not_over(windows, live, lives, start[line])
            if not priced[line]:
                continue
            for place in range(lives):
                window = live[place]
                if windows[W_START, window] > start[line]:
                    continue
                definition = windows[W_DEFINITION, window]
                its, said = code[line, definition], settled[definition]
                if not said[D_ENDS_FROM] <= end[line] <= said[D_ENDS_UNTIL]:
                    continue
                in_warranty = start[line] > windows[W_END, window]
                if its == NO_CODE or (in_warranty and its != COMPLICATION):
                    continue
                last_day = windows[W_WARRANTY_END, window] if in_warranty else windows[W_END, window]
                if end[line] - last_day > said[D_SETTLEMENT]:
                    continue  # the pathway was settled before the line was known
                flag = outside_flag(
                    its,
                    said[D_SAME_COMMISSIONER] and commissioner[line] != payer[window],
                    said[D_LEAD_ONLY] and provider[line] != lead[window],
                )
                if flag != NOBODY:
                    if window_of[line] == NOBODY and not in_warranty:
                        window_of[line], category[line] = window, C_FIRST_FLAG + flag
                    continue
                by_days = said[D_BY_DAYS]
                pence[line] = share_inside(price[line], start[line], end[line], last_day) if by_days else price[line]
                crosses = by_days and end[line] - start[line] > last_day - start[line] + 1
                window_of[line] = window
                category[line] = C_PRORATED if crosses else (C_WARRANTY if in_warranty else C_INSIDE)
                complications[window] += its == COMPLICATION
                break
        for window in its_windows:
            anchor = windows[W_ANCHOR, window]
            if (
                windows[W_STATUS, window] != OPENED
                and anchor != NOBODY
                and windows[W_PHASE, window] != POSTNATAL
                and window_of[anchor] == NOBODY
            ):
                window_of[anchor], category[anchor] = window, C_FIRST_FLAG + windows[W_STATUS, window] - 1
    return window_of, category, pence, complications
