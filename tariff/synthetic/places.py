"""The invented geography: who pays, who treats, where patients are registered. Every code is made up, and none is that of
a real organisation, so no real trust is shown gaining or losing on invented activity."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

COMMISSIONERS: Final = ("ZC1", "ZC2", "ZC3", "ZC4")
COMMISSIONER_SHARES: Final = (0.38, 0.27, 0.2, 0.15)
PRACTICES_EACH: Final = 40
"""Practices of each commissioner."""
PRACTICES: Final = tuple(f"ZP{number:04}" for number in range(1, len(COMMISSIONERS) * PRACTICES_EACH + 1))


class Provider(NamedTuple):
    """One invented provider. `mff` is an invented market forces factor; `kind` says whom it treats; `near` is the commissioner
    whose patients call it home, as a position in `COMMISSIONERS`, where it is a local hospital."""

    code: str
    name: str
    mff: str
    kind: str
    near: int | None = None


PROVIDERS: Final = (
    Provider("ZZA", "Northbrook General Hospitals (invented)", "1.041872", "local", 0),
    Provider("ZZB", "Elmwater Hospital (invented)", "1.027315", "local", 0),
    Provider("ZZC", "Castlemere Hospitals (invented)", "1.063904", "local", 1),
    Provider("ZZD", "St Aldric Hospital (invented)", "1.018266", "local", 1),
    Provider("ZZE", "Fenmoor Hospitals (invented)", "1.009471", "local", 2),
    Provider("ZZF", "Saltern Bay Hospital (invented)", "1.000000", "local", 3),
    Provider("ZZG", "Regional Teaching Hospitals (invented)", "1.118530", "regional"),
    Provider("ZZH01", "Queen Maud Specialist Hospital, main site (invented)", "1.142087", "regional"),
    Provider("ZZJ", "Children's Hospital of the Region (invented)", "1.097648", "children"),
    Provider("ZZK", "Larkrise Surgical Centre (invented)", "1.033759", "elective"),
    Provider("ZZL", "Withycombe Hill Elective Clinic (invented)", "1.033759", "elective"),
    Provider("ZZM", "Meadowlark Community and Mental Health Services (invented)", "1.024608", "community"),
)
"""Twelve invented providers. ZZH01 is a site code: its factor is held by its trust, ZZH."""

NO_FACTOR: Final = "ZZX"
"""An invented provider that has no market forces factor anywhere, so that its few lines show what then happens."""

PROVIDER_CODES: Final = (*(provider.code for provider in PROVIDERS), NO_FACTOR)

LOCAL_SHARES: Final = (0.6, 0.4)
"""Of the practices of a commissioner with two local hospitals, which look to the first and to the second."""


def of_kind(kind: str) -> NDArray[np.int8]:
    """Positions in `PROVIDERS` of one kind."""
    return np.array([place for place, provider in enumerate(PROVIDERS) if provider.kind == kind], np.int8)


def home_of_practices() -> NDArray[np.int8]:
    """By practice, the position in `PROVIDERS` of the local hospital its patients go to."""
    homes = []
    for commissioner in range(len(COMMISSIONERS)):
        local = [place for place, provider in enumerate(PROVIDERS) if provider.near == commissioner]
        to_first = round(PRACTICES_EACH * LOCAL_SHARES[0]) if len(local) > 1 else PRACTICES_EACH
        homes += [local[0]] * to_first + [local[-1]] * (PRACTICES_EACH - to_first)
    return np.array(homes, np.int8)
