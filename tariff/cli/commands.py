"""Every command by the name it is called with."""

from __future__ import annotations

from cyclopts import App

from tariff._version import __version__
from tariff.cli.best_practice import budget, catalogue, gates
from tariff.cli.comparisons import compare, list_models
from tariff.cli.lines import backtest, explain, verify
from tariff.cli.pathways import pathways
from tariff.cli.plans import plan
from tariff.cli.rules import check_rules, diff_rules, import_rules, list_rules, new_rules, show_parameters, show_rules
from tariff.cli.runs import price, run_job
from tariff.cli.synthetic_years import demo, synth

app = App(
    name="tariff",
    help="Price NHS hospital activity coded to HRG4 and show what commissioners pay under each payment model.",
    version=__version__,
    help_format="plaintext",
    result_action="return_value",
    suppress_keyboard_interrupt=False,
)
for command in (price, compare, plan, pathways, explain, verify, backtest, synth, demo):
    app.command(command)
app.command(list_models, name="models")
app.command(run_job, name="run")

rules_app = App(name="rules", help="List, show, check, import, compare and start rule packs.", help_format="plaintext")
app.command(rules_app)
rules_app.command(list_rules, name="list")
rules_app.command(show_rules, name="show")
rules_app.command(check_rules, name="check")
rules_app.command(import_rules, name="import")
rules_app.command(diff_rules, name="diff")
rules_app.command(new_rules, name="new")
rules_app.command(show_parameters, name="parameters")

best_practice_app = App(
    name="best-practice", help="Count provider gates, test a budget, list what is known.", help_format="plaintext"
)
app.command(best_practice_app)
best_practice_app.command(gates)
best_practice_app.command(budget)
best_practice_app.command(catalogue)
