"""Ledgers side by side: what each model makes commissioners pay, how that differs from the baseline, and the bridge that
says why. Every figure is a sum of ledger lines, so tables agree with each other and with the ledger at every level."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import polars as pl

from tariff.errors import UsageError, did_you_mean
from tariff.payment.cells import CELL
from tariff.payment.ledger import INTERACTION, Ledger
from tariff.payment.term import Cause
from tariff.rulepack.model import HRG_FORM

START: Final = "start"
CAUSE: Final = "cause"
END: Final = "end"
STEP: Final = pl.Enum((START, CAUSE, END))
"""Kinds of bridge step: what the baseline pays, a cause of difference, what the model pays. Start and causes add to end."""

_COUNTS: Final = ("lines", "units", "pence")

HRG_CHAPTER: Final = "hrg_chapter"
DIMENSIONS: Final = (*CELL, HRG_CHAPTER)
"""What ledgers may be compared by: the columns of a cell, and the chapter (first letter) of an HRG."""

NO_CHAPTER: Final = "other currencies"
"""The chapter of a currency that is no HRG."""


def compare_ledgers(ledgers: Sequence[Ledger], by: Iterable[str] = (), baseline: str | None = None) -> pl.DataFrame:
    """What each model makes commissioners pay, grouped `by` any of `DIMENSIONS`.

    One row per group and model: the group's columns, `model`, `lines` (priced lines), `units`, `pence`, `baseline_pence`,
    `difference_pence` (int64). Every group has a row for every model. Groups are in order of their columns, blanks last;
    models in the order given. A blank is what a contract term pays without saying where: the whole contract.
    UsageError for a grouping or a baseline that is not known."""
    keys = check_grouping(by)
    base = _baseline(ledgers, baseline)
    paid = pl.concat([_numbered(totals, number) for number, totals in enumerate(_totals_of(ledgers, keys))])
    groups = paid.select(keys).unique() if keys else pl.DataFrame({"group": [0]})
    numbers = pl.DataFrame({"number": range(len(ledgers)), "model": [ledger.model.name for ledger in ledgers]})
    grid = groups.join(numbers.cast({"number": pl.Int64}), how="cross")
    filled = grid.join(paid, on=[*keys, "number"], how="left", nulls_equal=True).with_columns(pl.col(_COUNTS).fill_null(0))
    reference = filled.filter(pl.col("number") == ledgers.index(base)).select(*keys, pl.col("pence").alias("baseline_pence"))
    joined = filled.join(reference, on=keys, how="left", nulls_equal=True) if keys else filled.join(reference, how="cross")
    difference = (pl.col("pence") - pl.col("baseline_pence")).alias("difference_pence")
    ordered = joined.with_columns(difference).sort([*keys, "number"], nulls_last=True)
    return ordered.select(*keys, "model", *_COUNTS, "baseline_pence", "difference_pence")


def bridge_ledgers(ledgers: Sequence[Ledger], by: Iterable[str] = (), baseline: str | None = None) -> pl.DataFrame:
    """From what the baseline pays to what each other model pays, cause by cause, for each group of `by`.

    One row per group, model and step: the group's columns, `model`, `baseline`, `step` (int), `kind` (start, cause, end),
    `cause` (a ledger line; the model's name at start and end), `label`, `pence`. In each group start and causes add to end,
    exactly; and each row is the sum of the same rows of any finer grouping. Causes of 0 pence are left out."""
    keys = check_grouping(by)
    base = _baseline(ledgers, baseline)
    others = [ledger for ledger in ledgers if ledger is not base]
    if not others:
        return _empty_bridge(keys)
    compared = compare_ledgers(ledgers, keys, base.model.name)
    frames = [_bridge(ledger, base, keys, compared.filter(pl.col("model") == ledger.model.name)) for ledger in others]
    order = [*keys, "number", "step"]
    numbered = pl.concat([_numbered(frame, number) for number, frame in enumerate(frames)]).sort(order, nulls_last=True)
    return numbered.select(*keys, "model", "baseline", "step", "kind", "cause", "label", "pence")


def check_grouping(by: Iterable[str]) -> list[str]:
    """`by` as a list. UsageError where one is not among `DIMENSIONS`, or is named twice."""
    keys = [by] if isinstance(by, str) else list(by)
    for number, key in enumerate(keys):
        if key not in DIMENSIONS:
            nearest = did_you_mean(key, DIMENSIONS)
            raise UsageError(f"cannot compare by '{key}': {nearest} known: {', '.join(DIMENSIONS)}".replace("  ", " "))
        if key in keys[:number]:
            raise UsageError(f"cannot compare by '{key}' twice")
    return keys


def _baseline(ledgers: Sequence[Ledger], baseline: str | None) -> Ledger:
    named = {ledger.model.name: ledger for ledger in ledgers}
    if baseline is None:
        return ledgers[0]
    if baseline not in named:
        known = f"{did_you_mean(baseline, named)} known: {', '.join(named)}".strip()
        raise UsageError(f"the baseline '{baseline}' is not among the models: {known}")
    return named[baseline]


def _totals_of(ledgers: Sequence[Ledger], keys: list[str]) -> list[pl.DataFrame]:
    """Each ledger summed by `keys`. Per-line payment that models share is summed once."""
    return [
        _sum([shared, _counted(ledger.terms, keys)], keys)
        for ledger, shared in zip(ledgers, _shared_sums(ledgers, keys), strict=True)
    ]


def _shared_sums(ledgers: Sequence[Ledger], keys: list[str]) -> list[pl.DataFrame]:
    distinct = {id(ledger.per_line): ledger.per_line for ledger in ledgers}
    sums = {key: _sum([_counted(frame, keys)], keys) for key, frame in distinct.items()}
    return [sums[id(ledger.per_line)] for ledger in ledgers]


def _counted(frame: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    return frame.select(*_columns(keys), *_COUNTS)


def _sum(frames: list[pl.DataFrame], keys: list[str]) -> pl.DataFrame:
    together = pl.concat(frames)
    sums = pl.col(_COUNTS).sum()
    return together.group_by(keys).agg(sums) if keys else together.select(sums)


def _columns(keys: list[str]) -> list[pl.Expr]:
    """The columns of a ledger that a grouping looks at; the chapter of an HRG is told from its code."""
    return [_chapter() if key == HRG_CHAPTER else pl.col(key) for key in keys]


def _chapter() -> pl.Expr:
    currency = pl.col("currency")
    told = pl.when(currency.str.contains(f"^{HRG_FORM.pattern}$")).then(currency.str.slice(0, 1)).otherwise(pl.lit(NO_CHAPTER))
    return pl.when(currency.is_not_null()).then(told).alias(HRG_CHAPTER)


def _bridge(ledger: Ledger, base: Ledger, keys: list[str], compared: pl.DataFrame) -> pl.DataFrame:
    causes = list(dict.fromkeys([*base.causes, *ledger.causes]))
    causes = [*(cause for cause in causes if cause is not INTERACTION), INTERACTION]
    differences = _differences(ledger, base, keys)
    compared = _with_groups_of(differences, compared, keys)
    start = _step(compared, START, 0, base.model.name, base.model.title, pl.col("baseline_pence"))
    end = _step(compared, END, len(causes) + 1, ledger.model.name, ledger.model.title, pl.col("pence"))
    steps = [start, *(_cause(differences, number, cause) for number, cause in enumerate(causes, start=1)), end]
    named = pl.lit(ledger.model.name).alias("model"), pl.lit(base.model.name).alias("baseline")
    return pl.concat([step.select(*keys, "step", "kind", "cause", "label", "pence") for step in steps]).with_columns(*named)


def _with_groups_of(differences: pl.DataFrame, compared: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """The comparison with the groups in which causes undo each other, so that no ledger line is left: nothing is paid in them."""
    if not keys:
        return compared
    undone = differences.select(keys).unique().join(compared.select(keys), on=keys, how="anti", nulls_equal=True)
    nothing = pl.lit(0, pl.Int64)
    rows = undone.with_columns(nothing.alias("pence"), nothing.alias("baseline_pence"))
    return pl.concat([compared.select(*keys, "pence", "baseline_pence"), rows])


def _differences(ledger: Ledger, base: Ledger, keys: list[str]) -> pl.DataFrame:
    """Ledger less baseline by `keys` and line. What both pay per line, sharing a frame, cancels without being summed."""
    gained, lost = [ledger.terms], [base.terms]
    if ledger.per_line is not base.per_line:
        gained.append(ledger.per_line)
        lost.append(base.per_line)
    signed = [
        *(frame.select(*_columns(keys), "line", "pence") for frame in gained),
        *(frame.select(*_columns(keys), "line", -pl.col("pence")) for frame in lost),
        *_interaction(ledger, keys, 1),
        *_interaction(base, keys, -1),
    ]
    return pl.concat(signed).group_by(*keys, "line").agg(pl.col("pence").sum()).filter(pl.col("pence") != 0)


def _interaction(ledger: Ledger, keys: list[str], sign: int) -> list[pl.DataFrame]:
    """What is owed to terms acting on each other, taken from the lines it is in and told as a cause of its own."""
    apart = ledger.interaction.select(*_columns(keys), "line", pl.col("pence") * sign)
    told = apart.with_columns(pl.lit(INTERACTION.line).alias("line"))
    return [apart.with_columns(-pl.col("pence")), told]


def _cause(differences: pl.DataFrame, number: int, cause: Cause) -> pl.DataFrame:
    return _step(differences.filter(pl.col("line") == cause.line), CAUSE, number, cause.line, cause.label, pl.col("pence"))


def _step(frame: pl.DataFrame, kind: str, number: int, cause: str, label: str, pence: pl.Expr) -> pl.DataFrame:
    return frame.with_columns(
        pl.lit(number, pl.Int32).alias("step"),
        pl.lit(kind, STEP).alias("kind"),
        pl.lit(cause).alias("cause"),
        pl.lit(label).alias("label"),
        pence.alias("pence"),
    )


def _numbered(frame: pl.DataFrame, number: int) -> pl.DataFrame:
    return frame.with_columns(pl.lit(number, pl.Int64).alias("number"))


def _empty_bridge(keys: list[str]) -> pl.DataFrame:
    cells = {key: pl.Int8() if key == "month" else pl.String() for key in keys}
    text = {name: pl.String() for name in ("model", "baseline", "cause", "label")}
    schema = {**cells, **text, "step": pl.Int32(), "kind": STEP, "pence": pl.Int64()}
    return pl.DataFrame(schema=schema).select(*keys, "model", "baseline", "step", "kind", "cause", "label", "pence")
