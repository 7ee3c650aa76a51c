"""How many people are registered with each practice, by age: what capitation is paid on."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from tariff.columns import POPULATION
from tariff.synthetic.frames import Coded, frame_of
from tariff.synthetic.patients import AGE_BANDS
from tariff.synthetic.places import COMMISSIONER_SHARES, COMMISSIONERS, PRACTICES, PRACTICES_EACH
from tariff.synthetic.streams import Stream, stream_of

REGISTERED_PER_SPELL: Final = 3
"""People registered for every spell of the year: a stated shape, about England's."""
LARGEST_DIFFERENCE: Final = 0.15
"""How far practices of one commissioner differ in size, up or down."""
# fmt: off
_AGE_SHARES: Final = np.array((2.1, 2.1, 2.2, 8.3, 3.6, 3.4, 14.1, 14.2, 13.2, 19.2, 9.8, 5.9, 1.9))
# fmt: on
"""In hundredths, by age band: invented, England's shape."""
AGE_BAND_NAMES: Final = (*(f"{youngest}-{oldest}" for youngest, oldest in AGE_BANDS[:-1]), f"{AGE_BANDS[-1][0]}+")


def population_frame(spells: int, seed: int) -> pl.DataFrame:
    """Everybody registered, by commissioner, practice and age band. Columns as in `columns.POPULATION`."""
    rng = stream_of(seed, Stream.POPULATION)
    practice = np.repeat(np.arange(len(PRACTICES)), len(AGE_BANDS))
    band = np.tile(np.arange(len(AGE_BANDS)), len(PRACTICES))
    size = (1 + LARGEST_DIFFERENCE * rng.uniform(-1, 1, len(PRACTICES)))[practice]
    share = np.array(COMMISSIONER_SHARES)[practice // PRACTICES_EACH] / PRACTICES_EACH
    registered = np.rint(REGISTERED_PER_SPELL * spells * share * size * _AGE_SHARES[band] / _AGE_SHARES.sum())
    return frame_of(
        POPULATION,
        {
            "commissioner": Coded(practice // PRACTICES_EACH, COMMISSIONERS),
            "gp_practice": Coded(practice, PRACTICES),
            "age_band": Coded(band, AGE_BAND_NAMES),
            "registered": pl.Series(registered.astype(np.int64)),
        },
    )
