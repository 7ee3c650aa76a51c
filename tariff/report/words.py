"""Words for people: names of points of delivery and of ledger dimensions, money short enough for a sentence, and the
sentence that states the finding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tariff.money import half_up, pounds

POD_NAMES: Final = {
    "NOTCLASSIFIED": "Not classified",
    "DC": "Day case",
    "EL": "Ordinary elective",
    "NEL": "Emergency",
    "NELST": "Emergency, short stay",
    "NELNE": "Non-elective, not emergency",
    "RADAY": "Regular day attender",
    "RANIGHT": "Regular night attender",
    "OPFASPCL": "First attendance, one professional, consultant-led",
    "OPFASPNCL": "First attendance, one professional, not consultant-led",
    "OPFAMPCL": "First attendance, several professionals, consultant-led",
    "OPFAMPNCL": "First attendance, several professionals, not consultant-led",
    "OPFUPSPCL": "Follow-up attendance, one professional, consultant-led",
    "OPFUPSPNCL": "Follow-up attendance, one professional, not consultant-led",
    "OPFUPMPCL": "Follow-up attendance, several professionals, consultant-led",
    "OPFUPMPNCL": "Follow-up attendance, several professionals, not consultant-led",
    "NF2FFA": "First attendance, not face to face",
    "NF2FFUP": "Follow-up attendance, not face to face",
    "OPPROCFA": "Outpatient procedure, first attendance",
    "OPPROCFUP": "Outpatient procedure, follow-up",
    "OPPROC": "Outpatient procedure",
    "AE": "Emergency care attendance",
    "UNBCHEMO": "Chemotherapy",
    "UNBRTHPY": "Radiotherapy",
    "UNBPALL": "Specialist palliative care",
    "UNBRAD": "Diagnostic imaging",
    "UNBREHAB": "Rehabilitation",
    "UNBACC": "Adult critical care",
    "UNBNCC": "Neonatal critical care",
    "UNBPCC": "Paediatric critical care",
    "UNBOTHER": "Other unbundled activity",
    "CCTRANS": "Critical care transport",
    "ARD": "Adult renal dialysis",
    "CRD": "Child renal dialysis",
    "DRUG": "High-cost drugs",
    "DEVICE": "High-cost devices",
    "COMM": "Community care",
    "OTHER": "Other",
}
"""What a national point-of-delivery code means, for a reader who does not know the codes."""

DIMENSION_NAMES: Final = {
    "commissioner": "Commissioner",
    "provider": "Provider",
    "gp_practice": "General practice",
    "financial_year": "Financial year",
    "month": "Month",
    "pod": "Point of delivery",
    "treatment_function": "Treatment function",
    "currency": "HRG or currency",
    "hrg_chapter": "HRG chapter",
}
CHAPTER_NAMES: Final = {
    "A": "Nervous system",
    "B": "Eyes",
    "C": "Mouth, head, neck and ears",
    "D": "Respiratory system",
    "E": "Cardiac",
    "F": "Digestive system",
    "G": "Hepatobiliary and pancreatic system",
    "H": "Musculoskeletal system",
    "J": "Skin, breast and burns",
    "K": "Endocrine and metabolic",
    "L": "Urinary tract and male reproductive system",
    "M": "Female reproductive system",
    "N": "Obstetrics",
    "P": "Diseases of childhood and neonates",
    "Q": "Vascular system",
    "R": "Radiology and nuclear medicine",
    "S": "Haematology, chemotherapy, radiotherapy and palliative care",
    "U": "Undefined groups",
    "V": "Multiple trauma, emergency medicine and rehabilitation",
    "W": "Infectious diseases, immune system and other",
    "X": "Critical care and high-cost drugs",
    "Y": "Vascular procedures and interventional radiology",
}
"""HRG4+ chapters by their letter."""
MONTH_NAMES: Final = (
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
    "January",
    "February",
    "March",
)
WHOLE_CONTRACT: Final = "Whole contract"
"""What a contract term pays without saying where."""


def value_name(dimension: str, value: object) -> str:
    """A value of a dimension for people: `DC` is `Day case (DC)`, month 1 is `April`, a blank is the whole contract."""
    if value is None:
        return WHOLE_CONTRACT
    if dimension == "pod":
        return f"{POD_NAMES[str(value)]} ({value})" if value in POD_NAMES else str(value)
    if dimension == "hrg_chapter":
        return f"{CHAPTER_NAMES[str(value)]} ({value})" if value in CHAPTER_NAMES else str(value).capitalize()
    if dimension == "month":
        return MONTH_NAMES[int(str(value)) - 1]
    return str(value)


def short_money(pence: int) -> str:
    """Money for a sentence: `£412.3m` from a million up, whole pounds below."""
    if abs(pence) < 10**8:
        return pounds(pence, whole=True)
    tenths = half_up(pence, 10**7)
    sign = "−" if tenths < 0 else ""
    return f"{sign}£{abs(tenths) // 10:,}.{abs(tenths) % 10}m"


def signed(text: str) -> str:
    """`text` with a plus sign where it is more than nothing, for differences."""
    return text if text.startswith("−") or not text.strip("£0.m%") else f"+{text}"


def percentage(part: int, whole: int, places: int = 1) -> str:
    """`part` of `whole` in percent, half-up; a dash of nothing."""
    if whole == 0:
        return "–"
    scaled = half_up(part * 100 * 10**places * (1 if whole > 0 else -1), abs(whole))
    sign = "−" if scaled < 0 else ""
    return f"{sign}{abs(scaled) // 10**places:,}.{abs(scaled) % 10**places:0{places}}%"


def counted(number: int, one: str, many: str) -> str:
    """`1 line`, `1,234 lines`."""
    return f"{number:,} {one if number == 1 else many}"


def listed(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def more_or_less(difference_pence: int, money: str) -> str:
    """`£3.2m less`, `£1.1m more` or `the same`; `money` is the difference without its sign."""
    if difference_pence == 0:
        return "the same"
    return f"{money} {'less' if difference_pence < 0 else 'more'}"


MOST_NAMED: Final = 3
"""Other models that a headline names one by one."""


def headline(payer: str, plural: bool, totals: Sequence[tuple[str, int, int]]) -> str:
    """The finding in one sentence. `totals` are (model in a sentence, pence, difference from the first), baseline first. Of
    more than `MOST_NAMED` others only the ends are named."""
    (title, pence, _), *others = totals
    start = f"{payer} pay{'' if plural else 's'} {short_money(pence)} under {title}"
    if len(others) > MOST_NAMED:
        least, most = min(others, key=lambda total: total[2]), max(others, key=lambda total: total[2])
        told = [f"{more_or_less(change, short_money(abs(change)))} under {name}" for name, _, change in (least, most)]
        return f"{start}; the {len(others)} other models range from {told[0]} to {told[1]}."
    told = [f"{more_or_less(difference, short_money(abs(difference)))} under {name}" for name, _, difference in others]
    return f"{start}; {listed(told)}." if told else f"{start}."
