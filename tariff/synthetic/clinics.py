"""The clinics people are referred to: how much of outpatient care each treatment function is, whom it sees, how often they come
back and who leads it. Every figure is invented, in England's shape; which treatment functions there are is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tariff.synthetic.care_mix import cells_of, narrowed, of_hrgs, per_spell, volumes_of
from tariff.synthetic.profiles import Profiles, profiles_of
from tariff.synthetic.spells import AdmittedModel
from tariff.synthetic.traits import GENERAL, OLDEST, Traits

OBSTETRICS, MIDWIFERY = "501", "560"
ADULT_CYSTIC_FIBROSIS, PAEDIATRIC_CYSTIC_FIBROSIS, PAEDIATRIC_DIABETES = "343", "264", "263"
RHEUMATOLOGY, NEUROLOGY, ONCOLOGY, CLINICAL_ONCOLOGY, RENAL, IMAGING = "410", "400", "370", "800", "361", "812"


class Clinic(NamedTuple):
    """One treatment function: its weight among referrals, the ages it sees, how many of its patients are women, follow-ups for
    each first attendance, and the share of attendances led by a consultant."""

    function: str
    weight: float
    youngest: int = 19
    oldest: int = OLDEST
    women: float = 0.5
    follow_ups: float = 1.6
    consultant_led: float = 0.94


CLINICS: Final = (
    Clinic("100", 3.5), Clinic("101", 4.5, women=0.25, follow_ups=1.9), Clinic("103", 3.0, women=0.97, follow_ups=1.2),
    Clinic("104", 3.0), Clinic("107", 1.2), Clinic("110", 9.0, youngest=0, follow_ups=1.9),
    Clinic("120", 5.0, youngest=0, follow_ups=1.2), Clinic("130", 9.0, youngest=0, follow_ups=3.2),
    Clinic("140", 2.5, youngest=0, follow_ups=1.0), Clinic("143", 1.0, youngest=6, oldest=18, follow_ups=6.0),
    Clinic("160", 1.8, youngest=0), Clinic("171", 0.6, youngest=0, oldest=18), Clinic("191", 1.2, follow_ups=1.8),
    Clinic("216", 0.8, youngest=0, oldest=15, follow_ups=2.5), Clinic("263", 0.1, youngest=2, oldest=18, follow_ups=3.5),
    Clinic("264", 0.0, youngest=0, oldest=18), Clinic("301", 3.5), Clinic("302", 2.0, women=0.65, follow_ups=2.2),
    Clinic("303", 2.5, follow_ups=4.5), Clinic("307", 1.2, follow_ups=2.5), Clinic("320", 5.0),
    Clinic("324", 1.0, follow_ups=6.0, consultant_led=0.1), Clinic("330", 6.0, youngest=0, follow_ups=1.4),
    Clinic("340", 3.0, follow_ups=1.9), Clinic("343", 0.0), Clinic("361", 1.2, follow_ups=4.0),
    Clinic("370", 1.8, follow_ups=6.5), Clinic("400", 3.2, follow_ups=1.6), Clinic("410", 2.6, women=0.65, follow_ups=3.6),
    Clinic("420", 5.0, youngest=0, oldest=18, follow_ups=1.7), Clinic("430", 1.6, youngest=65),
    Clinic("501", 0.3, youngest=16, oldest=49, women=1.0), Clinic("502", 5.0, youngest=16, women=1.0, follow_ups=1.1),
    Clinic("560", 0.3, youngest=16, oldest=49, women=1.0, consultant_led=0.0),
    Clinic("650", 9.0, youngest=0, follow_ups=2.2, consultant_led=0.0),
    Clinic("651", 1.6, youngest=0, follow_ups=2.0, consultant_led=0.0), Clinic("653", 1.2, follow_ups=3.0, consultant_led=0.0),
    Clinic("654", 1.4, youngest=0, follow_ups=1.5, consultant_led=0.0),
    Clinic("655", 1.0, youngest=0, oldest=18, follow_ups=1.8, consultant_led=0.0), Clinic("800", 1.2, follow_ups=5.5),
    Clinic("812", 0.8, youngest=0, follow_ups=0.2), Clinic("840", 2.8, youngest=0, follow_ups=1.2, consultant_led=0.05),
)  # fmt: skip
_BY_FUNCTION: Final = {clinic.function: clinic for clinic in CLINICS}
_OTHER: Final = Clinic("", 0.0)
_MOST_FOLLOW_UPS: Final = 14


@dataclass(frozen=True, slots=True)
class ClinicModel:
    """All that does not depend on chance: `functions` are the treatment functions that a position stands for everywhere;
    `consultant_led` goes with them. `procedures` are drawn from England's outpatient procedures, with four functions each;
    `per_spell` of them come with every spell. `of_admitted` turns positions in the admitted model's function codes."""

    admitted: AdmittedModel
    functions: tuple[str, ...]
    consultant_led: NDArray[np.float64]
    of_admitted: NDArray[np.int16]
    referrals: Profiles
    referral_function: NDArray[np.int16]
    follow_ups: NDArray[np.float64]
    procedure_words: tuple[str, ...]
    procedures: Profiles | None
    procedure_functions: NDArray[np.int16]
    maternity_procedures: NDArray[np.bool_]
    procedures_per_spell: float

    def function(self, code: str) -> int:
        """The position of a treatment function."""
        return self.functions.index(code)


def clinic_model(admitted: AdmittedModel, known: frozenset[str]) -> ClinicModel:
    """What the outpatient care of a year looks like for a pack that knows the HRGs `known`."""
    volumes = of_hrgs(volumes_of("outpatient_procedure", not_roots=("SB", "SC")))
    shares = narrowed(volumes, known)
    cells = cells_of(shares) if shares else None
    of_procedures = [traits.functions for traits in cells.traits] if cells else []
    codes = {*admitted.function_codes, *_BY_FUNCTION, *(code for functions in of_procedures for code in functions)}
    functions = tuple(sorted(codes))
    seeing = [clinic for clinic in CLINICS if clinic.weight > 0]
    return ClinicModel(
        admitted,
        functions,
        np.array([_BY_FUNCTION.get(code, _OTHER).consultant_led for code in functions]),
        np.array([functions.index(code) for code in admitted.function_codes], np.int16),
        profiles_of(cells_of({clinic.function: clinic.weight for clinic in seeing}, map(_traits, seeing))),
        np.array([functions.index(clinic.function) for clinic in seeing], np.int16),
        np.array([clinic.follow_ups for clinic in seeing]),
        cells.hrgs if cells else (),
        profiles_of(cells) if cells else None,
        np.array([[functions.index(code) for code in codes] for codes in of_procedures], np.int16).reshape(-1, 4),
        np.array([hrg.startswith("NZ") for hrg in shares], np.bool_),
        per_spell(volumes),
    )


def draw_follow_ups(rng: np.random.Generator, mean: NDArray[np.float64]) -> NDArray[np.int64]:
    """How often each patient comes back: mostly seldom, some many times."""
    drawn = np.log1p(-rng.random(len(mean))) / np.log(mean / (1 + mean))
    return np.minimum(drawn.astype(np.int64), _MOST_FOLLOW_UPS)


def _traits(clinic: Clinic) -> Traits:
    function = clinic.function
    four = (function, function, function, function)
    return Traits(clinic.youngest, clinic.oldest, clinic.women, 0, 0, 3, "P", four, GENERAL, 0)
