"""Cells of a table of totals: which cell a line belongs to, and sums by cell.

A cell is told by some words of 64 bits. Cells come in the order in which they are first met. What belongs to one cell stands
together, words in one row and sums in another: where there are many cells, fetching a row from memory is what costs."""

# numba functions are not annotated: their argument types are those of the arrays named in the docstrings.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import numpy as np

from tariff.compiled import compiled, rule

FREE = -1
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


@rule
def _mixed(mixed, word):
    """A product that depends on all bits so far; its uppermost say where in the table the search begins."""
    return (mixed ^ (mixed >> np.uint64(32)) ^ word) * _MULTIPLIER


@rule
def _start(words, i, shift):
    mixed = np.uint64(0)
    for w in range(words.shape[0]):
        mixed = _mixed(mixed, words[w, i])
    return np.int64(mixed >> shift)


@rule
def _is_cell(words, i, cells, number):
    same = True
    for w in range(words.shape[0]):
        same &= words[w, i] == cells[number, w]
    return same


@compiled
def number_cells(words, table, shift, cells, count, cell):
    """The cell of every line of `words` (a row a word) into `cell`; new cells are entered into `table` (places of cell numbers,
    -1 free) and `cells` (their words). Returns how many cells there are; there must be room for one more a line."""
    for i in range(cell.size):
        place = _start(words, i, shift)
        while table[place] != FREE and not _is_cell(words, i, cells, table[place]):
            place = (place + 1) & (table.size - 1)
        if table[place] == FREE:
            table[place] = count
            for w in range(words.shape[0]):
                cells[count, w] = words[w, i]
            count += 1
        cell[i] = table[place]
    return count


@compiled
def enter_cells(cells, count, table, shift):
    """Enter cells that differ into an empty table."""
    for number in range(count):
        mixed = np.uint64(0)
        for w in range(cells.shape[1]):
            mixed = _mixed(mixed, cells[number, w])
        place = np.int64(mixed >> shift)
        while table[place] != FREE:
            place = (place + 1) & (table.size - 1)
        table[place] = number


@compiled
def add_lines(cell, amounts, sums):
    """Add the amounts of every line (a row of `amounts`) to the sums of its cell, the first of which counts the lines."""
    for i in range(cell.size):
        number = cell[i]
        sums[number, 0] += 1
        for k in range(amounts.shape[1]):
            sums[number, k + 1] += amounts[i, k]


@compiled
def add_numbers(numbers, blank, shift, words):
    """Put small numbers of every line, counted from 1, into its word, from bit `shift`; where `blank` is not empty it says which
    lines have none."""
    if blank.size == 0:
        for i in range(words.size):
            words[i] |= np.uint64(numbers[i] + 1) << shift
    else:
        for i in range(words.size):
            if not blank[i]:
                words[i] |= np.uint64(numbers[i] + 1) << shift
