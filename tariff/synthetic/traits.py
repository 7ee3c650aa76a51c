"""What an HRG's code and name say about the people who have it: ages, sex, length of stay, complications, whether a
procedure or a diagnosis sets it, and which specialty looks after it. Plausible readings for invented activity, not grouper
logic: nothing here takes part in pricing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

OLDEST: Final = 120
LONGEST_STAY: Final = 400
"""Days beyond which no invented stay goes."""

GENERAL, MATERNITY, NEWBORN = range(3)
"""Pools of patients: a woman gives birth once in a year, and a newborn is somebody new."""

BEFORE_BIRTH, BIRTH, AFTER_BIRTH = range(3)
"""Stages of a maternity history, in order; other HRGs have none and take the first."""


@dataclass(frozen=True, slots=True)
class Traits:
    """One HRG. Ages in years and stays in days, both ends included; `complications` is the CC score its name starts from."""

    youngest: int
    oldest: int
    female_share: float
    shortest_stay: int
    longest_stay: int
    complications: int
    grouping_method: str
    functions: tuple[str, str, str, str]
    pool: int
    stage: int


def traits_of(hrg: str, name: str) -> Traits:
    """Read one HRG's code and name (as the National Cost Collection prints it)."""
    method = _grouping_method(hrg, name)
    youngest, oldest = _ages(hrg, name, method)
    shortest, longest = _stays(name)
    score = re.search(r"CC Score (\d+)", name)
    return Traits(
        youngest,
        oldest,
        _female_share(hrg, name),
        shortest,
        longest,
        int(score[1]) if score else 3,
        method,
        _functions(hrg),
        {"NZ": MATERNITY, "PB": NEWBORN}.get(hrg[:2], GENERAL),
        _stage(name),
    )


_PROCEDURE_SUBCHAPTERS: Final = frozenset(
    ("CA", "CD", "EC", "ED", "EY", "FE", "FF", "GA", "GB", "HN", "HT", "MA", "MC", "SB", "SC", "YA", "YC", "YD", "YF", "YG")
) | {"YH", "YJ", "YL", "YR"}
_PROCEDURE: Final = re.compile(
    r"Procedure|scopy|Insertion|Implant|Transplant|Biopsy|Extraction|Delivery|Caesarean|Exchange|Infusion"
)
_DIAGNOSIS: Final = re.compile(r"without Interventions|Disorders|Not Carried Out|Failure and Rejection|Ante-Natal|Post-Natal")


def _grouping_method(hrg: str, name: str) -> str:
    by_chapter = {"VA": "M", "JB": "B", "UZ": "U"}.get(hrg[:2])
    if by_chapter:
        return by_chapter
    if hrg[:2] in _PROCEDURE_SUBCHAPTERS:
        return "P"
    return "P" if _PROCEDURE.search(name) and not _DIAGNOSIS.search(name) else "D"


def _ages(hrg: str, name: str, grouping_method: str) -> tuple[int, int]:
    """From the name where it states ages; else by chapter: diagnoses of children have HRGs of their own (chapter P)."""
    if match := re.search(r"between (\d+) and (\d+) years", name):
        return int(match[1]), int(match[2])
    if match := re.search(r"(\d+) years? and under", name):
        return 0, int(match[1])
    if match := re.search(r"(\d+) years and over", name):
        return int(match[1]), OLDEST
    if hrg[0] == "P":
        return 0, 1 if hrg.startswith("PB") else 18
    if hrg.startswith("NZ"):
        return 16, 49
    return (19 if grouping_method == "D" and hrg[0] not in "VWU" else 0), OLDEST


def _stays(name: str) -> tuple[int, int]:
    if match := re.search(r"length of stay between (\d+) and (\d+) days", name):
        return int(match[1]), int(match[2])
    if match := re.search(r"length of stay (\d+) days? or less", name):
        return 0, int(match[1])
    if match := re.search(r"length of stay (\d+) days? or more", name):
        return int(match[1]), LONGEST_STAY
    return (0, 0) if "length of stay 0 days" in name else (0, LONGEST_STAY)


def _female_share(hrg: str, name: str) -> float:
    if hrg[:2] in {"NZ", "MA", "MB", "MC"}:
        return 1.0
    if re.search(r"Prostat|Penis|Scrot|Testic|\bMale\b", name):
        return 0.0
    return 0.98 if hrg.startswith("JA") else 0.5


def _stage(name: str) -> int:
    if re.search(r"Delivery|Caesarean", name):
        return BIRTH
    return AFTER_BIRTH if "Post-Natal" in name else BEFORE_BIRTH


_FUNCTIONS: Final = {
    "AA": "400 400 300 150", "AB": "191", "BZ": "130", "CA": "120", "CB": "120 120 300 120", "CD": "140 140 144 140",
    "DX": "300 300 340 350", "DZ": "340 340 300 300", "EB": "320 320 300 300", "EC": "172", "ED": "170", "EY": "320",
    "FD": "301 300 100 104", "FE": "301 301 301 104", "FF": "104 104 106 100", "GA": "106 100 100 106",
    "GB": "301 301 306 301", "GC": "306 301 300 106", "HC": "108 108 110 108", "HD": "410 410 300 110",
    "HE": "110 110 300 110", "HN": "110", "HT": "110", "JA": "103", "JB": "161", "JC": "330 160 330 160",
    "JD": "330 300 300 330", "KA": "302 302 120 302", "KB": "307 307 300 307", "KC": "302 300 300 302",
    "LA": "361 300 361 300", "LB": "101", "MA": "502", "MB": "502 502 503 502", "MC": "502",
    "NZ": "501 501 560 501", "PB": "422 420 420 424", "SA": "303", "SB": "370 370 303 370", "SC": "800",
    "VA": "110 110 110 150", "WD": "300", "WH": "300 300 100 180", "WJ": "300 300 350 300", "YA": "811",
    "YQ": "107", "YR": "107 107 811 107",
}  # fmt: skip
"""Treatment functions by HRG subchapter, four equally likely (fewer where they repeat)."""

_FUNCTIONS_BY_CHAPTER: Final = {"P": "420", "Y": "811", "R": "812"}


def _functions(hrg: str) -> tuple[str, str, str, str]:
    codes = (_FUNCTIONS.get(hrg[:2]) or _FUNCTIONS_BY_CHAPTER.get(hrg[0], "300")).split()
    first, second, third, fourth = codes if len(codes) == 4 else codes * 4
    return first, second, third, fourth


GENERAL_MEDICINE: Final = "300"
ELDERLY_MEDICINE: Final = "430"

_MAIN_SPECIALTIES: Final = {
    "103": "100", "104": "100", "106": "100", "107": "100", "108": "110", "144": "145", "161": "160", "172": "170",
    "191": "190", "306": "301", "307": "302", "422": "420", "424": "420", "503": "502", "811": "810", "812": "810",
}  # fmt: skip


def main_specialty(treatment_function: str) -> str:
    """The main specialty of the consultant who usually works in this treatment function; most share one code."""
    return _MAIN_SPECIALTIES.get(treatment_function, treatment_function)
