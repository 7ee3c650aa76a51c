"""What every peer starts from: the rule pack as plain columns, made once and outside the timed call.

What can be settled from the tables alone is settled here, in the peers' favour: the combined price stands in both elective
columns, the reduced short-stay price is worked out, the tables are proved too small for any price to pass the engine's
bound, and top-up percentages are reduced to the smallest whole numbers, so that a price needs one division."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from math import gcd
from typing import TYPE_CHECKING

from tariff.money import AMOUNT_LIMIT_PENCE, BASIS_POINTS, MILLION
from tariff.rulepack.book import short_stay_price

if TYPE_CHECKING:
    from tariff.rulepack import RulePack

RESULT = (
    "spell_id",
    "base_pence",
    "short_stay_pence",
    "long_stay_pence",
    "top_up_pence",
    "mff_pence",
    "price_pence",
    "indicative_pence",
)
"""Identifier and seven money columns: what is compared, to the penny."""

KEYS = ("commissioner", "provider", "hrg", "month")
FEW_KEYS = ("commissioner", "provider", "month")
"""What spells are totalled by; month 1 is April."""
SUMS = ("spells", *RESULT[1:])

NEEDED = (
    "spell_id",
    "provider",
    "commissioner",
    "admission_date",
    "discharge_date",
    "admission_method",
    "patient_classification",
    "age",
    "hrg",
    "administrative_category",
    "commissioning_serial_number",
    "specialised_services",
    "local_price",
    "grouping_method",
    "critical_care_days",
    "rehabilitation_days",
    "palliative_care_days",
    "delayed_discharge_days",
)
"""The columns of the benchmark's files that a price depends on: a peer reads these and no others."""

DAYS_AWAY = NEEDED[-4:]
ELECTIVE = ("11", "12", "13")
EMERGENCY = ("21", "22", "23", "24", "25", "28", "2A", "2B", "2C", "2D")
OTHER_NON_ELECTIVE = ("31", "32", "81", "82", "83")
CLASSES = ("1", "2", "3", "4", "5")
PRIVATE = ("02", "2")
PRIVATE_COMMISSIONER = "VPP00"
UNGROUPED = "UZ"
TRUST_CODE_LENGTH = 3
OLDEST_AGE = 130
MOST_DAYS = 200_000

PRICE_COLUMNS = (
    "day_case",
    "ordinary_elective",
    "non_elective",
    "elective_trim",
    "non_elective_trim",
    "per_day",
    "short_stay_price",
)


@dataclass(frozen=True)
class TopUp:
    """A top-up: `share` of `Tables.scale`; ages inclusive."""

    code: str
    share: int
    minimum_age: int
    maximum_age: int


@dataclass(frozen=True)
class Tables:
    """One pack as columns. Money in pence, factors in millionths; None = none."""

    hrg: list[str]
    prices: dict[str, list[int | None]]
    factors: dict[str, int]
    top_ups: list[TopUp]
    scale: int
    starts: date
    ends: date
    minimum_age: int
    maximum_stay: int
    grouping_methods: tuple[str, ...]

    @property
    def divisor(self) -> int:
        """What an exact amount in `scale`-ths of a penny, times a factor in millionths, is divided by."""
        return self.scale * MILLION


def tables_of(pack: RulePack) -> Tables:
    """The columns of `pack`. ValueError where it uses a rule that the peers were not written for."""
    rules = pack.rules
    expected = {
        "short_stay": "price_table",
        "long_stay": "per_day_beyond_trim",
        "top_up": "highest_eligible",
        "market_forces_factor": "by_provider",
        "rounding": "penny_once",
        "best_practice": "none",
    }
    differing = [name for name, method in expected.items() if getattr(rules, name).method != method]
    if differing or pack.top_up_providers is not None or not rules.top_up.includes_long_stay:
        raise ValueError(f"the peers do not know this pack's rules: {differing or 'top-ups'}")
    if rules.exclusions.hrgs or rules.exclusions.treatment_functions or rules.market_forces_factor.default:
        raise ValueError("the peers know no excluded lists and no default factor")
    rows = [row for row in pack.admitted if not row.hrg.startswith(UNGROUPED)]
    step = gcd(BASIS_POINTS, *(top_up.percent for top_up in pack.top_ups))
    tables = Tables(
        hrg=[row.hrg for row in rows],
        prices={
            "day_case": [row.day_case if row.combined is None else row.combined for row in rows],
            "ordinary_elective": [row.ordinary_elective if row.combined is None else row.combined for row in rows],
            "non_elective": [row.non_elective for row in rows],
            "elective_trim": [None if row.per_day_long_stay is None else row.elective_trim for row in rows],
            "non_elective_trim": [None if row.per_day_long_stay is None else row.non_elective_trim for row in rows],
            "per_day": [row.per_day_long_stay for row in rows],
            "short_stay_price": [short_stay_price(row) for row in rows],
        },
        factors={factor.provider: factor.mff for factor in pack.provider_factors},
        top_ups=[
            TopUp(one.top_up, one.percent // step, one.minimum_age or 0, _none_as(one.maximum_age, OLDEST_AGE))
            for one in pack.top_ups
        ],
        scale=BASIS_POINTS // step,
        starts=pack.starts,
        ends=pack.ends,
        minimum_age=rules.short_stay.minimum_age,
        maximum_stay=rules.short_stay.maximum_stay_days,
        grouping_methods=rules.short_stay.grouping_methods,
    )
    _require_bounded(tables)
    return tables


def _none_as(number: int | None, instead: int) -> int:
    return instead if number is None else number


def _require_bounded(tables: Tables) -> None:
    """No national price can pass the bound or leave int64, so that no peer need ask row by row."""
    prices = [max(price or 0 for price in tables.prices[name]) for name in PRICE_COLUMNS]
    dearest = max(prices[:3]) + MOST_DAYS * prices[PRICE_COLUMNS.index("per_day")]
    with_top_up = dearest * (tables.scale + max((one.share for one in tables.top_ups), default=0))
    exact = with_top_up * max(tables.factors.values())
    if exact + tables.divisor >= 2**63 or exact // tables.divisor > AMOUNT_LIMIT_PENCE:
        raise ValueError("a price of this pack may pass the bound of amounts")
