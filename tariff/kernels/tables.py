"""Tables with a value for every number of a range."""

# numba functions are not annotated: their argument types are those of the arrays named in the docstrings.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import numpy as np

from tariff.compiled import compiled


@compiled
def look_up(numbers, first, table, found):
    """What `table` holds for each of `numbers`, counted from `first`, into `found`. Returns whether it holds something for all of
    them; if not, `found` is of no use."""
    all_there, places = True, np.uint64(table.size)
    for i in range(found.size):
        place = np.uint64(np.int64(numbers[i]) - first)  # one below the first is beyond any
        if place < places:
            found[i] = table[place]
        else:
            all_there = False
    return all_there
