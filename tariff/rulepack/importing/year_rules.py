"""The rules of an imported year: from the figures that the workbook holds and the dated parameters of the year. A rule whose
figures are not there is `none`, assumed, and says so; nothing is filled in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from tariff.rulepack.importing.rows import Imported
from tariff.rulepack.model import Rules
from tariff.rulepack.parameters import Parameter, Parameters

_SCHEME_STARTS: Final = date(2023, 4, 1)
"""From here on outpatients are paid as under the elective recovery fund (RULES 2.2)."""

SIMPLEST_EMERGENCY: Final = "VB11Z"
TOP_UP_NAMES: Final = {
    "top_up_children": ("CHILDREN", "Specialised children's services"),
    "top_up_children_high": ("CHILDREN_HIGH", "Specialised children's services, high"),
    "top_up_children_low": ("CHILDREN_LOW", "Specialised children's services, low"),
    "top_up_orthopaedic": ("ORTHOPAEDIC", "Specialised orthopaedic services"),
    "top_up_spinal": ("SPINAL", "Specialised spinal services"),
    "top_up_neurosciences": ("NEUROSCIENCES", "Specialised neuroscience services"),
}
"""Dated top-up rates and the service codes they stand under in a pack."""

TRIM_POINTS: Final = {
    "ordinary_elective": ("elective_trim", "ordinary elective"),
    "non_elective": ("non_elective_trim", "non-elective"),
}
"""By setting, the column of its trim points, and the setting in words."""

Told = dict[str, Any]


class YearRules:
    """The rules of one imported year."""

    def __init__(self, tables: Mapping[str, Imported], parameters: Parameters, starts: date, ends: date, document: str) -> None:
        self.tables, self.parameters, self.starts, self.ends, self.document = tables, parameters, starts, ends, document

    def parameter(self, name: str) -> Parameter | None:
        """A dated parameter at the start of the year, where it acts."""
        found = self.parameters.on(name, self.starts)
        return found if found is not None and found.acted else None

    def rules(self) -> Rules:
        """Every rule of the year."""
        return Rules.model_validate(
            {
                "setting": _SETTING,
                "exclusions": _EXCLUSIONS,
                "short_stay": self._short_stay(),
                "long_stay": self._long_stay(),
                "top_up": self._top_up(),
                "market_forces_factor": self._market_forces_factor(),
                "outpatient": self._outpatient(),
                "emergency": self._emergency(),
                "unbundled": self._unbundled(),
                "best_practice": self._absent("best-practice criteria", _BEST_PRACTICE_NOTE),
                "rounding": _ROUNDING,
            }
        )

    def top_ups(self) -> Imported | None:
        """The dated top-up rates as a table, for a year whose workbook holds none: each row under its own label."""
        imported = Imported("top_ups")
        oldest = self.parameter("top_up_children_oldest_age")
        for name, (code, title) in TOP_UP_NAMES.items():
            rate = self.parameter(name) if name in self.parameters.names else None
            if rate is not None:
                child = oldest is not None and name.startswith("top_up_children")
                imported.rows.append(
                    {
                        "top_up": code,
                        "name": title,
                        "percent": rate.text,
                        "minimum_age": "",
                        "maximum_age": oldest.text if child and oldest else "",
                        "source": f"parameters.csv: {rate.source}",
                        "confidence": rate.confidence,
                    }
                )
        return imported if imported.rows else None

    def _held(self, column: str, table: str = "admitted") -> bool:
        found = self.tables.get(table)
        return found is not None and any(row.get(column) not in {None, "", "no"} for row in found.rows)

    def _short_stay(self) -> Told:
        if not (self._held("short_stay_applies") and (self._held("short_stay_price") or self._held("short_stay_percent"))):
            return self._absent("reduced short-stay emergency prices", "Short emergency stays are priced in full.")
        days, age, grouping = (self.parameter(f"short_stay_{name}") for name in _SHORT_STAY_PARAMETERS)
        if days is None or age is None or grouping is None:
            return self._absent("dated parameters of the short-stay reduction", "Short emergency stays are priced in full.")
        return {
            "method": "price_table",
            "minimum_age": days_or_years(age),
            "maximum_stay_days": days_or_years(days),
            "grouping_methods": (grouping.text,),
            "source": f"HRGs, percentages and prices: {self.document}; age, stay and grouping method: parameters.csv (RULES 1.4)",
            "confidence": "practice",
            "note": f"Grouping method {grouping.text}: {grouping.confidence}.",
        }

    def _long_stay(self) -> Told:
        lacking = tuple(setting for setting, (column, _) in TRIM_POINTS.items() if not self._held(column))
        if not self._held("per_day_long_stay") or len(lacking) == len(TRIM_POINTS):
            return self._absent("trim points with per-day payments", "No day beyond a trim point is paid.")
        days = "Days net of critical care, rehabilitation, palliative and reimbursed delayed days: practice (RULES 1.2)."
        settings = " and ".join(TRIM_POINTS[setting][1] for setting in lacking)
        absent = f"ABSENT: {self.document} holds no trim points of {settings} stays, so no excess day of theirs is paid. "
        return {
            "method": "per_day_beyond_trim",
            "without_trim_points": lacking,
            "source": f"{self.document}: trim points and per day long stay payment",
            "confidence": "published",
            "note": f"{absent if lacking else ''}{days}",
        }

    def _top_up(self) -> Told:
        covered = self.parameter("top_up_includes_long_stay")
        if "top_ups" not in self.tables or covered is None:
            return self._absent("specialised top-up rates", "No top-up is paid. Lay on an overlay with top_ups.csv.")
        return {
            "method": "highest_eligible",
            "includes_long_stay": covered.value is True,
            "source": f"Rates: top_ups.csv; whether on the long-stay payment too: {covered.source}",
            "confidence": covered.confidence,
            "note": "Only one top-up a spell, the highest (RULES 1.6)." + self._everyone_eligible(),
        }

    def _everyone_eligible(self) -> str:
        """What to say where the year has eligible providers and the workbook does not name them."""
        scheme = self.parameter("top_up_scheme")
        if scheme is None or scheme.text != "prescribed_services" or "top_up_providers" in self.tables:
            return ""
        return " The workbook names no eligible providers: every provider is paid."

    def _market_forces_factor(self) -> Told:
        if "mff" not in self.tables:
            note = "Prices are before market forces factor: 1.000000 for everyone. Lay on an overlay with mff.csv."
            return self._absent("market forces factors", note)
        other = self.tables["mff"].other_years
        return {
            "method": "by_provider",
            "source": f"mff.csv{', whose title names another year' if other else ''}; every price times the factor (RULES 1.7)",
            "confidence": "proxy" if other else "published",
        }

    def _outpatient(self) -> Told:
        if "outpatient" not in self.tables and not self._held("outpatient_procedure"):
            return self._absent("outpatient prices", "No attendance and no outpatient procedure is priced.")
        recovery = self.starts >= _SCHEME_STARTS
        own_price = any(self._held(f"{visit}_non_face_to_face", "outpatient") for visit in ("first", "follow_up"))
        told: Told = {
            "method": "erf" if recovery else "national",
            # what the workbook prints wins over the practice of paying the face-to-face price (RULES, first section)
            "non_face_to_face": "face_to_face_price" if recovery and not own_price else "own_price",
            "no_price_treatment_functions": ("812",),
            "source": f"Prices: {self.document}; method: NHS commissioners' pricing practice (RULES 2.1, 2.2)",
            "confidence": "practice",
        }
        if "outpatient" not in self.tables:
            told["note"] = "The workbook holds procedure prices but no attendance prices. Lay on an overlay with outpatient.csv."
        return {**told, **self._default_attendance()}

    def _default_attendance(self) -> Told:
        """The first attendance of a treatment function without a price. (That of a follow-up holds for independent providers
        alone, which a pack cannot say: it is left out.)"""
        first = self.parameter("outpatient_default_first")
        if first is None:
            return {}
        return {
            "default_first": first.text,
            "default_source": f"parameters.csv: {first.source}",
            "default_confidence": first.confidence,
        }

    def _emergency(self) -> Told:
        table = self.tables.get("emergency")
        if table is None:
            return self._absent(
                "emergency care prices", "No emergency care attendance is priced. Lay on an overlay with emergency.csv."
            )
        if all(row["currency"] != SIMPLEST_EMERGENCY for row in table.rows):
            return self._absent(
                f"price of {SIMPLEST_EMERGENCY}, the simplest currency", "No emergency care attendance is priced."
            )
        return {
            "method": "national",
            "simplest_currency": SIMPLEST_EMERGENCY,
            "source": f"Prices: {self.document}; type 3 without a price of its own at the simplest currency (RULES 2.5)",
            "confidence": "published",
        }

    def _unbundled(self) -> Told:
        if "unbundled" not in self.tables:
            return self._absent("unbundled prices", "No unbundled currency is priced. Lay on an overlay with unbundled.csv.")
        return {
            "method": "price_list",
            "source": f"Prices: {self.document}; paid beside the core HRG, per unit (RULES 1.9)",
            "confidence": "practice",
        }

    def _absent(self, what: str, note: str) -> Told:
        return {"method": "none", "source": f"ABSENT: {self.document} holds no {what}", "confidence": "assumed", "note": note}


_BEST_PRACTICE_NOTE: Final = (
    "No best-practice tariff is paid. Lay on an overlay with best_practice.csv, best_practice_criteria.csv and method evidence."
)
_SHORT_STAY_PARAMETERS: Final = ("maximum_days", "minimum_age", "grouping_method")


def days_or_years(parameter: Parameter) -> int:
    """The value of a parameter counted in days or years."""
    return int(parameter.text)


_SETTING: Final = {
    "method": "national",
    "source": "NHS commissioners' pricing practice: admission method, patient classification and length of stay (RULES 1.1, 1.3)",
    "confidence": "practice",
    "note": "Not read in a publication: class 5 as 1; class 2 with a gross stay above 0 at the ordinary elective price.",
}
_EXCLUSIONS: Final = {
    "method": "national",
    "source": "NHS commissioners' pricing practice; serial numbers ending '=': NHS Data Dictionary (RULES 1.1)",
    "confidence": "practice",
    "note": "Not read in a publication: regular day and night attenders outside national prices.",
}
_ROUNDING: Final = {
    "method": "penny_once",
    "source": "NHS commissioners' pricing practice: the exact price times the factor, once half-up to the penny (RULES 1.8)",
    "confidence": "practice",
}
