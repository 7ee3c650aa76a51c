"""The column contract of each stage: name, type, nullability, unit and meaning. Readers, writers, checks and the tables in
the README all come from here. Names are lower_snake_case terms of the field; codes are text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from tariff.reasons import OUTCOMES, REASON_CODES

KINDS: Final = ("admitted", "outpatient", "emergency", "unbundled")
SETTINGS: Final = (
    "not_classified",
    "day_case",
    "ordinary_elective",
    "non_elective",
    "regular_day",
    "regular_night",
    "outpatient_procedure",
    "attendance",
    "emergency_care",
    "unbundled",
)
"""Price settings. `not_classified` is a line whose codes could not be classified."""
# fmt: off
PODS: Final = (
    "NOTCLASSIFIED",
    "DC", "EL", "NEL", "NELST", "NELNE", "RADAY", "RANIGHT",
    "OPFASPCL", "OPFASPNCL", "OPFAMPCL", "OPFAMPNCL", "OPFUPSPCL", "OPFUPSPNCL", "OPFUPMPCL", "OPFUPMPNCL",
    "NF2FFA", "NF2FFUP", "OPPROCFA", "OPPROCFUP", "OPPROC", "AE",
    "UNBCHEMO", "UNBRTHPY", "UNBPALL", "UNBRAD", "UNBREHAB", "UNBACC", "UNBNCC", "UNBPCC", "UNBOTHER", "CCTRANS",
    "ARD", "CRD", "DRUG", "DEVICE", "COMM", "OTHER",
)
"""National point-of-delivery codes the engine derives (NHS Data Dictionary); excess bed days are units of ELXBD, NELXBD
and NELNEXBD in contract monitoring outputs, not lines of their own."""
# fmt: on

PATHWAY_FLAGS: Final = (
    "unrelated",
    "other_payer",
    "not_priced",
    "death",
    "stay_above_limit",
    "cancer",
    "trauma",
    "out_of_area",
    "other_provider",
    "early_pregnancy",
    "specialised",
    "drug",
    "critical_care",
    "emergency_care",
    "overlap",
    "later_wins",
    "no_factor",
    "no_level",
    "missing_patient",
    "other",
)
"""Why care stays outside a pathway, or why a pathway was not opened."""
PATHWAY_CATEGORIES: Final = ("anchor", "inside", "prorated", "warranty", *(f"outside_{flag}" for flag in PATHWAY_FLAGS))
"""What a line is to its pathway."""
READMISSION_EXCLUSIONS: Final = (
    "no_national_price",
    "maternity",
    "cancer",
    "young_child",
    "self_discharge",
    "emergency_transfer",
    "cross_border",
    "renal_dialysis",
    "transplant",
    "multiple_trauma",
    "transport_accident",
)
"""Why an emergency readmission is still paid (RULES 5.2)."""

KIND: Final = pl.Enum(KINDS)
PATHWAY_CATEGORY: Final = pl.Enum(PATHWAY_CATEGORIES)
SETTING: Final = pl.Enum(SETTINGS)
POD: Final = pl.Enum(PODS)
OUTCOME: Final = pl.Enum(OUTCOMES)
REASON: Final = pl.Enum(REASON_CODES)


@dataclass(frozen=True, slots=True)
class Column:
    """One column: what it holds, in which type and unit; `required` is meaningful for inputs, `nullable` for outputs."""

    name: str
    dtype: pl.DataType
    meaning: str
    unit: str = ""
    required: bool = False
    nullable: bool = True


def _text(name: str, meaning: str, *, required: bool = False) -> Column:
    return Column(name, pl.String(), meaning, required=required)


def _date(name: str, meaning: str, *, required: bool = False) -> Column:
    return Column(name, pl.Date(), meaning, required=required)


def _count(name: str, meaning: str, unit: str = "days", *, required: bool = False) -> Column:
    return Column(name, pl.Int32(), meaning, unit, required=required)


def _pounds(name: str, meaning: str) -> Column:
    return Column(name, pl.Int64(), meaning, "pence (read from pounds)")


READ_FAULT: Final = "read_fault"
"""Name of the column in which the reader leaves a reason code for a row with a cell it could not read."""

_SHARED_OPTIONAL: Final = (
    _text("patient_id", "pseudonymised patient identifier; never printed"),
    _text("gp_practice", "registered general practice"),
    _text("site", "site of treatment"),
    _text("treatment_function", "treatment function code"),
    _text("main_specialty", "main specialty code of the consultant"),
    _text("sex", "sex code"),
    _text("administrative_category", "administrative category; 02 = private patient"),
    _text("commissioning_serial_number", "ends in '=' where the activity is outside the national tariff"),
    _text("primary_diagnosis", "ICD-10 code"),
    _text("secondary_diagnoses", "ICD-10 codes separated by ;"),
    _text("dominant_procedure", "OPCS-4 code"),
    _text("specialised_services", "specialised service (top-up) codes separated by ;"),
    _text("best_practice", "best-practice tariff codes that may apply, separated by ;"),
    _text("unbundled", "unbundled HRGs, HRG or HRG*units, separated by ;"),
    _pounds("local_price", "agreed local price of the line, in pounds in files, in pence once read"),
)

ADMITTED: Final = (
    _text("spell_id", "identifier of the spell, unique within provider", required=True),
    _text("provider", "provider code", required=True),
    _text("commissioner", "commissioner code", required=True),
    _date("admission_date", "date of admission", required=True),
    _date("discharge_date", "date of discharge; blank = unfinished", required=True),
    _text("admission_method", "national admission method code", required=True),
    _text("patient_classification", "1 ordinary, 2 day case, 3 regular day, 4 regular night, 5 mother and baby", required=True),
    _count("age", "age on admission", "years", required=True),
    _text("hrg", "spell HRG", required=True),
    *_SHARED_OPTIONAL,
    _text("discharge_method", "discharge method code"),
    _text("grouping_method", "how the HRG was set: P procedure, D diagnosis, B burns, M multiple trauma, G global, U error"),
    _count("length_of_stay", "gross stay; else discharge minus admission"),
    _count("critical_care_days", "critical care days in the stay"),
    _count("rehabilitation_days", "rehabilitation days in the stay"),
    _count("palliative_care_days", "specialist palliative care days in the stay"),
    _count("delayed_discharge_days", "reimbursed delayed-discharge days in the stay"),
    _count("adjusted_length_of_stay", "net stay; if given it wins and nothing is taken from it"),
)
"""Canonical admitted activity, one row a spell. Settled in DESIGN section 4."""

EPISODE: Final = (
    *ADMITTED,
    _count("episode_number", "order of the episode in the spell", "", required=True),
    _date("episode_start_date", "start of the episode"),
    _date("episode_end_date", "end of the episode"),
)
"""Admitted activity, one row a finished consultant episode; told by `episode_number`."""


OUTPATIENT: Final = (
    _text("attendance_id", "identifier of the attendance, unique within provider", required=True),
    _text("provider", "provider code", required=True),
    _text("commissioner", "commissioner code", required=True),
    _date("attendance_date", "date of the attendance", required=True),
    _text("treatment_function", "treatment function code", required=True),
    _text("first_attendance", "1 first, 2 follow-up, 3 first by telephone, 4 follow-up by telephone", required=True),
    _text("attended", "5 or 6 seen; 0, 2, 3, 4, 7 not", required=True),
    _count("age", "age at the attendance", "years", required=True),
    _text("hrg", "core HRG: WF for an attendance, else a procedure", required=True),
    *(column for column in _SHARED_OPTIONAL if column.name not in {"treatment_function", "unbundled"}),
    _text("multi_professional", "Y where several professionals saw the patient together"),
    _text("consultant_led", "Y or N; else told by the main specialty"),
    _text("referral_source", "source of referral: 03 general practice, 05 another consultant, ..."),
)
"""Canonical outpatient activity, one row an attendance."""

EMERGENCY: Final = (
    _text("attendance_id", "identifier of the attendance, unique within provider", required=True),
    _text("provider", "provider code", required=True),
    _text("commissioner", "commissioner code", required=True),
    _date("arrival_date", "date of arrival", required=True),
    _text("department_type", "1 major, 2 single specialty, 3 other, 4 walk-in centre", required=True),
    _text("hrg", "emergency care HRG (VB)", required=True),
    _count("age", "age on arrival", "years", required=True),
    *(column for column in _SHARED_OPTIONAL if column.name != "unbundled"),
    _text("attendance_category", "1 first; 2 and 3 planned follow-up"),
)
"""Canonical emergency care activity, one row an attendance."""

UNBUNDLED: Final = (
    _text("line_id", "identifier of the item, unique within provider", required=True),
    _text("provider", "provider code", required=True),
    _text("commissioner", "commissioner code", required=True),
    _date("date", "date of the item, or its first day", required=True),
    _text("currency", "unbundled HRG or other currency code", required=True),
    _count("units", "days, sessions, contacts or items", "", required=True),
    *(column for column in _SHARED_OPTIONAL if column.name not in {"unbundled", "specialised_services", "best_practice"}),
    _date("end_date", "last day of the item"),
    _text("parent_line_id", "the spell the item belongs to"),
)
"""Canonical unbundled care and other currencies, one row an item."""


REGISTER: Final = (
    _text("patient_id", "pseudonymised patient identifier; never printed", required=True),
    _text("register", "which register: maternity, cystic_fibrosis, ...", required=True),
    _text("level", "casemix level, band or cluster"),
    _date("start_date", "first day on the register at this level", required=True),
    _date("end_date", "last day; blank = still on it"),
    _text("provider", "provider that leads the care", required=True),
    _text("commissioner", "commissioner code", required=True),
)
"""Who stands on a register, at which level and when: for pathways and capitation."""

EVIDENCE: Final = (
    _text("provider", "provider code", required=True),
    _text("line_id", "the line the evidence is of; blank for a gate of the provider"),
    _text("tariff", "best-practice tariff", required=True),
    _text("criterion", "criterion of the tariff; blank = the tariff, or the gate, as a whole"),
    _text("met", "yes or no; blank = not answered", required=True),
    _date("period_start", "of a gate: first day it holds for"),
    _date("period_end", "of a gate: last day it holds for"),
)
"""What an audit says of a criterion of one line, or of a gate that a provider passes for a period."""

POPULATION: Final = (
    _text("commissioner", "commissioner code", required=True),
    _text("gp_practice", "general practice", required=True),
    _text("age_band", "ages in years, such as 65-74 or 85+", required=True),
    Column("registered", pl.Int64(), "people registered", "people", required=True),
)
"""Registered people, for capitation."""


def _out(name: str, dtype: pl.DataType, meaning: str, unit: str = "", *, nullable: bool = True) -> Column:
    return Column(name, dtype, meaning, unit, nullable=nullable)


def _money(name: str, meaning: str) -> Column:
    return Column(name, pl.Int64(), meaning, "pence", nullable=False)


PRICED_LINE: Final = (
    _out("line_id", pl.String(), "the row's own identifier (spell_id, attendance_id, ...)"),
    _out("parent_line_id", pl.String(), "the spell an unbundled item belongs to"),
    _out("kind", KIND, "admitted, outpatient, emergency or unbundled", nullable=False),
    _out("commissioner", pl.String(), "as read"),
    _out("provider", pl.String(), "as read"),
    _out("gp_practice", pl.String(), "as read"),
    _out("patient_id", pl.String(), "as read; never printed"),
    _out("activity_date", pl.Date(), "discharge, attendance or arrival: it chooses the pricing year"),
    _out("financial_year", pl.String(), "such as 2017-18"),
    _out("month", pl.Int8(), "month of the financial year, 1 = April"),
    _out("pod", POD, "national point-of-delivery code", nullable=False),
    _out("setting", SETTING, "price setting", nullable=False),
    _out("currency", pl.String(), "HRG or other currency code"),
    _out("treatment_function", pl.String(), "as read"),
    _out("units", pl.Int64(), "spells, attendances, days", nullable=False),
    _out("adjusted_length_of_stay", pl.Int32(), "net stay", "days"),
    _out("trim_point", pl.Int32(), "trim point used", "days"),
    _out("excess_days", pl.Int32(), "days paid beyond the trim point", "days", nullable=False),
    _money("base_pence", "price of the setting, or the local price"),
    _money("short_stay_pence", "short-stay reduction, zero or negative"),
    _money("long_stay_pence", "excess days times the per-day payment"),
    _money("top_up_pence", "specialised top-up, on long stay too where the pack says so"),
    _money("mff_pence", "what the market forces factor adds; balances the one rounding"),
    _money("price_pence", "the price: the five components add to it exactly"),
    _out("mff_millionths", pl.Int32(), "factor applied", "millionths", nullable=False),
    _money("best_practice_pence", "difference that best-practice evidence makes to price_pence, with MFF"),
    _money("best_practice_at_stake_pence", "difference if every candidate with no evidence were met"),
    _out("basis", pl.Int64(), "flags: which rules acted (reasons.Basis)", nullable=False),
    _out("outcome", OUTCOME, "priced, excluded, unpriced or rejected", nullable=False),
    _out("reason", REASON, "one published code; priced where priced", nullable=False),
    _out(
        "indicative_pence",
        pl.Int64(),
        "of a line not priced: its value at the best price known; long stay and top-up are in it "
        "only where a confidence label alone keeps it from its price",
        "pence",
    ),
    _out("price_row", pl.Int32(), "row of the compiled price table; 0 = none", nullable=False),
    _out("top_up_row", pl.Int32(), "row of the compiled top-up table; 0 = none", nullable=False),
    _out("best_practice_row", pl.Int32(), "row of the compiled best-practice table; 0 = none", nullable=False),
    _out("pathway_id", pl.String(), "<definition>:<provider>:<anchor line_id>"),
    _out("pack", pl.String(), "rule pack that priced it"),
    _money("best_practice_lost_pence", "difference if every candidate that evidence says is not met were met"),
    _out("best_practice_tariff", pl.String(), "candidate best-practice tariffs by precedence, separated by ;"),
    _out("best_practice_status", pl.String(), "of each of them: met, not_met or no_evidence, separated by ;"),
    _out(
        "best_practice_missing",
        pl.String(),
        "<tariff>:<criterion> failed or without evidence (ending in ? where another failed), or :contradictory; separated by ;",
    ),
    _out(
        "pathway_category", PATHWAY_CATEGORY, "what the line is to its pathway: anchor, inside, prorated, warranty, outside_<why>"
    ),
    _money("pathway_pence", "part of price_pence that the pathway's bundle pays in its place"),
    _out("referral_source", pl.String(), "of an attendance, as read: who referred the patient (05: another consultant)"),
)
"""One schema for every kind of activity. Other people's scripts read it, so it only ever grows."""

COMPONENTS: Final = ("base_pence", "short_stay_pence", "long_stay_pence", "top_up_pence", "mff_pence")
"""They add to `price_pence` on every row."""

READMISSION: Final = (
    _out("provider", pl.String(), "who readmitted", nullable=False),
    _out("line_id", pl.String(), "the emergency readmission, a spell of `provider`", nullable=False),
    _out("commissioner", pl.String(), "commissioner of the readmission"),
    _out("gp_practice", pl.String(), "registered practice of the readmission"),
    _out("activity_date", pl.Date(), "discharge from the readmission"),
    _out("financial_year", pl.String(), "of the readmission, such as 2017-18"),
    _out("month", pl.Int8(), "month of the financial year, 1 = April"),
    _out("pod", POD, "point of delivery of the readmission", nullable=False),
    _out("treatment_function", pl.String(), "of the readmission"),
    _out("currency", pl.String(), "HRG of the readmission"),
    _out("initial_provider", pl.String(), "who discharged the patient before, and bears the loss", nullable=False),
    _out("initial_line_id", pl.String(), "the spell before, of `initial_provider`", nullable=False),
    _out("initial_elective", pl.Boolean(), "whether the spell before was elective", nullable=False),
    _out("days", pl.Int32(), "from that discharge to the readmission", "days", nullable=False),
    _out("reason_excluded", pl.Enum(READMISSION_EXCLUSIONS), "why the readmission is paid all the same; blank where it counts"),
    _out("share_bp", pl.Int32(), "share not paid; 0 where excluded", "basis points", nullable=False),
    _money("price_pence", "price of the readmission"),
    _money("pence", "what is not paid: the share of the price, zero or positive"),
)
"""Emergency readmissions found by the sweep (RULES 5.2), one a row, key `provider, line_id`."""

PATHWAY: Final = (
    _out(
        "pathway_id",
        pl.String(),
        "<definition>:<provider>:<anchor line_id>; a phase follows the definition's name",
        nullable=False,
    ),
    _out("definition", pl.String(), "pathway definition", nullable=False),
    _out("phase", pl.String(), "antenatal, birth or postnatal, where it has phases"),
    _out("level", pl.String(), "level or band that sets the price"),
    _out("patient_id", pl.String(), "never printed", nullable=False),
    _out("lead_provider", pl.String(), "who is paid the bundle", nullable=False),
    _out("commissioner", pl.String(), "who pays it"),
    _out("anchor_line_id", pl.String(), "line that triggered it, of the provider in `pathway_id`; blank where a register did"),
    _out("start_date", pl.Date(), "first day of the window", nullable=False),
    _out("end_date", pl.Date(), "last day of the window; a year of care ends with its year", nullable=False),
    _out("state", pl.Enum(("open", "closed")), "open: care that is yet to come may still belong to it", nullable=False),
    _out("flag", pl.Enum(PATHWAY_FLAGS), "why it is not paid; blank where it is"),
    _out(
        "financial_year",
        pl.String(),
        "of the day that chose its rule pack: the anchor's own, booking or birth; of a year of care: the year paid for",
        nullable=False,
    ),
    _out("month", pl.Int8(), "month of the financial year, 1 = April; blank for a year of care"),
    _out("days", pl.Int32(), "days paid for, of a year of care", "days"),
    _money("bundle_pence", "price of the level, with the lead provider's market forces factor"),
    _money("outlier_pence", "episodic value beyond the level's outlier amounts: paid on top, or taken back (negative)"),
    _money("stop_loss_pence", "share of episodic value, drawn in to those amounts, above the threshold"),
    _out("quality", pl.Enum(("met", "not_met", "no_evidence")), "what evidence says of its criteria, where it has any"),
    _money("withheld_pence", "withheld where quality failed, zero or negative"),
    _money("price_pence", "what is paid: the four amounts above"),
    _money("episodic_pence", "what the care inside would have been paid line by line"),
    _out("lines", pl.Int32(), "lines inside", "lines", nullable=False),
    _out("complications", pl.Int32(), "complications inside", "lines", nullable=False),
    _money("change_pence", "price_pence less what an earlier run told of this pathway"),
    _out("pack", pl.String(), "rule pack that defines and prices it", nullable=False),
)
"""Pathways found, one a row; those with a flag are not paid."""

PATHWAY_TABLES: Final = ("pathways", "pathways_open", "pathways_owed", "pathways_restated", "readmissions")
"""The tables that pathways add to a run: beside `X.parquet` as `X.<table>.parquet`, in a run folder as `<table>.parquet`."""

RESTATED: Final = (
    _out("kind", KIND, "kind of activity", nullable=False),
    _out("provider", pl.String(), "provider of the line", nullable=False),
    _out("line_id", pl.String(), "a line of an earlier run", nullable=False),
    _out("commissioner", pl.String(), "who pays the line"),
    _out("financial_year", pl.String(), "of the line"),
    _out("month", pl.Int8(), "month of the financial year of the line, 1 = April"),
    _out("pod", POD, "point of delivery"),
    _out("treatment_function", pl.String(), "treatment function code"),
    _out("currency", pl.String(), "HRG or other currency"),
    _out("pathway_id", pl.String(), "the pathway it belongs to now; blank = none"),
    _out("definition", pl.String(), "definition of that pathway"),
    _out("pathway_category", PATHWAY_CATEGORY, "what it is to it now"),
    _out("told_definition", pl.String(), "definition of the pathway the earlier run told; blank = none"),
    _money("pathway_pence", "part of its price that a pathway pays now"),
    _money("price_pence", "price of the line"),
    _money("change_pence", "pathway_pence less what the earlier run told"),
)
"""Lines of earlier runs that now belong elsewhere: what is paid by the line changes by minus `change_pence`."""

OWED: Final = (
    _out("definition", pl.String(), "pathway definition", nullable=False),
    _out("debtor", pl.String(), "lead provider, which is paid the bundle", nullable=False),
    _out("creditor", pl.String(), "provider of care inside", nullable=False),
    _out("lines", pl.Int64(), "lines of care", "lines", nullable=False),
    _money("pence", "what the debtor owes for them at episodic prices"),
    _money("net_pence", "that less what the creditor owes the debtor in turn: the matrix nets to zero"),
)
"""Who owes whom for care inside pathways."""

LEDGER: Final = (
    _out("model", pl.String(), "payment model", nullable=False),
    _out("commissioner", pl.String(), "who pays"),
    _out("provider", pl.String(), "who is paid"),
    _out("gp_practice", pl.String(), "registered practice, where the term knows it"),
    _out("financial_year", pl.String(), "such as 2017-18"),
    _out("month", pl.Int8(), "month of the financial year, 1 = April; blank = the whole year"),
    _out("pod", pl.String(), "point of delivery; blank = the whole contract"),
    _out("treatment_function", pl.String(), "blank = all"),
    _out("currency", pl.String(), "blank = all"),
    _out("line", pl.String(), "component of price, or contract term", nullable=False),
    _out("units", pl.Int64(), "units of activity behind the line", nullable=False),
    _money("pence", "what the commissioner pays"),
)
"""What a commissioner pays, by model."""

PLAN: Final = (
    _text("commissioner", "who pays", required=True),
    _text("provider", "who is paid; blank = all"),
    _text("pod", "point of delivery; blank = all"),
    _text("treatment_function", "blank = all"),
    _text("currency", "blank = all"),
    _text("financial_year", "such as 2017-18", required=True),
    Column("month", pl.Int8(), "1 = April; blank = the whole year"),
    Column("units", pl.Int64(), "planned units"),
    Column("pence", pl.Int64(), "planned value", "pence", required=True),
)
"""Planned activity and value, as agreed in the contract."""


def schema(columns: tuple[Column, ...]) -> dict[str, pl.DataType]:
    """The Polars schema of a contract."""
    return {column.name: column.dtype for column in columns}


def names(columns: tuple[Column, ...], *, required_only: bool = False) -> list[str]:
    """The column names of a contract, in order; only those an input must have where `required_only`."""
    return [column.name for column in columns if column.required or not required_only]


def names_given(given: str | Sequence[str]) -> tuple[str, ...]:
    """Names of columns as a caller gives them: one by itself, or several."""
    return (given,) if isinstance(given, str) else tuple(given)
