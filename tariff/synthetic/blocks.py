"""One block of patients after another, and of each block every kind of activity that is asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tariff.synthetic.clinics import ClinicModel, clinic_model
from tariff.synthetic.conditions import draw_enrolments, draw_pregnancies
from tariff.synthetic.emergencies import EmergencyMix, emergency_frame, emergency_mix
from tariff.synthetic.evidence import evidence_frame
from tariff.synthetic.other_care import OtherCareModel, other_care_model
from tariff.synthetic.outpatients import outpatient_frame
from tariff.synthetic.people import draw_people
from tariff.synthetic.registers import registers_frame
from tariff.synthetic.spells import Admissions, AdmittedModel, admissions, admitted_model
from tariff.synthetic.streams import Stream, stream_of
from tariff.synthetic.unbundled_items import Care, unbundled_frame
from tariff.synthetic.visits import draw_visits

if TYPE_CHECKING:
    from tariff.rulepack import RulePack


@dataclass(frozen=True, slots=True)
class YearModel:
    """All that does not depend on chance, for one rule pack."""

    admitted: AdmittedModel
    clinics: ClinicModel
    emergencies: EmergencyMix
    other_care: OtherCareModel


@lru_cache(maxsize=4)
def year_model(pack: RulePack) -> YearModel:
    """What a year priced by `pack` looks like. UsageError where it knows no HRG of the national mix."""
    admitted = admitted_model(pack)
    return YearModel(
        admitted,
        clinic_model(admitted, frozenset(row.hrg for row in pack.admitted)),
        emergency_mix(frozenset(row.currency for row in pack.emergency)),
        other_care_model(pack.unbundled, admitted.critical_mix.words),
    )


def year_blocks(model: YearModel, spells: int, seed: int, names: Collection[str]) -> Iterator[dict[str, pl.DataFrame]]:
    """The frames of each block that are asked for, by name: kinds of activity, `registers`, `evidence`. Blocks share no patient,
    and a frame is the same whichever others are made."""
    for admitted in admissions(model.admitted, spells, seed):
        frames = {"admitted": admitted.frame} if "admitted" in names else {}
        others = [name for name in names if name != "admitted"]
        makers = _frames(model, admitted, seed) if others else {}
        yield frames | {name: makers[name]() for name in others}


def _frames(model: YearModel, admitted: Admissions, seed: int) -> dict[str, Callable[[], pl.DataFrame]]:
    """How the block's other frames are made, from the people and stories that they share."""

    def stream(number: Stream) -> np.random.Generator:
        return stream_of(seed, number, admitted.block)

    clinics, calendar = model.clinics, model.admitted.calendar
    stories = stream(Stream.CONDITIONS)
    people = draw_people(stream(Stream.NEIGHBOURS), admitted, calendar, model.emergencies.dead_on_arrival(len(admitted)))
    pregnancies = draw_pregnancies(stories, model.admitted, admitted, people)
    enrolments = draw_enrolments(stories, model.admitted, admitted, people)
    visits = draw_visits(stream(Stream.VISITS), clinics, admitted, people, pregnancies, enrolments)
    care = Care(model.other_care, clinics, admitted, people, pregnancies, enrolments, visits)
    return {
        "outpatient": lambda: outpatient_frame(stream(Stream.OUTPATIENT), clinics, people, visits, admitted.first),
        "emergency": lambda: emergency_frame(stream(Stream.EMERGENCY), model.emergencies, calendar, admitted, people),
        "unbundled": lambda: unbundled_frame(stream(Stream.UNBUNDLED), care),
        "registers": lambda: registers_frame(calendar, people, pregnancies, enrolments),
        "evidence": lambda: evidence_frame(seed, clinics, admitted, enrolments, visits),
    }
