"""`tariff backtest`: two runs compared line by line, every line that changed with its cause, and what each cause is worth.

Lines are the same line where kind, provider and identifier are the same; a repeated identifier is matched in the order in which
its lines stand. The columns that a price does not depend on beyond these (patient, practice) are not looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

from tariff.activity.blocks import Filed, Lines, pieces_of
from tariff.changed_lines import Marked, differing, lay_hashes_aside, partition_of
from tariff.columns import COMPONENTS, PRICED_LINE, names, schema
from tariff.intake import damage_found
from tariff.money import pounds
from tariff.priced_lines import files_of, find_cards, scan_lines
from tariff.run_folder import writing
from tariff.scratch import scratch_folder
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


_LINES_IN_A_PARTITION: Final = 100_000
_MOST_PARTITIONS: Final = 256
"""Each has a file that is open while lines are laid aside."""
_LINE: Final = KEY[:-1]
_READ: Final = (*_LINE, *_COMPARED)
_READ_SCHEMA: Final = {
    name: pl.String() if isinstance(dtype, pl.Enum | pl.Categorical) else dtype
    for name, dtype in schema(PRICED_LINE).items()
    if name in _READ
}
_OLDEST: Final = pl.CompatLevel.oldest()
_LZ4: Final = pa.ipc.IpcWriteOptions(compression="lz4")
_DIFFERENCES: Final = {name: f"{name.removesuffix('_pence')}_difference_pence" for name in _MONEY}


@dataclass(frozen=True, slots=True)
class Backtest:
    """What changed between two runs, money in pence.

    `parts` follow one another and have a row for each changed line: cause, key, components that changed, details before and
    after, differences; causes come in the order of `CAUSES`. `sums` has for each cause its lines, the difference of each amount,
    and the lines in which it differs; `lines` and `pence` are of the first run and the second."""

    parts: tuple[pl.LazyFrame, ...]
    sums: pl.DataFrame
    lines: tuple[int, int]
    pence: tuple[int, int]
    packs: tuple[str, ...] = ()

    @property
    def changed(self) -> pl.LazyFrame:
        """Every line that changed."""
        return pl.concat(self.parts)

    @property
    def by_cause(self) -> list[tuple[str, int, int]]:
        """Cause, lines and difference in pence, in the order of `CAUSES`; the differences add up to that of the runs."""
        return [(row["cause"], row["lines"], row["price_difference_pence"]) for row in self.sums.iter_rows(named=True)]

    @property
    def lines_changed(self) -> int:
        """How many lines changed."""
        return int(self.sums["lines"].sum())

    def __str__(self) -> str:
        return "\n".join(self._told())

    def _told(self) -> Iterator[str]:
        for run, lines, pence in zip(("first", "second"), self.lines, self.pence, strict=True):
            yield f"{lines:>14,}  lines in the {run} run, {pounds(pence)}"
        for cause, lines, pence in self.by_cause:
            yield f"{lines:>14,}  {cause}: {CAUSES[cause]}; {_signed(pence)}"
        yield from self._components()
        yield f"{_signed(self.pence[1] - self.pence[0]):>22}  in all"
        yield from (f"\n{told}" for told in self.packs)
        if not self.lines_changed:
            yield "\nNo line changed."

    def _components(self) -> Iterator[str]:
        """How the components of lines that were priced otherwise changed."""
        for row in self.sums.filter(pl.col("cause") == "price_changed").iter_rows(named=True):
            for name in COMPONENTS:
                if lines := row[f"{name}_lines"]:
                    word = name.removesuffix("_pence").replace("_", " ")
                    yield f"{'':>14}    {word}: {lines:,} lines; {_signed(row[_DIFFERENCES[name]])}"


def _signed(pence: int) -> str:
    return f"{'+' if pence > 0 else ''}{pounds(pence)}"


@contextmanager
def backtest(before: Path, after: Path) -> Iterator[Backtest]:
    """Compare the priced lines of two runs; `changed` can be read while the context lasts. Lines that are not the same are found
    by hashes, and laid aside in partitions by their key, in the temporary folder: memory grows by a byte a line.

    ActivityError where the lines cannot be read, OutputError where the temporary folder has no room."""
    runs, sources = (before, after), [([path], scan_lines(path)) for path in (before, after)]
    with scratch_folder() as folder:
        with writing(folder), damage_found(sources):
            marked, pence = _differing(runs, [_count(lines) for _, lines in sources], folder)
            count = _partitions(max(map(len, marked)))
            partitions = [_laid_aside(runs[side], marked[side], count, folder / f"changed-{side}") for side in range(2)]
            found = [
                _written(_compared(*both), folder / f"changed-{number}.parquet")
                for number, both in enumerate(zip(*partitions, strict=True))
            ]
        parts = tuple(one.filter(pl.col("cause") == cause) for cause in CAUSES for one in found)
        sums = _sums(found)
        packs = tuple(_other_packs(find_cards(before, None), find_cards(after, None)))
        yield Backtest(parts, sums, (marked[0].changed.size, marked[1].changed.size), pence, packs)


def _count(lines: pl.LazyFrame) -> int:
    return int(lines.select(pl.len()).collect().item())


def _partitions(lines: int) -> int:
    return min(max(1, -(-lines // _LINES_IN_A_PARTITION)), _MOST_PARTITIONS)


def _blocks(run: Path) -> Iterator[pl.DataFrame]:
    """What is compared of the lines of a run, in bounded blocks."""
    for file in files_of(run):
        lines = _lines(file)
        yield from Lines(lines, pieces_of([(Filed(lines), file)])).each_block(_READ, lambda block: block)


def _differing(runs: tuple[Path, Path], lines: Sequence[int], folder: Path) -> tuple[tuple[Marked, Marked], tuple[int, int]]:
    """The lines of each run that are not in the other as they are, and the price of each run in pence."""
    count, pence = _partitions(max(lines)), [0, 0]

    def summed(side: int) -> Iterator[pl.DataFrame]:
        for block in _blocks(runs[side]):
            pence[side] += int(block["price_pence"].sum())
            yield block

    folders = [folder / f"hashes-{side}" for side in range(2)]
    found = [lay_hashes_aside(summed(side), _LINE, count, folders[side]) for side in range(2)]
    return differing(folders, found, count), (pence[0], pence[1])


def _laid_aside(run: Path, marked: Marked, count: int, folder: Path) -> list[Path]:
    """The marked lines of a run in a file a partition, each in their order. A partition without any has no file."""
    folder.mkdir()
    first, files = 0, [folder / str(number) for number in range(count)]
    if not len(marked):
        return files
    with ExitStack() as open_files:
        writers: dict[int, pa.RecordBatchStreamWriter] = {}
        for block in _blocks(run):
            lines, first = marked.within(block, first), first + block.height
            own = lines.with_columns(partition=pl.Series(partition_of(lines, _LINE, count)))
            for number, part in own.partition_by("partition", as_dict=True, include_key=False).items():
                table = part.to_arrow(compat_level=_OLDEST)
                place = int(number[0])
                if place not in writers:
                    writers[place] = open_files.enter_context(pa.ipc.new_stream(files[place], table.schema, options=_LZ4))
                writers[place].write_table(table)
    return files


def _compared(before: Path, after: Path) -> pl.DataFrame:
    """The lines of a partition that changed, in the order of cause and key."""
    first, second = (_read(path) for path in (before, after))
    joined = first.join(second, on=KEY, how="full", suffix="_after", nulls_equal=True, coalesce=True)
    changed = joined.with_columns(cause=_cause()).filter(pl.col("cause").is_not_null())
    return changed.select(_changed()).sort("cause", *KEY).collect()


def _read(path: Path) -> pl.LazyFrame:
    if not path.exists():
        return pl.LazyFrame(schema={**_READ_SCHEMA, "occurrence": pl.UInt32(), "there": pl.Boolean()})
    with pa.memory_map(str(path)) as source, pa.ipc.open_stream(source) as stream:
        return pl.DataFrame(stream.read_all()).lazy().with_columns(there=pl.lit(value=True))


def _written(changed: pl.DataFrame, path: Path) -> pl.LazyFrame:
    changed.write_parquet(path, compression="lz4")
    return pl.scan_parquet(path, glob=False)


def _sums(found: Sequence[pl.LazyFrame]) -> pl.DataFrame:
    """Lines and differences by cause, in the order of `CAUSES`."""
    differ = [(pl.col(column) != 0).sum().alias(f"{name}_lines") for name, column in _DIFFERENCES.items()]
    sums = [pl.len().alias("lines"), pl.col(list(_DIFFERENCES.values())).sum(), *differ]
    by_cause = pl.concat(found).group_by("cause").agg(sums)
    return by_cause.sort(pl.col("cause").cast(pl.Enum(list(CAUSES)))).collect()


def _lines(path: Path) -> pl.LazyFrame:
    """What is compared of the lines of a file, as one type whichever run it is of."""
    return scan_lines(path).select(pl.col(name).cast(dtype) for name, dtype in _READ_SCHEMA.items())


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
        *(difference(name).alias(column) for name, column in _DIFFERENCES.items()),
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
    with whole_file(out) as path, writing(out):
        if out.suffix.lower() == ".parquet":
            schema = found.changed.collect_schema().to_frame().to_arrow(compat_level=_OLDEST).schema
            with pq.ParquetWriter(path, schema, compression="zstd") as writer:
                for part in found.parts:
                    if (lines := part.collect()).height:
                        writer.write_table(lines.to_arrow(compat_level=_OLDEST))
        else:
            with path.open("wb") as file:
                for number, part in enumerate(found.parts):
                    part.collect().write_csv(file, include_header=not number)
