"""Files in the grouper's output layouts (FORMATS section 2) are priced through the shipped maps."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl

# What the grouper writes in both files, and what the episode file repeats from its input. The figures are made up; dates and
# commissioner were put into the input and passed through, as the map's note asks.
EPISODES = """\
PROCODET,PROVSPNO,EPIORDER,STARTAGE,SEX,CLASSPAT,ADMISORC,ADMIMETH,DISDEST,DISMETH,EPIDUR,MAINSPEF,NEOCARE,TRETSPEF,DIAG_01,OPER_01,\
CRITICALCAREDAYS,REHABILITATIONDAYS,SPCDAYS,PURCODE,ADMIDATE,DISDATE,EPISTART,EPIEND,PATIENT,RowNo,FCE_HRG,GroupingMethodFlag,\
DominantProcedure,FCE_PBC,CalcEpidur,ReportingEPIDUR,FCETrimpoint,FCEExcessBeddays,SpellReportFlag,FCESSC_Ct,SpellHRG,\
SpellGroupingMethodFlag,SpellDominantProcedure,SpellPDiag,SpellSDiag,SpellEpisodeCount,SpellLOS,ReportingSpellLOS,SpellTrimpoint,\
SpellExcessBeddays,SpellCCDays,SpellPBC,UnbundledHRGs
ZZB,E1,1,60,1,1,19,11,19,1,6,110,8,110,M161,W371,2,0,0,99A,20170610,20170630,20170610,20170616,P1,1,HN22E,P,W371,,4,4,10,0,0,0,\
HN22E,P,W371,M161,,2,15,15,10,5,0,,XC07Z
ZZB,E1,2,60,1,1,19,11,19,1,14,300,8,300,M161,,0,3,0,99A,20170610,20170630,20170616,20170630,P1,2,DZ11S,D,,,11,11,10,1,1,0,\
HN22E,P,W371,M161,,2,15,15,10,5,0,,XC07Z,XC06Z*2
ZZA,E2,1,70,2,1,19,21,19,1,1,300,8,300,J181,,0,0,0,99A,20170629,20170630,20170629,20170630,P2,3,DZ11S,D,,,1,1,20,0,1,0,\
DZ11S,D,,J181,,1,1,1,20,0,0,,
ZZA,E3,1,70,2,1,19,21,19,1,1,300,8,300,R69X,,0,0,0,99A,20170629,20170630,20170629,20170630,P3,4,UZ01Z,U,,,1,1,0,0,1,0,\
UZ01Z,U,,,,1,1,1,0,0,0,,
"""
SPELL_FILE = """\
RowNo,PROCODET,PROVSPNO,SpellHRG,SpellGroupingMethodFlag,SpellDominantProcedure,SpellPDiag,SpellSDiag,SpellEpisodeCount,SpellLOS,\
ReportingSpellLOS,SpellTrimpoint,SpellExcessBeddays,SpellCCDays,SpellPBC,SpellSSC_Ct,SpellBP_Ct,SpellFlag_Ct,PURCODE,ADMIDATE,DISDATE,\
ADMIMETH,CLASSPAT,STARTAGE,UnbundledHRGs
1,ZZB,E1,HN22E,P,W371,M161,,2,15,15,10,5,0,,0,0,0,99A,20170610,20170630,11,1,60,XC07Z,XC06Z*2
2,ZZA,E2,DZ11S,D,,J181,,1,1,1,20,0,0,,0,0,0,99A,20170629,20170630,21,1,70,
3,ZZA,E3,UZ01Z,U,,,,1,1,1,0,0,0,,0,0,0,99A,20170629,20170630,21,1,70,
"""
PRICED = [
    # stay of 20 days gross, less 2 critical care and 3 rehabilitation: 15; five beyond 10 at 200, and a factor of 1.05
    ("E1", "EL", 15, 10, 5, 600_000, 0, 100_000, 735_000, "priced"),
    ("E2", "NELST", 1, 40, 0, 400_000, -300_000, 0, 100_000, "priced"),
    ("E3", "NEL", 1, None, 0, 0, 0, 0, 0, "ungrouped"),
]
# each instance is a day of critical care, or as many as its count says, at £1,000 and £1,500 and a factor of 1.05
OF_THE_FIRST_EPISODE = ("E1/XC07Z", "UNBACC", None, None, 0, 100_000, 0, 0, 105_000, "priced")
OF_THE_SECOND = [
    ("E1/XC07Z#2", "UNBACC", None, None, 0, 100_000, 0, 0, 105_000, "priced"),
    ("E1/XC06Z", "UNBACC", None, None, 0, 300_000, 0, 0, 315_000, "priced"),
]
COLUMNS = (
    "line_id", "pod", "adjusted_length_of_stay", "trim_point", "excess_days", "base_pence", "short_stay_pence",
    "long_stay_pence", "price_pence", "reason",
)  # fmt: skip


def lines_of(path: str) -> list[tuple[object, ...]]:
    return list(pl.read_parquet(path).select(pl.col(COLUMNS)).with_columns(pl.col("pod", "reason").cast(pl.String)).iter_rows())


def test_the_episode_file(tariff):
    Path("made_up_FCE.csv").write_text(EPISODES, encoding="utf-8")
    options = ("--columns", "grouper_output_fce", "--rules", "example")
    done = tariff("price", "made_up_FCE.csv", *options, "--out", "priced.parquet")
    assert done.code == 0, done.err
    assert "made_up_FCE.csv: admitted, 4 episodes, 3 spells; not read: " in done.err
    assert lines_of("priced.parquet") == [*PRICED, OF_THE_FIRST_EPISODE, *OF_THE_SECOND]
    (facts,) = json.loads(Path("priced.run_card.json").read_text(encoding="utf-8"))["inputs"]
    assert (facts["rows"], facts["lines"], facts["column_map"]) == (4, 3, "grouper_output_fce")
    assert {"PATIENT", "SpellTrimpoint", "FCE_HRG"} <= set(facts["ignored"])
    assert tariff("verify", "priced.parquet").code == 0


def test_the_spell_file(tariff):
    Path("made_up_spell.csv").write_text(SPELL_FILE, encoding="utf-8")
    options = ("--columns", "grouper_output_spell", "--rules", "example")
    done = tariff("price", "made_up_spell.csv", *options, "--out", "priced.parquet")
    assert done.code == 0, done.err
    assert lines_of("priced.parquet") == [*PRICED, OF_THE_FIRST_EPISODE, OF_THE_SECOND[-1]]
    assert tariff("verify", "priced.parquet").code == 0


def test_further_columns_may_be_called_what_the_warehouse_calls_them(tariff):
    Path("apc.csv").write_text(EPISODES.replace("PURCODE", "CCG").replace("PATIENT", "patient_id"), encoding="utf-8")
    from tariff.activity.column_map import SHIPPED_FOLDER

    shipped = (SHIPPED_FOLDER / "grouper_output_fce.toml").read_text(encoding="utf-8")
    Path("ours.toml").write_text(shipped.replace('"PURCODE"', '"CCG"'), encoding="utf-8")
    done = tariff("price", "apc.csv", "--columns", "ours.toml", "--rules", "example", "--out", "priced.parquet")
    assert done.code == 0, done.err
    assert pl.read_parquet("priced.parquet")["patient_id"].to_list() == ["P1", "P2", "P3", "P1", "P1", "P1"]


def test_what_the_spell_file_lacks_is_told(tariff):
    headings = "RowNo,PROCODET,PROVSPNO,SpellHRG,SpellGroupingMethodFlag,SpellDominantProcedure,SpellPDiag,SpellSDiag,SpellLOS\n"
    Path("bare_spell.csv").write_text(headings, encoding="utf-8")
    done = tariff("price", "bare_spell.csv", "--columns", "grouper_output_spell", "--rules", "example", "--out", "priced.parquet")
    assert done.code == 3
    for name in ("commissioner", "admission_date", "discharge_date", "admission_method", "patient_classification", "age"):
        assert f"'{name}', which the map reads from" in done.err
    assert "join it on PROCODET and PROVSPNO" in done.err
