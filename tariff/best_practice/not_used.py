"""Evidence that changed no price because it could not: what of it was not used, with counts, as a run card tells it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from tariff.activity.files import digest
from tariff.best_practice.evidence import codes_of, problem
from tariff.best_practice.gates import thresholds
from tariff.best_practice.patient_years import contradictory_in_years
from tariff.best_practice.standing import WHOLE, contradictory_gates, contradictory_lines
from tariff.rulepack.best_practice_rows import CONTRADICTORY, PROVIDER_GATE, SETTING, YEAR_OF_CARE
from tariff.rulepack.book import TRUST_CODE_LENGTH

if TYPE_CHECKING:
    from tariff.best_practice.evidence import Evidence, EvidenceProblem
    from tariff.rulepack import RulePack


def evidence_card(
    paths: Sequence[Path],
    evidence: Evidence,
    packs: Sequence[RulePack],
    priced: pl.LazyFrame,
    pathways: pl.LazyFrame | None = None,
) -> dict[str, Any]:
    """What a run card says of the evidence of a run: the files with their digests, the answers used, and what was not used, of
    the lines and of the years of care among its `pathways` (`columns.PATHWAY`)."""
    of_years = () if pathways is None else contradictions_of_years(evidence, packs, priced, pathways)
    return {
        "files": [{"path": str(path.resolve()), "sha256": digest(path)} for path in paths],
        "answers_of_lines": evidence.lines.height,
        "answers_of_gates": evidence.gates.height,
        "not_used": [
            {"problem": found.problem, "rows": found.rows, "sentence": found.sentence, "examples": list(found.examples)}
            for found in (*evidence_problems(evidence, packs, priced), *of_years)
        ],
    }


def contradictions_of_years(
    evidence: Evidence, packs: Sequence[RulePack], priced: pl.LazyFrame, pathways: pl.LazyFrame
) -> tuple[EvidenceProblem, ...]:
    """Answers of several lines of one patient's year of care that contradict each other, but for those that do so on one line,
    which `evidence_problems` tells."""
    found = []
    for pack in packs:
        years = _years_judged(pack, pathways)
        if years.height:
            own = contradictory_lines(evidence.lines, pack)
            over_lines = contradictory_in_years(evidence, pack, priced, years)
            found.append(over_lines.join(own, on=over_lines.columns, how="anti"))
    rows = pl.concat(found).unique() if found else evidence.lines.clear()
    told = problem("contradictory_year", rows.height, _OVER_A_YEAR, codes_of(rows, "tariff", "criterion"))
    return (told,) if told.rows else ()


def _years_judged(pack: RulePack, pathways: pl.LazyFrame) -> pl.DataFrame:
    """The pathways of a pack that evidence is asked about, as `years_of_care` takes them."""
    named = [
        (its.name, its.quality.tariff)
        for its in (pack.pathways.pathway if pack.pathways else ())
        if its.quality is not None and its.quality.tariff is not None
    ]
    asked = pl.LazyFrame(named, schema={"definition": pl.String(), "tariff": pl.String()}, orient="row")
    return (
        pathways.filter((pl.col("pack") == pack.label) & pl.col("quality").is_not_null())
        .join(asked, on="definition")
        .select(
            "patient_id",
            pl.col("lead_provider").alias("provider"),
            "tariff",
            period_start=pl.max_horizontal("start_date", pl.lit(pack.starts)),
            period_end=pl.min_horizontal("end_date", pl.lit(pack.ends)),
        )
        .collect()
    )


def evidence_problems(
    evidence: Evidence, packs: Sequence[RulePack], priced: pl.LazyFrame | None = None
) -> tuple[EvidenceProblem, ...]:
    """All evidence that changed no price because it could not: what reading left out; tariffs and criteria that none of `packs`
    holds; tariffs as a whole against their criteria; a line's evidence of a provider gate and a gate's of a tariff that is none;
    and, where `priced` lines are given, lines that are not there, lines that the tariff does not cover, lines that themselves
    show the contrary, and gates of providers without lines."""
    paying = [pack for pack in packs if pack.rules.best_practice.method != "none"]
    gates, years = (
        {row.tariff for pack in paying for row in pack.best_practice if row.mechanism == mechanism}
        for mechanism in (PROVIDER_GATE, YEAR_OF_CARE)
    )
    tariffs = {row.tariff for pack in paying for row in pack.best_practice}
    criteria = {(row.tariff, row.criterion) for pack in paying for row in pack.best_practice_criteria}
    shown = tariffs - {tariff for tariff, _ in criteria} - gates
    both = pl.concat([evidence.lines.select("tariff", "criterion"), evidence.gates.select("tariff", "criterion")])
    known = pl.col("tariff").is_in(list(tariffs))
    unknown = both.filter(~known)
    asked = pl.DataFrame(sorted(criteria), schema={"tariff": pl.String(), "criterion": pl.String()}, orient="row")
    no_criterion = both.filter(known & (pl.col("criterion") != "")).join(asked, on=["tariff", "criterion"], how="anti")
    odd_gates = evidence.gates.filter(known & ~pl.col("tariff").is_in(list(gates)))
    by_line = evidence.lines.filter(known & pl.col("tariff").is_in(list(gates)))
    clashes = [
        pl.concat([clash(frame, pack) for pack in paying]).unique().select("tariff", "criterion")
        for clash, frame in ((contradictory_lines, evidence.lines), (contradictory_gates, evidence.gates))
        if paying
    ]
    clashing = pl.concat(clashes) if clashes else both.clear()
    found = [
        *evidence.problems,
        problem("contradictory_whole", clashing.height, _WHOLE_AND_PARTS, codes_of(clashing, "tariff")),
        problem("unknown_tariff", unknown.height, "no rule pack of the run pays this tariff", codes_of(unknown, "tariff")),
        problem(
            "unknown_criterion",
            no_criterion.height,
            "the rule pack has no such criterion of the tariff",
            codes_of(no_criterion, "tariff", "criterion"),
        ),
        problem(
            "not_a_gate",
            odd_gates.height,
            "the tariff is no provider gate: it is shown line by line",
            codes_of(odd_gates, "tariff"),
        ),
        problem("gate_by_line", by_line.height, _BY_LINE, codes_of(by_line, "tariff")),
    ]
    if priced is not None:
        found += _unmatched(evidence.lines.filter(known), years, shown, priced)
        found.append(_gates_of_nobody(evidence.gates.filter(pl.col("tariff").is_in(list(gates))), priced))
    return tuple(one for one in found if one.rows)


def problems_of_counting(evidence: Evidence, packs: Sequence[RulePack], priced: pl.LazyFrame) -> tuple[EvidenceProblem, ...]:
    """The same where answers of single lines are counted into gates: those are used but for criteria that have no threshold."""
    counted = pl.concat([thresholds(pack).select("tariff", "criterion") for pack in packs]).unique()
    asked = {(row.tariff, row.criterion) for pack in packs for row in pack.best_practice_criteria}
    gates = {row.tariff for pack in packs for row in pack.best_practice if row.mechanism == PROVIDER_GATE}
    of_gates = evidence.lines.filter(pl.col("tariff").is_in(list(gates))).join(counted, on=["tariff", "criterion"], how="anti")
    named = pl.DataFrame(
        sorted(asked | {(gate, WHOLE) for gate in gates}), schema={"tariff": pl.String(), "criterion": pl.String()}, orient="row"
    )
    idle = of_gates.join(named, on=["tariff", "criterion"], how="semi")
    sentence = "the pack states no threshold for it, so it is counted into no gate"
    found = [one for one in evidence_problems(evidence, packs, priced) if one.problem != "gate_by_line"]
    return (
        *found,
        *([problem("no_threshold", idle.height, sentence, codes_of(idle, "tariff", "criterion"))] if idle.height else []),
    )


_WHOLE_AND_PARTS: Final = (
    "the tariff as a whole is said to be met though one of its criteria is not, or not met though all are; "
    "it counts as no evidence"
)
_OVER_A_YEAR: Final = (
    "over the lines of one patient's year of care, a criterion is said to be met and not, or the year as a whole is said to be "
    "met though one of its criteria is not, or not met though all are; it counts as no evidence"
)
_BY_LINE: Final = (
    "the tariff is a provider gate: answers of single lines pay nothing until they are counted into a gate "
    "(tariff best-practice gates)"
)


_AGAINST_LINE: Final = "the answer is not what the line itself shows; the tariff is not paid on it"


def _gates_of_nobody(gates: pl.DataFrame, priced: pl.LazyFrame) -> EvidenceProblem:
    """Evidence of gates of providers that have no line in this run, under their own code or as the trust of a site."""
    provider = pl.col("provider").cast(pl.String).str.strip_chars().str.to_uppercase()
    seen = priced.select(provider).unique().collect()
    codes = pl.concat([seen, seen.select(pl.col("provider").str.head(TRUST_CODE_LENGTH))]).unique()
    idle = gates.join(codes, on="provider", how="anti")
    return problem("unknown_provider", idle.height, "no line of this run is of that provider", codes_of(idle, "tariff"))


def _holds(column: str, part: pl.Expr) -> pl.Expr:
    """Whether a list separated by `;` holds a part."""
    return (";" + pl.col(column) + ";").str.contains(";" + part + ";", literal=True)


def _unmatched(
    lines: pl.DataFrame, years: Collection[str], shown: Collection[str], priced: pl.LazyFrame
) -> list[EvidenceProblem]:
    """Evidence of lines that were not priced in this run, and of lines that the tariff does not cover; a year of care (`years`)
    is shown by any line of the patient. And evidence against what a line itself shows, of tariffs without criteria (`shown`)."""
    key = ["provider", "line_id"]
    seen = priced.select(
        pl.col("provider").cast(pl.String).str.strip_chars().str.to_uppercase(),
        pl.col("line_id").cast(pl.String).str.strip_chars(),
        covered=pl.col("best_practice_tariff").fill_null(""),
        missing=pl.col("best_practice_missing").fill_null(""),
    )
    met = lines.lazy().join(seen, on=key, how="left", maintain_order="left").collect()
    absent = met.filter(pl.col("covered").is_null())
    listed = _holds("covered", pl.col("tariff"))
    of_year = pl.col("tariff").is_in(list(years))
    not_covered = met.filter(pl.col("covered").is_not_null() & ~listed & ~of_year)
    sentence = "the line was priced, but the tariff does not cover it"
    denied = ~pl.col("met") & _holds("missing", pl.col("tariff") + f":{CONTRADICTORY}")
    elsewhere = pl.col("met") & _holds("missing", pl.col("tariff") + f":{SETTING}")
    against = met.filter((pl.col("criterion") == WHOLE) & pl.col("tariff").is_in(list(shown)) & (denied | elsewhere))
    return [
        problem("contradicts_line", against.height, _AGAINST_LINE, codes_of(against, "tariff")),
        problem(
            "unknown_line", absent.height, "no line of this run has that provider and identifier", codes_of(absent, "tariff")
        ),
        problem("not_covered", not_covered.height, sentence, codes_of(not_covered, "tariff")),
    ]
