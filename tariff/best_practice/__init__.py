"""Best-practice tariffs beyond the price of a line: evidence, provider gates and years of care, achievement, the budget test, and
what contracts make of it (RULES 3, 5.8)."""

from tariff.best_practice.achievement import best_practice_achievement, criteria_missing, prices_by_setting
from tariff.best_practice.budget import neutral_base, spending_curve
from tariff.best_practice.budget_of_lines import BudgetTest, budget_test
from tariff.best_practice.evidence import Evidence, evidence_of, evidence_problems, read_evidence
from tariff.best_practice.gates import counted_gates, with_gates
from tariff.best_practice.patient_years import years_of_care

__all__ = [
    "BudgetTest",
    "Evidence",
    "best_practice_achievement",
    "budget_test",
    "counted_gates",
    "criteria_missing",
    "evidence_of",
    "evidence_problems",
    "neutral_base",
    "prices_by_setting",
    "read_evidence",
    "spending_curve",
    "with_gates",
    "years_of_care",
]
