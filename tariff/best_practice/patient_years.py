"""Whether a patient's year of care met its criteria (RULES 3.1 D). The year itself is formed and priced by the pathway sweep;
here stands what evidence says of it.

Evidence names lines, never patients, so a year of care is shown by the patient's own lines: an audit's answer stands on any
line of the patient at the provider within the year, such as the first clinic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from tariff.best_practice.standing import NO_EVIDENCE, STATUS_WORDS, WHOLE, contradicts, criteria_of, judged
from tariff.rulepack.best_practice_rows import YEAR_OF_CARE

if TYPE_CHECKING:
    from tariff.best_practice.evidence import Evidence
    from tariff.rulepack import RulePack

YEAR: Final = ("patient_id", "provider", "tariff", "period_start", "period_end")
"""What tells one year of care from another."""


def years_of_care(evidence: Evidence, pack: RulePack, care: pl.LazyFrame | pl.DataFrame, years: pl.DataFrame) -> pl.DataFrame:
    """`years` in their order, with `status` (met, not_met, no_evidence) and `missing`, the criteria failed or unknown separated
    by `;` (null where none is).

    `years`: a row a patient and year, columns `YEAR` (dates both included) and any others. `care`: the lines that evidence may be
    of, `patient_id, provider, line_id, activity_date` (priced lines will do). A tariff's criteria are the pack's; a year is met
    where evidence says that all are, or the whole; what is answered both yes and no within the year is no evidence, and so is a
    year of a tariff that is no year of care of the pack."""
    facts = _facts(evidence, pack, care, years)
    criteria = criteria_of(pack)
    distinct = facts.select("tariff", "said").unique()
    told = [(tariff, said, *_judged(said, criteria.get(tariff, ()))) for tariff, said in distinct.iter_rows()]
    words = dict.fromkeys(("tariff", "said", "status", "missing"), pl.String())
    spoken = facts.join(pl.DataFrame(told, schema=words, orient="row"), on=["tariff", "said"])
    nothing = [(tariff, STATUS_WORDS[NO_EVIDENCE], ";".join(criteria.get(tariff, ())) or None) for tariff in _years_of(pack)]
    otherwise = pl.DataFrame(nothing, schema=dict.fromkeys(("tariff", "silent", "open"), pl.String()), orient="row")
    return (
        years.with_row_index("year")
        .join(spoken.select("year", "status", "missing"), on="year", how="left", maintain_order="left")
        .join(otherwise, on="tariff", how="left", maintain_order="left")
        .with_columns(
            missing=pl.when(pl.col("status").is_null()).then("open").otherwise("missing"),
            status=pl.coalesce("status", "silent", pl.lit(STATUS_WORDS[NO_EVIDENCE])),
        )
        .drop("year", "silent", "open")
    )


def contradictory_in_years(
    evidence: Evidence, pack: RulePack, care: pl.LazyFrame | pl.DataFrame, years: pl.DataFrame
) -> pl.DataFrame:
    """The answers of single lines that contradict those of another line of the same year (`years_of_care`): a criterion said to
    be met and not, or a year as a whole against its criteria. Columns provider, line_id, tariff, criterion, met."""
    answers = _answers(evidence, pack, care, years).collect()
    year = ["year", "tariff"]
    both = answers.filter(pl.col("met").n_unique().over(*year, "criterion") > 1)
    agreed = answers.join(both, on=[*year, "criterion"], how="anti")
    criteria = criteria_of(pack)
    clashing = [
        answered
        for (_, tariff), answered in agreed.group_by(year)
        if contradicts(dict(answered.select("criterion", "met").iter_rows()), criteria.get(str(tariff), ()))
    ]
    whole = pl.col("met").filter(pl.col("criterion") == WHOLE).first().over(year)
    against = pl.concat([agreed.clear(), *clashing]).filter((pl.col("criterion") == WHOLE) | (pl.col("met") != whole))
    of_lines = ["provider", "line_id", "tariff", "criterion", "met"]
    return pl.concat([both, against]).select(of_lines).unique(maintain_order=True)


def _facts(evidence: Evidence, pack: RulePack, care: pl.LazyFrame | pl.DataFrame, years: pl.DataFrame) -> pl.DataFrame:
    """By number of the year and tariff, what is said of its criteria, as text: `criterion 1;criterion 0`."""
    return (
        _answers(evidence, pack, care, years)
        .group_by("year", "tariff", "criterion")
        .agg(pl.col("met").first(), pl.col("met").n_unique().alias("answers"))
        .filter(pl.col("answers") == 1)
        .group_by("year", "tariff")
        .agg(pl.concat_str("criterion", pl.col("met").cast(pl.Int8), separator=" ").sort().str.join(";").alias("said"))
        .collect()
    )


def _answers(evidence: Evidence, pack: RulePack, care: pl.LazyFrame | pl.DataFrame, years: pl.DataFrame) -> pl.LazyFrame:
    """What is answered of the criteria of years of care, on lines within them; `year` is the number of its row."""
    asked = [(tariff, name) for tariff in _years_of(pack) for name in (WHOLE, *criteria_of(pack).get(tariff, ()))]
    known = pl.LazyFrame(asked, schema={"tariff": pl.String(), "criterion": pl.String()}, orient="row")
    answers = evidence.lines.lazy().join(known, on=["tariff", "criterion"], how="semi")
    keyed = care.lazy().select("patient_id", _provider(), pl.col("line_id").cast(pl.String).str.strip_chars(), "activity_date")
    numbered = years.lazy().with_row_index("year").select("year", *YEAR).with_columns(_provider())
    return (
        answers.join(keyed, on=["provider", "line_id"])
        .join(numbered, on=["patient_id", "provider", "tariff"])
        .filter(pl.col("activity_date").is_between("period_start", "period_end"))
    )


def _provider() -> pl.Expr:
    return pl.col("provider").cast(pl.String).str.strip_chars().str.to_uppercase()


def _years_of(pack: RulePack) -> list[str]:
    paid = pack.best_practice if pack.rules.best_practice.method != "none" else ()
    return list(dict.fromkeys(row.tariff for row in paid if row.mechanism == YEAR_OF_CARE))


def _judged(said: str, criteria: tuple[str, ...]) -> tuple[str, str | None]:
    pairs = (fact.rsplit(" ", 1) for fact in said.split(";"))
    status, missing = judged({criterion: met == "1" for criterion, met in pairs}, criteria)
    return STATUS_WORDS[status], ";".join(missing) or None
