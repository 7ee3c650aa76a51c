"""Best-practice tariffs beyond the price of a line (RULES 3, 5.8). A newcomer's map:

- what a tariff pays, to which lines, and which criteria it has: the pack (`rulepack.best_practice_rows`)
- what an audit says, as files give it: `evidence`; what of it is of no use: `not_used`; what a line stands at by it: `standing`
- which rows cover a line: `classify.best_practice`; what is paid, earned, lost and at stake: `kernels.best_practice`
- gates counted from lines: `gates`; a patient's year of care: `patient_years`
- achievement, its interval, the criteria that fail, prices by setting: `achievement`; a report of it: `report.best_practice`
- the budget test of amounts: `budget`; of one's own lines: `budget_of_lines`; what contracts make of it: `adjustment`"""

from tariff.best_practice.achievement import best_practice_achievement, criteria_missing, prices_by_setting
from tariff.best_practice.budget import neutral_base, spending_curve
from tariff.best_practice.budget_of_lines import BudgetTest, budget_test
from tariff.best_practice.evidence import Evidence, evidence_of, read_evidence
from tariff.best_practice.gates import counted_gates, with_gates
from tariff.best_practice.not_used import evidence_problems
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
