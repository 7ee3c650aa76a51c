"""Cells of a table of totals: which cell a line belongs to, and sums by cell.

A cell is told by one or more words of 64 bits. Cells come in the order in which they are first met, numbered from 1 where 0 says
that there is none. What belongs to one cell stands together: where there are many cells, fetching from memory is what costs."""

# numba functions are not annotated: their argument types are those of the arrays named in the docstrings.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import numpy as np

from tariff.compiled import compiled, rule

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_FREE = np.uint64(0)
_NEAR = 1 << 15
"""Words that stand near the processor whatever else does."""
_AT_ONCE = 1 << 12
"""Lines that are added at once, so that what is held of them stays near the processor."""


@rule
def _number_by_place(words, numbers, of_cells, count, cell):
    """The cell of every line, which one word tells, into `cell`. `numbers` has a place for every such word, which holds the
    number of its cell. The words of new cells go to `of_cells` (a row a cell). Returns how many cells there are."""
    for i in range(cell.size):
        word = words[0, i]
        number = numbers[word]
        if number == 0:
            count += 1
            number = count
            numbers[word], of_cells[number - 1, 0] = number, word
        cell[i] = number - 1
    return count


@rule
def _mixed(mixed, word):
    """A product that depends on all bits so far; its uppermost say where in the table the search begins."""
    return (mixed ^ (mixed >> np.uint64(32)) ^ word) * _MULTIPLIER


@rule
def _start_by_one(word, shift):
    """Where in the table the search for a cell of one word begins."""
    return np.int64(_mixed(np.uint64(0), word) >> shift)


@rule
def _place_by_one(place, word, table):
    """Where in the table a cell of one word stands, searched from `place`, or the free place where it would."""
    while table[place, 1] != _FREE and table[place, 0] != word:
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
def _number_at(table, place, words, i, of_cells, count):
    """How many cells there are once the cell of line `i` stands at its place."""
    number = words.shape[0]
    if table[place, number] == _FREE:
        count += 1
        table[place, number] = count
        for w in range(number):
            table[place, w] = of_cells[count - 1, w] = words[w, i]
    return count


@rule
def _number_by_search(words, table, shift, of_cells, count, cell):
    """The same for cells that are told by any words: searched for in `table`, a place of which holds the words of a cell and its
    number, 0 where it is free. Returns how many cells there are, and what `_fetched` says."""
    number, fetched = words.shape[0], np.int64(0)
    if number == 1:  # the usual case by loops of its own, which are many times as fast
        for i in range(cell.size):
            cell[i] = _start_by_one(words[0, i], shift)
        fetched = _fetched(table, cell)
        for i in range(cell.size):
            place, word = cell[i], words[0, i]
            if table[place, 0] != word or table[place, 1] == _FREE:
                place = _place_by_one(place, word, table)
                count = _number_at(table, place, words, i, of_cells, count)
            cell[i] = table[place, 1] - 1
    else:
        for i in range(cell.size):
            place = _place(words, i, table, shift)
            count = _number_at(table, place, words, i, of_cells, count)
            cell[i] = table[place, number] - 1
    return count, fetched


@compiled
def enter_cells(of_cells, table, shift):
    """Enter cells, of which no two are alike, into an empty table."""
    words = of_cells.T
    for i in range(of_cells.shape[0]):
        place = _place(words, i, table, shift)
        table[place, words.shape[0]] = i + 1
        for w in range(words.shape[0]):
            table[place, w] = words[w, i]


@rule
def _add(cell, first, amounts, sums):
    """Add the amounts (an array a sum) of the lines from `first` on to the sums of their cells, the first of which counts the
    lines. Returns what `_fetched` says."""
    fetched = _fetched(sums, cell)
    for i in range(cell.size):
        number = cell[i]
        sums[number, 0] += 1
        for k in range(len(amounts)):  # compiled for so many sums, where a table of all amounts would have to be filled first
            sums[number, k + 1] += amounts[k][first + i]
    return fetched


@compiled
def add_by_place(words, first, amounts, numbers, of_cells, count, sums, cell):
    """Add lines from `first` on, given by their `words` (a row a word) and the `amounts` of all lines (an array a sum), to the
    cells that `_number_by_place` finds, which are left in `cell`. There must be room for one more a line. Returns how many cells
    there are, and what `_fetched` says."""
    fetched = np.int64(0)
    for begin in range(0, cell.size, _AT_ONCE):
        end = min(begin + _AT_ONCE, cell.size)
        count = _number_by_place(words[:, begin:end], numbers, of_cells, count, cell[begin:end])
        fetched ^= _add(cell[begin:end], first + begin, amounts, sums)
    return count, fetched


@compiled
def add_by_search(words, first, amounts, table, shift, of_cells, count, sums, cell):
    """The same for the cells that `_number_by_search` finds; `table` has more places than there can be cells."""
    fetched = np.int64(0)
    for begin in range(0, cell.size, _AT_ONCE):
        end = min(begin + _AT_ONCE, cell.size)
        count, of_table = _number_by_search(words[:, begin:end], table, shift, of_cells, count, cell[begin:end])
        fetched ^= of_table ^ _add(cell[begin:end], first + begin, amounts, sums)
    return count, fetched


@compiled
def add_where_any(cell, amounts, sums):
    """Add the amounts of lines to one sum of their cells, where nearly all amounts are nothing."""
    for i in range(cell.size):
        if amounts[i] != 0:
            sums[cell[i]] += amounts[i]


@compiled
def add_numbers(numbers, shift, words):
    """Put the small number of every line, counted from 1, into its word, from bit `shift`; -1 stands for none."""
    for i in range(words.size):
        words[i] |= np.uint64(np.int64(numbers[i]) + 1) << shift
