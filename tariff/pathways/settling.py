"""What each window is paid: level, price, factor, days; outliers, stop-loss and what is withheld; and who owes whom for care
inside."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any, Final

import polars as pl

from tariff.best_practice.evidence import NO_EVIDENCE, Evidence
from tariff.best_practice.patient_years import years_of_care
from tariff.columns import OWED, PATHWAY, PATHWAY_FLAGS, schema
from tariff.kernels.pathways import ANTENATAL, BIRTH, NO_PHASE, NOBODY, OPENED, POSTNATAL
from tariff.money import BASIS_POINTS, MILLION
from tariff.pathways.definitions import Definition, Definitions, PackDefinitions
from tariff.pathways.selecting import level_number
from tariff.pathways.sweeping import PHASES, Swept, day_number
from tariff.rulepack.pathway_model import AnchoredEpisode, AnyPathway, Level, PhasedPathway, Quality, RegisterLevel, YearOfCare

PATHWAY_SCHEMA: Final = schema(PATHWAY)
OWED_SCHEMA: Final = schema(OWED)
_KEPT: Final = 12
"""Characters of a digest that stand for a register entry in a pathway's identifier."""


@dataclass(frozen=True, slots=True)
class _Tariff:
    """The prices of one kind of window: of a definition, or of one of its phases."""

    number: int
    definition: Definition
    phase: int
    levels: tuple[Level, ...] | tuple[RegisterLevel, ...]
    by_line: bool
    """Whether the anchor's line gives the level; else the register entry does."""

    @property
    def its(self) -> AnyPathway:
        """The pathway."""
        return self.definition.its

    @property
    def pack(self) -> PackDefinitions:
        """The pack that states it."""
        return self.definition.pack


def pathway_table(swept: Swept, definitions: Definitions, until: date, evidence: Evidence = NO_EVIDENCE) -> pl.DataFrame:
    """`columns.PATHWAY`, a row for each window in its order, as things stand on the day `until` and `evidence` tells;
    `change_pence` is the price."""
    windows = swept.windows
    if windows.is_empty():
        return pl.DataFrame(schema=PATHWAY_SCHEMA)
    kinds = windows.select("definition", "phase").unique().rows()
    parts = [
        _settled(swept, tariff, until, evidence) for tariff in _tariffs(definitions) if (tariff.number, tariff.phase) in kinds
    ]
    table = pl.concat(parts).sort("window")
    return table.select(pl.col(name).cast(dtype) for name, dtype in PATHWAY_SCHEMA.items())


def owed(lines: pl.DataFrame, pathways: pl.DataFrame) -> pl.DataFrame:
    """Who owes whom (`columns.OWED`) for `lines` (provider, pathway_id, pathway_pence) of pathways led by others."""
    leads = pathways.filter(pl.col("flag").is_null()).select("pathway_id", "definition", "lead_provider")
    gross = (
        lines.select("provider", "pathway_id", "pathway_pence")
        .filter(pl.col("pathway_pence") != 0)
        .join(leads.unique("pathway_id"), on="pathway_id")
        .filter(pl.col("provider") != pl.col("lead_provider"))
        .group_by("definition", debtor="lead_provider", creditor="provider")
        .agg(lines=pl.len().cast(pl.Int64), pence=pl.col("pathway_pence").sum())
    )
    return netted(gross)


def netted(gross: pl.DataFrame) -> pl.DataFrame:
    """A matrix of who owes whom with the net of each pair, either way round; rows of the same pair are added."""
    gross = gross.group_by("definition", "debtor", "creditor").agg(pl.col("lines", "pence").sum())
    turned = gross.select("definition", pl.lit(0, pl.Int64).alias("lines"), pl.lit(0, pl.Int64).alias("pence"),
                          debtor="creditor", creditor="debtor")  # fmt: skip
    whole = pl.concat([gross, turned.select(gross.columns)])
    whole = whole.group_by("definition", "debtor", "creditor").agg(pl.col("lines", "pence").sum())
    back = whole.select("definition", debtor="creditor", creditor="debtor", back="pence")
    return (
        whole.join(back, on=["definition", "debtor", "creditor"])
        .with_columns(net_pence=pl.col("pence") - pl.col("back"))
        .select(pl.col(name).cast(dtype) for name, dtype in OWED_SCHEMA.items())
        .sort("definition", "debtor", "creditor")
    )


def _tariffs(definitions: Definitions) -> list[_Tariff]:
    found = []
    for number, definition in enumerate(definitions.pathways):
        its = definition.its
        if isinstance(its, PhasedPathway):
            found.append(_Tariff(number, definition, ANTENATAL, its.antenatal, by_line=False))
            found.append(_Tariff(number, definition, BIRTH, its.birth, by_line=True))
            found.append(_Tariff(number, definition, POSTNATAL, its.postnatal, by_line=False))
        else:
            found.append(_Tariff(number, definition, NO_PHASE, its.levels, by_line=isinstance(its, AnchoredEpisode)))
    return found


def _settled(swept: Swept, tariff: _Tariff, until: date, evidence: Evidence) -> pl.DataFrame:
    own = swept.windows.filter((pl.col("definition") == tariff.number) & (pl.col("phase") == tariff.phase))
    own = _with_anchor(own, swept, tariff)
    own = own.with_columns(position=_positions(own, swept.lines, tariff))
    own = _with_days(own, tariff, until)
    own = _with_quality(own, swept.lines, tariff, evidence)
    own = _with_amounts(own, tariff, until)
    phase = PHASES.get(tariff.phase)
    named = tariff.its.name if phase is None else f"{tariff.its.name}_{phase}"
    amounts = ("bundle_pence", "outlier_pence", "stop_loss_pence", "withheld_pence")
    return own.select(
        "window",
        "patient_id",
        "lead_provider",
        "days",
        *amounts,
        "episodic_pence",
        "lines",
        "complications",
        "quality",
        "start_date",
        "end_date",
        "state",
        "financial_year",
        "month",
        "flag",
        "anchor_line_id",
        commissioner=pl.when(pl.col("commissioner") != "").then("commissioner"),
        pathway_id=pl.concat_str([pl.lit(named), "id_provider", "id_key"], separator=":"),
        definition=pl.lit(tariff.its.name),
        phase=pl.lit(phase, pl.String),
        level="level",
        price_pence=pl.sum_horizontal(amounts),
        change_pence=pl.sum_horizontal(amounts),
        pack=pl.lit(tariff.pack.label),
    )


def _with_anchor(own: pl.DataFrame, swept: Swept, tariff: _Tariff) -> pl.DataFrame:
    """Joins what identifies a window: the anchor's provider, line and last day, or a digest of the register entry (and of the
    year)."""
    anchor = swept.lines.select("provider", "line_id", anchor_end="end")
    anchor = anchor.with_row_index("anchor").with_columns(pl.col("anchor").cast(pl.Int64))
    entry = swept.entries.select("level_number", "register").with_row_index("entry").with_columns(pl.col("entry").cast(pl.Int64))
    own = own.join(anchor, on="anchor", how="left", maintain_order="left").join(
        entry, on="entry", how="left", maintain_order="left"
    )
    by_entry = pl.col("anchor") == NOBODY
    since = tariff.pack.since if isinstance(tariff.its, YearOfCare) else None
    digests = own.filter(by_entry).select("window", key=pl.struct("patient_id", "register", "opened", "lead_provider"))
    keys = digests.select("window", id_digest=pl.Series([_digest(key, since) for key in digests["key"]], dtype=pl.String))
    return own.join(keys, on="window", how="left", maintain_order="left").with_columns(
        id_provider=pl.when(by_entry).then("lead_provider").otherwise("provider"),
        id_key=pl.when(by_entry).then("id_digest").otherwise("line_id"),
        anchor_line_id="line_id",
    )


def _digest(key: dict[str, object], since: date | None) -> str:
    parts = [*key.values(), *([] if since is None else [since])]
    return sha256("|".join(str(part) for part in parts).encode()).hexdigest()[:_KEPT]


def _positions(own: pl.DataFrame, lines: pl.DataFrame, tariff: _Tariff) -> pl.Series:
    """Place of each window's level among the levels; -1 where the entry's is not known."""
    if not tariff.by_line:
        return own["level_number"].fill_null(0).rename("position")
    by_line = [level for level in tariff.levels if isinstance(level, Level)]
    return lines[own["anchor"]].select(position=level_number(by_line))["position"]


def _with_quality(own: pl.DataFrame, lines: pl.DataFrame, tariff: _Tariff, evidence: Evidence) -> pl.DataFrame:
    """What evidence says of the criteria that decide about quality, on any line of the patient at the lead provider in the time
    paid for; null where none decide."""
    quality = tariff.its.quality
    if quality is None or quality.tariff is None:
        return own.with_columns(quality=pl.lit(None, pl.String))
    assert tariff.pack.rules is not None
    years = own.select(
        "patient_id",
        pl.lit(quality.tariff).alias("tariff"),
        provider="lead_provider",
        period_start=pl.max_horizontal("start_date", pl.lit(tariff.pack.since)),
        period_end=pl.min_horizontal("end_date", pl.lit(tariff.pack.until)),
    )
    care = lines.select("patient_id", "provider", "line_id", activity_date="end")
    told = years_of_care(evidence, tariff.pack.rules, care, years)
    return own.with_columns(quality=pl.when(pl.col("status") == OPENED).then(told["status"]))


def _failed(quality: Quality | None) -> pl.Expr:
    """Whether a pathway went wrong: by its criteria where the definition names any, else by a complication."""
    if quality is None or quality.tariff is None:
        return pl.col("complications") > 0
    wrong = ["not_met", "no_evidence"] if quality.without_evidence == "withheld" else ["not_met"]
    return pl.col("quality").is_in(wrong).fill_null(value=False)


def _with_amounts(own: pl.DataFrame, tariff: _Tariff, until: date) -> pl.DataFrame:
    its = tariff.its
    paid = pl.col("status") == OPENED
    own = own.with_columns(
        flag=pl.when(~paid).then(pl.col("status") - 1).replace_strict(dict(enumerate(PATHWAY_FLAGS)), default=None,
                                                                       return_dtype=pl.String),
        level=_of_level(tariff, [level.level for level in tariff.levels], pl.String()),
        unit_pence=_of_level(tariff, [level.price_pence for level in tariff.levels], pl.Int64()),
        factor=_factor(own, tariff),
        drawn_in=_drawn_in(tariff),
    )  # fmt: skip
    own = own.with_columns(bundle_pence=pl.when(paid).then(_bundle(tariff, until)).otherwise(0))
    rule, quality = its.stop_loss, its.quality
    beyond = pl.lit(0, pl.Int64) if rule is None else (pl.col("drawn_in") - rule.above_pence).clip(0)
    return own.with_columns(
        outlier_pence=pl.when(paid).then(pl.col("episodic_pence") - pl.col("drawn_in")).otherwise(0),
        stop_loss_pence=_share(beyond, 0 if rule is None else rule.share_bp),
        withheld_pence=pl.when(_failed(quality))
        .then(-_share(pl.col("bundle_pence"), 0 if quality is None else quality.withheld_bp))
        .otherwise(0),
    )


def _of_level(tariff: _Tariff, values: list[Any], dtype: pl.DataType) -> pl.Expr:
    """What each level says, for the level of every window; null where that is not known."""
    return pl.lit(pl.Series(values, dtype=dtype)).gather(pl.when(pl.col("position") >= 0).then("position"))


def _factor(own: pl.DataFrame, tariff: _Tariff) -> pl.Expr:
    """The lead provider's market forces factor, else that of the anchor's provider."""
    if not tariff.its.market_forces:
        return pl.lit(MILLION, pl.Int64)
    names = ("lead_provider", "id_provider")
    factors = {code: tariff.pack.factor_of(code) for name in names for code in own[name].unique()}
    found = (pl.col(name).replace_strict(factors, default=None, return_dtype=pl.Int64) for name in names)
    return pl.coalesce(*found, pl.lit(MILLION))


def _drawn_in(tariff: _Tariff) -> pl.Expr:
    """Episodic value drawn in to the amounts beyond which the level calls it an outlier; from below once it is closed, because
    until then care is yet to come."""
    levels = [level for level in tariff.levels if isinstance(level, Level)]
    if not any(level.outliers for level in levels):
        return pl.col("episodic_pence")
    lows, highs = zip(*(level.outlier_pence for level in levels), strict=True)
    low, high = (_of_level(tariff, list(amounts), pl.Int64()) for amounts in (lows, highs))
    closed = pl.when(pl.col("state") == "closed").then(low)
    return pl.col("episodic_pence").clip(closed, high)


def _share(amount: pl.Expr, share_bp: int) -> pl.Expr:
    """A share of an amount that is not negative, half-up to the penny."""
    return (amount * share_bp * 2 + BASIS_POINTS) // (2 * BASIS_POINTS)


def _half_up(numerator: pl.Expr, denominator: int) -> pl.Expr:
    return (numerator * 2 + denominator) // (2 * denominator)


def _bundle(tariff: _Tariff, until: date) -> pl.Expr:
    """Unit price times factor; of a year of care, what has accrued from the year's start to `until`, rounded once, so that the
    months of a year add to the year."""
    its, pack = tariff.definition
    if not isinstance(its, YearOfCare):
        return _half_up(pl.col("unit_pence") * pl.col("factor"), MILLION)
    divisor = pack.year_days if its.per == "year" else 1
    review_pence = _of_level(tariff, [level.review_pence for level in its.levels], pl.Int64())
    review_days = _of_level(tariff, [level.review_days or 1 for level in its.levels], pl.Int64())
    since, today = day_number(pack.since), _paid_until(pack, until)
    last_day = pl.min_horizontal(pl.col("end"), pl.lit(today, pl.Int64))
    reviews = _reviews(last_day, review_days) - _reviews(pl.min_horizontal(last_day, pl.lit(since - 1, pl.Int64)), review_days)
    accrued = pl.col("unit_pence") * _days(since, today) + review_pence * reviews * divisor
    return _half_up(accrued * pl.col("factor"), divisor * MILLION)


def _paid_until(pack: PackDefinitions, until: date) -> int:
    """The last day that a year of care is paid for: of the run, and of the year."""
    return day_number(min(until, pack.until))


def _reviews(day: pl.Expr, review_days: pl.Expr) -> pl.Expr:
    """Reviews due from entry to a day: one on entry and one each time the longest time between them is over."""
    return pl.when(day >= pl.col("start")).then((day - pl.col("start")) // review_days + 1).otherwise(0)


def _days(since: int, today: int) -> pl.Expr:
    """Days with the provider from the year's start to today."""
    last_day = pl.min_horizontal(pl.col("end"), pl.lit(today, pl.Int64))
    return (last_day - pl.max_horizontal(pl.col("start"), pl.lit(since, pl.Int64)) + 1).clip(0)


def _with_days(own: pl.DataFrame, tariff: _Tariff, until: date) -> pl.DataFrame:
    """Dates, days paid for, whether it is still open, and the month it is paid in: that of the day that chose the pack."""
    its, pack = tariff.definition
    yearly = isinstance(its, YearOfCare)
    begins = pl.col("opened").cast(pl.Int32).cast(pl.Date)
    of_anchor = pl.coalesce(pl.col("anchor_end"), begins)
    paid_on = pl.lit(pack.since) if yearly else (begins if tariff.phase == POSTNATAL else of_anchor)
    year = paid_on.dt.year() - (paid_on.dt.month() < 4).cast(pl.Int32)
    following = ((year + 1) % 100).cast(pl.String).str.zfill(2)
    end, closes = pl.col("end"), pl.col("warranty_end")
    if yearly:
        end, closes = (pl.min_horizontal(day, pl.lit(day_number(pack.until), pl.Int64)) for day in (end, closes))
    paid = pl.col("status") == OPENED
    return own.with_columns(
        start_date=pl.col("start").cast(pl.Int32).cast(pl.Date),
        end_date=end.cast(pl.Int32).cast(pl.Date),
        state=pl.when(paid & (closes + its.settlement_days > day_number(until))).then(pl.lit("open")).otherwise(pl.lit("closed")),
        financial_year=pl.concat_str([year.cast(pl.String), following], separator="-"),
        month=(pl.lit(None, pl.Int8) if yearly else ((paid_on.dt.month() + 8) % 12 + 1).cast(pl.Int8)),
        days=(_days(day_number(pack.since), _paid_until(pack, until)) if yearly else pl.lit(None, pl.Int32)).cast(pl.Int32),
    )
