"""Payment models, plans and contract terms: priced lines in, ledger lines out. Nothing here re-prices a line."""

from tariff.payment.beside import Beside
from tariff.payment.best_practice import gather_best_practice
from tariff.payment.cells import CELL, COMPONENT_LINES, NOT_GIVEN, component_lines, gather_cells
from tariff.payment.ledger import COMPONENT_CAUSES, INTERACTION, Ledger, settle
from tariff.payment.model_files import load_models, shipped_presets
from tariff.payment.models import Model, Models, ModelsOrigin
from tariff.payment.monitoring import plan_against_actual
from tariff.payment.pathways import gather_inside, with_restated
from tariff.payment.plan import check_plan, read_plan
from tariff.payment.plan_making import phase_plan, plan_from_priced, population_growth, write_plan
from tariff.payment.readmitted import gather_readmissions, readmitted_lines
from tariff.payment.referral_cap import gather_referrals
from tariff.payment.scope import Scope
from tariff.payment.term import Cause, ContractTerm

__all__ = [
    "CELL",
    "COMPONENT_CAUSES",
    "COMPONENT_LINES",
    "INTERACTION",
    "NOT_GIVEN",
    "Beside",
    "Cause",
    "ContractTerm",
    "Ledger",
    "Model",
    "Models",
    "ModelsOrigin",
    "Scope",
    "check_plan",
    "component_lines",
    "gather_best_practice",
    "gather_cells",
    "gather_inside",
    "gather_readmissions",
    "gather_referrals",
    "load_models",
    "phase_plan",
    "plan_against_actual",
    "plan_from_priced",
    "population_growth",
    "read_plan",
    "readmitted_lines",
    "settle",
    "shipped_presets",
    "with_restated",
    "write_plan",
]
