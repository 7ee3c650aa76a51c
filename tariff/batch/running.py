"""One job from files to a finished run."""

from __future__ import annotations

from tariff.batch.job import Job, Run, is_one_file
from tariff.batch.lines_file import price_into_file
from tariff.batch.lines_folder import price_into_folder
from tariff.batch.pathways_beside import require_registers
from tariff.batch.refusals import refuse_output
from tariff.batch.totals_file import price_into_totals
from tariff.batch.unchanged import AsTheyStand
from tariff.best_practice.evidence import read_evidence
from tariff.intake import take_in
from tariff.rulepack import RulePack
from tariff.rulepack.choosing import load_rules
from tariff.run_card import now
from tariff.scratch import remove_left_behind
from tariff.whole_files import only_writer


def price_files(job: Job) -> Run:
    """Price the files of `job` and write priced lines and run card, all or nothing.

    Raises ActivityError, RulesError, UsageError, OutputError or DisagreementError; then nothing is left behind."""
    started = now()
    remove_left_behind()
    refuse_output(job)
    loaded = load_rules(job.rules, overlays=job.overlays)
    packs = (loaded,) if isinstance(loaded, RulePack) else loaded
    if job.pathways is not None:
        require_registers(job.pathways, packs)
    as_they_stand = AsTheyStand(job)
    intake = take_in(job.files, job.columns)
    if job.aggregate:
        return price_into_totals(job, packs, intake, as_they_stand, started)
    evidence = read_evidence(job.evidence) if job.evidence else None
    if is_one_file(job.out):
        return price_into_file(job, packs, intake, as_they_stand, evidence, started)
    with only_writer(job.out):
        return price_into_folder(job, packs, intake, as_they_stand, evidence, started)
