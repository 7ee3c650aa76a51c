"""From arrays to frames in the contract's order and types, and from frames to Parquet that is the same to the byte."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tariff.columns import Column
from tariff.whole_files import whole_file

if TYPE_CHECKING:
    import pyarrow as pa

PER_MILLE: Final = 1000
ROW_GROUP: Final = 250_000

_COMPRESSION: Final = "zstd"
_COMPRESSION_LEVEL: Final = 1


class Coded(NamedTuple):
    """A text column of few values: positions in `words`, -1 for none. Words may repeat."""

    codes: NDArray[np.signedinteger]
    words: tuple[str, ...]


def frame_of(contract: Iterable[Column], columns: Mapping[str, Coded | pl.Series]) -> pl.DataFrame:
    """The columns in the order of `contract`, coded ones as Enum, others in the contract's type."""
    made = [(column, columns[column.name]) for column in contract if column.name in columns]
    return pl.DataFrame(
        [
            _enum(values).alias(column.name) if isinstance(values, Coded) else values.cast(column.dtype).alias(column.name)
            for column, values in made
        ]
    )


def dates(days: NDArray[np.int32]) -> pl.Series:
    """Dates from days since 1970."""
    return pl.Series(days.astype(np.int32)).cast(pl.Date)


def numbered(numbers: NDArray[np.int64], letter: str = "") -> pl.Series:
    """Numbers as text, after a letter where one is given."""
    text = pl.Series(numbers).cast(pl.String)
    return pl.select(pl.lit(letter) + text).to_series() if letter else text


def thousand_of(rng: np.random.Generator, shares: tuple[int, ...], size: int) -> NDArray[np.int8]:
    """Positions in the given shares, in thousandths; -1, for none, where they leave something over."""
    position = np.searchsorted(np.cumsum(shares), rng.integers(PER_MILLE, size=size), side="right")
    return np.where(position < len(shares), position, -1).astype(np.int8)


def in_contract_types(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with its Enum columns as plain text."""
    return frame.with_columns(pl.selectors.enum().cast(pl.String))


def _enum(values: Coded) -> pl.Series:
    words = tuple(dict.fromkeys(values.words))
    place = np.array([words.index(word) for word in values.words], np.uint32) if len(words) < len(values.words) else None
    codes = np.maximum(values.codes, 0)
    series = pl.Series(codes if place is None else place[codes], dtype=pl.UInt32)
    if (values.codes < 0).any():
        series = series.set(pl.Series(values.codes < 0), None)
    return series.cat.to(pl.Enum(words)) if words else series.cast(pl.String)


def write_parquet(path: Path, blocks: Iterable[pl.DataFrame], pounds: Iterable[str] = ()) -> Path:
    """Write blocks as one Parquet file, as `parquet_file` does. Raises OutputError."""
    with parquet_file(path, pounds) as write:
        for block in blocks:
            write(block)
    return path


@contextmanager
def parquet_file(path: Path, pounds: Iterable[str] = ()) -> Iterator[Callable[[pl.DataFrame], None]]:
    """A function that writes the next block of a Parquet file, in row groups of `ROW_GROUP` rows at most: text columns as plain
    text, dictionary-coded where the frame has Enums; the columns `pounds`, in pence, as text in pounds, as activity files hold
    money. The file appears when all is written. Raises OutputError."""
    import pyarrow.parquet as pq

    with whole_file(path) as partial, ExitStack() as open_file:
        writers: list[pq.ParquetWriter] = []

        def write(block: pl.DataFrame) -> None:
            for rows in block.iter_slices(ROW_GROUP) if block.height else [block]:
                table = _arrow(_money_in_pounds(rows, pounds))
                if not writers:
                    writer = pq.ParquetWriter(partial, table.schema, **_settings(block, pounds))
                    writers.append(open_file.enter_context(writer))
                writers[0].write_table(table, row_group_size=max(table.num_rows, 1))

        yield write


def _settings(block: pl.DataFrame, pounds: Iterable[str]) -> dict[str, object]:
    """Every column but those of mostly different text is dictionary-coded. No schema of our own is stored: codes read as text."""
    various = {name for name, dtype in block.schema.items() if dtype == pl.String}.difference(pounds)
    return {
        "compression": _COMPRESSION,
        "compression_level": _COMPRESSION_LEVEL,
        "use_dictionary": [name for name in block.columns if name not in various],
        "store_schema": False,
    }


def _arrow(block: pl.DataFrame) -> pa.Table:
    return block.to_arrow().replace_schema_metadata(None)


def _money_in_pounds(block: pl.DataFrame, pounds: Iterable[str]) -> pl.DataFrame:
    """Pence to text such as `450.05`."""
    return block.with_columns(_pounds_text(name).alias(name) for name in pounds if name in block.columns)


def _pounds_text(name: str) -> pl.Expr:
    pence = pl.col(name)
    return (pence // 100).cast(pl.String) + "." + (pence % 100).cast(pl.String).str.zfill(2)
