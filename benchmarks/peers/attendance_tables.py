"""What the peers of outpatient totals start from: the rule pack as plain columns, made once and outside the timed call.

In their favour it is settled here what the tables alone settle: which price an attendance of each treatment function and form
has once the default stands in, whether a factor comes on top of it, what an HRG says of the form, and that no price can pass the
engine's bound. Codes are taken as they stand: cleaning them, which the engine does, is spared."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from tariff.money import AMOUNT_LIMIT_PENCE, MILLION

if TYPE_CHECKING:
    from tariff.rulepack import RulePack

NEEDED = (
    "attendance_id",
    "provider",
    "commissioner",
    "attendance_date",
    "treatment_function",
    "first_attendance",
    "attended",
    "age",
    "hrg",
    "main_specialty",
    "administrative_category",
    "commissioning_serial_number",
    "local_price",
    "multi_professional",
    "consultant_led",
)
"""The columns of the benchmark's file that a price depends on: a peer reads these and no others."""

KEYS = ("commissioner", "provider", "pod")
SUMS = ("attendances", "priced", "price_pence")

FIRST_ATTENDANCES = ("1", "2", "3", "4")
FIRST_CODES, REMOTE_CODES = ("1", "3"), ("3", "4")
SEEN = ("5", "6")
PRIVATE = ("02", "2")
PRIVATE_COMMISSIONER = "VPP00"
UNGROUPED = "UZ"
YES, NO = ("Y", "YES", "1", "TRUE"), ("N", "NO", "0", "FALSE")
NOT_CONSULTANT = ("560", "900", "901", "902", "903", "904", "950", "960")
TRUST_CODE_LENGTH = 3
OLDEST_AGE = 130

FORMS = ("follow_up_single", "follow_up_multi", "first_single", "first_multi", "follow_up_remote", "first_remote")
"""Of an attendance; its number is 2 × first + multi face to face, 4 + first otherwise."""
_COLUMNS = (*FORMS[:4], "follow_up_non_face_to_face", "first_non_face_to_face")
_REMOTE = 4

PODS = (
    "OPFUPSPNCL",
    "OPFUPSPCL",
    "OPFUPMPNCL",
    "OPFUPMPCL",
    "OPFASPNCL",
    "OPFASPCL",
    "OPFAMPNCL",
    "OPFAMPCL",
    "NF2FFUP",
    "NF2FFA",
    "OPPROCFUP",
    "OPPROCFA",
    "NOTCLASSIFIED",
)
"""Points of delivery; the number is 2 × form + consultant-led face to face, 8 + first otherwise, 10 + first of a procedure."""


@dataclass(frozen=True)
class Hrg:
    """What an HRG says: the price as a procedure (pence), or the form of an attendance (`first` None: it does not say)."""

    code: str
    procedure: bool
    price: int | None = None
    first: bool | None = None
    remote: bool | None = None
    multi: bool | None = None


@dataclass(frozen=True)
class FormPrice:
    """Price in pence of one form of attendance; `takes_factor`: the market forces factor comes on top."""

    treatment_function: str
    form: int
    price: int
    takes_factor: bool


@dataclass(frozen=True)
class AttendanceTables:
    """One pack as columns. Money in pence, factors in millionths."""

    hrgs: list[Hrg]
    prices: list[FormPrice]
    default_first: int | None
    default_follow_up: int | None
    unpriced_functions: tuple[str, ...]
    excluded_hrgs: tuple[str, ...]
    excluded_functions: tuple[str, ...]
    factors: dict[str, int]
    starts: date
    ends: date

    @property
    def functions(self) -> list[str]:
        """Treatment functions that stand in the table or are named to have no price: to all others the defaults apply."""
        return list(dict.fromkeys([*(one.treatment_function for one in self.prices), *self.unpriced_functions]))

    def default_of(self, form: int) -> int | None:
        """What a form of attendance costs where the treatment function is not in the table."""
        if form >= _REMOTE:
            return None
        return self.default_first if form >= _REMOTE // 2 else self.default_follow_up


def tables_of(pack: RulePack) -> AttendanceTables:
    """The columns of `pack`. ValueError where it uses a rule that the peers were not written for."""
    rules = pack.rules
    known = {
        "outpatient": rules.outpatient.method == "national" and rules.outpatient.non_face_to_face == "own_price",
        "best_practice": rules.best_practice.method == "none",
        "market_forces_factor": rules.market_forces_factor.method == "by_provider" and not rules.market_forces_factor.default,
        "rounding": rules.rounding.method == "penny_once",
    }
    if not all(known.values()):
        raise ValueError(f"the peers do not know this pack's rules: {[name for name, holds in known.items() if not holds]}")
    tables = AttendanceTables(
        hrgs=[*_attendance_hrgs(), *_procedures(pack)],
        prices=_form_prices(pack),
        default_first=rules.outpatient.default_first_pence,
        default_follow_up=rules.outpatient.default_follow_up_pence,
        unpriced_functions=tuple(rules.outpatient.no_price_treatment_functions),
        excluded_hrgs=tuple(rules.exclusions.hrgs),
        excluded_functions=tuple(rules.exclusions.treatment_functions),
        factors={factor.provider: factor.mff for factor in pack.provider_factors},
        starts=pack.starts,
        ends=pack.ends,
    )
    _require_bounded(tables)
    return tables


def _attendance_hrgs() -> list[Hrg]:
    """WF01 and WF02 by letter: A follow-up, B first, C and D the same not face to face, E not face to face."""
    first, remote = {"A": False, "B": True, "C": False, "D": True}, {"A": False, "B": False}
    return [
        Hrg(f"{root}{letter}", procedure=False, first=first.get(letter), remote=remote.get(letter, True), multi=root == "WF02")
        for root in ("WF01", "WF02")
        for letter in "ABCDE"
    ]


def _procedures(pack: RulePack) -> list[Hrg]:
    attendances = {one.code for one in _attendance_hrgs()}
    rows = [row for row in pack.admitted if row.hrg not in attendances and not row.hrg.startswith(UNGROUPED)]
    return [Hrg(row.hrg, procedure=True, price=row.outpatient_procedure) for row in rows]


def _form_prices(pack: RulePack) -> list[FormPrice]:
    rule, found = pack.rules.outpatient, []
    defaults = {0: rule.default_follow_up_pence, 1: rule.default_first_pence}
    for row in pack.outpatient:
        if row.treatment_function in rule.no_price_treatment_functions:
            continue
        for form, column in enumerate(_COLUMNS):
            own = getattr(row, column)
            price = defaults[form // 2] if own is None and form < _REMOTE else own
            if price is not None:
                found.append(FormPrice(row.treatment_function, form, price, takes_factor=own is None or row.mff))
    return found


def _require_bounded(tables: AttendanceTables) -> None:
    """No national price can pass the bound, so that no peer need ask row by row."""
    prices = [one.price for one in (*tables.prices, *tables.hrgs) if one.price is not None]
    dearest = max([*prices, tables.default_first or 0, tables.default_follow_up or 0])
    if dearest * max(tables.factors.values()) // MILLION > AMOUNT_LIMIT_PENCE:
        raise ValueError("a price of this pack may pass the bound of amounts")
