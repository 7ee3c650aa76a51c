"""Cells of a table of totals: which cell a line belongs to, and sums by cell.

A cell is told by two or more words of 64 bits. Cells come in the order in which they are first met. What belongs to one cell
stands together, its words and number in one place of a table, its sums in one row: where there are many cells, fetching from
memory is what costs."""

# numba functions are not annotated: their argument types are those of the arrays named in the docstrings.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import numpy as np

from tariff.compiled import compiled, rule

LEAST_WORDS = 2
"""A cell is told by so many words at least; one that is not needed is zero."""
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_FREE = np.uint64(0)
_NEAR = 1 << 15
"""Words that stand near the processor whatever else does."""


@rule
def _mixed(mixed, word):
    """A product that depends on all bits so far; its uppermost say where in the table the search begins."""
    return (mixed ^ (mixed >> np.uint64(32)) ^ word) * _MULTIPLIER


@rule
def _start_by_two(first, second, shift):
    """Where in the table the search for a cell of two words begins."""
    return np.int64(_mixed(_mixed(np.uint64(0), first), second) >> shift)


@rule
def _place_by_two(place, first, second, table):
    """Where in the table a cell of two words stands, searched from `place`, or the free place where it would."""
    while table[place, 2] != _FREE and (table[place, 0] != first or table[place, 1] != second):
        place = (place + 1) & (table.shape[0] - 1)
    return place


@rule
def _fetched(table, rows):
    """Fetch the first and last words of rows of a table that is too large to stand near the processor: all at once, where one
    after the other each would be waited for. What is returned keeps the compiler from leaving it out, and as each step needs the
    last, from making a gather of it, which takes four times as long."""
    mixed, last = np.int64(0), table.shape[1] - 1
    if table.size > _NEAR:
        for i in range(rows.size):
            mixed = (mixed ^ np.int64(table[rows[i], 0]) ^ np.int64(table[rows[i], last])) * 3
    return mixed


@rule
def _differs(words, i, table, place):
    differs = False
    for w in range(words.shape[0]):
        differs |= words[w, i] != table[place, w]
    return differs


@rule
def _place(words, i, table, shift):
    """The same for a cell of any number of words, that of line `i`."""
    mixed = np.uint64(0)
    for w in range(words.shape[0]):
        mixed = _mixed(mixed, words[w, i])
    place = np.int64(mixed >> shift)
    while table[place, words.shape[0]] != _FREE and _differs(words, i, table, place):
        place = (place + 1) & (table.shape[0] - 1)
    return place


@rule
def _number_at(table, place, words, i, count):
    """How many cells there are once the cell of line `i` stands at its place."""
    number = words.shape[0]
    if table[place, number] == _FREE:
        count += 1
        table[place, number] = count
        for w in range(number):
            table[place, w] = words[w, i]
    return count


@rule
def _number(words, table, shift, count, cell):
    """The cell of every line of `words` (a row a word) into `cell`; new cells are entered into `table`, a place of which holds
    the words of a cell and its number from 1, 0 where it is free. Returns how many cells there are, for which there must be room
    with one more a line, and what `_fetched` says."""
    number, fetched = words.shape[0], np.int64(0)
    if number == LEAST_WORDS:  # the usual case by loops of its own, which are many times as fast
        for i in range(cell.size):
            cell[i] = _start_by_two(words[0, i], words[1, i], shift)
        fetched = _fetched(table, cell)
        for i in range(cell.size):
            place, first, second = cell[i], words[0, i], words[1, i]
            if table[place, 0] != first or table[place, 1] != second or table[place, LEAST_WORDS] == _FREE:
                place = _place_by_two(place, first, second, table)
                count = _number_at(table, place, words, i, count)
            cell[i] = table[place, LEAST_WORDS] - 1
    else:
        for i in range(cell.size):
            place = _place(words, i, table, shift)
            count = _number_at(table, place, words, i, count)
            cell[i] = table[place, number] - 1
    return count, fetched


@compiled
def enter_cells(entered, table, shift):
    """Enter the cells of one table into a larger one that is empty."""
    number = entered.shape[1] - 1
    words = entered[:, :number].T
    for i in range(entered.shape[0]):
        if entered[i, number] != _FREE:
            place = _place(words, i, table, shift)
            table[place] = entered[i]


@rule
def _add(cell, amounts, sums):
    """Add the amounts of every line (a row of `amounts` a sum) to the sums of its cell, the first of which counts the
    lines. Returns what `_fetched` says."""
    fetched = _fetched(sums, cell)
    for i in range(cell.size):
        number = cell[i]
        sums[number, 0] += 1
        for k in range(amounts.shape[0]):
            sums[number, k + 1] += amounts[k, i]
    return fetched


@compiled
def add_lines(words, amounts, table, shift, count, sums, cell):
    """Add lines, given by the `words` (a row a word) and the `amounts` (a row a sum), to cells: new ones are entered into `table`
    (`_number`), and amounts added to the `sums` of their cell, the first of which counts the lines. There must be room for one
    more cell a line. As many at once as `cell` has room for, so that what is held of them stays near the processor. Returns how
    many cells there are, and what `_fetched` says."""
    fetched = np.int64(0)
    for first in range(0, words.shape[1], cell.size):
        some = slice(first, min(first + cell.size, words.shape[1]))
        of_line = cell[: some.stop - first]
        count, of_table = _number(words[:, some], table, shift, count, of_line)
        fetched ^= of_table ^ _add(of_line, amounts[:, some], sums)
    return count, fetched


@compiled
def add_numbers(numbers, shift, words):
    """Put the small number of every line, counted from 1, into its word, from bit `shift`; -1 stands for none."""
    for i in range(words.size):
        words[i] |= np.uint64(np.int64(numbers[i]) + 1) << shift
