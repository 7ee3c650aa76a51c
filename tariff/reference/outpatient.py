"""Outpatients priced slowly: RULES 2.1 and 2.2; points of delivery by FORMATS 3.

An attendance is paid at the price of its procedure where that has one, else at the price of its treatment function by first or
follow-up, face to face or not, and how many professionals. Never both: one price an attendance."""

from __future__ import annotations

from typing import Final, NamedTuple

from tariff.reasons import Basis
from tariff.reference.best_practice import Facts, parent_of
from tariff.reference.pack import ReferencePack
from tariff.reference.priced import (
    Charge,
    Covered,
    Dates,
    Line,
    Placed,
    Price,
    Row,
    code,
    digit,
    indicative_price,
    local_price_or,
    price_with_best_practice,
    priced_line,
    settle,
    text,
)

FIRST, FOLLOW_UP = "first", "follow_up"
SINGLE, MULTI = "single", "multi"

ATTENDANCE_HRGS: Final = {"WF01": SINGLE, "WF02": MULTI}
"""Roots of the HRGs that stand for an attendance, and who saw the patient."""
ATTENDANCE_LETTERS: Final = {
    "A": (FOLLOW_UP, True),
    "B": (FIRST, True),
    "C": (FOLLOW_UP, False),
    "D": (FIRST, False),
    "E": (None, False),
}
"""First or follow-up, and whether face to face, by the last letter of such an HRG (RULES 2.1, FORMATS 3)."""
FIRST_ATTENDANCE: Final = {"1": (FIRST, True), "2": (FOLLOW_UP, True), "3": (FIRST, False), "4": (FOLLOW_UP, False)}
"""The same by the first attendance code."""

SEEN: Final = frozenset({"5", "6"})
NOT_SEEN: Final = frozenset({"0", "2", "3", "4", "7"})
YES: Final = frozenset({"Y", "YES", "1", "TRUE"})
NO: Final = frozenset({"N", "NO", "0", "FALSE"})
NOT_CONSULTANT_SPECIALTIES: Final = frozenset({"560", "900", "901", "902", "903", "904", "950", "960"})
"""Main specialties that are not a consultant's: midwives, community, nurses, allied health professionals."""


class Attendance(NamedTuple):
    """The cells of one canonical outpatient row that decide its price."""

    line: Line
    first_attendance: str | None
    attended: str | None
    multi_professional: str | None
    consultant_led: str | None
    main_specialty: str | None
    best_practice: str | None

    @classmethod
    def of(cls, row: Row) -> Attendance:
        """The attendance of a row (columns.OUTPATIENT); columns that are not there are blank."""
        return cls(
            line=Line.of(row, key="attendance_id", activity_date="attendance_date", currency="hrg"),
            first_attendance=digit(row, "first_attendance"),
            attended=digit(row, "attended"),
            multi_professional=code(row, "multi_professional"),
            consultant_led=code(row, "consultant_led"),
            main_specialty=code(row, "main_specialty"),
            best_practice=text(row, "best_practice"),
        )

    @property
    def is_classified(self) -> bool:
        """Whether the first attendance code is a national one."""
        return self.first_attendance in FIRST_ATTENDANCE

    @property
    def is_procedure(self) -> bool:
        """Whether the HRG is a procedure: given, and neither an attendance nor invalid for grouping (RULES 2.1)."""
        hrg = self.line.currency
        return hrg is not None and not is_attendance(hrg) and not self.line.is_ungrouped

    @property
    def is_consultant_led(self) -> bool:
        """As the row says; where it says neither yes nor no, by the main specialty (RULES 2.1)."""
        if self.consultant_led in YES | NO:
            return self.consultant_led in YES
        return self.main_specialty not in NOT_CONSULTANT_SPECIALTIES


class Visit(NamedTuple):
    """What kind of attendance it was: `first` or `follow_up`, `single` or `multi`, face to face or not."""

    order: str
    team: str
    face_to_face: bool


def visit_of(attendance: Attendance) -> Visit:
    """The kind of attendance. An attendance HRG goes before the row's own codes; of one that ends in E that code says whether
    it was the first (RULES 2.1). Where nothing says so it counts as a follow-up: such a row is rejected, and its size is not
    overstated."""
    hrg = attendance.line.currency or ""
    order, face_to_face = FIRST_ATTENDANCE.get(attendance.first_attendance or "", (FOLLOW_UP, True))
    if not is_attendance(hrg):
        return Visit(order, MULTI if attendance.multi_professional in YES else SINGLE, face_to_face)
    told, face_to_face = ATTENDANCE_LETTERS[hrg[4:]]
    return Visit(told or order, ATTENDANCE_HRGS[hrg[:4]], face_to_face)


def is_attendance(hrg: str) -> bool:
    """Whether an HRG stands for an attendance. One that lost its letter, or has another, is an HRG as any other: unknown."""
    return hrg[:4] in ATTENDANCE_HRGS and hrg[4:] in ATTENDANCE_LETTERS


# --- points of delivery and settings ---------------------------------------------------------------------------------


def point_of_delivery(attendance: Attendance) -> str:
    """The national point-of-delivery code (FORMATS 3)."""
    visit = visit_of(attendance)
    if not attendance.is_classified:
        return "NOTCLASSIFIED"
    order = "FA" if visit.order == FIRST else "FUP"
    if attendance.is_procedure:
        return f"OPPROC{order}"
    if not visit.face_to_face:
        return f"NF2F{order}"
    return f"OP{order}{'MP' if visit.team == MULTI else 'SP'}{'CL' if attendance.is_consultant_led else 'NCL'}"


def setting_of(attendance: Attendance, pack: ReferencePack) -> str:
    """Whether the price is to be sought under procedures or attendances: procedures that have a price are procedures."""
    if not attendance.is_classified:
        return "not_classified"
    return "attendance" if procedure_charge(attendance, pack) is None else "outpatient_procedure"


# --- RULES 2.2: procedure or attendance ------------------------------------------------------------------------------


def procedure_charge(attendance: Attendance, pack: ReferencePack) -> Charge | None:
    """The outpatient procedure price, which is paid instead of the attendance (RULES 2.2.1); None where there is none."""
    row = pack.rows.get(attendance.line.currency or "")
    if pack.outpatient is None or not attendance.is_procedure or row is None or row.outpatient_procedure is None:
        return None
    return Charge(row.outpatient_procedure, Basis.OUTPATIENT_PROCEDURE, row.number)


def attendance_charge(attendance: Attendance, pack: ReferencePack) -> Charge | None:
    """The price of the attendance by treatment function (RULES 2.1, 2.2.2 to 2.2.4); None where the pack gives none.

    The default stands in for a face-to-face price that the treatment function lacks; for the price of an attendance that was
    not face to face only where the pack pays the two alike."""
    visit, rule, function = visit_of(attendance), pack.outpatient, attendance.line.treatment_function
    if rule is None or function in rule.no_price_treatment_functions:
        return None
    flags = attendance_flags(attendance, visit)
    row = pack.attendances.get(function or "") or pack.attendances.get(parent_of(function, pack.best_practice) or "")
    as_face_to_face = visit.face_to_face or rule.non_face_to_face_as_face_to_face
    if row is not None:
        printed = row.face_to_face[visit.order, visit.team] if as_face_to_face else row.non_face_to_face[visit.order]
        if printed is not None:
            return Charge(printed, flags, row.number, row.mff)
    default = rule.defaults[visit.order] if as_face_to_face else None
    return None if default is None else Charge(default, flags | Basis.DEFAULT_PRICE, 0)


def attendance_flags(attendance: Attendance, visit: Visit) -> Basis:
    """The flags of an attendance price: what kind of attendance, and whether a procedure without price fell back to it."""
    flags = Basis.ATTENDANCE
    if visit.team == MULTI:
        flags |= Basis.MULTI_PROFESSIONAL
    if not visit.face_to_face:
        flags |= Basis.NON_FACE_TO_FACE
    return flags | Basis.PROCEDURE_AS_ATTENDANCE if attendance.is_procedure else flags


def attendance_exclusion(attendance: Attendance, pack: ReferencePack) -> str | None:
    """Why no attendance price covers the line: the method leaves follow-ups with an unpriced procedure out of scope (RULES
    2.2.2), or no consultant led it (RULES 2.1)."""
    rule = pack.outpatient
    if rule is None:
        return None
    if attendance.is_procedure and visit_of(attendance).order == FOLLOW_UP and not rule.pays_unpriced_follow_up_procedures:
        return "follow_up_not_in_scope"
    return None if attendance.is_consultant_led else "not_consultant_led"


# --- the whole line --------------------------------------------------------------------------------------------------


def fault_of(attendance: Attendance) -> str | None:
    """The first reason why the row is impossible or lacks what a price needs; None where it is sound."""
    fault = attendance.line.fault()
    if fault is not None:
        return fault
    if not attendance.is_classified:
        return "first_attendance"
    return None if attendance.attended in SEEN | NOT_SEEN else "attendance_status"


def price_where_covered(attendance: Attendance, pack: ReferencePack) -> Price | str:
    """The national price where national prices cover the attendance; else its local price; else the reason."""
    line = attendance.line
    if attendance.attended in NOT_SEEN:
        return "not_attended"
    if (exclusion := line.exclusion(pack)) is not None:
        return local_price_or(exclusion, line)
    if line.is_ungrouped:
        return "ungrouped"
    if attendance.is_procedure and line.currency not in pack.rows:
        return local_price_or("unknown_currency", line)
    return procedure_or_attendance(attendance, pack)


def procedure_or_attendance(attendance: Attendance, pack: ReferencePack) -> Price | str:
    """The one price of an attendance: its procedure's, whoever led it, else the attendance's (RULES 2.2)."""
    line = attendance.line
    charge = procedure_charge(attendance, pack)
    if charge is None and (exclusion := attendance_exclusion(attendance, pack)) is not None:
        return local_price_or(exclusion, line)
    charge = charge or attendance_charge(attendance, pack)
    if pack.outpatient is None:
        return local_price_or("no_attendance_price", line)
    price = price_with_best_practice(line, charge, covered_by_best_practice(attendance, pack), pack)
    return local_price_or("no_attendance_price", line) if price is None else price


def covered_by_best_practice(attendance: Attendance, pack: ReferencePack) -> Covered:
    """The attendance as best practice sees it."""
    line, visit = attendance.line, visit_of(attendance)
    facts = Facts(
        kind="outpatient",
        provider=line.provider or "",
        line_id=(line.identifier or "").strip(),
        day=line.activity_date,
        currency=line.currency,
        treatment_function=line.treatment_function,
        named=frozenset(),
        setting=setting_of(attendance, pack),
        is_emergency=False,
        stay=0,
        age=line.age,
        attendance=f"{visit.order}_{visit.team}" if visit.face_to_face else f"{visit.order}_non_face_to_face",
    )
    return Covered(facts, attendance.best_practice, 1, Charge(0, attendance_flags(attendance, visit), 0))


def indicative(attendance: Attendance, reason: Price | str, pack: ReferencePack) -> int | None:
    """The size of an attendance that is not priced: nothing for one that did not take place."""
    if reason == "not_attended":
        return None
    charge = procedure_charge(attendance, pack) or attendance_charge(attendance, pack)
    return indicative_price(attendance.line, charge, pack)


def price_outpatient(row: Row, pack: ReferencePack, *, dates: Dates = "strict") -> dict[str, object]:
    """One row of canonical outpatient activity (columns.OUTPATIENT, and `read_fault`) priced: every column of a priced line, in
    its order. Never raises for what a row holds: an impossible row gets its reason."""
    attendance = Attendance.of(row)
    line = attendance.line
    decision = settle(
        fault_of(attendance),
        line.activity_date,
        line.is_nhs_funded,
        pack,
        dates,
        lambda: price_where_covered(attendance, pack),
    )
    placed = Placed(
        kind="outpatient",
        line_id=row.get("attendance_id"),
        parent_line_id=None,
        activity_date=line.activity_date,
        pod=point_of_delivery(attendance),
        setting=setting_of(attendance, pack),
        currency=row.get("hrg"),
    )
    return priced_line(row, placed, decision, pack, lambda: indicative(attendance, decision, pack))
