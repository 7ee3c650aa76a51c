"""The rows of a pack's best-practice tables: what a tariff pays, to which lines, and which criteria must be shown (RULES 3)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tariff.money import pounds
from tariff.rulepack.cell_text import read_age, read_percent, read_price, read_trim
from tariff.rulepack.model import check_currency, check_treatment_function
from tariff.rulepack.tables import RowFault, Sourced, TableColumn, TableSpec

ADDITION, PRICE, SETTING_PRICE, PROVIDER_GATE, YEAR_OF_CARE, TREATMENT_FUNCTION, SESSION = (
    "addition",
    "price",
    "setting_price",
    "provider_gate",
    "year_of_care",
    "treatment_function",
    "session",
)
MECHANISMS: Final = (ADDITION, PRICE, SETTING_PRICE, PROVIDER_GATE, YEAR_OF_CARE, TREATMENT_FUNCTION, SESSION)
"""RULES 3.1: A addition to a lowered base; A as a price of its own; B price by setting; C gate of a provider over a period;
D year of care, whose price a pathway pays and whose criteria stand here; E treatment function beside its parent; F session by
type of access."""
NEED_CRITERIA: Final = (ADDITION, PRICE, YEAR_OF_CARE)
"""Mechanisms that nothing on the line itself can show to be met."""
SETTING: Final = "setting"
CONTRADICTORY: Final = "contradictory"
NOT_CRITERIA: Final = {
    SETTING: "that a price by setting covers the line in another setting",
    CONTRADICTORY: "that answers contradict each other, or what the line itself shows",
}
"""What stands among the criteria that a line lacks and is none, so that no criterion may be called so."""
OF_PATIENTS: Final = "patient"
"""The kind of a year of care: it is about a patient, and covers no line."""

EMERGENCY_SETTING: Final = "emergency"
ADMITTED_SETTINGS: Final = ("day_case", "ordinary_elective", "non_elective", EMERGENCY_SETTING)
OUTPATIENT_SETTINGS: Final = ("outpatient_procedure", "attendance")
KIND_OF_SETTING: Final = {
    **dict.fromkeys(ADMITTED_SETTINGS, "admitted"),
    **dict.fromkeys(OUTPATIENT_SETTINGS, "outpatient"),
    "unbundled": "unbundled",
}
"""By setting, the kind of activity it belongs to; `emergency` is a non-elective stay by an emergency method."""
ATTENDANCES: Final = (
    "first_single",
    "first_multi",
    "follow_up_single",
    "follow_up_multi",
    "first_non_face_to_face",
    "follow_up_non_face_to_face",
)
"""Kinds of attendance: the price columns of outpatient.csv, in their order."""
MOST_TARIFFS: Final = 60
"""The kernels hold what a line stands at in one bit a tariff."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BestPracticeRow(Sourced):
    """What one tariff pays to lines of one description: pence before market forces factor. `price` stands where the criteria
    are met, `otherwise` where they are not (None = the ordinary price); `addition` is paid on top where they are met.

    A row that names neither currency nor treatment function covers only lines whose `best_practice` column names the tariff."""

    tariff: str
    name: str
    mechanism: str
    currency: str | None
    treatment_function: str | None
    settings: tuple[str, ...]
    attendance: str | None
    minimum_age: int | None
    maximum_age: int | None
    maximum_stay_days: int | None
    price: int | None
    otherwise: int | None
    addition: int | None
    parent_treatment_function: str | None

    @property
    def kind(self) -> str:
        """The kind of activity the row is about: told by its settings, admitted where it names none; a year of care is
        about patients."""
        if self.mechanism == YEAR_OF_CARE:
            return OF_PATIENTS
        return KIND_OF_SETTING[self.settings[0]] if self.settings else "admitted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion(Sourced):
    """One criterion of a tariff. `threshold` in basis points: the share of a provider's lines that must meet it, for a gate
    that a counting pass can make; None = every line on its own, or a gate that evidence alone can state."""

    tariff: str
    criterion: str
    name: str
    threshold: int | None


def read_word(text: str) -> str:
    """The code of a tariff or criterion: small letters, digits and _ (activity and evidence are lower-cased before look-up)."""
    if not re.fullmatch(r"[a-z0-9_]+", text):
        raise ValueError(f"'{text}' holds something beside small letters, digits and _")
    return text


def read_criterion(text: str) -> str:
    """The code of a criterion: a word, and none that says something else of a line among the criteria that it lacks."""
    if text in NOT_CRITERIA:
        raise ValueError(f"'{text}' is kept: it says {NOT_CRITERIA[text]}")
    return read_word(text)


def read_mechanism(text: str) -> str:
    """One of the mechanisms."""
    return _one_of(text, MECHANISMS)


def read_settings(text: str) -> tuple[str, ...]:
    """Settings separated by semicolons."""
    return tuple(_one_of(part.strip(), tuple(KIND_OF_SETTING)) for part in text.split(";"))


def read_attendance(text: str) -> str:
    """A kind of attendance."""
    return _one_of(text, ATTENDANCES)


def _one_of(text: str, known: tuple[str, ...]) -> str:
    if text not in known:
        raise ValueError(f"'{text}' is not known")
    return text


def one_thing_to_pay(row: BestPracticeRow) -> Iterator[RowFault]:
    """An addition, or a price that stands instead of the ordinary one; a gate may have either, a year of care has neither."""
    if row.mechanism == YEAR_OF_CARE:
        if any(amount is not None for amount in (row.price, row.otherwise, row.addition)):
            yield RowFault("price", "a year of care is paid by its pathway", "give the price in pathways.toml")
        return
    if row.mechanism == ADDITION and (row.addition is None or row.price is not None or row.otherwise is not None):
        yield RowFault("addition", "an addition has an amount and no price", "give addition alone")
    if row.mechanism not in (ADDITION, PROVIDER_GATE) and (row.price is None or row.addition is not None):
        yield RowFault("price", f"a {row.mechanism} has a price and no addition", "give price, and otherwise if it is printed")
    if row.mechanism == PROVIDER_GATE and (row.price is None) == (row.addition is None):
        yield RowFault("price", "a provider gate has either a price or an addition", "give one of them")


def settings_of_one_kind(row: BestPracticeRow) -> Iterator[RowFault]:
    """A row is about one kind of activity."""
    kinds = {KIND_OF_SETTING[setting] for setting in row.settings}
    if len(kinds) > 1:
        yield RowFault("settings", f"belong to {' and '.join(sorted(kinds))} care", "write one row for each kind of care")


def what_a_mechanism_needs(row: BestPracticeRow) -> Iterator[RowFault]:
    """Cells that a mechanism cannot do without, and cells that nothing would read."""
    if row.mechanism == SETTING_PRICE and not (row.settings and row.currency):
        yield RowFault("settings", "a price by setting names its settings and the HRG", "give both")
    if row.mechanism == SESSION and (row.settings != ("unbundled",) or row.currency is None):
        yield RowFault("settings", "a session is unbundled care of one currency", "write unbundled, and the currency")
    if row.mechanism == TREATMENT_FUNCTION and not (
        row.treatment_function and row.attendance and row.settings == ("attendance",)
    ):
        what = "is about one kind of attendance of one treatment function"
        yield RowFault("attendance", what, "give settings attendance, treatment_function and attendance")
    if row.mechanism == YEAR_OF_CARE and any((row.settings, row.currency, row.treatment_function, row.attendance)):
        yield RowFault("settings", "a year of care is about a patient, whatever the care", "name no HRG, function or setting")
    if row.mechanism == YEAR_OF_CARE and (row.minimum_age is not None or row.maximum_age is not None):
        yield RowFault("minimum_age", "is given though the register says whose year of care it is", "leave the ages blank")
    if row.attendance is not None and row.settings != ("attendance",):
        yield RowFault("attendance", "is given though settings is not attendance", "leave it blank")
    if row.parent_treatment_function is not None and row.mechanism != TREATMENT_FUNCTION:
        yield RowFault("parent_treatment_function", f"is given though the mechanism is {row.mechanism}", "leave it blank")
    if row.maximum_stay_days is not None and row.kind != "admitted":
        yield RowFault("maximum_stay_days", f"is given though the row is about {row.kind} care", "leave it blank")
    if row.kind == "unbundled" and (row.minimum_age is not None or row.maximum_age is not None):
        yield RowFault("minimum_age", "is given though unbundled activity has no age", "leave the ages blank")


def ages_in_order(row: BestPracticeRow) -> Iterator[RowFault]:
    """The lowest age is not above the highest."""
    if row.minimum_age is not None and row.maximum_age is not None and row.minimum_age > row.maximum_age:
        yield RowFault("minimum_age", f"{row.minimum_age} is above maximum_age {row.maximum_age}", "swap them")


def meeting_pays_no_less(row: BestPracticeRow) -> Iterator[RowFault]:
    """The price where criteria are met is not below the price where they are not; a pack may say so, but hardly means it."""
    if row.price is not None and row.otherwise is not None and row.price < row.otherwise:
        what = f"{pounds(row.price)} is below otherwise, {pounds(row.otherwise)}: meeting the criteria lowers the price"
        yield RowFault("price", what, "swap them, unless the year means it")


_PRICE: Final = "write pounds as printed, such as 1,335 or 119.50, or leave it blank"
_AGE: Final = "write an age in whole years, or leave it blank"
_TARIFF: Final = "write a code such as hip_fracture"
_CRITERION: Final = "write a code such as surgery_within_36_hours"
_CURRENCY: Final = "write the HRG or currency in capital letters and digits, or leave it blank"
_FUNCTION: Final = "a treatment function is three digits, such as 223"

BEST_PRACTICE: Final = TableSpec(
    name="best_practice",
    columns=(
        TableColumn("tariff", read_word, "code of the tariff, as activity and evidence carry it", _TARIFF, required=True),
        TableColumn("name", str, "name of the tariff, and of the row where it has several", "", blank=""),
        TableColumn("mechanism", read_mechanism, ", ".join(MECHANISMS), f"known: {', '.join(MECHANISMS)}", required=True),
        TableColumn("currency", check_currency, "HRG or currency; blank = any line that names the tariff", _CURRENCY),
        TableColumn("treatment_function", check_treatment_function, "treatment function; blank = any", _FUNCTION),
        TableColumn(
            "settings",
            read_settings,
            f"{', '.join(KIND_OF_SETTING)}, separated by semicolons; blank = any admitted one",
            f"known: {', '.join(KIND_OF_SETTING)}",
            blank=(),
        ),
        TableColumn("attendance", read_attendance, ", ".join(ATTENDANCES), f"known: {', '.join(ATTENDANCES)}"),
        TableColumn("minimum_age", read_age, "lowest age; blank = none", _AGE),
        TableColumn("maximum_age", read_age, "highest age; blank = none", _AGE),
        TableColumn("maximum_stay_days", read_trim, "longest adjusted stay, days; blank = any", "write whole days"),
        TableColumn("price", read_price, "price where the criteria are met, £", _PRICE),
        TableColumn("otherwise", read_price, "price where they are not, £; blank = the ordinary price", _PRICE),
        TableColumn("addition", read_price, "paid on top where the criteria are met, £", _PRICE),
        TableColumn(
            "parent_treatment_function",
            check_treatment_function,
            "treatment function at whose price the attendance is paid otherwise",
            _FUNCTION,
        ),
    ),
    row=BestPracticeRow,
    key=("tariff", "currency", "treatment_function", "settings", "attendance", "minimum_age"),
    row_rules=(one_thing_to_pay, settings_of_one_kind, what_a_mechanism_needs, ages_in_order),
    row_warnings=(meeting_pays_no_less,),
)
BEST_PRACTICE_CRITERIA: Final = TableSpec(
    name="best_practice_criteria",
    columns=(
        TableColumn("tariff", read_word, "code of the tariff, as in best_practice.csv", _TARIFF, required=True),
        TableColumn(
            "criterion",
            read_criterion,
            "code of the criterion, as evidence carries it; not `setting` or `contradictory`",
            _CRITERION,
            required=True,
        ),
        TableColumn("name", str, "the criterion in words", "say what must be shown", required=True),
        TableColumn(
            "threshold",
            read_percent,
            "provider gates: share of a provider's lines that must meet it; blank = stated by evidence alone",
            "write a percentage such as 60%, or leave it blank",
        ),
    ),
    row=Criterion,
    key=("tariff", "criterion"),
)
