"""What the audits say: for each candidate for a best-practice tariff which criteria were met, and which providers passed the
gates. Some evidence is missing, a little contradicts itself, and a little is of lines that do not exist, as in real files."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tariff.columns import EVIDENCE
from tariff.synthetic.clinics import PAEDIATRIC_DIABETES as DIABETES_OF_CHILDREN
from tariff.synthetic.clinics import ClinicModel
from tariff.synthetic.codings import BEST_PRACTICE
from tariff.synthetic.conditions import PAEDIATRIC_DIABETES, Enrolments
from tariff.synthetic.frames import Coded, dates, frame_of
from tariff.synthetic.outpatients import attendance_ids
from tariff.synthetic.places import PROVIDER_CODES, PROVIDERS
from tariff.synthetic.seasons import Calendar
from tariff.synthetic.spells import Admissions
from tariff.synthetic.streams import Stream, stream_of
from tariff.synthetic.visits import Visits

YEAR_OF_CARE: Final = "paediatric_diabetes"
CRITERIA: Final[dict[str, dict[str, float]]] = {
    "hip_fracture": {
        "surgery_within_36_hours": 0.75, "joint_care": 0.97, "joint_protocol": 0.98, "geriatrician_within_72_hours": 0.92,
        "directed_rehabilitation": 0.97, "falls_and_bone_assessment": 0.96, "mental_tests_before_and_after": 0.93,
    },
    "acute_stroke": {"direct_admission": 0.62, "nine_tenths_on_stroke_unit": 0.82, "rapid_imaging": 0.9, "alteplase": 0.11},
    "major_trauma_1": {
        "direct_admission_or_transfer": 0.92, "audit_within_25_days": 0.86, "rehabilitation_prescription": 0.93, "airway": 0.97,
    },
    "major_trauma_2": {
        "direct_admission_or_transfer": 0.92, "audit_within_25_days": 0.86, "rehabilitation_prescription": 0.93, "airway": 0.97,
        "consultant_led_team": 0.88, "tranexamic_acid": 0.9, "head_scan_within_hour": 0.87,
    },
    "emergency_laparotomy": {"consultants_in_theatre": 0.88, "direct_critical_care": 0.8},
    YEAR_OF_CARE: {
        "four_clinics": 0.9, "eight_contacts": 0.88, "dietitian": 0.9, "four_blood_tests": 0.85, "seven_checks": 0.75,
        "psychology": 0.92, "day_and_night_advice": 0.99,
    },
}  # fmt: skip
"""Criteria of the tariffs that audits answer line by line, with the invented chance that each is met."""
GATES: Final = {
    "hip_knee_replacement": (1, 0.7), "heart_failure": (1, 0.65), "copd": (4, 0.6), "emergency_laparotomy": (4, 0.55),
    "endoscopy": (1, 0.85),
}  # fmt: skip
"""Tariffs that a provider passes or fails as a whole: periods a year, and the invented chance of passing."""

NO_EVIDENCE_SHARE: Final = 0.06
"""Of candidates, those whom no audit knows."""
UNANSWERED_SHARE: Final = 0.02
"""Of criteria, those left blank."""
CONTRADICTED_SHARE: Final = 0.001
"""Of criteria, those answered twice, differently."""
UNKNOWN_LINE_SHARE: Final = 0.0005
"""Of answers, those of lines that no activity file holds."""
_DIFFERENCE_OF_PROVIDERS: Final = 0.45
"""Standard deviation, in log odds, of how well providers do."""

_JUDGED: Final = ("local", "regional", "elective")
"""Kinds of provider that gates are for."""

_TARIFFS: Final = tuple(dict.fromkeys((*CRITERIA, *GATES)))
_CRITERION_WORDS: Final = tuple(dict.fromkeys(name for criteria in CRITERIA.values() for name in criteria))
_ANSWERS: Final = ("no", "yes")


@dataclass(frozen=True, slots=True)
class _Candidates:
    line_id: pl.Series
    provider: NDArray[np.int8]
    tariff: NDArray[np.int8]


def evidence_frame(seed: int, model: ClinicModel, admissions: Admissions, enrolments: Enrolments, visits: Visits) -> pl.DataFrame:
    """The block's evidence, and with the first block the gates of the providers. Columns as in `columns.EVIDENCE`."""
    rng = stream_of(seed, Stream.EVIDENCE, admissions.block)
    ability = stream_of(seed, Stream.EVIDENCE).normal(0.0, _DIFFERENCE_OF_PROVIDERS, len(PROVIDER_CODES))
    spells, patients = _of_spells(admissions), _of_diabetes(model, admissions, enrolments, visits)
    answers = [_answers(rng, ability, candidates) for candidates in (spells, patients)]
    gates = [_gates(seed, ability, model.admitted.calendar)] if admissions.block == 0 else []
    return pl.concat([*answers, *gates])


def _of_spells(admissions: Admissions) -> _Candidates:
    """Spells that are candidates for a tariff with criteria of its own."""
    coded = admissions.frame["best_practice"].to_physical().fill_null(len(BEST_PRACTICE)).to_numpy()
    words = np.array([_TARIFFS.index(name) if name in CRITERIA else -1 for name in BEST_PRACTICE] + [-1], np.int8)
    row = np.flatnonzero(words[coded] >= 0)
    return _Candidates(admissions.spell_ids(row), admissions.provider[row], words[coded][row])


def _of_diabetes(model: ClinicModel, admissions: Admissions, enrolments: Enrolments, visits: Visits) -> _Candidates:
    """The first clinic of the year of each child on the register: a year of care has no line of its own."""
    registered = enrolments.person[enrolments.of(PAEDIATRIC_DIABETES)]
    clinic = np.flatnonzero((visits.function == model.function(DIABETES_OF_CHILDREN)) & np.isin(visits.person, registered))
    row = clinic[np.unique(visits.person[clinic], return_index=True)[1]]
    tariff = np.full(len(row), _TARIFFS.index(YEAR_OF_CARE), np.int8)
    return _Candidates(attendance_ids(row, admissions.first), visits.provider[row], tariff)


def _answers(rng: np.random.Generator, ability: NDArray[np.float64], candidates: _Candidates) -> pl.DataFrame:
    """A row for each criterion of each candidate that an audit knows."""
    known = np.flatnonzero(rng.random(len(candidates.tariff)) >= NO_EVIDENCE_SHARE)
    counts = np.array([len(CRITERIA.get(name, {})) for name in _TARIFFS])[candidates.tariff[known]]
    whose = np.repeat(known, counts)
    number = np.arange(len(whose)) - np.repeat(np.cumsum(counts) - counts, counts)
    criterion, chance = _criteria()
    tariff, provider = candidates.tariff[whose], candidates.provider[whose]
    odds = np.log(chance[tariff, number] / (1 - chance[tariff, number])) + ability[provider]
    met = (rng.random(len(whose)) < 1 / (1 + np.exp(-odds))).astype(np.int8)
    met = np.where(rng.random(len(whose)) < UNANSWERED_SHARE, -1, met)
    line_id = candidates.line_id.gather(pl.Series(whose)).set(pl.Series(rng.random(len(whose)) < UNKNOWN_LINE_SHARE), "S0")
    twice = np.flatnonzero((rng.random(len(whose)) < CONTRADICTED_SHARE) & (met >= 0))
    every = np.sort(np.concatenate([np.arange(len(whose)), twice]))
    again = np.diff(every, prepend=-1) == 0
    nothing = np.zeros(len(every), np.int32)
    return _frame(
        line_id.gather(pl.Series(every)),
        provider[every],
        tariff[every],
        criterion[tariff, number][every],
        np.where(again, 1 - met[every], met[every]),
        nothing,
        nothing,
    )


def _criteria() -> tuple[NDArray[np.int8], NDArray[np.float64]]:
    """By tariff and number: the criterion, as a position in all criteria, and its chance."""
    most = max(len(criteria) for criteria in CRITERIA.values())
    criterion, chance = np.full((len(_TARIFFS), most), -1, np.int8), np.full((len(_TARIFFS), most), 0.5)
    for name, criteria in CRITERIA.items():
        for number, (word, share) in enumerate(criteria.items()):
            criterion[_TARIFFS.index(name), number] = _CRITERION_WORDS.index(word)
            chance[_TARIFFS.index(name), number] = share
    return criterion, chance


def _gates(seed: int, ability: NDArray[np.float64], calendar: Calendar) -> pl.DataFrame:
    """Who passed which gate in which part of the year; the audits leave some providers out."""
    rng = stream_of(seed, Stream.GATES)
    judged = [place for place, provider in enumerate(PROVIDERS) if provider.kind in _JUDGED]
    rows = [
        (provider, _TARIFFS.index(tariff), *period, chance)
        for tariff, (parts, chance) in GATES.items()
        for provider in judged
        for period in _periods(calendar, parts)
    ]
    provider, tariff, starts, ends, chance = (np.array(column) for column in zip(*rows, strict=True))
    odds = np.log(chance / (1 - chance)) + 2 * ability[provider]
    met = (rng.random(len(rows)) < 1 / (1 + np.exp(-odds))).astype(np.int8)
    known = rng.random(len(rows)) >= NO_EVIDENCE_SHARE
    blank = pl.Series([None] * int(known.sum()), dtype=pl.String)
    none = np.full(len(blank), -1, np.int8)
    starts, ends = starts[known].astype(np.int32), ends[known].astype(np.int32)
    return _frame(blank, provider[known], tariff[known], none, met[known], starts, ends)


def _periods(calendar: Calendar, parts: int) -> list[tuple[int, int]]:
    """First and last days of equal parts of the year, in whole months from its first."""
    month = np.datetime64(calendar.first_day, "D").astype("datetime64[M]")
    edges = [int((month + 12 * part // parts).astype("datetime64[D]").astype(np.int64)) for part in range(parts + 1)]
    return [(start, following - 1) for start, following in pairwise(edges)]


def _frame(
    line_id: pl.Series,
    provider: NDArray[np.signedinteger],
    tariff: NDArray[np.signedinteger],
    criterion: NDArray[np.signedinteger],
    met: NDArray[np.signedinteger],
    starts: NDArray[np.int32],
    ends: NDArray[np.int32],
) -> pl.DataFrame:
    return frame_of(
        EVIDENCE,
        {
            "provider": Coded(provider, PROVIDER_CODES),
            "line_id": line_id,
            "tariff": Coded(tariff, _TARIFFS),
            "criterion": Coded(criterion, _CRITERION_WORDS),
            "met": Coded(met, _ANSWERS),
            "period_start": dates(starts).set(pl.Series(starts == 0), None),
            "period_end": dates(ends).set(pl.Series(ends == 0), None),
        },
    )
