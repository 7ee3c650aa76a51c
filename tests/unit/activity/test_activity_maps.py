"""Column maps: what they change, and every way a map itself can be wrong."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from tariff.activity import ColumnMap, csv_file, load_map, read_activity, shipped_maps, survey
from tariff.columns import READ_FAULT
from tariff.errors import ActivityError, RulesError

Write = Callable[..., Path]

THEIRS = "SpellNo,Trust,Admitted,Left,Method,Class,Age,HRG,Spare\nS1,RXX,01-Apr-2017,NULL,EL,1,70,HN22E,x\n"
MAP = """
title = "a warehouse"
[admitted]
date_formats = ["dd-mmm-yyyy"]
blanks = ["NULL"]
[admitted.rename]
spell_id = "spellno"
provider = ["Provider", "TRUST"]
admission_date = "Admitted"
discharge_date = "Left"
admission_method = "Method"
patient_classification = "Class"
[admitted.constants]
commissioner = "99a"
[admitted.recode.admission_method]
"EL" = "11"
"""


def faults_of(write: Write, text: str) -> str:
    with pytest.raises(RulesError) as error:
        load_map(write(text, "map.toml"))
    assert error.value.exit_code == 4
    return str(error.value)


def test_a_map_renames_recodes_fixes_dates_and_sets_constants(write: Write) -> None:
    path, column_map = write(THEIRS), write(MAP, "warehouse.toml")
    row = read_activity(path, columns=column_map).collect().row(0, named=True)
    assert row == {
        "spell_id": "S1",
        "provider": "RXX",
        "commissioner": "99A",
        "admission_date": date(2017, 4, 1),
        "discharge_date": None,
        "admission_method": "11",
        "patient_classification": "1",
        "age": 70,
        "hrg": "HN22E",
        READ_FAULT: None,
    }
    facts = survey(path, columns=column_map)
    assert (facts.ignored, facts.column_map) == (("Spare",), "warehouse")


def test_a_loaded_map_is_a_map(write: Write) -> None:
    column_map = load_map(write(MAP, "map.toml"))
    assert isinstance(column_map, ColumnMap)
    assert read_activity(write(THEIRS), columns=column_map).collect().height == 1


def test_a_heading_the_map_names_must_be_there_unless_it_is_optional(write: Write) -> None:
    renamed = MAP.replace("[admitted.constants]", 'critical_care_days = "CCDays"\n[admitted.constants]')
    with pytest.raises(ActivityError, match="lacks the column 'critical_care_days', which the map reads from 'CCDays'"):
        read_activity(write(THEIRS), columns=write(renamed, "map.toml"))
    optional = renamed.replace("[admitted]\n", '[admitted]\noptional = ["critical_care_days"]\n')
    assert read_activity(write(THEIRS), columns=write(optional, "map.toml")).collect().height == 1


def test_a_file_with_two_headings_for_one_column(write: Write) -> None:
    with pytest.raises(ActivityError, match="has both 'Provider' and 'Trust', which the map reads as provider"):
        read_activity(write(THEIRS.replace("Spare", "Provider")), columns=write(MAP, "map.toml"))


def test_a_constant_need_not_be_in_the_file_and_wins_where_it_is(write: Write) -> None:
    path = write(THEIRS.replace("Spare", "commissioner"))
    column_map = write(MAP, "map.toml")
    assert read_activity(path, columns=column_map).collect()["commissioner"].to_list() == ["99A"]
    assert survey(path, columns=column_map).ignored == ("commissioner",)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[admitted.rename]\nadmision_date = 'x'", "did you mean 'admission_date'?"),
        ("[admitted]\nrenames = {}", "did you mean 'rename'?"),
        ("[admited]", "did you mean 'admitted'?"),
        ("[admitted]\ndate_formats = ['mm/dd/yyyy']", "a month before the day is never accepted"),
        ("[admitted]\ndate_formats = ['yyyymmdd', 'ddmmyyyy']", "cannot both hold"),
        ("[admitted]\ndate_formats = []", "none is given"),
        ("[admitted]\nblanks = 'NULL'", "'admitted.blanks'"),
        ("[admitted.rename]\nhrg = 3", "'admitted.rename.hrg'"),
        ("[admitted.rename]\nhrg = []", "names no heading"),
        ("[admitted.rename]\nhrg = 'x'\nage = 'X'", "is given to both 'hrg' and 'age'"),
        ("[admitted.rename]\nhrg = 'x'\n[admitted.constants]\nhrg = 'HN22E'", "both renamed and a constant"),
        ("[admitted.constants]\nage = 'old'", "'old' cannot be read as age"),
        ("[admitted.constants]\nadmission_date = '04/13/2017'", "cannot be read as admission_date"),
        ("[outpatient.rename]\nattendence_id = 'x'", "did you mean 'attendance_id'?"),
        ("[outpatient.rename]\nunbundled = 'x'", "[outpatient] rename: 'unbundled' is not a canonical column"),
        ("[emergency.constants]\nage = 'old'", "[emergency] constants: 'old' cannot be read as age"),
        ("[unbundled]\ndate_formats = ['mm/dd/yyyy']", "a month before the day is never accepted"),
        ("schema = 2", "'schema'"),
        ("[admitted", "is not TOML"),
        ("name = 3", "'name'"),
    ],
)
def test_a_wrong_map_is_refused_with_what_to_do(write: Write, text: str, says: str) -> None:
    assert says in faults_of(write, text)


def test_every_fault_of_a_map_is_listed_at_once(write: Write) -> None:
    text = faults_of(write, "[admitted]\nabsent = ['a']\noptional = ['b']\nrepeated = ['c']\n[admitted.recode.d]\nx = 'y'")
    assert all(f"'{name}' is not a canonical column" in text for name in "abcd")


def test_a_map_made_in_python_is_checked_too() -> None:
    wrong = ColumnMap.model_validate({"admitted": {"constants": {"agee": "3"}}})
    with pytest.raises(RulesError, match="did you mean 'age'"):
        load_map(wrong)


def test_a_map_that_is_not_there(write: Write, tmp_path: Path) -> None:
    with pytest.raises(RulesError, match="did you mean 'grouper_input'"):
        load_map("grouper_inputs")
    with pytest.raises(RulesError, match="shipped maps: grouper_input, "):
        load_map(tmp_path / "nowhere.toml")


@pytest.mark.parametrize("name", shipped_maps())
def test_every_shipped_map_loads_and_says_what_it_is_for(name: str) -> None:
    column_map = load_map(name)
    assert column_map.name == name
    assert column_map.title


FCE = (
    "RowNo,PROCODET,PROVSPNO,EPIORDER,STARTAGE,SEX,CLASSPAT,ADMIMETH,DISMETH,EPIDUR,MAINSPEF,TRETSPEF,CRITICALCAREDAYS,"
    "REHABILITATIONDAYS,SPCDAYS,commissioner,ADMIDATE,discharge_date,CalcEpidur,SpellReportFlag,SpellHRG,SpellGroupingMethodFlag,"
    "SpellDominantProcedure,SpellPDiag,SpellSDiag,SpellEpisodeCount,SpellLOS,UnbundledHRGs\n"
    "1,ZZZ,S1,1,70,1,1,21,1,4,300,300,1,0,0,99A,01/04/2017,20/04/2017,3,0,AA22C,D,,I639,,2,10,XC07Z*1,RD20A\n"
    "2,ZZZ,S1,2,71,1,1,11,1,7,300,300,0,0,0,99A,01/04/2017,20/04/2017,7,1,AA22C,D,,I639,,2,10,\n"
)


def test_a_grouper_episode_file_gives_the_first_episodes_codes_and_the_spells_own_stay(write: Write) -> None:
    row = read_activity(write(FCE), columns="grouper_output_fce").collect().row(0, named=True)
    assert (row["hrg"], row["grouping_method"], row["primary_diagnosis"], row[READ_FAULT]) == ("AA22C", "D", "I639", None)
    assert (row["age"], row["admission_method"], row["adjusted_length_of_stay"], row["episodes"]) == (70, "21", 10, 2)
    assert (row["admission_date"], row["discharge_date"]) == (date(2017, 4, 1), date(2017, 4, 20))


def test_a_grouper_episode_file_holding_only_the_rows_that_speak_keeps_the_whole_stay(write: Write) -> None:
    lines = FCE.splitlines(keepends=True)
    row = read_activity(write(lines[0] + lines[2]), columns="grouper_output_fce").collect().row(0, named=True)
    assert row["adjusted_length_of_stay"] == 10


def test_a_grouper_spell_file_needs_what_the_grouper_does_not_carry(write: Write) -> None:
    headings = "RowNo,PROCODET,PROVSPNO,SpellHRG,SpellGroupingMethodFlag,SpellDominantProcedure,SpellPDiag,SpellSDiag,SpellLOS,X"
    bare = f"{headings}\n1,ZZZ,S1,AA22C,D,,I639,,10,\n"
    with pytest.raises(ActivityError, match="join it on PROCODET and PROVSPNO") as error:
        read_activity(write(bare), columns="grouper_output_spell")
    assert len(error.value.faults) == 6
    joined = bare.replace("RowNo,", "STARTAGE,CLASSPAT,ADMIMETH,commissioner,ADMIDATE,DISDATE,").replace(
        "\n1,", "\n70,1,21,99A,20170401,20170420,"
    )
    row = read_activity(write(joined, "joined.csv"), columns="grouper_output_spell").collect().row(0, named=True)
    assert (row["adjusted_length_of_stay"], row["hrg"], row[READ_FAULT]) == (10, "AA22C", None)


def test_a_list_goes_on_beyond_the_last_heading(write: Write) -> None:
    lists = read_activity(write(FCE), columns="grouper_output_fce").collect()["unbundled"].to_list()
    assert lists == ["XC07Z*1;RD20A"]
    long = ",".join(f"RD{place}" for place in range(40))
    with_marks = FCE.replace("XC07Z*1,RD20A", f'"XC07Z*1","RD\n,20A",,{long}')
    (found,) = read_activity(write(with_marks, "long.csv"), columns="grouper_output_fce").collect()["unbundled"].to_list()
    assert found == f"XC07Z*1;RD\n,20A;{long.replace(',', ';')}"


def test_cells_beyond_another_last_heading_are_no_list(write: Write) -> None:
    added = FCE.replace("UnbundledHRGs\n", "UnbundledHRGs,ours\n")
    read = read_activity(write(added), columns="grouper_output_fce").collect()
    assert read[READ_FAULT].to_list() == [None]
    shifted = write(added.replace("RD20A\n", "RD20A,x\n"), "shifted.csv")
    read = read_activity(shifted, columns="grouper_output_fce").collect()
    assert read[READ_FAULT].to_list() == ["unreadable_row"]


def test_a_line_that_is_no_list_but_another_table(write: Write) -> None:
    with pytest.raises(ActivityError, match="has a line with 700 cells beyond its 28 headings"):
        read_activity(write(FCE.replace("RD20A", "," * 699)), columns="grouper_output_fce").collect()


@pytest.mark.parametrize("bytes_at_once", [1, 7, 64])
def test_the_longest_line_is_found_in_any_pieces(write: Write, monkeypatch: pytest.MonkeyPatch, bytes_at_once: int) -> None:
    path = write(FCE.replace("XC07Z*1,RD20A", '"A\nB",C,D,"E""F"'), f"{bytes_at_once}.csv")
    whole = read_activity(path, columns="grouper_output_fce").collect()
    monkeypatch.setattr(csv_file, "_CHUNK_BYTES", bytes_at_once)
    csv_file._most_cells.cache_clear()
    assert read_activity(path, columns="grouper_output_fce").collect().equals(whole)
    assert whole["unbundled"].to_list() == ['A\nB;C;D;E"F']


def test_the_map_of_the_readme_is_a_map(write: Write) -> None:
    text = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    (shown,) = (block for block in re.findall(r"```toml\n(.*?)```", text, flags=re.DOTALL) if "[admitted.rename]" in block)
    section = load_map(write(shown, "warehouse.toml")).admitted
    assert (section.rename["provider"], section.recode["admission_method"]) == (("Provider", "Trust"), {"EL": "11"})
