"""Reading what `tariff.facts` holds of a line, and columns that may be blank throughout."""

# numba functions are not annotated: their argument types are those of the arrays named in the docstrings.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import numpy as np

from tariff.compiled import rule


@rule
def told(facts, field):
    """The answer in a field of the facts of a line."""
    return np.int64((facts >> np.uint64(field.shift)) & np.uint64((1 << field.bits) - 1)) + field.lowest


@rule
def is_set(facts, field):
    """Whether a field of one bit is set."""
    return (facts >> np.uint64(field.shift)) & np.uint64(1) != np.uint64(0)


@rule
def cell(column, i, blank):
    """A cell of a column, `blank` where the column is empty: it is blank throughout."""
    return column[i] if column.size != 0 else blank
