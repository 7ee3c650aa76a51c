"""Pathways and emergency readmissions of one patient, slowly, from the words of the definitions (RULES 4 and 5.2).

A definition is what `pathways.toml` says, as plain dicts; a line is a dict of its activity and price; a register entry a dict of
its columns. Windows are worked out one after the other as a clerk would with a calendar: nothing here is sorted into arrays,
numbered or compiled, and nothing is shared with the sweeps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from hashlib import sha256
from typing import Any, Final

from tariff.money import basis_points, half_up, pence

Line = Mapping[str, Any]
Entry = Mapping[str, Any]
Said = Mapping[str, Any]
"""What a table of `pathways.toml` says."""

_KINDS: Final = ("admitted", "outpatient", "emergency", "unbundled")
_FOREVER: Final = date(9999, 12, 31)


@dataclass(frozen=True, slots=True)
class Year:
    """What one rule pack says: the year it is for, its definitions and its rule of transfers, factors of providers in millionths,
    and the day up to which things are known."""

    since: date
    ends: date
    until: date
    definitions: Sequence[Said] = ()
    transfers: Said | None = None
    factors: Mapping[str, int] = field(default_factory=dict)
    default_factor: int | None = 1_000_000
    label: str = ""
    criteria: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Criteria of each tariff whose year of care is shown by evidence."""
    evidence: Sequence[Said] = ()
    """What evidence says of lines: provider, line_id, tariff, criterion (None: the whole), met."""

    def holds(self, day: date) -> bool:
        """Whether a day is of the year."""
        return self.since <= day <= self.ends

    def factor(self, provider: str) -> int | None:
        """By the whole code, the first three characters, or the default."""
        return self.factors.get(provider, self.factors.get(provider[:3], self.default_factor))


@dataclass(slots=True)
class Place:
    """Where a line stands: its pathway, what it is to it, and the pence of it that the pathway pays."""

    pathway_id: str | None = None
    category: str | None = None
    pence: int = 0


@dataclass(slots=True, eq=False)
class Window:
    """A pathway of the patient. `lines` are those of the anchor's stay."""

    definition: Said
    its_year: Year
    phase: str | None
    opened: date
    start: date
    end: date
    warranty_end: date
    lead_provider: str
    commissioner: str
    flag: str | None
    level: str | None
    anchor: Line | None = None
    lines: list[Line] = field(default_factory=list)
    entry: Entry | None = None
    yearly: bool = False
    inside: list[int] = field(default_factory=list)
    complications: int = 0

    @property
    def pathway_id(self) -> str:
        """`<definition>:<provider>:<anchor line_id>`, or a digest of the register entry for the line."""
        name = "_".join(part for part in (self.definition["name"], self.phase) if part)
        if self.anchor is not None:
            return f"{name}:{code(self.anchor, 'provider')}:{self.anchor['line_id']}"
        assert self.entry is not None
        opened = (self.opened - date(1970, 1, 1)).days
        key = f"{self.entry['patient_id']}|{self.entry['register']}|{opened}|{self.lead_provider}" + (
            f"|{self.its_year.since}" if self.yearly else ""
        )
        return f"{name}:{self.lead_provider}:{sha256(key.encode()).hexdigest()[:12]}"


# --- criteria --------------------------------------------------------------------------------------------------------------


def code(line: Line, name: str) -> str:
    """A code in capitals without blanks round it; empty where there is none."""
    return (line.get(name) or "").strip().upper()


def _clinical(text: str | None) -> str:
    return (text or "").strip().upper().replace(".", "").replace(" ", "")


def diagnoses(line: Line) -> list[str]:
    """The primary diagnosis, then the secondary ones."""
    secondary = _clinical(line.get("secondary_diagnoses"))
    return [_clinical(line.get("primary_diagnosis")), *(secondary.split(";") if secondary else [])]


def fits(line: Line, said: Said) -> bool:
    """Whether a line fits every criterion given."""
    beginnings = {
        "hrgs": [code(line, "currency")],
        "procedures": [_clinical(line.get("dominant_procedure"))],
        "primary_diagnoses": diagnoses(line)[:1],
        "diagnoses": diagnoses(line),
        "treatment_functions": [code(line, "treatment_function")],
        "admission_methods": [code(line, "admission_method")],
        "discharge_methods": [code(line, "discharge_method")],
        "commissioners": [code(line, "commissioner")],
    }
    for criterion, codes in beginnings.items():
        wanted = said.get(criterion) or ()
        if wanted and not any(own.startswith(beginning) for own in codes for beginning in wanted):
            return False
    for criterion, own in (("kinds", line["kind"]), ("pods", line["pod"])):
        if said.get(criterion) and own not in said[criterion]:
            return False
    age, youngest, oldest = line.get("age"), said.get("minimum_age"), said.get("maximum_age")
    if youngest is not None and (age is None or age < youngest):
        return False
    return not (oldest is not None and (age is None or age > oldest))


def _one_fits(line: Line, selectors: Iterable[Said]) -> bool:
    return any(fits(line, said) for said in selectors)


def takes_part(line: Line) -> bool:
    """Whether a line can be put in time at all: key and sound dates."""
    known = all((line.get(name) or "").strip() for name in ("line_id", "provider"))
    return bool(known and line["start"] is not None and line["end"] is not None and line["start"] <= line["end"])


def in_turn(lines: Iterable[Line]) -> list[Line]:
    """Lines by first day, last day, kind, provider, identifier, currency and price."""
    return sorted(
        (line for line in lines if takes_part(line)),
        key=lambda line: (
            line["start"], line["end"], _KINDS.index(line["kind"]), code(line, "provider"), line["line_id"],
            code(line, "currency"), line["price_pence"], code(line, "commissioner"),
        ),
    )  # fmt: skip


def _days(earlier: date, later: date) -> int:
    return (later - earlier).days


# --- readmissions ----------------------------------------------------------------------------------------------------------


def readmissions_of(lines: Sequence[Line], rules: Sequence[Said]) -> list[dict[str, Any]]:
    """Every emergency readmission of one patient, whether paid or not."""
    spells = [line for line in in_turn(lines) if line["pod"] in {"DC", "EL", "NEL", "NELST", "NELNE"} and _has_patient(line)]
    found = []
    for place, again in enumerate(spells):
        held = [rule for rule in rules if _date(rule["starts"]) <= again["end"] <= _date(rule["ends"])]
        if not held or not code(again, "admission_method").startswith("2"):
            continue
        (rule,) = held
        before = [
            spell
            for spell in spells[:place]
            if 0 <= _days(spell["end"], again["start"]) <= rule["within_days"]
            and (code(spell, "provider"), spell["line_id"]) != (code(again, "provider"), again["line_id"])
        ]
        if before and _days(again["start"], again["end"]) <= rule["longest_stay_days"]:
            latest = max(spell["end"] for spell in before)
            initial = [spell for spell in before if spell["end"] == latest][-1]
            found.append(_readmission(again, initial, rule))
    return found


def _readmission(again: Line, initial: Line, rule: Said) -> dict[str, Any]:
    elective = initial["pod"] in {"DC", "EL"}
    excluded = _exclusion(again, initial, rule)
    share = 0 if excluded else basis_points(rule["elective_share" if elective else "non_elective_share"])
    return {
        "provider": code(again, "provider"),
        "line_id": again["line_id"],
        "initial_provider": code(initial, "provider"),
        "initial_line_id": initial["line_id"],
        "initial_elective": elective,
        "days": _days(initial["end"], again["start"]),
        "reason_excluded": excluded,
        "share_bp": share,
        "price_pence": again["price_pence"],
        "pence": half_up(again["price_pence"] * share, 10_000),
    }


def _has_patient(line: Line) -> bool:
    return bool((line["patient_id"] or "").strip())


def _exclusion(again: Line, initial: Line, rule: Said) -> str | None:
    if again["outcome"] != "priced" or again.get("local"):
        return "no_national_price"
    for said in rule["exclusions"]:
        sides = {"readmission": [again], "initial": [initial], "either": [again, initial]}[said["of"]]
        if any(fits(side, said) for side in sides):
            return str(said["flag"])
    return None


def _date(said: str | date) -> date:
    return said if isinstance(said, date) else date.fromisoformat(said)


# --- pathways --------------------------------------------------------------------------------------------------------------


def pathways_of(
    lines: Sequence[Line], entries: Sequence[Entry], years: Sequence[Year]
) -> tuple[dict[int, Place], list[dict[str, Any]]]:
    """The pathways of one patient: where each line stands (by `id` of the line), and the pathways as rows. `years` are those of
    the rule packs given, in order; an anchor and a booking are of the year of their own date. Lines without a patient are each
    given by itself."""
    ordered = in_turn(lines)
    stays = _stays(ordered, years)
    windows: list[tuple[Any, Window]] = []
    episodes = _episodes(ordered, stays, years)
    names = list(dict.fromkeys(said["name"] for year in years for said in year.definitions if said["method"] == "phased"))
    pregnancies = [window for name in names for window in _phases(ordered, entries, name, years)]
    number = 0
    for year in years:
        for definition in year.definitions:
            yearly = _years(entries, definition, year) if definition["method"] == "year_of_care" else []
            found = [window for window in (*episodes, *pregnancies) if window.definition is definition]
            windows += [(_turn(window, number, ordered), window) for window in (*found, *yearly)]
            number += 1
    in_order = [window for _, window in sorted(windows, key=lambda pair: pair[0])]
    places = _places(ordered, in_order)
    return places, [_settled(window, ordered) for window in in_order]


def _year_of(day: date, years: Sequence[Year]) -> Year | None:
    return next((year for year in years if year.holds(day)), None)


def _under(name: str, day: date, years: Sequence[Year]) -> tuple[Said, Year] | None:
    """The definition of a name in the year of a day."""
    year = _year_of(day, years)
    said = [] if year is None else [said for said in year.definitions if said["name"] == name]
    return (said[0], year) if said and year is not None else None


def _turn(window: Window, number: int, ordered: list[Line]) -> tuple[Any, ...]:
    phase = {None: 0, "antenatal": 1, "birth": 2, "postnatal": 3}[window.phase]
    anchor = next((place for place, line in enumerate(ordered) if line is window.anchor), -1)
    entry = () if window.entry is None else _entry_turn(window.entry)
    return (window.opened, number, phase, anchor, entry)


def _stays(lines: list[Line], years: Sequence[Year]) -> list[list[Line]]:
    """Lines of care, each admitted one together with the transfers that continue it."""
    stays: list[list[Line]] = []
    for line in lines:
        year = _year_of(line["end"], years)
        stay = _continued(line, stays, lines, year.transfers) if year is not None and year.transfers else None
        if stay is None:
            stays.append([line])
        else:
            stay.append(line)
    return stays


def _continued(line: Line, stays: list[list[Line]], lines: list[Line], transfers: Said) -> list[Line] | None:
    methods = transfers["admission_methods"]
    if line["kind"] != "admitted" or not any(code(line, "admission_method").startswith(method) for method in methods):
        return None
    before = [
        (earlier["end"], place, stay)
        for stay in stays
        for earlier in stay
        for place in [next(at for at, one in enumerate(lines) if one is earlier)]
        if earlier["kind"] == "admitted"
        and code(earlier, "provider") != code(line, "provider")
        and 0 <= _days(earlier["end"], line["start"]) <= transfers["gap_days"]
        and _days(earlier["end"], line["end"]) <= transfers["longest_stay_days"]
    ]
    return max(before, key=lambda found: found[:2])[2] if before else None


def _bars(line: Line, definition: Said, year: Year) -> str | None:
    """Why a line cannot be an anchor, by what it says itself."""
    if not _has_patient(line):
        return "missing_patient"
    if line["reason"] == "not_nhs_funded":
        return "other_payer"
    if line["outcome"] != "priced" and not (definition["anchor_without_price"] == "opened" and line["outcome"] == "unpriced"):
        return "not_priced"
    for said in definition.get("not_opened", ()):
        if fits(line, said):
            return str(said["flag"])
    if "longest_birth_days" in definition and _days(line["start"], line["end"]) > definition["longest_birth_days"]:
        return "stay_above_limit"
    if definition["market_forces"] and year.factor(code(line, "provider")) is None:
        return "no_factor"
    return None


def _level_of(line: Line, levels: Sequence[Said]) -> str:
    return str(next(said["level"] for said in levels if fits(line, said)))


def _episodes(lines: list[Line], stays: list[list[Line]], years: Sequence[Year]) -> list[Window]:
    windows: list[Window] = []
    anchored = (said["name"] for year in years for said in year.definitions if said["method"] == "anchored_episode")
    names = list(dict.fromkeys(anchored))
    for stay in stays:
        for name in names:
            anchors = [
                (line, found)
                for line in stay
                for found in [_under(name, line["end"], years)]
                if found is not None and _one_fits(line, found[0]["trigger"])
            ]
            if anchors:
                anchor, (definition, year) = anchors[0]
                windows.append(_episode(anchor, stay, definition, windows, year))
    return windows


def _episode(anchor: Line, stay: list[Line], definition: Said, windows: list[Window], year: Year) -> Window:
    admitted, discharged = stay[0]["start"], max(line["end"] for line in stay)
    flag = _bars(anchor, definition, year)
    if flag is None and definition["death_in_anchor"] == "not_opened":
        flag = "death" if any(code(line, "discharge_method").startswith("4") for line in stay) else None
    if flag is None and _days(admitted, discharged) > definition["longest_anchor_days"]:
        flag = "stay_above_limit"
    if flag is None:
        met = [window for window in windows if window.flag is None and window.opened <= admitted <= window.end]
        beside = [window for window in met if definition["name"] in window.definition["alongside"]]
        yielding = [window for window in met if definition["name"] in window.definition["yields_to"]]
        same_stay = [window for window in beside if window.lines is stay]
        if same_stay or any(window not in beside and window not in yielding for window in met):
            flag = "overlap"
        else:
            for window in yielding:
                window.flag = "later_wins"
    base = admitted if definition["window_from"] == "admission" else discharged
    end = max(discharged, base + timedelta(days=definition["window_days"]))
    lead = stay[0] if definition["lead_provider"] == "first_of_stay" else anchor
    return Window(
        definition, year, None, admitted, admitted - timedelta(days=definition["look_back_days"]), end,
        max(end, discharged + timedelta(days=definition["warranty_days"])), code(lead, "provider"), code(anchor, "commissioner"),
        flag, _level_of(anchor, definition["levels"]), anchor, stay,
    )  # fmt: skip


def _entry_turn(entry: Entry) -> tuple[Any, ...]:
    return (entry["start_date"], entry["end_date"] or _FOREVER, entry["provider"], entry["level"] or "")


def _entries_of(entries: Sequence[Entry], register: str) -> list[Entry]:
    return sorted((entry for entry in entries if entry["register"] == register), key=_entry_turn)


def _entry_bars(entry: Entry, definition: Said, levels: Sequence[Said], year: Year) -> str | None:
    if entry["level"] not in {said["level"] for said in levels}:
        return "no_level"
    return "no_factor" if definition["market_forces"] and year.factor(entry["provider"]) is None else None


def _by_entry(entry: Entry, definition: Said, year: Year, phase: str | None, end: date, flag: str | None) -> Window:
    start = entry["start_date"]
    level = entry["level"] if flag != "no_level" else None
    return Window(
        definition, year, phase, start, start, end, end, entry["provider"], entry["commissioner"] or "", flag, level, entry=entry
    )


def _phases(lines: list[Line], entries: Sequence[Entry], name: str, years: Sequence[Year]) -> list[Window]:
    births: list[Window] = []
    flagged: list[Window] = []
    for line in lines:
        found = _under(name, line["end"], years)
        if found is None or not _one_fits(line, found[0]["trigger"]):
            continue
        definition, year = found
        flag = _bars(line, definition, year)
        if flag is None and births and _days(births[-1].start, line["start"]) <= births[-1].definition["same_birth_days"]:
            births[-1].end = births[-1].warranty_end = max(births[-1].end, line["end"])
            births[-1].lines.append(line)
            continue
        window = Window(
            definition, year, "birth", line["start"], line["start"], line["end"], line["end"], code(line, "provider"),
            code(line, "commissioner"), flag, _level_of(line, definition["birth"]), line, [line],
        )  # fmt: skip
        (flagged if flag else births).append(window)
    afterwards = [_postnatal(birth, entries) for birth in births]
    return [*births, *flagged, *afterwards, *_antenatal(births, entries, name, years)]


def _postnatal(birth: Window, entries: Sequence[Entry]) -> Window:
    definition, year = birth.definition, birth.its_year
    end = birth.end + timedelta(days=definition["postnatal_days"])
    window = Window(
        definition, year, "postnatal", birth.end, birth.end, end, end, birth.lead_provider, birth.commissioner, None,
        definition["postnatal"][0]["level"], birth.anchor,
    )  # fmt: skip
    held = [
        entry
        for entry in _entries_of(entries, definition["postnatal_register"])
        if entry["start_date"] <= end and (entry["end_date"] or _FOREVER) >= birth.start
    ]
    begun = [entry for entry in held if entry["start_date"] <= birth.end]
    if held:
        entry = begun[-1] if begun else held[0]
        window.entry, window.lead_provider = entry, entry["provider"]
        window.commissioner = entry["commissioner"] or ""
        window.flag = _entry_bars(entry, definition, definition["postnatal"], year)
        window.level = None if window.flag == "no_level" else entry["level"]
    return window


def _antenatal(births: list[Window], entries: Sequence[Entry], name: str, years: Sequence[Year]) -> list[Window]:
    windows: list[Window] = []
    cared_for_until: date | None = None
    for entry in sorted(entries, key=_entry_turn):
        booked = entry["start_date"]
        found = _under(name, booked, years)
        if found is None or entry["register"] != found[0]["antenatal_register"]:
            continue
        definition, year = found
        longest = definition["longest_antenatal_days"]
        born = next((birth.start for birth in births if 0 <= _days(booked, birth.start) <= longest), None)
        end = min(entry["end_date"] or _FOREVER, booked + timedelta(days=longest))
        end = born - timedelta(days=1) if born else end
        flag = _entry_bars(entry, definition, definition["antenatal"], year)
        if flag is None and cared_for_until is not None and booked <= cared_for_until:
            flag = "overlap"
        if flag is None:
            cared_for_until = end
        windows.append(_by_entry(entry, definition, year, "antenatal", end, flag))
    return windows


def _care_began(entries: Sequence[Entry]) -> date:
    """The first day of the care without a gap that the last of `entries`, sorted by first day, is part of."""
    began: date = entries[0]["start_date"]
    until: date = began
    for entry in entries:
        if _days(until, entry["start_date"]) > 1:
            began = entry["start_date"]
        until = max(until, entry["end_date"] or _FOREVER)
    return began


def _years(entries: Sequence[Entry], definition: Said, year: Year) -> list[Window]:
    own = _entries_of(entries, definition["register"])
    windows = []
    for place, entry in enumerate(own):
        end = entry["end_date"] or _FOREVER
        sound = [other for other in own if _entry_bars(other, definition, definition["levels"], year) is None]
        if definition["longest_days"] is not None:
            began = _care_began([*(other for other in own[:place] if other in sound), entry])
            end = min(end, began + timedelta(days=definition["longest_days"] - 1))
        later = [other for other in own[place + 1 :] if other in sound]
        if later:
            end = min(end, later[0]["start_date"] - timedelta(days=1))
        flag = _entry_bars(entry, definition, definition["levels"], year)
        if flag is None and end < entry["start_date"]:
            flag = "overlap"
        if max(end, entry["start_date"]) >= year.since and entry["start_date"] <= year.ends:
            windows.append(_by_entry(entry, definition, year, None, end, flag))
            windows[-1].yearly = True
    return windows


# --- lines into windows ----------------------------------------------------------------------------------------------------


def _places(lines: list[Line], windows: list[Window]) -> dict[int, Place]:
    places = {id(line): Place() for line in lines}
    for window in windows:
        if window.flag is None:
            for line in window.lines:
                place = places[id(line)]
                if place.category is None and (line["outcome"] == "priced" or line is window.anchor):
                    places[id(line)] = Place(window.pathway_id, "anchor", line["price_pence"])
                    window.inside.append(line["price_pence"])
    for line in lines:
        if places[id(line)].category is None and line["outcome"] == "priced":
            places[id(line)] = _place_of(line, windows)
    for window in windows:
        if window.flag is not None and window.anchor is not None and window.phase != "postnatal":
            place = places[id(window.anchor)]
            if place.category is None:
                places[id(window.anchor)] = Place(window.pathway_id, f"outside_{window.flag}")
    return places


def _place_of(line: Line, windows: list[Window]) -> Place:
    outside = Place()
    for window in windows:
        if window.flag is not None or not window.start <= line["start"] <= window.warranty_end:
            continue
        warranty = line["start"] > window.end
        definition = window.definition
        if window.yearly and not window.its_year.holds(line["end"]):
            continue
        last_day = window.warranty_end if warranty else window.end
        flag = next((str(said["flag"]) for said in definition["outside"] if fits(line, said)), None)
        complication = flag is None and _one_fits(line, definition["complications"])
        if warranty and not complication:
            continue
        if line["end"] > last_day and _days(last_day, line["end"]) > definition["settlement_days"]:
            continue
        if flag is None and not complication and not _one_fits(line, definition["inside"]):
            flag = "unrelated"
        if flag is None and definition["same_commissioner_only"] and code(line, "commissioner") != window.commissioner:
            flag = "out_of_area"
        if flag is None and definition["lead_provider_only"] and code(line, "provider") != window.lead_provider:
            flag = "other_provider"
        if flag is not None:
            if outside.category is None and not warranty:
                outside = Place(window.pathway_id, f"outside_{flag}")
            continue
        return _inside(line, window, last_day, "warranty" if warranty else "inside", complication=complication)
    return outside


def _inside(line: Line, window: Window, last_day: date, category: str, *, complication: bool) -> Place:
    nights, price = _days(line["start"], line["end"]), line["price_pence"]
    within = sum(1 for night in range(nights) if line["start"] + timedelta(days=night) <= last_day)
    if window.definition["proration"] == "by_days" and within < nights:
        category, price = "prorated", half_up(price * within, nights)
    window.inside.append(price)
    window.complications += complication
    return Place(window.pathway_id, category, price)


# --- what is paid ----------------------------------------------------------------------------------------------------------


def _settled(window: Window, lines: Sequence[Line]) -> dict[str, Any]:
    definition, year, episodic = window.definition, window.its_year, sum(window.inside)
    closes = min(window.warranty_end, year.ends) if window.yearly else window.warranty_end
    is_open = window.flag is None and closes + timedelta(days=definition["settlement_days"]) > year.until
    bundle = 0 if window.flag else _bundle(window)
    drawn_in = episodic if window.flag else _drawn_in(window, episodic, is_open=is_open)
    stop_loss = withheld = 0
    if (rule := definition["stop_loss"]) is not None:
        beyond = max(0, drawn_in - pence(rule["above"]))
        stop_loss = half_up(beyond * basis_points(rule["share"]), 10_000)
    status = _quality(window, lines)
    if (quality := definition["quality"]) is not None and _went_wrong(quality, status, window.complications):
        withheld = -half_up(bundle * basis_points(quality["withheld"]), 10_000)
    return {
        "pathway_id": window.pathway_id,
        "definition": definition["name"],
        "phase": window.phase,
        "level": window.level,
        "lead_provider": window.lead_provider,
        "commissioner": window.commissioner or None,
        "start_date": window.start,
        "end_date": min(window.end, year.ends) if window.yearly else window.end,
        "state": "open" if is_open else "closed",
        "flag": window.flag,
        "bundle_pence": bundle,
        "outlier_pence": episodic - drawn_in,
        "stop_loss_pence": stop_loss,
        "quality": status,
        "withheld_pence": withheld,
        "price_pence": bundle + episodic - drawn_in + stop_loss + withheld,
        "episodic_pence": episodic,
        "lines": len(window.inside),
        "complications": window.complications,
        "financial_year": _financial_year(window),
        "pack": year.label,
    }


def _went_wrong(quality: Said, status: str | None, complications: int) -> bool:
    if quality.get("tariff") is None:
        return complications > 0
    return status == "not_met" or (status == "no_evidence" and quality["without_evidence"] == "withheld")


def _quality(window: Window, lines: Sequence[Line]) -> str | None:
    """What evidence says of the criteria of the pathway: on lines of the patient at the lead provider that end in the time paid
    for. A criterion that is answered both yes and no is not answered."""
    quality, year = window.definition["quality"], window.its_year
    if quality is None or quality.get("tariff") is None or window.flag is not None:
        return None
    first, last = max(window.start, year.since), min(window.end, year.ends)
    own = {line["line_id"] for line in lines if code(line, "provider") == window.lead_provider and first <= line["end"] <= last}
    criteria = year.criteria[quality["tariff"]]
    answers: dict[str, set[bool]] = {}
    for said in year.evidence:
        if said["provider"] == window.lead_provider and said["line_id"] in own and said["tariff"] == quality["tariff"]:
            answers.setdefault(said["criterion"] or "", set()).add(said["met"])
    known = {criterion: met.pop() for criterion, met in answers.items() if len(met) == 1}
    failed = [criterion for criterion in criteria if known.get(criterion) is False]
    open_ones = [criterion for criterion in criteria if criterion not in known]
    whole = known.get("")
    if whole is not None and whole == bool(failed) and (failed or not open_ones):
        return "no_evidence"  # the whole says what its parts deny
    if whole or not (failed or open_ones):
        return "met"
    return "not_met" if failed or whole is False else "no_evidence"


def _financial_year(window: Window) -> str:
    """The year of the day that chose the pack."""
    if window.yearly:
        day = window.its_year.since
    elif window.phase in {"antenatal", "postnatal"}:
        day = window.opened
    else:
        assert window.anchor is not None
        day = window.anchor["end"]
    first = day.year if day.month >= 4 else day.year - 1
    return f"{first}-{(first + 1) % 100:02}"


def _said_of_level(window: Window) -> Said:
    levels = window.definition[window.phase or "levels"]
    return next(said for said in levels if said["level"] == window.level)


def _drawn_in(window: Window, episodic: int, *, is_open: bool) -> int:
    """Episodic value between the amounts of its level; from below once nothing more can come."""
    outliers = _said_of_level(window).get("outliers") or {}
    if outliers.get("high") is not None:
        episodic = min(episodic, pence(outliers["high"]))
    if outliers.get("low") is not None and not is_open:
        episodic = max(episodic, pence(outliers["low"]))
    return episodic


def _bundle(window: Window) -> int:
    definition, year = window.definition, window.its_year
    factor = 1_000_000
    if definition["market_forces"]:
        factor = year.factor(window.lead_provider) or year.factor(code(window.anchor or {}, "provider")) or factor
    said = _said_of_level(window)
    if definition["method"] != "year_of_care":
        return half_up(pence(said["price"]) * factor, 1_000_000)
    of_the_year = _days(year.since, year.ends) + 1 if definition["per"] == "year" else 1
    first, last = max(window.start, year.since), min(window.end, year.until, year.ends)
    days = _days(first, last) + 1 if first <= last else 0
    amount = pence(said["price"]) * days
    if said["review_price"] is not None:
        due = window.start
        while due <= last:
            if due >= year.since:
                amount += pence(said["review_price"]) * of_the_year
            due += timedelta(days=said["review_days"])
    return half_up(amount * factor, of_the_year * 1_000_000)
