"""The columns of the files that go with activity (DESIGN section 4): registers, evidence, population."""

from __future__ import annotations

from typing import Final

import polars as pl

from tariff.columns import Column


def _text(name: str, meaning: str, *, required: bool = False) -> Column:
    return Column(name, pl.String(), meaning, required=required)


def _date(name: str, meaning: str, *, required: bool = False) -> Column:
    return Column(name, pl.Date(), meaning, required=required)


REGISTER: Final = (
    _text("patient_id", "pseudonymised patient identifier; never printed", required=True),
    _text("register", "which register: maternity, cystic_fibrosis, ...", required=True),
    _text("level", "casemix level, band or cluster"),
    _date("start_date", "first day on the register at this level", required=True),
    _date("end_date", "last day; blank = still on it"),
    _text("provider", "provider that leads the care", required=True),
    _text("commissioner", "commissioner code", required=True),
)
"""Who stands on a register, at which level and when."""

EVIDENCE: Final = (
    _text("provider", "provider code", required=True),
    _text("line_id", "the line the evidence is of; blank for a gate of the provider"),
    _text("tariff", "best-practice tariff", required=True),
    _text("criterion", "criterion of the tariff; blank for a gate"),
    _text("met", "yes or no; blank = not answered", required=True),
    _date("period_start", "of a gate: first day it holds for"),
    _date("period_end", "of a gate: last day it holds for"),
)
"""What an audit says of a criterion of one line, or of a gate that a provider passes for a period."""

POPULATION: Final = (
    _text("commissioner", "commissioner code", required=True),
    _text("gp_practice", "general practice", required=True),
    _text("age_band", "ages in years, such as 65-74 or 85+", required=True),
    Column("registered", pl.Int64(), "people registered", "people", required=True),
)
"""Registered people, for capitation."""
