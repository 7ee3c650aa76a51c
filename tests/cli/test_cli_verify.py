"""`tariff verify` prices the activity again with the reference, and finds what was changed since."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

from tariff.rulepack import find_pack


@pytest.fixture
def priced(tariff, everything) -> Path:
    assert tariff("price", everything, "--rules", "example", "--out", "priced.parquet").code == 0
    return Path("priced.parquet")


def test_engine_and_reference_agree_on_every_rule(tariff, priced):
    done = tariff("verify", priced)
    lines = pl.read_parquet(priced).height
    assert (done.code, done.err) == (0, "")
    assert done.out == f"{lines} of {lines} lines priced again by the reference: no disagreement.\n"


def test_a_sample(tariff, priced):
    lines = pl.read_parquet(priced).height
    assert tariff("verify", priced, "--sample", "7").out.startswith(f"7 of {lines} lines")
    assert tariff("verify", priced, "--sample", "7", "--every-line").out.startswith(f"{lines} of {lines} lines")


@pytest.mark.parametrize(
    "change",
    [
        {"price_pence": pl.col("price_pence") + 1},
        {"trim_point": pl.col("trim_point") + 1},
        {"outcome": pl.lit("priced")},
        {"basis": pl.col("basis") ^ 1},
        {"mff_millionths": pl.col("mff_millionths") - 1},
    ],
    ids=lambda change: next(reversed(change)),
)
def test_a_tampered_file_is_caught(tariff, priced, change):
    tampered = pl.read_parquet(priced).with_columns(**change)
    tampered.write_parquet(priced)
    done = tariff("verify", priced)
    assert done.code == 5
    assert "disagreements." in done.out
    assert f": {next(reversed(change))} is " in done.out
    assert ", the reference says " in done.out


def test_only_the_first_disagreements_are_shown(tariff, priced):
    pl.read_parquet(priced).with_columns(mff_millionths=7, units=pl.lit(2, pl.Int64)).write_parquet(priced)
    told = tariff("verify", priced).out.splitlines()
    assert len(told) == 22
    assert told[-1].startswith("and ")


def test_activity_that_has_changed_is_refused(tariff, priced, everything):
    with everything.open("a", encoding="utf-8") as file:
        file.write("\n")
    done = tariff("verify", priced)
    assert done.code == 3
    assert "everything.csv: is not a file that was priced" in done.err


def test_activity_that_has_moved_is_found_by_its_bytes(tariff, priced, everything, folder):
    (folder / "archive").mkdir()
    moved = everything.rename(folder / "archive" / "2017.csv")
    lost = tariff("verify", priced)
    assert lost.code == 3
    assert "everything.csv: is not there any more" in lost.err
    assert "say with --activity where it is now" in lost.err
    assert tariff("verify", priced, "--activity", moved).code == 0


def test_several_files_in_any_order_by_pattern_or_by_name(tariff, spells):
    spells({"hrg": "HN22E"}, name="a.csv")
    spells({"hrg": "CA11A"}, {"hrg": "DZ11S"}, name="b.parquet")
    assert tariff("price", "b.parquet", "a.csv", "--rules", "example", "--out", "run").code == 0
    assert tariff("verify", "run").out.startswith("3 of 3 lines")
    assert tariff("verify", "run", "--activity", "a.csv", "b.parquet").code == 0
    assert tariff("verify", "run", "--activity", "a.csv", "--activity", "b.parquet").code == 0
    assert tariff("verify", "run", "--activity", "*.*").code == 0
    fewer = tariff("verify", "run", "--activity", "a.csv")
    assert fewer.code == 3
    assert "b.parquet: is not among the files given" in fewer.err


def test_a_pack_that_has_changed_is_refused(tariff, spells, folder):
    pack = Path(shutil.copytree(find_pack("example"), folder / "pack"))
    assert tariff("price", spells(), "--rules", "pack", "--out", "priced.parquet").code == 0
    assert tariff("verify", "priced.parquet").code == 0
    text = (pack / "pack.toml").read_text(encoding="utf-8")
    (pack / "pack.toml").write_text(text.replace("minimum_age = 19", "minimum_age = 18"), encoding="utf-8")
    for command in (["verify", "priced.parquet"], ["explain", "priced.parquet", "--line", "S1"]):
        done = tariff(*command)
        assert done.code == 4
        assert "A rule pack has changed since the run." in done.err


def test_verify_and_explain_work_from_any_folder(tariff, spells, folder, monkeypatch):
    shutil.copytree(find_pack("example"), folder / "pack")
    (folder / "map.toml").write_text('[admitted.rename]\nspell_id = "number"\n', encoding="utf-8")
    file = spells()
    file.write_text(file.read_text(encoding="utf-8").replace("spell_id", "number"), encoding="utf-8")
    done = tariff("price", "apc.csv", "--rules", "pack", "--columns", "map.toml", "--out", "priced.parquet")
    assert done.code == 0
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")
    assert tariff("verify", "../priced.parquet").code == 0
    assert tariff("explain", "../priced.parquet", "--line", "S1").code == 0


def test_lines_under_several_packs(tariff, spells):
    dates = ["2017-05-01", "2018-05-01", "2024-05-01", "2030-01-01", ""]
    file = spells(
        *[{"admission_date": "2017-04-20", "length_of_stay": "9", "discharge_date": day, "provider": "RJ1"} for day in dates]
    )
    assert tariff("price", file, "--out", "priced.parquet").code == 0
    done = tariff("verify", "priced.parquet")
    assert done.code == 0


@pytest.mark.parametrize("out", ["priced.parquet", "run"])
def test_a_bit_that_flipped_since_is_found(tariff, spells, folder, out):
    assert tariff("price", spells({}, {}), "--rules", "example", "--out", out).code == 0
    assert tariff("verify", out).code == 0
    (file,) = [folder / out] if out != "run" else (folder / "run" / "priced").iterdir()
    spoiled = bytearray(file.read_bytes())
    spoiled[len(spoiled) // 3] ^= 16
    file.write_bytes(spoiled)
    done = tariff("verify", out)
    assert done.code in {3, 5}  # it may decode all the same
    assert f"{file.name}: is not what the run wrote" in done.err


def test_a_part_that_is_missing_or_added_is_found(tariff, spells, folder):
    assert tariff("price", spells({}, {}), "--rules", "example", "--out", "run").code == 0
    part = folder / "run" / "priced" / "part-00001.parquet"
    part.with_name("part-00002.parquet").write_bytes(part.read_bytes())
    done = tariff("verify", "run")
    assert done.code == 3
    assert "part-00002.parquet: is no part of the run" in done.err
    part.with_name("part-00002.parquet").replace(part.with_name("part-00003.parquet"))
    part.unlink()
    done = tariff("verify", "run")
    assert done.code == 3
    assert "part-00001.parquet: is missing" in done.err
    assert "part-00003.parquet: is no part of the run" in done.err


def test_spells_of_episodes_with_impossible_days(tariff, folder):
    """The stay of a spell is not shown where one of its episodes has an impossible count, whatever the others come to."""
    heading = "spell_id,provider,commissioner,admission_date,discharge_date,admission_method,patient_classification,age,hrg"
    spell = "ZZB,99A,2017-06-20,2017-06-30,11,1,60,HN22E"
    episodes = ["S1,{},1,3", "S1,{},2,4", "S2,{},1,-3", "S2,{},2,3", "S3,{},1,5"]
    text = "\n".join([f"{heading},episode_number,length_of_stay", *(one.format(spell) for one in episodes)])
    (folder / "episodes.csv").write_text(f"{text}\n", encoding="utf-8")
    assert tariff("price", "episodes.csv", "--rules", "example", "--out", "priced.parquet").code == 0
    lines = pl.read_parquet("priced.parquet")
    assert lines["adjusted_length_of_stay"].to_list() == [7, None, 5]
    assert tariff("verify", "priced.parquet").code == 0


def test_lines_that_the_run_refused_are_told_apart(tariff, everything):
    done = tariff("price", everything, "--rules", "example", "--confidence", "published,local", "--out", "priced.parquet")
    assert done.code == 0
    lines = pl.read_parquet("priced.parquet")
    refused = lines.filter(pl.col("reason") == "confidence").height
    assert refused > 1
    done = tariff("verify", "priced.parquet")
    assert done.code == 0
    assert done.out == (
        f"{lines.height - refused} of {lines.height} lines priced again by the reference: no disagreement. "
        f"{refused} were not compared: the run left them unpriced, for the date or for the label of a figure.\n"
    )
