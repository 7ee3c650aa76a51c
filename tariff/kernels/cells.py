"""Cells of a table of totals: which cell a line belongs to, and sums by cell.

A cell is told by some words of 64 bits. Cells come in the order in which they are first met."""

# numba functions are not annotated: their argument types are those of the arrays named in the docstrings.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import numpy as np

from tariff.compiled import compiled, rule

FREE = -1
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


@rule
def _start(words, i, shift):
    """Where in the table the search for the cell of line `i` begins: the uppermost bits of a product."""
    mixed = np.uint64(0)
    for w in range(words.shape[0]):
        mixed = (mixed ^ (mixed >> np.uint64(32)) ^ words[w, i]) * _MULTIPLIER
    return np.int64(mixed >> shift)


@rule
def _is_cell(words, i, cells, number):
    same = True
    for w in range(words.shape[0]):
        same &= words[w, i] == cells[w, number]
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
                cells[w, count] = words[w, i]
            count += 1
        cell[i] = table[place]
    return count


@compiled
def enter_cells(cells, count, table, shift):
    """Enter cells that differ into an empty table."""
    for number in range(count):
        place = _start(cells, number, shift)
        while table[place] != FREE:
            place = (place + 1) & (table.size - 1)
        table[place] = number


@compiled
def count_lines(cell, sums):
    """Add one to the sum of the cell of every line."""
    for i in range(cell.size):
        sums[cell[i]] += 1


@compiled
def add_amounts(cell, amounts, sums):
    """Add the amount of every line to the sum of its cell."""
    for i in range(cell.size):
        sums[cell[i]] += amounts[i]


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
