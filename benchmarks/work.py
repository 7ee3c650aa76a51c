"""The work under test: one year of synthetic admitted care, the rule pack that prices it, the file it lies in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl
import pyarrow.parquet as pq

from tariff.rulepack import find_overlay, load_pack
from tariff.synthetic import activity
from tariff.synthetic.frames import write_parquet
from tariff.synthetic.overlay import write_overlay

if TYPE_CHECKING:
    from tariff.rulepack import RulePack

YEAR: Final = "2024-25"
DEMONSTRATION: Final = "demonstration-2024-25"
SEED: Final = 2024
TILE: Final = 1_000_000
"""Lines generated; a longer file repeats them."""
_SHIFT: Final = 32_000_000
"""Between the identifiers of two tiles: beyond those of one."""
ROW_GROUP: Final = 250_000
POUNDS: Final = ("local_price",)
"""Columns that activity files hold in pounds."""
WRITING: Final = {"compression": "zstd", "compression_level": 1, "row_group_size": ROW_GROUP}
"""How everybody writes: as `tariff price` does."""

MONEY: Final = (
    "base_pence",
    "short_stay_pence",
    "long_stay_pence",
    "top_up_pence",
    "mff_pence",
    "price_pence",
    "indicative_pence",
)
ENGINE_COLUMNS: Final = ("line_id", *MONEY)


@dataclass(frozen=True)
class Work:
    """A folder that holds the activity and the overlay of its providers; other processes find the work by it."""

    folder: Path

    @property
    def source(self) -> Path:
        """An activity file as `tariff synth` writes it: codes dictionary-coded, `local_price` as text in pounds."""
        return self.folder / "admitted.parquet"

    def sample(self, spells: int) -> Path:
        """A file of the first `spells` of the activity."""
        path = self.folder / f"admitted-{spells}.parquet"
        if not path.exists():
            write_first(path, self.source, spells)
        return path

    def pack(self) -> RulePack:
        """2024-25 with the demonstration overlay without best practice, which the peers do not know, so that every rule of RULES
        1 acts; and the invented providers' factors."""
        return load_pack(YEAR, (find_overlay(DEMONSTRATION), self.folder / "overlay", self.folder / "own-rules"))


def write_first(path: Path, source: Path, lines: int) -> None:
    """Write the first lines of an activity file as that file holds them: what is dictionary-coded there is so here."""
    group = pq.read_metadata(source).row_group(0)
    columns = [group.column(number) for number in range(group.num_columns)]
    coded = {one.path_in_schema for one in columns if "RLE_DICTIONARY" in one.encodings}
    frame = pl.scan_parquet(source).head(lines).collect()
    texts = [text for text in frame if text.dtype == pl.String and text.name in coded]
    write_parquet(path, [frame.with_columns(text.cast(pl.Enum(text.unique().drop_nulls().sort())) for text in texts)])


_OWN_RULES: Final = """\
schema = 1

[overlay]
name = "{name}"
note = "Activity as contract rules price it: no best practice, which the peers do not know."

[rules.best_practice]
method = "none"
source = "Benchmark"
confidence = "illustrative"
"""


def write_own_rules(folder: Path, name: str) -> None:
    """Write an overlay that leaves best practice out."""
    folder.mkdir(exist_ok=True)
    (folder / "overlay.toml").write_bytes(_OWN_RULES.format(name=name).encode())


def make_work(folder: Path, spells: int) -> Work:
    """Write `spells` seeded spells and the overlay into `folder`. The same number gives the same spells."""
    write_overlay(folder / "overlay", load_pack(YEAR))
    write_own_rules(folder / "own-rules", "spells-benchmark")
    work = Work(folder)
    tile = activity("admitted", min(spells, TILE), SEED, pack=work.pack(), coded=True)
    write_parquet(work.source, tiles(tile, spells, "spell_id"), POUNDS)
    return work


def tiles(tile: pl.DataFrame, lines: int, identifier: str) -> Iterator[pl.DataFrame]:
    """So many lines: those of `tile` again and again, with identifiers of their own each time, a letter and a number."""
    letter, number = pl.col(identifier).str.head(1), pl.col(identifier).str.slice(1).cast(pl.Int64)
    for count in range(-(-lines // tile.height)):
        shifted = tile.with_columns((letter + (number + count * _SHIFT).cast(pl.String)).alias(identifier))
        yield shifted.head(lines - count * tile.height)
