"""Best-practice tariffs priced slowly: RULES 3, and 1.8 steps 2 and 6; evidence by DESIGN section 4.

A tariff's row covers a line of its currency, treatment function, age, kind of attendance, setting and stay; a row that names
neither currency nor treatment function covers only lines that name the tariff. Evidence says of each criterion whether it is
met. What is paid follows from the set of tariffs that are met; what the evidence earned, lost, or leaves at stake is what the
price would be for another such set, less the price."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple, cast

from tariff.money import AMOUNT_LIMIT_PENCE, pence
from tariff.reasons import Basis

MET, NOT_MET, UNKNOWN = "met", "not_met", "no_evidence"
WHOLE: Final = ""
"""The criterion under which evidence speaks of a tariff as a whole."""
GATE, BY_SETTING, ADDED = "provider_gate", "setting_price", "addition"
ADMITTED_SETTINGS: Final = frozenset({"day_case", "ordinary_elective", "non_elective", "emergency"})
OUTPATIENT_SETTINGS: Final = frozenset({"outpatient_procedure", "attendance"})

Cells = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class TariffRow:
    """A row of best_practice.csv: amounts in pence, None where none is printed."""

    number: int
    tariff: str
    mechanism: str
    currency: str | None
    treatment_function: str | None
    settings: frozenset[str]
    attendance: str | None
    ages: tuple[int | None, int | None]
    maximum_stay: int | None
    price: int | None
    otherwise: int | None
    addition: int | None
    parent: str | None

    @property
    def kind(self) -> str:
        """The kind of activity it is about; a year of care is about patients, and covers no line."""
        if self.mechanism == "year_of_care":
            return "patient"
        if self.settings & OUTPATIENT_SETTINGS:
            return "outpatient"
        return "unbundled" if "unbundled" in self.settings else "admitted"

    @property
    def is_automatic(self) -> bool:
        """Whether it covers lines that do not name its tariff."""
        return self.currency is not None or self.treatment_function is not None


@dataclass(frozen=True, slots=True)
class BestPractice:
    """The best-practice tables and rule of a pack, with the evidence of a run."""

    rows: Sequence[TariffRow]
    criteria: Mapping[str, Sequence[str]]
    order: Sequence[str]
    """Tariffs by precedence."""
    exclusive: Sequence[frozenset[str]]
    replaces_short_stay: frozenset[str]
    of_lines: Mapping[tuple[str, str, str], Mapping[str, str]]
    """By provider, line and tariff: what evidence says of each criterion, `met` or `not_met`; contradictions are gone."""
    of_gates: Mapping[tuple[str, str], Sequence[tuple[date, date, str, str]]]
    """By provider and tariff: first day, last day, criterion, and what evidence says of it."""

    @property
    def gates(self) -> frozenset[str]:
        """Tariffs that a provider meets as a whole."""
        return frozenset(row.tariff for row in self.rows if row.mechanism == GATE)


class Facts(NamedTuple):
    """What decides which rows cover a line."""

    kind: str
    provider: str
    line_id: str
    day: date | None
    currency: str | None
    treatment_function: str | None
    named: frozenset[str]
    """Tariffs that the line itself names."""
    setting: str
    is_emergency: bool
    stay: int
    age: int | None
    attendance: str | None


class Candidate(NamedTuple):
    """A tariff that covers a line, the row that does, what it stands at, and the criteria that are missing. `row` None: the
    tariff has a price by setting, and the line is in another setting; `first` is the row it would have had."""

    tariff: str
    row: TariffRow | None
    first: TariffRow
    status: str
    missing: tuple[str, ...]


class Effect(NamedTuple):
    """What best practice does to a price: the price it sets (None = the ordinary one), what it adds, whether the short-stay
    reduction is replaced, and the row that comes first among those that pay."""

    price: int | None
    addition: int = 0
    replaces_short_stay: bool = False
    paying: TariffRow | None = None


class Standing(NamedTuple):
    """The best-practice cells of a priced line."""

    earned: int = 0
    at_stake: int = 0
    lost: int = 0
    row: int = 0
    tariff: str | None = None
    status: str | None = None
    missing: str | None = None


NO_STANDING: Final = Standing()


# --- reading ---------------------------------------------------------------------------------------------------------


def best_practice_of(
    rule: Mapping[str, object], table: Iterable[Cells], criteria: Iterable[Cells], evidence: Iterable[Mapping[str, object]]
) -> BestPractice | None:
    """The tables of a pack and the evidence of a run; None where the pack pays no best practice."""
    if rule["method"] == "none":
        return None
    rows = [_row(number, cells) for number, cells in enumerate(table, start=1)]
    named = [name for name in _words(rule.get("precedence")) if any(row.tariff == name for row in rows)]
    needed: dict[str, list[str]] = {}
    for cells in criteria:
        needed.setdefault(str(cells["tariff"]), []).append(str(cells["criterion"]))
    exclusive = rule.get("exclusive")
    groups = [frozenset(_words(group)) for group in exclusive] if isinstance(exclusive, list | tuple) else []
    given = list(evidence)
    return BestPractice(
        rows=rows,
        criteria=needed,
        order=list(dict.fromkeys([*named, *(row.tariff for row in rows)])),
        exclusive=groups,
        replaces_short_stay=frozenset(_words(rule.get("replaces_short_stay"))),
        of_lines=_of_lines(given),
        of_gates=_of_gates(given),
    )


def _words(values: object) -> list[str]:
    return [str(value) for value in values] if isinstance(values, list | tuple) else []


def _row(number: int, cells: Cells) -> TariffRow:
    def given(name: str) -> str | None:
        return (cells.get(name) or "").strip() or None

    def amount(name: str) -> int | None:
        printed = given(name)
        return None if printed is None else pence(printed)

    def count(name: str) -> int | None:
        printed = given(name)
        return None if printed is None else int(printed)

    return TariffRow(
        number=number,
        tariff=given("tariff") or "",
        mechanism=given("mechanism") or "",
        currency=given("currency"),
        treatment_function=given("treatment_function"),
        settings=frozenset(part.strip() for part in (given("settings") or "").split(";") if part.strip()),
        attendance=given("attendance"),
        ages=(count("minimum_age"), count("maximum_age")),
        maximum_stay=count("maximum_stay_days"),
        price=amount("price"),
        otherwise=amount("otherwise"),
        addition=amount("addition"),
        parent=given("parent_treatment_function"),
    )


def _said(row: Mapping[str, object]) -> str | None:
    """`met` or `not_met`; None where the row says neither."""
    word = _cell(row, "met").lower()
    if word in {"yes", "y", "true", "1", "met"}:
        return MET
    return NOT_MET if word in {"no", "n", "false", "0", "not met", "not_met"} else None


def _cell(row: Mapping[str, object], name: str) -> str:
    value = row.get(name)
    return "" if value is None else str(value).strip()


def _day(text: str) -> date | None:
    """A day written 2017-04-01, 01/04/2017 or 20170401; None where it is written otherwise, or there is no such day."""
    iso = re.fullmatch(r"(\d{4})-(\d{2})-(\d{2})", text) or re.fullmatch(r"(\d{4})(\d{2})(\d{2})", text)
    british = re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", text)
    try:
        if british:
            return date(int(british[3]), int(british[2]), int(british[1]))
        return date(int(iso[1]), int(iso[2]), int(iso[3])) if iso else None
    except ValueError:
        return None


def _of_lines(evidence: Iterable[Mapping[str, object]]) -> dict[tuple[str, str, str], dict[str, str]]:
    """Of single lines. A criterion of which both is said is left out: nothing is known of it."""
    heard: dict[tuple[str, str, str], dict[str, set[str]]] = {}
    for row in evidence:
        provider, line, tariff, said = _cell(row, "provider"), _cell(row, "line_id"), _cell(row, "tariff"), _said(row)
        if provider and line and tariff and said is not None:
            of_line = heard.setdefault((provider.upper(), line, tariff.lower()), {})
            of_line.setdefault(_cell(row, "criterion").lower(), set()).add(said)
    return {key: {name: min(said) for name, said in facts.items() if len(said) == 1} for key, facts in heard.items()}


def _of_gates(evidence: Iterable[Mapping[str, object]]) -> dict[tuple[str, str], list[tuple[date, date, str, str]]]:
    """Of providers over periods."""
    heard: dict[tuple[str, str], list[tuple[date, date, str, str]]] = {}
    for row in evidence:
        provider, tariff, said = _cell(row, "provider"), _cell(row, "tariff"), _said(row)
        criterion = _cell(row, "criterion").lower()
        starts, ends = _cell(row, "period_start"), _cell(row, "period_end")
        period = _day(starts), _day(ends)
        if provider and tariff and said is not None and None not in period and not _cell(row, "line_id"):
            heard.setdefault((provider.upper(), tariff.lower()), []).append(
                (cast(date, period[0]), cast(date, period[1]), criterion, said)
            )
    return heard


# --- RULES 3.1: which tariffs cover a line, and what each stands at --------------------------------------------------


def covers(row: TariffRow, facts: Facts) -> bool:
    """Whether the row is about such lines, whatever their setting."""
    if row.kind != facts.kind or (not row.is_automatic and row.tariff not in facts.named):
        return False
    if row.currency is not None and row.currency != facts.currency:
        return False
    if row.treatment_function is not None and row.treatment_function != facts.treatment_function:
        return False
    if row.attendance is not None and row.attendance != facts.attendance:
        return False
    lowest, highest = row.ages
    if facts.age is None:
        return lowest is None and highest is None
    return (lowest is None or lowest <= facts.age) and (highest is None or facts.age <= highest)


def is_in_setting(row: TariffRow, facts: Facts) -> bool:
    """Whether the line is in a setting of the row, and short enough for it. An emergency is a non-elective stay by an emergency
    method."""
    here = {facts.setting} | ({"emergency"} if facts.setting == "non_elective" and facts.is_emergency else set())
    if row.settings and not row.settings & here:
        return False
    return row.maximum_stay is None or facts.stay <= row.maximum_stay


def could_be_in_setting(row: TariffRow, facts: Facts) -> bool:
    """Whether care that began as this did could have been in a setting of the row: elective admissions in day case or ordinary
    elective, emergencies in emergency or non-elective, other non-elective admissions in non-elective, outpatients in theirs."""
    if facts.setting != "non_elective":
        return bool(row.settings - {"non_elective", "emergency"})
    return "non_elective" in row.settings or (facts.is_emergency and "emergency" in row.settings)


def answers(tariff: str, facts: Facts, book: BestPractice) -> Mapping[str, str]:
    """What evidence says of the tariff's criteria on this line: of the line itself, or of its provider on the day (the whole
    code, or where no gate at all is of it the trust's, the first three characters)."""
    known = {WHOLE, *book.criteria.get(tariff, ())}
    if tariff not in book.gates:
        said = book.of_lines.get((facts.provider, facts.line_id, tariff), {})
        return {name: answer for name, answer in said.items() if name in known}
    judged = {provider for provider, gate in book.of_gates if gate in book.gates and _speaks(book, provider, gate)}
    provider = facts.provider if facts.provider in judged else facts.provider[:3]
    heard: dict[str, set[str]] = {}
    for starts, ends, name, answer in book.of_gates.get((provider, tariff), ()):
        if facts.day is not None and starts <= facts.day <= ends and name in known:
            heard.setdefault(name, set()).add(answer)
    return {name: min(both) for name, both in heard.items() if len(both) == 1}


def _speaks(book: BestPractice, provider: str, gate: str) -> bool:
    """Whether evidence of a gate uses a criterion that the pack has."""
    known = {WHOLE, *book.criteria.get(gate, ())}
    return any(name in known for _, _, name, _ in book.of_gates[provider, gate])


def status_of(tariff: str, said: Mapping[str, str], book: BestPractice) -> tuple[str, tuple[str, ...]]:
    """Met where every criterion is, or the whole is said to be; not met where any is not, or the whole is not; what contradicts
    itself, or leaves a criterion open, is no evidence. And the criteria failed, and those nothing is known of: with a question
    mark where the tariff is not met, for the status does not tell them apart."""
    needed = book.criteria.get(tariff, ())
    failed = tuple(name for name in needed if said.get(name) == NOT_MET)
    open_still = tuple(name for name in needed if name not in said)
    whole = said.get(WHOLE)
    every_one_met = bool(needed) and not failed and not open_still
    if (whole == MET and failed) or (whole == NOT_MET and every_one_met):
        return UNKNOWN, ("contradictory", *failed)
    if whole == MET or every_one_met:
        return MET, ()
    if failed or whole == NOT_MET:
        return NOT_MET, failed if whole == NOT_MET else (*failed, *(f"{name}?" for name in open_still))
    return UNKNOWN, open_still


def candidates_of(facts: Facts, book: BestPractice) -> list[Candidate]:
    """The tariffs that cover the line, by precedence; of each, the first row of the table that does."""
    found = []
    for tariff in book.order:
        about = [row for row in book.rows if row.tariff == tariff and covers(row, facts)]
        inside = [row for row in about if is_in_setting(row, facts)]
        if inside:
            row = inside[0]
            if row.mechanism != GATE and not book.criteria.get(tariff):
                denied = answers(tariff, facts, book).get(WHOLE) == NOT_MET
                shown = (UNKNOWN, ("contradictory",)) if denied else (MET, ())
                found.append(Candidate(tariff, row, row, *shown))
            else:
                found.append(Candidate(tariff, row, row, *status_of(tariff, answers(tariff, facts, book), book)))
        elif outside := [row for row in about if row.mechanism == BY_SETTING and could_be_in_setting(row, facts)]:
            found.append(Candidate(tariff, None, outside[0], NOT_MET, ("setting",)))
    return found


# --- RULES 1.8 steps 2 and 6: what they pay --------------------------------------------------------------------------


def effect_of(candidates: Sequence[Candidate], met: Callable[[Candidate], bool], book: BestPractice) -> Effect:
    """What is paid where the tariffs for which `met` holds are met: all additions, but one of an exclusive group; and of the
    prices the first, else the first price that a tariff prints for lines that do not meet it."""
    price = otherwise = None
    addition, replaces, paying = 0, False, None
    taken: set[frozenset[str]] = set()
    for candidate in candidates:
        row = candidate.row
        if row is None:
            continue
        if not met(candidate):
            otherwise = row.otherwise if otherwise is None else otherwise
            continue
        groups = {group for group in book.exclusive if row.tariff in group}
        if groups & taken or (row.addition is None and price is not None):
            continue
        if row.addition is None:
            price = row.price
        addition += row.addition or 0
        taken |= groups
        replaces = replaces or row.tariff in book.replaces_short_stay
        paying = paying or row
    return Effect(otherwise if price is None else price, addition, replaces, paying)


def is_met(candidate: Candidate) -> bool:
    """As evidence, or the line itself, shows."""
    return candidate.status == MET


OTHERWISE: Final[Sequence[Callable[[Candidate], bool]]] = (
    lambda candidate: False,
    lambda candidate: candidate.status != NOT_MET,
    lambda candidate: candidate.status == MET or (candidate.status == NOT_MET and candidate.row is not None),
)
"""What would be met: nothing; all that lacks evidence too; all that evidence says is not met too."""


def standing_of(candidates: Sequence[Candidate], price: int, worth: Callable[[Effect], int], book: BestPractice) -> Standing:
    """The best-practice cells of a line with these candidates and this price; `worth` prices the line under another effect."""
    if not candidates:
        return NO_STANDING
    without, all_unknown, all_failed = (min(worth(effect_of(candidates, met, book)), AMOUNT_LIMIT_PENCE) for met in OTHERWISE)
    paying = effect_of(candidates, is_met, book).paying
    first = next((candidate.row for candidate in candidates if candidate.row is not None), candidates[0].first)
    missing = [f"{candidate.tariff}:{name}" for candidate in candidates for name in candidate.missing]
    return Standing(
        earned=price - without,
        at_stake=all_unknown - price,
        lost=all_failed - price,
        row=(paying or first).number,
        tariff=";".join(candidate.tariff for candidate in candidates),
        status=";".join(candidate.status for candidate in candidates),
        missing=";".join(missing) or None,
    )


def standing_flags(candidates: Sequence[Candidate], book: BestPractice) -> Basis:
    """What the basis says of best practice."""
    flags = Basis(0)
    if effect_of(candidates, is_met, book).paying is not None:
        flags |= Basis.BEST_PRACTICE
    if any(candidate.status == NOT_MET for candidate in candidates):
        flags |= Basis.BEST_PRACTICE_NOT_MET
    if any(candidate.status == UNKNOWN for candidate in candidates):
        flags |= Basis.BEST_PRACTICE_NO_EVIDENCE
    return flags


def parent_of(treatment_function: str | None, book: BestPractice | None) -> str | None:
    """The treatment function at whose price attendances of a best-practice one are paid otherwise (RULES 3.1 E); None where there
    is none."""
    rows = () if book is None else book.rows
    return next((row.parent for row in rows if row.parent is not None and row.treatment_function == treatment_function), None)


def named_tariffs(text: str | None, book: BestPractice) -> tuple[frozenset[str], Basis]:
    """The tariffs that a line names, separated by semicolons, and a flag where the pack has not one of them."""
    names = frozenset(part.strip().lower() for part in (text or "").split(";") if part.strip())
    unknown = names - set(book.order)
    return names, Basis.BEST_PRACTICE_UNKNOWN if unknown else Basis(0)
