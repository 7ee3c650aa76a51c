"""What coders would have written of a spell: ICD-10 diagnoses and OPCS-4 procedures that go with its HRG, and the best-practice
tariffs that may apply. Plausible by chapter, exact enough where a pathway or a best-practice tariff looks at them; no grouper
logic, and nothing here takes part in pricing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tariff.synthetic.frames import Coded

_SLOTS: Final = 4
_LONGEST_PREFIX: Final = 4

_DIAGNOSES: Final[Mapping[str, str]] = {
    "AA": "G409 G459 R51X G35X", "AA22": "I639 G039 G934 I619", "AA35": "I639 I639 I634 I619", "AA23": "I619", "AB": "M545",
    "BZ": "H269 H401 H353 H330", "BZ3": "H259 H251 H269 H258", "BZ8": "H353 H360 H353 H348", "CA": "J350 H669 J342 R040",
    "CB": "J039 R040 H819 J36X", "CD": "K011 K029 K083 K010", "DX": "J984", "DZ": "J181 J22X R060 J90X", "DZ09": "I269",
    "DZ11": "J189 J181 J180 J159", "DZ13": "E840 E840 E849 E841", "DZ15": "J459", "DZ65": "J440 J441 J449 J440",
    "EB": "R074 I480 I209 R55X", "EB03": "I500 I501 I509 I500", "EB07": "I480 I489 I471 I480", "EB10": "I214 I219 I214 I210",
    "EC": "Q211 Q210 Q250 Q213", "ED": "I251 I350 I340 I251", "EY": "I251 I480 I441 I209", "FD": "K590 R101 K922 A099",
    "FE": "K210 K573 K635 D509", "FF": "K358 K566 C189 K800", "FF2": "K566 K565 K631 K560", "FF3": "C189 C20X K572 K573",
    "FF37": "K358 K353 K359 K358", "FF60": "K439 K430 K432 K439", "FF61": "K439 K429 K432 K439", "FF62": "K409 K409 K403 K429",
    "FF63": "K409", "GA": "K801 C220 K805 K868", "GA10": "K801 K800 K802 K801", "GB": "K805 K831 K802 C259",
    "GC": "K701 K859 K810 K746", "HC": "M511 M480 M512 M431", "HD": "M069 M109 M545 M797", "HE": "S525 S420 S626 S822",
    "HE11": "S720 S721 S722 S720", "HN": "M190 M202 M751 G560", "HN1": "M169 M161 M160 M165", "HN2": "M179 M232 M234 M222",
    "HN12": "M169 M161 M160 M167", "HN22": "M179 M171 M170 M179", "HT": "S525 S821 S423 S826", "HT1": "S720 S721 S722 S720",
    "HT12": "S720 S721 S720 S720", "HT13": "S721 S720 S722 S721", "JA": "C509 N63X D24X C504", "JB": "T300 T212 T242 T232",
    "JC": "L989 C449 D229 C443", "JD": "L031 L030 L020 L409", "KA": "E042 C73X E050 E210", "KB": "E119 E109 E116 E101",
    "KC": "E871 E86X E835 E46X", "LA": "N179 N189 N390 N10X", "LB": "N40X N201 C679 R31X", "MA": "N810 N920 D259 N841",
    "MB": "N939 O034 N832 R102", "MC": "N979", "NZ": "O809 O800 O700 O680", "NZ1": "O479 O368 O149 O211",
    "NZ2": "O368 O470 O429 O360", "NZ4": "O669 O680 O681 O669", "NZ5": "O342 O321 O680 O820", "PB": "P599 Z380 P073 P220",
    "PD": "J219 J459 B349 J050", "PD13": "E840 E840 E849 E841", "PE": "R011 Q211 R55X I471", "PF": "A099 K590 R104 A084",
    "PH": "L309 L010 L209 T784", "PJ": "L309 L031 L010 L022", "PK": "E109 E101 E109 E101", "PL": "N390 N049 N10X N137",
    "PM": "C910 D570 D561 D693", "PN": "N390 Q539 N47X N433", "PP": "F329 F509 X849 F439", "PR": "R568 G409 R51X S060",
    "PV": "T509 R509 Q909 R628", "PW": "B349 J069 A084 R509", "PX": "R509 T509 Z038 R104", "SA": "D509 D649 C900 C833",
    "SB": "C509 C189 C349 C833", "SC": "C61X C509 C349 C20X", "VA": "T021 T029 T068 T065", "WD": "F03X F009 F102 F329",
    "WF": "Z098", "WH": "T391 R55X R69X T814", "WJ": "A419 A410 B349 R509", "WH5": "Z539 Z530 Z532 Z539",
    "YA": "I671 I634 I609 I671", "YQ": "I714 I702 I713 I702", "YR": "I702 I714 I839 I830", "YJ": "C509 N63X", "YL": "N132",
    "YG": "K831 C221 K831 C259",
}  # fmt: skip
"""Primary diagnoses by the first letters of the HRG (the longest that fit), up to four equally likely."""
_ANY_DIAGNOSIS: Final = "R69X"
_ANY_CHILDS_DIAGNOSIS: Final = "B349 R509 R104 J069"

_PROCEDURES: Final[Mapping[str, str]] = {
    "AB": "A521 A577 A735 A521", "BZ3": "C712 C751 C712 C718", "BZ34": "C712 C751 C712 C712", "BZ35": "C712 C751 C712 C712",
    "BZ8": "C794 C893", "CA": "F344 D151 E036 E081", "CD": "F091 F101 F093 F099", "EC": "K111", "ED": "K402 K263 K453 K491",
    "EY": "K631 K601 K751 K633", "FE": "G451 H221 H251 G459", "FE2": "G451 G459 G451 G432", "FE3": "H221 H229 H201 H251",
    "FF2": "G693 G783 G699 G691", "FF3": "H062 H333 H102 H334", "FF37": "H019 H011 H012 H019", "FF60": "T252 T253 T272 T252",
    "FF61": "T272 T242 T252 T272", "FF62": "T202 T202 T203 T242", "FF63": "T191", "GA10": "J183 J183 J181 J183",
    "GB": "J382 J431 J403 J381", "HC": "V331 V254 V382 V255", "HN12": "W371 W381 W391 W931", "HN13": "W571 W581 W904 W371",
    "HN22": "W401 W411 W421 W401", "HN23": "W581 W742 W822 W852", "HN24": "W822 W852 W851 W822", "HN": "W791 T723 A651 O291",
    "HT": "W201 W192 W242 W243", "HT1": "W191 W241 W461 W471", "HT12": "W461 W471 W371 W461", "HT13": "W191 W241 W191 W199",
    "JA": "B283 B274 B285 B286", "JC": "S065 S069 S089 S065", "KA": "B081 B082 B141 B083", "LA0": "M012 M013 M011 X411",
    "LB": "M653 M421 M094 M302", "MA": "Q074 Q093 P231 Q181", "MC": "Q131 Q383", "NZ3": "R249 R249 R241 R249",
    "NZ4": "R215 R221 R212 R222", "NZ5": "R171 R182 R172 R181", "SB": "X723 X724 X721 X731", "SC": "X659 X654 X658 X659",
    "YQ": "L591 L185 L194 L601", "YR": "L631 L713 L885 L271", "YA": "L352 L359",
}  # fmt: skip
"""Dominant procedures by the first letters of the HRG, up to four equally likely; other HRGs have none."""

_OTHER_CONDITIONS: Final = ("I10X", "I10X;E119", "J449;I509", "E119;N183", "I489", "F03X", "J459", "E669;I10X", "N390", "D649")
_TRANSPORT_ACCIDENTS: Final = ("V031", "V134", "V234", "V435", "V892")
_FALLS: Final = ("W010", "W180", "W190", "W108")
_SECONDARY: Final = (*_OTHER_CONDITIONS, *_TRANSPORT_ACCIDENTS, *_FALLS)
_TRANSPORT_SHARE: Final = 0.12
"""Of injuries, those of transport accidents."""

BEST_PRACTICE: Final = (
    "hip_fracture", "acute_stroke", "major_trauma_1", "major_trauma_2", "emergency_laparotomy", "hip_knee_replacement",
    "heart_failure", "copd",
)  # fmt: skip
"""Best-practice tariffs that spells are candidates for."""
HIP_FRACTURE_YOUNGEST: Final = 60

_CANDIDATES: Final = {
    "HT12": "hip_fracture", "HT13": "hip_fracture", "HT14": "hip_fracture", "HE11": "hip_fracture", "AA35": "acute_stroke",
    "VA10": "major_trauma_1", "VA11": "major_trauma_1", "VA12": "major_trauma_2", "VA13": "major_trauma_2",
    "VA14": "major_trauma_2", "VA15": "major_trauma_2", "FF20": "emergency_laparotomy", "FF21": "emergency_laparotomy",
    "FF22": "emergency_laparotomy", "FF30": "emergency_laparotomy", "FF31": "emergency_laparotomy",
    "FF32": "emergency_laparotomy", "FF33": "emergency_laparotomy", "FF34": "emergency_laparotomy",
    "HN12": "hip_knee_replacement", "HN22": "hip_knee_replacement", "EB03": "heart_failure", "DZ65": "copd",
}  # fmt: skip
_PLANNED: Final = "hip_knee_replacement"


@dataclass(frozen=True, slots=True)
class CodeBook:
    """By HRG of the mix: positions of four diagnoses and four procedures in their words (-1 none), whether it is an injury, and
    the best-practice tariff it is a candidate for (-1 none)."""

    diagnosis_words: tuple[str, ...]
    diagnoses: NDArray[np.int16]
    procedure_words: tuple[str, ...]
    procedures: NDArray[np.int16]
    injury: NDArray[np.bool_]
    candidate: NDArray[np.int8]


def code_book_of(hrgs: tuple[str, ...]) -> CodeBook:
    """The codes that go with each of the HRGs."""
    diagnosis_words, diagnoses = _positions([_diagnoses_of(hrg) for hrg in hrgs])
    procedure_words, procedures = _positions([_longest(_PROCEDURES, hrg, "").split() for hrg in hrgs])
    injury = np.array([hrg[:2] in {"HE", "HT", "VA"} for hrg in hrgs])
    tariffs = [_CANDIDATES.get(hrg[:_LONGEST_PREFIX]) for hrg in hrgs]
    candidate = np.array([-1 if tariff is None else BEST_PRACTICE.index(tariff) for tariff in tariffs], np.int8)
    return CodeBook(diagnosis_words, diagnoses, procedure_words, procedures, injury, candidate)


def code_spells(
    rng: np.random.Generator, book: CodeBook, hrg: NDArray[np.int16], age: NDArray[np.int32], elective: NDArray[np.bool_]
) -> dict[str, Coded | pl.Series]:
    """The coders' columns of spells of the given HRGs (positions in those of the book)."""
    size = len(hrg)
    slots = rng.integers(_SLOTS, size=(2, size))
    return {
        "primary_diagnosis": Coded(book.diagnoses[hrg, slots[0]], book.diagnosis_words),
        "secondary_diagnoses": Coded(_secondary(rng, book.injury[hrg], age), _SECONDARY),
        "dominant_procedure": Coded(book.procedures[hrg, slots[1]], book.procedure_words),
        "best_practice": Coded(candidates(book, hrg, age, elective), BEST_PRACTICE),
    }


def candidates(book: CodeBook, hrg: NDArray[np.int16], age: NDArray[np.int32], elective: NDArray[np.bool_]) -> NDArray[np.int8]:
    """The best-practice tariff that each spell is a candidate for: a position in `BEST_PRACTICE`, -1 for none."""
    tariff = book.candidate[hrg]
    planned = tariff == BEST_PRACTICE.index(_PLANNED)
    young = (tariff == BEST_PRACTICE.index("hip_fracture")) & (age < HIP_FRACTURE_YOUNGEST)
    child = (age < 19) & (tariff != BEST_PRACTICE.index("major_trauma_1")) & (tariff != BEST_PRACTICE.index("major_trauma_2"))
    return np.where((planned == elective) & ~young & ~child, tariff, -1).astype(np.int8)


def _secondary(rng: np.random.Generator, injury: NDArray[np.bool_], age: NDArray[np.int32]) -> NDArray[np.int8]:
    """Other conditions, more with age; how the injured came to harm."""
    chance = rng.random(len(age))
    condition = rng.integers(len(_OTHER_CONDITIONS), size=len(age))
    transport = chance < _TRANSPORT_SHARE
    accident = len(_OTHER_CONDITIONS) + condition % len(_TRANSPORT_ACCIDENTS)
    fall = len(_OTHER_CONDITIONS) + len(_TRANSPORT_ACCIDENTS) + condition % len(_FALLS)
    unwell = chance < np.clip((age - 20) / 90, 0.02, 0.75)
    return np.select([injury & transport, injury, unwell], [accident, fall, condition], -1).astype(np.int8)


def _diagnoses_of(hrg: str) -> list[str]:
    return _longest(_DIAGNOSES, hrg, _ANY_CHILDS_DIAGNOSIS if hrg[0] == "P" else _ANY_DIAGNOSIS).split()


def _longest(codes: Mapping[str, str], hrg: str, otherwise: str) -> str:
    fitting = (hrg[:letters] for letters in range(_LONGEST_PREFIX, 1, -1) if hrg[:letters] in codes)
    prefix = next(fitting, None)
    return otherwise if prefix is None else codes[prefix]


def _positions(codes: list[list[str]]) -> tuple[tuple[str, ...], NDArray[np.int16]]:
    """The words there are, and four positions in them for every HRG."""
    words = tuple(sorted({code for of_hrg in codes for code in of_hrg}))
    place = {word: position for position, word in enumerate(words)}
    rows = [[place[of_hrg[slot % len(of_hrg)]] if of_hrg else -1 for slot in range(_SLOTS)] for of_hrg in codes]
    return words, np.array(rows, np.int16).reshape(len(codes), _SLOTS)
