"""`tariff price` forms pathways where registers, open pathways or names of pathways are given."""

from __future__ import annotations

import json
import shutil
from datetime import date
from hashlib import sha256

import polars as pl
import pytest

from tariff.cli import app
from tariff.columns import PATHWAY_TABLES
from tariff.errors import TariffError
from tariff.report import compare
from tariff.report.pathway_report import FILES
from tariff.rulepack.finding import find_pack

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


def priced(tmp_path, overlay, *options, spells=SPELLS):
    activity = tmp_path / "spells.csv"
    activity.write_text("\n".join([HEADER + ",treatment_function", *spells]) + "\n")
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


def test_explain_says_what_a_line_is_to_its_pathway(tmp_path, overlay, capsys):
    out = str(priced(tmp_path, overlay, "--pathways", "hernia"))
    told = {}
    for line in ("S1", "S2"):
        capsys.readouterr()
        assert app(["explain", out, "--line", line]) == 0
        told[line] = capsys.readouterr().out
    paid = "Where pathways are paid as a whole, the bundle pays £1,000.00 of this price."
    assert f"Pathway hernia of provider XP1: its anchor. {paid}\n" in told["S1"]
    assert "Pathway hernia of provider XP1: outside it (unrelated), paid by itself.\n" in told["S2"]


def test_explain_does_not_tell_the_identifier_that_stands_for_a_patient(tmp_path, overlay, capsys):
    registers = tmp_path / "registers.csv"
    entry = "SECRET1,paediatric_diabetes,year_of_care,2017-04-01,,XP1,XC1"
    registers.write_text(f"patient_id,register,level,start_date,end_date,provider,commissioner\n{entry}\n")
    line = "S3,XP1,XC1,SECRET1,2017-06-01,2017-06-04,11,1,9,PK36B,263"
    options = ("--registers", str(registers), "--pathways", "paediatric_diabetes")
    out = priced(tmp_path, overlay, *options, spells=(line,))
    (named,) = pl.read_parquet(out)["pathway_id"]
    capsys.readouterr()
    assert app(["explain", str(out), "--line", "S3"]) == 0
    told = capsys.readouterr().out
    assert "Pathway paediatric_diabetes of provider XP1: inside it." in told
    assert named.rsplit(":", 1)[1] not in told


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


def run_folder(tmp_path, overlay, *options, rules="example", spells=SPELLS, out="run"):
    """Each spell in a file of its own, priced into a run folder."""
    files = []
    for number, spell in enumerate(spells):
        files.append(tmp_path / f"spells{number}.csv")
        files[-1].write_text("\n".join([HEADER + ",treatment_function", spell]) + "\n")
    command = ["price", *map(str, files), "--rules", rules, "--overlay", str(overlay), "--out", str(tmp_path / out), *options]
    assert app(command) == 0
    return tmp_path / out


def test_a_run_folder_of_many_files_tells_the_same_as_one_file(tmp_path, overlay):
    one = priced(tmp_path, overlay, "--pathways", "hernia")
    folder = run_folder(tmp_path, overlay, "--pathways", "hernia")
    lines = pl.read_parquet(folder / "priced" / "*.parquet")
    assert lines.equals(pl.read_parquet(one))
    for table in PATHWAY_TABLES:
        beside = pl.read_parquet(one.with_suffix(f".{table}.parquet"))
        assert pl.read_parquet(folder / f"{table}.parquet").equals(beside), table
    cards = [json.loads(path.read_text())["pathways"] for path in (one.with_suffix(".run_card.json"), folder / "run_card.json")]
    assert cards[0] == cards[1]
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        ["manifest.json", "priced", "run_card.json", *(f"{table}.parquet" for table in PATHWAY_TABLES)]
    )


def test_a_run_folder_with_pathways_is_finished_once_and_can_be_overwritten(tmp_path, overlay):
    folder = run_folder(tmp_path, overlay, "--pathways", "hernia")
    before = {path: path.read_bytes() for path in folder.rglob("*.parquet")}
    run_folder(tmp_path, overlay, "--pathways", "hernia", "--resume")
    assert {path: path.read_bytes() for path in folder.rglob("*.parquet")} == before
    with pytest.raises(TariffError, match="begun otherwise"):
        run_folder(tmp_path, overlay, "--pathways", "cataract", "--resume")
    run_folder(tmp_path, overlay, "--pathways", "cataract", "--overwrite")
    assert pl.read_parquet(folder / "pathways.parquet").is_empty()


def test_a_run_stopped_while_pathways_are_formed_goes_on(tmp_path, overlay, monkeypatch):
    whole = run_folder(tmp_path, overlay, "--pathways", "hernia")
    before = {path.relative_to(whole): path.read_bytes() for path in whole.rglob("*.parquet")}

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("tariff.pathways.writing._totals", stopped)
        with pytest.raises(KeyboardInterrupt):
            run_folder(tmp_path, overlay, "--pathways", "hernia", out="again")
    assert not (tmp_path / "again").exists()
    again = run_folder(tmp_path, overlay, "--pathways", "hernia", "--resume", out="again")
    assert {path.relative_to(again): path.read_bytes() for path in again.rglob("*.parquet")} == before


@pytest.fixture
def next_year(tmp_path):
    """The example pack, and the year after it, in which a hernia is paid £2,000 instead of £1,250."""
    folder = tmp_path / "next"
    shutil.copytree(find_pack("example"), folder)
    for name, *changes in (
        ("pack.toml", ('year = "example"', 'year = "next"'), ("2017-04-01", "2018-04-01"), ("2018-03-31", "2019-03-31")),
        ("pathways.toml", ('price = "1,250"', 'price = "2,000"')),
    ):
        text = (folder / name).read_text(encoding="utf-8")
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1) if name == "pack.toml" else text.replace(old, new)
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "examples.csv").unlink()
    return folder


OVER_THE_YEAR_END = (
    "S1,XP1,XC1,SECRET1,2018-03-20,2018-03-22,11,1,60,FZ18K,100",
    "S2,XP1,XC1,SECRET1,2018-04-10,2018-04-11,11,1,60,FZ18K,100",
    "S3,XP1,XC1,SECRET2,2018-04-10,2018-04-11,11,1,60,FZ18K,100",
)


def test_pathways_keep_the_pack_of_their_own_date(tmp_path, overlay, next_year):
    both = f"example,{next_year}"
    first = run_folder(tmp_path, overlay, "--pathways", "hernia", spells=OVER_THE_YEAR_END[:1], out="first")
    opened = ["--open-pathways", str(first / "pathways_open.parquet"), "--pathways", "hernia"]
    with pytest.raises(TariffError, match="definitions that this run does not have"):
        run_folder(tmp_path, overlay, *opened, rules=str(next_year), spells=OVER_THE_YEAR_END[1:], out="second")
    second = run_folder(tmp_path, overlay, *opened, rules=both, spells=OVER_THE_YEAR_END[1:], out="second")
    together = run_folder(tmp_path, overlay, "--pathways", "hernia", rules=both, spells=OVER_THE_YEAR_END, out="together")
    wanted = ["pathway_id", "pack", "bundle_pence", "flag", "lines"]
    told = pl.read_parquet(together / "pathways.parquet").select(wanted)
    assert told.filter(pl.col("flag").is_null()).rows() == [
        ("hernia:XP1:S1", "example+local", 125_000, None, 2),
        ("hernia:XP1:S3", "next+local", 200_000, None, 1),
    ]
    in_turn = pl.concat([pl.read_parquet(run / "pathways.parquet") for run in (first, second)])
    assert in_turn.filter(pl.col("pathway_id") == "hernia:XP1:S1")["change_pence"].to_list() == [125_000, 0]
    latest = in_turn.unique("pathway_id", keep="last", maintain_order=True).select(wanted).sort("pathway_id")
    assert latest.equals(told.sort("pathway_id"))
    reported = [compare(runs, "preset:episodic").pathway_figures for runs in ([first, second], together)]
    assert reported[0].levels == reported[1].levels
    assert reported[0].providers == reported[1].providers
    assert reported[0].total["bundle_pence"] == 325_000


MODELS = 'schema = 1\n[[model]]\nname = "bundled"\ntitle = "Bundled"\npathways = ["all"]\n'
BEFORE_THE_ANCHOR = (
    "S1,XP1,XC1,SECRET1,2017-06-01,2017-06-03,21,1,60,HE11G,110",
    "S2,XP1,XC1,SECRET1,2017-06-20,2017-06-23,11,1,60,HN22E,110",
)


def test_a_line_that_a_later_run_puts_inside_is_paid_once(tmp_path, overlay):
    """The fall before the operation is paid by the line in the first run; the second finds the pathway, and takes it back."""
    models = tmp_path / "models.toml"
    models.write_text(MODELS)

    def paid(run):
        report = tmp_path / f"report-{run.name}"
        assert app(["compare", str(run), "--models", str(models), "--out", str(report)]) == 0
        return pl.read_parquet(report / "ledger.parquet")["pence"].sum()

    asked = ["--pathways", "hip_and_knee"]
    whole = run_folder(tmp_path, overlay, *asked, spells=BEFORE_THE_ANCHOR, out="whole")
    first = run_folder(tmp_path, overlay, *asked, spells=BEFORE_THE_ANCHOR[:1], out="first")
    opened = ["--open-pathways", str(first / "pathways_open.parquet")]
    second = run_folder(tmp_path, overlay, *asked, *opened, spells=BEFORE_THE_ANCHOR[1:], out="second")
    restated = pl.read_parquet(second / "pathways_restated.parquet")
    assert restated.select("line_id", "definition", "told_definition").rows() == [("S1", "hip_and_knee", None)]
    assert restated["change_pence"].item() > 0
    assert paid(first) + paid(second) == paid(whole) == 700_000


def test_tables_for_people(tmp_path, overlay, capsys):
    out = priced(tmp_path, overlay, "--pathways", "hernia")
    tables = tmp_path / "tables"
    assert app(["pathways", str(out), "--sensitivity", "--no-suppress", "--out", str(tables)]) == 0
    assert sorted(path.name for path in tables.iterdir()) == sorted(FILES)
    told = capsys.readouterr().out
    assert "hernia: 1 pathways paid £1,250; line by line £" in told
    moved = pl.read_csv(tables / "sensitivity.csv")
    assert moved.filter(pl.col("decision") == "as defined")["moves_pounds"].to_list() == [0]
    assert "care at other providers outside" not in moved["decision"].to_list()  # it is so already
    assert "window 30 days shorter" in moved["decision"].to_list()
    assert "no anchor kept out by name" not in moved["decision"].to_list()  # the definition keeps none out
    assert "SECRET1" not in "".join(path.read_text() for path in tables.iterdir()) + told


def test_small_counts_are_hidden_in_tables(tmp_path, overlay, capsys):
    out = priced(tmp_path, overlay, "--pathways", "hernia")
    assert app(["pathways", str(out), "--out", str(tmp_path / "tables")]) == 0
    assert "hernia: [c]" in capsys.readouterr().out
    row = pl.read_csv(tmp_path / "tables" / "price_against_cost.csv").row(0, named=True)
    assert (row["pathways"], row["bundle_pounds"], row["gain_pounds"]) == ("[c]", "[c]", "[c]")


def test_lines_without_pathways_have_no_tables(tmp_path, overlay):
    with pytest.raises(TariffError, match="no pathways to tell of"):
        app(["pathways", str(priced(tmp_path, overlay)), "--out", str(tmp_path / "tables")])


def test_packs_of_the_same_days_are_refused(tmp_path, overlay):
    with pytest.raises(TariffError, match="same days"):
        run_folder(tmp_path, overlay, "--dates", "strict", rules="example,2017-18")


@pytest.mark.parametrize("name", ["cystic_fibrosis", "maternity"])
def test_a_pathway_of_a_register_is_not_formed_without_it(tmp_path, overlay, name):
    with pytest.raises(TariffError, match=rf"(?s)pathway '{name}': is formed from register {name}.*give --registers") as told:
        priced(tmp_path, overlay, "--pathways", f"hernia,{name}")
    assert told.value.exit_code == 2
    assert [path.name for path in tmp_path.iterdir() if "priced" in path.name] == []


ANSWERS = {
    "yes and no": (["S1,paediatric_diabetes,dietitian,yes", "S2,paediatric_diabetes,dietitian,no"], 2),
    "the whole against a part": (["S1,paediatric_diabetes,,yes", "S2,paediatric_diabetes,dietitian,no"], 2),
    "on one line, told as such": (["S1,paediatric_diabetes,,yes", "S1,paediatric_diabetes,dietitian,no"], 0),
    "no contradiction": (["S1,paediatric_diabetes,,no", "S2,paediatric_diabetes,dietitian,no"], 0),
}


@pytest.mark.parametrize("case", ANSWERS)
@pytest.mark.parametrize("out", ["priced.parquet", "run"])
def test_contradictions_over_the_lines_of_a_year_of_care_are_listed(tmp_path, overlay, case, out):
    rows, contradicting = ANSWERS[case]
    registers, evidence, activity = (tmp_path / f"{name}.csv" for name in ("registers", "evidence", "spells"))
    header = "patient_id,register,level,start_date,end_date,provider,commissioner"
    registers.write_text(f"{header}\nSECRET1,paediatric_diabetes,year_of_care,2017-04-01,,XP1,XC1\n")
    evidence.write_text("\n".join(["provider,line_id,tariff,criterion,met", *(f"XP1,{row}" for row in rows)]) + "\n")
    activity.write_text("\n".join([HEADER + ",treatment_function", *SPELLS]) + "\n")
    given = ["--registers", str(registers), "--evidence", str(evidence), "--pathways", "paediatric_diabetes"]
    whole = ["price", str(activity), "--rules", "example", "--overlay", str(overlay), *given]
    assert app([*whole, "--out", str(tmp_path / out)]) == 0
    card = next(path for path in tmp_path.rglob("*run_card.json"))
    told = {found["problem"]: found["rows"] for found in json.loads(card.read_text())["evidence"]["not_used"]}
    assert told.get("contradictory_year", 0) == contradicting
    assert ("contradictory_whole" in told) == (case == "on one line, told as such")
    assert "SECRET1" not in card.read_text()


def test_pathways_of_registers_that_were_not_given_are_told(tmp_path, overlay, capsys):
    priced(tmp_path, overlay, "--pathways", "active")
    told = capsys.readouterr().out
    assert "Warning: no registers were given (--registers), and pathways need them: maternity (register maternity" in told
    assert "cystic_fibrosis (register cystic_fibrosis)" in told
    card = json.loads((tmp_path / "priced.run_card.json").read_text())
    assert card["pathways"]["without_register"]["cystic_fibrosis"] == "register cystic_fibrosis"


def test_registers_given_or_carried_over_are_enough(tmp_path, overlay, capsys):
    registers = tmp_path / "registers.csv"
    header = "patient_id,register,level,start_date,end_date,provider,commissioner"
    registers.write_text(f"{header}\nSECRET1,cystic_fibrosis,1,2017-06-01,,XP1,XC1\n")
    priced(tmp_path, overlay, "--pathways", "cystic_fibrosis", "--registers", str(registers))
    assert pl.read_parquet(tmp_path / "priced.pathways.parquet").height == 1
    opened = (tmp_path / "priced.pathways_open.parquet").rename(tmp_path / "before.parquet")
    priced(tmp_path, overlay, "--pathways", "cystic_fibrosis", "--open-pathways", str(opened), "--overwrite")
    assert "no registers were given" not in capsys.readouterr().out
    handed_on = pl.read_parquet(tmp_path / "priced.pathways_open.parquet").filter(pl.col("record") == "register")
    assert handed_on["register"].to_list() == ["cystic_fibrosis"]


def test_a_register_with_a_date_that_is_none_is_refused(tmp_path, overlay):
    registers = tmp_path / "registers.csv"
    registers.write_text(
        "patient_id,register,level,start_date,end_date,provider,commissioner\nSECRET1,maternity,standard,01/06/2017,,XP1,XC1\n"
    )
    with pytest.raises(TariffError, match="1 cells of start_date are no dates") as told:
        priced(tmp_path, overlay, "--registers", str(registers))
    assert "SECRET1" not in str(told.value)


def test_a_comparison_names_the_tables_it_was_given(tmp_path, overlay):
    out = priced(tmp_path, overlay, "--pathways", "hernia")
    beside, elsewhere = tmp_path / "priced.pathways.parquet", tmp_path / "elsewhere.parquet"
    found = {}
    for place, given in {"found": [], "given": ["--pathways", str(elsewhere)]}.items():
        report = tmp_path / place
        assert app(["compare", str(out), "--models", "preset:episodic,preset:pathways", "--out", str(report), *given]) == 0
        found[place] = json.loads((report / "run_card.json").read_text(encoding="utf-8"))
        if place == "found":
            beside.rename(elsewhere)
    told = {"table": "pathways", "name": "elsewhere.parquet", "sha256": sha256(elsewhere.read_bytes()).hexdigest()}
    assert (found["found"]["tables_given"], found["given"]["tables_given"]) == ([], [told])
    assert found["found"]["totals"] == found["given"]["totals"]
