"""Columns as arrays and arrays as columns, whatever part of a larger column they are and however blank."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from tariff.buffers import numbers_or, repeated, with_blanks

WORDS = pl.Enum(["a", "b"])
WHOLE = [3, None, -1, 0, None, 7, 8, None, None, 2, 5]


@pytest.mark.parametrize("dtype", [pl.Int8, pl.Int32, pl.Int64])
@pytest.mark.parametrize("rows", [slice(0, 11), slice(1, 2), slice(3, 9), slice(5, 7), slice(7, 9), slice(4, 4)])
def test_numbers_of_a_part_of_a_column(dtype: pl.DataType, rows: slice) -> None:
    column = pl.Series(WHOLE, dtype=dtype).slice(rows.start, rows.stop - rows.start)
    assert numbers_or(column, -9).tolist() == [-9 if value is None else value for value in WHOLE[rows]]


def test_numbers_of_a_column_in_chunks() -> None:
    column = pl.concat([pl.Series([1, None], dtype=pl.Int32), pl.Series([None, 4], dtype=pl.Int32)], rechunk=False)
    assert numbers_or(column, 0).tolist() == [1, 0, 0, 4]


def test_no_kernel_may_write_what_a_column_holds() -> None:
    for column in (pl.Series([1, 2]), pl.Series([1, None])):
        assert not numbers_or(column, 0).flags.writeable


@pytest.mark.parametrize(
    ("value", "dtype"),
    [(None, WORDS), ("b", WORDS), ("2024-25", pl.String), (False, pl.Boolean), (None, pl.Int64)],
)
@pytest.mark.parametrize("count", [0, 1, 9])
def test_a_column_of_one_value(value: object, dtype: pl.DataType, count: int) -> None:
    column = repeated(value, count, dtype)
    assert column.dtype == dtype
    assert column.to_list() == [value] * count
    assert pl.concat([column, column]).len() == 2 * count


@pytest.mark.parametrize(("value", "dtype", "other"), [(None, pl.Int64, 7), ("a", WORDS, "b"), (False, pl.Boolean, True)])
@pytest.mark.parametrize("count", [2, 7, 40_000])
def test_who_changes_a_column_of_one_value_changes_no_other(value: object, dtype: pl.DataType, other: object, count: int) -> None:
    changed = repeated(value, count, dtype).scatter([1], pl.Series([other], dtype=dtype))
    assert changed[:2].to_list() == [value, other]
    assert repeated(value, count, dtype).to_list() == [value] * count


@pytest.mark.parametrize("dtype", [np.int8, np.int32, np.int64])
@pytest.mark.parametrize("numbers", [[], [1], [0], [0, 5, 0, 0, 7, 1, 2, 3, 0, 9], [4] * 17])
def test_an_array_with_blanks(dtype: type, numbers: list[int]) -> None:
    array = np.array(numbers, dtype)
    column = with_blanks(array, array == 0)
    assert column.dtype == pl.Series(array).dtype
    assert column.to_list() == [number or None for number in numbers]


@pytest.mark.parametrize("rows", [slice(0, 11), slice(1, 2), slice(3, 9), slice(4, 4)])
def test_booleans_count_where_they_hold(rows: slice) -> None:
    holds = [value is not None and value > 0 for value in WHOLE]
    told = pl.Series([None if value is None else value > 0 for value in WHOLE])
    for column in (pl.Series(holds), told):
        assert numbers_or(column[rows], 0).tolist() == [int(value) for value in holds[rows]]
