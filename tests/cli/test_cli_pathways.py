"""`tariff price` forms pathways where registers, open pathways or names of pathways are given."""

from __future__ import annotations

import json
from datetime import date

import polars as pl
import pytest

from tariff.cli import app
from tariff.errors import TariffError

HEADER = "spell_id,provider,commissioner,patient_id,admission_date,discharge_date,admission_method,patient_classification,age,hrg"
SPELLS = (
    "S1,XP1,XC1,SECRET1,2017-06-01,2017-06-04,11,1,60,FZ18K,100",
    "S2,XP1,XC1,SECRET1,2017-06-20,2017-06-21,21,1,60,EB12C,300",
)


@pytest.fixture
def overlay(tmp_path):
    folder = tmp_path / "local"
    folder.mkdir()
    (folder / "overlay.toml").write_text('schema = 1\n[overlay]\nname = "local"\n')
    labels = "provider,name,mff,source,confidence\nXP1,Invented,1.000000,a test,illustrative\n"
    (folder / "mff.csv").write_text(labels)
    return folder


def priced(tmp_path, overlay, *options):
    activity = tmp_path / "spells.csv"
    activity.write_text("\n".join([HEADER + ",treatment_function", *SPELLS]) + "\n")
    out = tmp_path / "priced.parquet"
    command = ["price", str(activity), "--rules", "example", "--overlay", str(overlay), "--out", str(out), *options]
    assert app(command) == 0
    return out


def test_tables_stand_beside_the_lines(tmp_path, overlay, capsys):
    out = priced(tmp_path, overlay, "--pathways", "hernia")
    lines = pl.read_parquet(out)
    assert lines["pathway_category"].cast(pl.String).to_list() == ["anchor", "outside_unrelated"]
    pathways = pl.read_parquet(tmp_path / "priced.pathways.parquet")
    assert pathways["pathway_id"].to_list() == ["hernia:XP1:S1"]
    again = pl.read_parquet(tmp_path / "priced.readmissions.parquet")
    assert again.select("line_id", "initial_line_id", "days").rows() == [("S2", "S1", 16)]
    card = json.loads((tmp_path / "priced.run_card.json").read_text())
    assert card["pathways"]["paid"] == 1
    told = capsys.readouterr()
    assert "SECRET1" not in told.out + told.err


def test_open_pathways_go_on(tmp_path, overlay):
    priced(tmp_path, overlay, "--pathways", "active")
    opened = tmp_path / "priced.pathways_open.parquet"
    assert pl.read_parquet(opened)["until"].unique().to_list() == [date(2017, 6, 21)]
    kept = tmp_path / "before.parquet"
    opened.rename(kept)
    out = priced(tmp_path, overlay, "--open-pathways", str(kept), "--overwrite")
    assert out.exists()


def test_without_any_of_them_no_pathway_is_formed(tmp_path, overlay):
    lines = pl.read_parquet(priced(tmp_path, overlay))
    assert lines["pathway_category"].null_count() == lines.height
    assert not (tmp_path / "priced.pathways.parquet").exists()


def test_an_unknown_pathway_is_told(tmp_path, overlay):
    with pytest.raises(TariffError, match="hernias"):
        priced(tmp_path, overlay, "--pathways", "hernias")
    assert not (tmp_path / "priced.parquet").exists()
