"""How far one year's rule pack covers another year's activity (`--dates ignore`): the HRGs and other currencies it lacks, the
lines they leave unpriced, and what those lines are worth at their own year's price. Nothing is priced at a guess."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from tariff.activity.blocks import Lines
from tariff.errors import RulesError
from tariff.money import pounds
from tariff.pricing import pricer
from tariff.reasons import PRICED, Basis
from tariff.rulepack.finding import known_packs
from tariff.rulepack.loading import load_pack

if TYPE_CHECKING:
    from tariff.rulepack import RulePack

_LACKED: Final = "unknown_currency"
_KEY: Final = ("kind", "currency")
_TOLD: Final = 10


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a pack covers of activity that is not its year's. `lacked` has a row for each currency that the pack lacks: `kind,
    currency, lines`, `valued` (lines with a price in their own year) and `own_year_pence`, dearest first."""

    pack: str
    own_packs: Sequence[str]
    currencies: int
    lines: int
    lacked: pl.DataFrame

    def as_json(self) -> dict[str, Any]:
        """The coverage as the run card holds it."""
        return {
            "pack": self.pack,
            "own_packs": list(self.own_packs),
            "currencies": self.currencies,
            "currencies_lacked": self.lacked.height,
            "lines": self.lines,
            "lines_lacked": int(self.lacked["lines"].sum()),
            "lines_valued": int(self.lacked["valued"].sum()),
            "own_year_pence": int(self.lacked["own_year_pence"].sum()),
            "lacked": self.lacked.to_dicts(),
        }


def coverage_of(
    priced: pl.LazyFrame, activity: Sequence[pl.LazyFrame], pack: RulePack, own_packs: Sequence[RulePack]
) -> Coverage:
    """What `pack` covers of the lines it priced with dates ignored, `activity` being the canonical lines they were made from.

    Lines with a currency that the pack lacks are priced again under the pack of their own date among `own_packs`; a line that
    none of these prices has no value. Lines at a local price are not lacking anything."""
    named = priced.filter(pl.col("currency").is_not_null()).with_columns(pl.col("kind", "reason").cast(pl.String))
    counted = named.group_by(_KEY).agg(pl.len().alias("all"), (pl.col("reason") == _LACKED).sum().alias("lines")).collect()
    lacked = counted.filter(pl.col("lines") > 0).select(*_KEY, pl.col("lines").cast(pl.Int64))
    valued = _valued(activity, pack, own_packs) if own_packs and lacked.height else _NOTHING
    found = lacked.join(valued, on=_KEY, how="left").with_columns(pl.col("valued", "own_year_pence").fill_null(0))
    ordered = found.sort("own_year_pence", "lines", *_KEY, descending=[True, True, False, False])
    return Coverage(pack.label, [own.label for own in own_packs], counted.height, int(counted["all"].sum()), ordered)


_NOTHING: Final = pl.DataFrame(schema={**dict.fromkeys(_KEY, pl.String()), "valued": pl.Int64(), "own_year_pence": pl.Int64()})


def _valued(activity: Sequence[pl.LazyFrame], pack: RulePack, own_packs: Sequence[RulePack]) -> pl.DataFrame:
    """Lines whose currency the pack lacks, and their pence in their own year, by currency."""
    sums = [_valued_part(frame, pack, own_packs) for frame in activity]
    return pl.concat([_NOTHING, *sums]).group_by(_KEY).agg(pl.col("valued", "own_year_pence").sum())


def _valued_part(frame: pl.LazyFrame, pack: RulePack, own_packs: Sequence[RulePack]) -> pl.DataFrame:
    lines = Lines(frame)
    told = pricer(lines, pack, dates="ignore", columns=["reason"])
    own = pricer(lines, own_packs, columns=[*_KEY, "outcome", "basis", "price_pence"])

    def side_by_side(block: pl.DataFrame) -> pl.DataFrame:
        return own(block.select(own.inputs)).hstack(told(block.select(told.inputs)))

    both = frame.select(dict.fromkeys([*own.inputs, *told.inputs]).keys()).map_batches(
        side_by_side, schema={**own.schema, **told.schema}, streamable=True
    )
    local = (pl.col("basis") & int(Basis.LOCAL_PRICE)) != 0
    return (
        both.filter(pl.col("reason").cast(pl.String) == _LACKED, pl.col("outcome").cast(pl.String) == PRICED, ~local)
        .group_by(pl.col("kind").cast(pl.String), "currency")
        .agg(pl.len().cast(pl.Int64).alias("valued"), pl.col("price_pence").sum().alias("own_year_pence"))
        .collect(engine="streaming")
    )


def own_year_packs(overlays: Sequence[str | Path] = (), rules_folder: Path | None = None) -> list[RulePack]:
    """The packs that price activity of their own dates: all that can be found except illustrative ones, each with `overlays`
    where they are made for it; of two for the same days the earlier."""
    packs = [_with_those_made_for_it(folder, overlays) for folder in known_packs(rules_folder)]
    dated = sorted((pack for pack in packs if pack is not None and not pack.illustrative), key=lambda pack: pack.starts)
    kept = dated[:1]
    kept += [later for earlier, later in pairwise(dated) if later.starts > earlier.ends]
    return kept


def _with_those_made_for_it(folder: Path, overlays: Sequence[str | Path]) -> RulePack | None:
    """The pack with the overlays that can be laid on it; None where it cannot be used at all."""
    for laid in (overlays, ()):
        try:
            return load_pack(folder, laid)
        except RulesError:  # an overlay made for other packs, or a pack with faults: the run itself does not rest on it
            continue
    return None


def printed_coverage(coverage: dict[str, Any]) -> Iterator[str]:
    """The coverage of a run card in words."""
    covered = coverage["currencies"] - coverage["currencies_lacked"]
    yield f"{coverage['pack']} has {covered:,} of the {coverage['currencies']:,} HRGs and currencies of this activity."
    if not coverage["currencies_lacked"]:
        return
    worth = f"{pounds(coverage['own_year_pence'], whole=True)} at their own year's price"
    unvalued = coverage["lines_lacked"] - coverage["lines_valued"]
    rest = f"; {unvalued:,} of them have no price there either" if unvalued else ""
    yield f"It lacks {coverage['currencies_lacked']:,} ({coverage['lines_lacked']:,} lines), worth {worth}{rest}:"
    named = ", ".join(f"{row['currency']} ({row['lines']:,})" for row in coverage["lacked"][:_TOLD])
    yield f"{named}{' and others; the run card has them all' if coverage['currencies_lacked'] > _TOLD else ''}"
