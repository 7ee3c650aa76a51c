"""`tariff backtest`: two runs compared line by line, every line that changed with its cause, and what each cause is worth.

Lines are the same line where kind, provider and identifier are the same; a repeated identifier is matched in the order in which
its lines stand. The columns that a price does not depend on beyond these (patient, practice) are not looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from tariff.columns import COMPONENTS, PRICED_LINE, names
from tariff.money import pounds
from tariff.report.priced_lines import find_cards, scan_lines
from tariff.whole_files import refuse_existing, whole_file

KEY: Final = ("kind", "provider", "line_id", "occurrence")
CAUSES: Final = {
    "gone": "lines that are in the first run only",
    "new": "lines that are in the second run only",
    "reason_changed": "lines whose outcome or reason changed",
    "price_changed": "lines priced otherwise",
    "pack_changed": "lines at the same price under another rule pack",
    "detail_changed": "lines at the same price with another detail, such as currency, units or the rules that acted",
}
"""What a changed line is told as: the first that applies, in this order."""
_NOT_LOOKED_AT: Final = frozenset({"kind", "provider", "line_id", "patient_id", "gp_practice", "referral_source", "pathway_id"})
_MONEY: Final = (*COMPONENTS, "price_pence")
_ROWS: Final = frozenset(name for name in names(PRICED_LINE) if name.endswith("_row"))
"""Rows of a table move when a line is put into the table above them: no change of the line."""
_COMPARED: Final = tuple(name for name in names(PRICED_LINE) if name not in _NOT_LOOKED_AT | _ROWS)
_TOLD: Final = ("commissioner", "activity_date", "pod", "currency", "units", "outcome", "reason", "pack")


@dataclass(frozen=True, slots=True)
class Backtest:
    """What changed between two runs. `changed` has one row a line: cause, key, components that changed, details before and after,
    differences in pence; `lines` and `pence` are of the first run and the second. Money in pence."""

    changed: pl.DataFrame
    lines: tuple[int, int]
    pence: tuple[int, int]
    packs: tuple[str, ...] = ()

    @property
    def by_cause(self) -> list[tuple[str, int, int]]:
        """Cause, lines and difference in pence, in the order of `CAUSES`; the differences add up to that of the runs."""
        of = {cause: self.changed.filter(pl.col("cause") == cause) for cause in CAUSES}
        return [(cause, rows.height, int(rows["price_difference_pence"].sum())) for cause, rows in of.items() if rows.height]

    def __str__(self) -> str:
        return "\n".join(self._told())

    def _told(self) -> Iterator[str]:
        for run, lines, pence in zip(("first", "second"), self.lines, self.pence, strict=True):
            yield f"{lines:>14,}  lines in the {run} run, {pounds(pence)}"
        for cause, lines, pence in self.by_cause:
            yield f"{lines:>14,}  {cause}: {CAUSES[cause]}; {_signed(pence)}"
        for name in COMPONENTS:
            rows = self.changed.filter(
                (pl.col("cause") == "price_changed") & (pl.col(f"{name.removesuffix('_pence')}_difference_pence") != 0)
            )
            if rows.height:
                pence = int(rows[f"{name.removesuffix('_pence')}_difference_pence"].sum())
                yield f"{'':>14}    {name.removesuffix('_pence').replace('_', ' ')}: {rows.height:,} lines; {_signed(pence)}"
        yield f"{_signed(self.pence[1] - self.pence[0]):>22}  in all"
        yield from (f"\n{told}" for told in self.packs)
        if not self.changed.height:
            yield "\nNo line changed."


def _signed(pence: int) -> str:
    return f"{'+' if pence > 0 else ''}{pounds(pence)}"


def backtest(before: Path, after: Path) -> Backtest:
    """Compare the priced lines of two runs. ActivityError where they cannot be read."""
    first, second = (_lines(path) for path in (before, after))
    joined = first.join(second, on=KEY, how="full", suffix="_after", nulls_equal=True, coalesce=True)
    changed = joined.with_columns(cause=_cause()).filter(pl.col("cause").is_not_null()).select(_changed()).sort("cause", *KEY)
    totals = [frame.select(pl.len(), pl.col("price_pence").sum()) for frame in (first, second)]
    found, *sums = pl.collect_all([changed, *totals], engine="streaming")
    counts = [frame.row(0) for frame in sums]
    packs = tuple(_other_packs(find_cards(before, None), find_cards(after, None)))
    return Backtest(found, (counts[0][0], counts[1][0]), (int(counts[0][1]), int(counts[1][1])), packs)


def _lines(path: Path) -> pl.LazyFrame:
    lines = scan_lines(path).select("kind", "provider", "line_id", *_COMPARED)
    enumerations = [name for name, dtype in lines.collect_schema().items() if isinstance(dtype, pl.Enum | pl.Categorical)]
    plain = lines.with_columns(pl.col(enumerations).cast(pl.String))
    return plain.with_columns(occurrence=pl.int_range(pl.len()).over("kind", "provider", "line_id"), there=pl.lit(True))


def _other(name: str) -> pl.Expr:
    return pl.col(name).ne_missing(pl.col(f"{name}_after"))


def _cause() -> pl.Expr:
    details = [name for name in _COMPARED if name not in {*_MONEY, "outcome", "reason", "pack"}]
    cases = {
        "gone": pl.col("there_after").is_null(),
        "new": pl.col("there").is_null(),
        "reason_changed": _other("reason") | _other("outcome"),
        "price_changed": pl.any_horizontal(_other(name) for name in _MONEY),
        "pack_changed": _other("pack"),
        "detail_changed": pl.any_horizontal(_other(name) for name in details),
    }
    return pl.coalesce(pl.when(applies).then(pl.lit(cause)) for cause, applies in cases.items())


def _changed() -> list[pl.Expr]:
    """The columns of a changed line."""

    def difference(name: str) -> pl.Expr:
        return pl.col(f"{name}_after").fill_null(0) - pl.col(name).fill_null(0)

    words = [pl.when(_other(name)).then(pl.lit(name.removesuffix("_pence"))) for name in COMPONENTS]
    others = [pl.when(_other(name)).then(pl.lit(name)) for name in _COMPARED if name not in _MONEY]
    both = [one for name in (*_TOLD, "price_pence") for one in (pl.col(name).alias(f"{name}_before"), pl.col(f"{name}_after"))]
    return [
        pl.col("cause"),
        *(pl.col(name) for name in KEY),
        pl.concat_str(words, separator=";", ignore_nulls=True).alias("components_changed"),
        pl.concat_str(others, separator=";", ignore_nulls=True).alias("details_changed"),
        *both,
        *(difference(name).alias(f"{name.removesuffix('_pence')}_difference_pence") for name in _MONEY),
    ]


def _other_packs(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Rule packs that are not the same in both runs, told by their digests."""
    first, second = ({pack["label"]: _digests(pack) for card in cards for pack in card["packs"]} for cards in (before, after))
    for label in sorted(first.keys() | second.keys()):
        if label not in second or label not in first:
            yield f"Rule pack {label} was used in the {'first' if label in first else 'second'} run only."
        elif first[label] != second[label]:
            yield f"Rule pack {label} has changed between the runs."


def _digests(pack: Mapping[str, Any]) -> tuple[str, ...]:
    return (pack["digest"], *(overlay["digest"] for overlay in pack["overlays"]))


def write_changed(found: Backtest, out: Path, *, overwrite: bool) -> None:
    """The changed lines as `NAME.parquet`, or as CSV under any other name. OutputError where they cannot be written."""
    refuse_existing(out, overwrite=overwrite)
    with whole_file(out) as path:
        found.changed.write_parquet(path) if out.suffix.lower() == ".parquet" else found.changed.write_csv(path)
