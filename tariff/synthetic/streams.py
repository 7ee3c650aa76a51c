"""The streams of chance. Each kind of activity, and each thing that kinds share, draws from its own, so that adding one leaves
the others as they are; and every block of patients has streams of its own."""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Stream(IntEnum):
    """What a stream of chance is for."""

    PLAN = 0
    ADMITTED = 1
    NEIGHBOURS = 2
    CONDITIONS = 3
    VISITS = 4
    OUTPATIENT = 5
    EMERGENCY = 6
    UNBUNDLED = 7
    CODINGS = 8
    EVIDENCE = 9
    POPULATION = 10
    GATES = 11


def stream_of(seed: int, stream: Stream, block: int | None = None) -> np.random.Generator:
    """A stream of a year; of one block of it where that is given."""
    key = (int(stream),) if block is None else (int(stream), block)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
