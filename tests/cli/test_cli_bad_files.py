"""Files that cannot be used stop the run: exit code 3 or 4, every fault at once, and nothing left behind."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import polars as pl
import pytest

from tariff.rulepack import find_pack


@pytest.fixture(params=["priced.parquet", "run"])
def refused(request, tariff, folder, listing):
    """Price files that cannot be used; the messages. Nothing is left behind, whether a file or a folder was asked for."""

    def price(*files: Path | str, code: int = 3, options: tuple[str, ...] = ("--rules", "example")) -> str:
        before = listing()
        done = tariff("price", *files, *options, "--out", request.param)
        assert (done.code, done.out) == (code, "")
        assert listing() == before
        return done.err

    return price


def test_every_missing_column_is_named_with_its_likely_heading(refused, folder):
    (folder / "apc.csv").write_text("spell_id,provider,comissioner,admission_date,discharge_dt,age,hrg\n")
    told = refused("apc.csv")
    for name in ("commissioner", "discharge_date", "admission_method", "patient_classification"):
        assert f"lacks the column '{name}'" in told
    assert "did you mean 'comissioner'?" in told
    assert "lacks the column 'age'" not in told


def test_the_faults_of_every_file_are_told_at_once(refused, spells, folder):
    spells(name="good.csv")
    (folder / "no_age.csv").write_text(
        "spell_id,provider,commissioner,admission_date,discharge_date,admission_method,patient_classification,hrg\n"
    )
    (folder / "empty.csv").write_bytes(b"")
    told = refused("good.csv", "no_age.csv", "empty.csv")
    assert "2 of 3 activity files cannot be used" in told
    assert "no_age.csv: lacks the column 'age'" in told
    assert "empty.csv: is empty" in told
    assert "good.csv" not in told


@pytest.mark.parametrize("name", ["empty.csv", "empty.parquet"])
def test_an_empty_file(refused, folder, name):
    (folder / name).write_bytes(b"")
    assert f"{name}: is empty" in refused(name)


def test_a_parquet_file_cut_short(refused, spells, folder):
    whole = spells(*[{} for _ in range(500)], name="whole.parquet").read_bytes()
    (folder / "cut.parquet").write_bytes(whole[: len(whole) // 2])
    assert "cut.parquet: is a Parquet file cut short" in refused("cut.parquet")


def test_a_parquet_file_garbled_in_the_middle_fails_while_it_is_read(refused, folder):
    shuffled = random.Random(5)
    rows = 4_000
    digits = [f"{shuffled.randrange(10**12):012}" for _ in range(rows)]
    columns = {"spell_id": digits, "provider": ["ZZB"] * rows, "commissioner": ["99A"] * rows, "age": ["60"] * rows}
    columns |= {"admission_date": ["2017-06-20"] * rows, "discharge_date": ["2017-06-30"] * rows, "hrg": ["HN22E"] * rows}
    columns |= {"admission_method": ["11"] * rows, "patient_classification": ["1"] * rows}
    pl.DataFrame(columns).write_parquet(folder / "sound.parquet", compression="zstd", use_pyarrow=False)
    garbled = bytearray((folder / "sound.parquet").read_bytes())
    for place in range(2_000, 12_000):
        garbled[place] ^= 0xA5
    (folder / "garbled.parquet").write_bytes(garbled)
    told = refused("sound.parquet", "garbled.parquet")
    assert "garbled.parquet: its contents cannot be read" in told
    assert "copy or export it again" in told
    assert "sound.parquet" not in told
    assert not any(identifier in told for identifier in digits)


def test_bytes_that_are_no_text(refused, spells, folder):
    good = spells().read_bytes()
    (folder / "undecodable.csv").write_bytes(good + b"\x81\x8d\x8f,ZZB\n")
    assert "undecodable.csv: is neither UTF-8 nor cp1252 text" in refused("undecodable.csv")


def test_a_required_column_that_is_unreadable_throughout(refused, spells):
    spells(*[{"admission_date": "06/20/17", "age": "sixty"}] * 3)
    told = refused("apc.csv")
    assert "the column 'admission_date' holds no cell that can be read as a date" in told
    assert "the column 'age' holds no cell that can be read as a whole number" in told


def test_activity_of_no_known_kind(refused, folder):
    (folder / "letters.csv").write_text("a,b\n1,2\n")
    assert "spell_id (admitted)" in refused("letters.csv")


@pytest.fixture
def pack(folder) -> Path:
    """A copy of the example pack to spoil."""
    return Path(shutil.copytree(find_pack("example"), folder / "pack"))


def test_a_misspelt_method(refused, spells, pack):
    text = (pack / "pack.toml").read_text()
    (pack / "pack.toml").write_text(text.replace('"per_day_beyond_trim"', '"per_day_beyond_trimm"'))
    spells()
    told = refused("apc.csv", code=4, options=("--rules", "pack"))
    assert "pack.toml" in told
    assert "per_day_beyond_trimm" in told
    assert "did you mean 'per_day_beyond_trim'?" in told


def test_a_missing_table(refused, spells, pack):
    (pack / "mff.csv").unlink()
    spells()
    assert "mff.csv" in refused("apc.csv", code=4, options=("--rules", "pack"))


def test_a_pack_is_checked_with_every_fault_at_once(tariff, pack):
    (pack / "mff.csv").unlink()
    text = (pack / "pack.toml").read_text()
    (pack / "pack.toml").write_text(text.replace('"penny_once"', '"penny_twice"'))
    done = tariff("rules", "check", "pack")
    assert done.code == 4
    assert "penny_twice" in done.out
    assert "mff.csv" in done.out


@pytest.mark.parametrize("command", ["explain", "verify", "compare"])
def test_priced_lines_that_are_damaged(tariff, spells, folder, command):
    spells(*[{"commissioner": f"C{number}"} for number in range(3_000)])
    assert tariff("price", "apc.csv", "--rules", "example", "--out", "priced.parquet").code == 0
    damaged = bytearray((folder / "priced.parquet").read_bytes())
    for place in range(100, len(damaged) // 2):
        damaged[place] ^= 0xA5
    (folder / "priced.parquet").write_bytes(damaged)
    options = {"explain": ["--line", "S1"], "verify": [], "compare": ["--models", "preset:episodic", "--out", "c"]}
    done = tariff(command, "priced.parquet", *options[command])
    assert done.code == 3
    assert "priced.parquet: its contents cannot be read" in done.err
    assert not (folder / "c").exists()


@pytest.mark.parametrize("command", ["explain", "verify", "compare"])
def test_what_are_no_priced_lines(tariff, spells, command):
    spells(name="apc.parquet")
    options = {"explain": ["--line", "S1"], "verify": [], "compare": ["--models", "preset:episodic", "--out", "c"]}
    for given in ("apc.parquet", "nothing.parquet", "."):
        done = tariff(command, given, *options[command])
        assert done.code == 3, done.err
        assert "tariff price" in done.err or "copy or export" in done.err
