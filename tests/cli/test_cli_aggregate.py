"""`tariff price --aggregate` writes totals that are exactly those of the lines, and no lines."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from tariff.activity import attached_items
from tariff.aggregation import ALSO, COUNTS, KEYS, SUMS
from tariff.batch import Job, price_files
from tariff.columns import COMPONENTS, PODS
from tariff.errors import RulesError
from tariff.payment import load_models, shipped_presets
from tariff.report import compare
from tariff.report.from_totals import require_enough
from tariff.rulepack import find_pack, load_pack
from tariff.synthetic import activity


@pytest.fixture
def files(folder: Path) -> list[tuple[str | None, Path]]:
    """The worked examples of the example pack, a file for each kind."""
    with (find_pack("example") / "examples.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    made = []
    for kind in ("admitted", "outpatient", "emergency", "unbundled"):
        kept = [{name: value for name, value in row.items() if value} for row in rows if row["kind"] == kind]
        names = list(dict.fromkeys(name for row in kept for name in row if name not in _EXPECTED))
        table = {name: [row.get(name) for row in kept] for name in names}
        pl.DataFrame(table, schema=dict.fromkeys(names, pl.String())).write_parquet(folder / f"{kind}.parquet")
        made.append((kind, folder / f"{kind}.parquet"))
    return made


_SAME = ("inputs", "attached_items", "counts", "reasons", "components", "price_pence", "assumptions", "control_totals")
_EXPECTED = {"example", "kind", "outcome", "reason", "source", "units_priced", "price", "base"}


def of_lines(path: Path, keys: tuple[str, ...] = KEYS) -> pl.DataFrame:
    lines = pl.read_parquet(path).with_columns(pl.col("kind", "pod", "outcome", "reason").cast(pl.String))
    valued = pl.col("indicative_pence").is_not_null().sum()
    counts = [pl.len().cast(pl.Int64).alias("lines"), valued.cast(pl.Int64).alias("lines_valued")]
    return lines.group_by(keys).agg(*counts, *(pl.col(name).sum() for name in SUMS)).sort(keys, nulls_last=True)


@pytest.mark.parametrize("rules", ["example", "auto"])
@pytest.mark.parametrize("rows", [3, 500_000])
def test_the_totals_are_those_of_the_lines(files, rules, rows):
    lines = price_files(Job(files, Path("lines.parquet"), rules))
    totals = price_files(Job(files, Path("totals.parquet"), rules, aggregate=True, rows_in_a_part=rows))
    cells = pl.read_parquet("totals.parquet")
    assert cells.equals(of_lines(Path("lines.parquet")))
    assert set(cells["outcome"]) >= ({"priced", "excluded", "unpriced", "rejected"} if rules == "example" else {"unpriced"})
    assert {name: totals.card[name] for name in _SAME} == {name: lines.card[name] for name in _SAME}
    repeated = [told for told in lines.card["warnings"] if told["warning"] != "repeated_key"]
    assert totals.card["warnings"] == repeated


def test_untidy_codes_are_told_apart_as_those_of_the_lines_are(files):
    for _, path in files:
        told = pl.col("^(provider|commissioner|treatment_function|hrg|currency)$")
        untidy = pl.read_parquet(path).with_columns(told.str.to_lowercase() + " ")
        untidy.write_parquet(path)
    price_files(Job(files, Path("lines.parquet"), "example"))
    price_files(Job(files, Path("totals.parquet"), "example", aggregate=True, aggregate_by=("treatment_function",)))
    assert pl.read_parquet("totals.parquet").equals(of_lines(Path("lines.parquet"), (*KEYS, "treatment_function")))


def _untidy(spells: pl.DataFrame) -> pl.DataFrame:
    """Blank identifiers, blank and unfinished stays, lists that are blank, unreadable or coded twice, other case and blanks."""
    turn = pl.int_range(pl.len()) % 7
    lists = pl.when(turn == 1).then(pl.lit(" ")).when(turn == 2).then("unbundled" + pl.lit(";RD10Z*x; rd10z ;RD10Z"))
    return spells.with_columns(
        pl.when(turn != 3).then("spell_id"),
        pl.when(turn != 4).then("discharge_date"),
        pl.when(turn != 5).then("admission_date"),
        pl.col("provider").str.to_lowercase() + " ",
        lists.otherwise("unbundled").alias("unbundled"),
        local_price=pl.when(turn == 6).then(pl.lit("many pounds")),
    )


def _as_files(spells: pl.DataFrame, how: str, folder: Path) -> list[tuple[str | None, Path]]:
    if how == "untidy":
        spells = _untidy(spells)
    if how == "delimited":
        spells.write_csv(folder / "apc.csv")
        return [("admitted", folder / "apc.csv")]
    parts = list(spells.iter_slices(100)) if how == "many files" else [spells]
    for number, part in enumerate(parts):
        part.write_parquet(folder / f"apc-{number:02}.parquet", row_group_size=500)
    found: list[tuple[str | None, Path]] = [("admitted", path) for path in sorted(folder.glob("apc-*.parquet"))]
    if how == "some as lines too":
        items = attached_items(spells.with_columns(read_fault=pl.lit(None, pl.String))).collect()
        items.head(items.height // 2).drop("read_fault").write_parquet(folder / "items.parquet")
        found.append(("unbundled", folder / "items.parquet"))
    return found


@pytest.mark.parametrize("how", ["plain", "untidy", "many files", "delimited", "some as lines too"])
def test_items_written_on_spells_are_among_the_totals(folder, how, monkeypatch):
    monkeypatch.setattr("tariff.activity.blocks._ROWS", 1_000)
    spells = activity("admitted", 3_000, 5, pack=load_pack("2024-25"))
    every_third = pl.when(pl.int_range(pl.len()) % 3 == 0).then(pl.lit("RD10Z*2;RD10Z")).otherwise("unbundled")
    files = _as_files(spells.with_columns(every_third.alias("unbundled")), how, folder)
    for confidence in (None, ("published", "practice", "assumed", "illustrative")):
        job = Job(files, Path("lines.parquet"), "2024-25", confidence=confidence, overwrite=True)
        lines, totals = price_files(job), price_files(replace(job, out=Path("totals.parquet"), aggregate=True))
        assert lines.card["attached_items"]["items"] >= 1_000
        assert pl.read_parquet("totals.parquet").equals(of_lines(Path("lines.parquet")))
        assert {name: totals.card[name] for name in _SAME} == {name: lines.card[name] for name in _SAME}


def test_the_command(tariff, files, listing):
    before = listing()
    done = tariff("price", *(f"{kind}={path}" for kind, path in files), "--rules", "example", "--aggregate", "--out", "t.parquet")
    assert done.code == 0, done.err
    assert sorted(set(listing()) - set(before)) == ["t.parquet", "t.run_card.json"]
    card = json.loads(Path("t.run_card.json").read_text(encoding="utf-8"))
    cells = pl.read_parquet("t.parquet")
    assert card["options"]["aggregate"] is True
    assert (cells["lines"].sum(), cells["price_pence"].sum()) == (card["counts"]["in"], card["price_pence"])
    assert sum(cells[name].sum() for name in COMPONENTS) == card["price_pence"]
    assert not {"line_id", "patient_id", "gp_practice"} & set(cells.columns)
    assert tariff("explain", "t.parquet", "--line", "S1").code == 3
    assert tariff("backtest", "t.parquet", "t.parquet").code == 3


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--out", "folder"], "give NAME.parquet for their totals"),
        (["--dates", "ignore", "--rules", "example", "--out", "t.parquet"], "does not go with dates ignored"),
        (["--resume", "--out", "t.parquet"], "name a folder"),
        (["--aggregate-by", "sex", "--out", "t.parquet"], "known: treatment_function, gp_practice"),
    ],
)
def test_what_totals_cannot_do(tariff, spells, listing, arguments, told):
    file = spells()
    done = tariff("price", file, "--aggregate", *arguments)
    assert done.code == 2
    assert told in done.err
    assert listing() == ["apc.csv"]


def test_no_lines_give_no_cells(tariff, spells):
    file = spells()
    file.write_text(file.read_text().splitlines()[0] + "\n")
    assert tariff("price", file, "--rules", "example", "--aggregate", "--out", "t.parquet").code == 0
    assert pl.read_parquet("t.parquet").shape == (0, len(KEYS) + len(COUNTS) + len(SUMS))


PLAN = "commissioner,provider,pod,treatment_function,currency,financial_year,month,units,pence\n{}"
MODEL = """schema = 1
[[model]]
name = "m"
title = "M"
[[model.terms]]
term = "{term}"
source = "a test"
confidence = "assumed"
{more}
"""


@pytest.fixture
def both(tariff, files) -> tuple[str, str]:
    """The same activity as lines and as totals."""
    given = [f"{kind}={path}" for kind, path in files]
    assert tariff("price", *given, "--rules", "example", "--out", "lines.parquet").code == 0
    apart = ("--aggregate", "--aggregate-by", ",".join(ALSO))
    assert tariff("price", *given, "--rules", "example", *apart, "--out", "totals.parquet").code == 0
    return "lines.parquet", "totals.parquet"


def test_totals_told_apart_are_those_of_the_lines(both):
    assert pl.read_parquet(both[1]).equals(of_lines(Path(both[0]), (*KEYS, *ALSO)))


@pytest.mark.parametrize("by", ["commissioner,pod", "gp_practice,treatment_function", "provider,month,hrg_chapter"])
def test_a_comparison_of_totals_is_that_of_the_lines(tariff, both, by):
    lines = pl.read_parquet(both[0]).filter(pl.col("outcome") == "priced")
    rows = lines.select("commissioner", "financial_year").unique().rows()
    Path("plan.csv").write_text(PLAN.format("".join(f"{who},,,,,{year},,10,900000\n" for who, year in rows)))
    models = "preset:episodic,preset:block,preset:cost-and-volume"
    told = []
    for name in both:
        done = tariff("compare", name, "--models", models, "--plan", "plan.csv", "--by", by, "--out", f"{name}.report")
        assert done.code == 0, done.err
        told.append(done.out)
        card = json.loads(Path(f"{name}.report/run_card.json").read_text(encoding="utf-8"))
        told.append({part: card[part] for part in ("outcomes", "packs", "totals", "notes", "plan")})
        told.append({part: card["activity"][part] for part in ("commissioners", "providers", "kinds")})
    assert told[:3] == told[3:]
    for table in ("comparison", "ledger"):
        one, other = (pl.read_parquet(f"{name}.report/{table}.parquet") for name in both)
        assert one.sort(one.columns).equals(other.sort(other.columns))


@pytest.mark.parametrize("preset", [name for name in shipped_presets() if name not in {"episodic", "pathways"}])
def test_every_preset_pays_totals_as_it_pays_their_lines(neither_earned, preset):
    rows = pl.scan_parquet(neither_earned[0]).filter(pl.col("outcome") == "priced")
    contracts = rows.select("commissioner", "provider", "financial_year").unique().collect()
    planned = contracts.join(pl.DataFrame({"pod": PODS}), how="cross").with_columns(pence=pl.lit(1_000_00))
    people = contracts.select("commissioner").unique().with_columns(registered=pl.lit(10))
    people.write_csv("heads.csv")
    given = ["preset:episodic", f"preset:{preset}{_OWN_FIGURES.get(preset, '')}"]
    lines, totals = (compare(name, given, plan=planned) for name in neither_earned)
    assert lines.comparison.equals(totals.comparison)
    assert lines.bridge.equals(totals.bridge)


_BEST_PRACTICE_HRGS = (
    pl.read_csv(find_pack("example") / "best_practice.csv", infer_schema=False)["currency"].drop_nulls().to_list()
)
_OWN_FIGURES = {"integrated-care-budget": ":per_head=100:population=heads.csv", "orthochoice": ":change=-5%"}
"""What a preset leaves to its user."""


@pytest.fixture
def neither_earned(tariff, files) -> tuple[str, str]:
    """The same activity as lines and as totals, with no best practice in hospital: totals do not tell which tariff earned it."""
    for _, path in files:
        table = pl.read_parquet(path)
        if "hrg" in table.columns:
            table.filter(~pl.col("hrg").is_in(_BEST_PRACTICE_HRGS).fill_null(value=False)).write_parquet(path)
    given = [f"{kind}={path}" for kind, path in files]
    for out, more in (("lines.parquet", ()), ("totals.parquet", ("--aggregate",))):
        assert tariff("price", *given, "--rules", "example", *more, "--out", out).code == 0
    return "lines.parquet", "totals.parquet"


@pytest.mark.parametrize(
    ("preset", "told"),
    [
        ("pathways", "pays pathways, which are formed of lines"),
        ("ntps-2017-18", "leaves best practice outside the marginal rate, tariff by tariff"),
    ],
)
def test_a_preset_that_needs_lines_is_refused_by_name(both, preset, told):
    with pytest.raises(RulesError, match=f"model '{preset}': {told}"):
        compare(both[1], f"preset:{preset}")


SEEN_ON_THE_LINE = {"tariff": "trauma", "mechanism": "session", "outside_marginal_rate": True, "criteria": {}}
NAMED_OUTSIDE = """schema = 1
[[model]]
name = "m"
title = "M"
per_line = "{per_line}"
[[model.terms]]
term = "marginal_rate"
rate = "30%"
best_practice_outside = {outside}
source = "s"
confidence = "local"
"""


@pytest.mark.parametrize(
    ("outside", "tariffs", "refused"),
    [
        ('"as_packs"', [SEEN_ON_THE_LINE], True),  # its money may be in a sum of nothing
        ('"as_packs"', [{**SEEN_ON_THE_LINE, "criteria": {"one": "One"}}], False),  # without evidence nobody meets it
        ('"as_packs"', [{**SEEN_ON_THE_LINE, "mechanism": "provider_gate"}], False),
        ('"as_packs"', [{**SEEN_ON_THE_LINE, "outside_marginal_rate": False}], False),
        ('["trauma"]', [SEEN_ON_THE_LINE], True),
        ('["hip"]', [SEEN_ON_THE_LINE], False),
        ('["trauma"]', None, True),  # no run card says what trauma is
        ("[]", [SEEN_ON_THE_LINE], False),
    ],
)
def test_best_practice_that_cancels_out_in_totals_is_not_taken_for_none(neither_earned, outside, tariffs, refused):
    totals = pl.read_parquet(neither_earned[1])
    assert (totals.filter(pl.col("pod") == "NEL")["best_practice_pence"] == 0).all()
    cards = [] if tariffs is None else [{"packs": [{"label": "p", "best_practice": tariffs}]}]
    for per_line, told in (("episodic", refused), ("without_best_practice", False)):
        Path("m.toml").write_text(NAMED_OUTSIDE.format(per_line=per_line, outside=outside), encoding="utf-8")
        models = tuple(load_models("m.toml"))
        if told:
            with pytest.raises(RulesError, match="leaves best practice outside the marginal rate, tariff by tariff"):
                require_enough(totals, models, [], None, cards)
        else:
            require_enough(totals, models, [], None, cards)


def test_months_are_all_that_totals_tell_of_dates(tariff, both):
    for name in both:
        assert tariff("compare", name, "--models", "preset:episodic", "--out", f"{name}.report").code == 0
    told = [json.loads(Path(f"{name}.report/run_card.json").read_text(encoding="utf-8"))["activity"] for name in both]
    assert told[1]["first_date"] <= told[0]["first_date"] <= told[0]["last_date"] <= told[1]["last_date"]
    assert told[1]["first_date"][:7] == told[0]["first_date"][:7]
    assert told[1]["last_date"][:7] == told[0]["last_date"][:7]


COST = "against = 'plan'\nmarginal_rate = '70%'\n"


@pytest.mark.parametrize(
    ("term", "more", "told"),
    [
        ("readmissions", "", "looks for readmissions among the lines"),
        ("referral_cap", 'share = "10%"', "looks at who referred the patient of each line"),
        ("cost_and_volume", COST + "scope = { treatment_functions = ['100'] }", "governs some of treatment_function only"),
        ("activity_cap", "ratio = 2", "goes by treatment_function (activity_cap)"),
        ("local_price", "prices = 'prices.csv'", "goes by treatment_function (local_price)"),
        ("cost_and_volume", COST.replace("plan", "sums.csv"), "goes by treatment_function (cost_and_volume)"),
    ],
)
def test_what_needs_lines_is_refused_by_name(tariff, spells, term, more, told):
    Path("prices.csv").write_text("treatment_function,price\n100,5\n", encoding="utf-8")
    Path("sums.csv").write_text("commissioner,treatment_function,financial_year,pounds\n99A,100,2017-18,5\n", encoding="utf-8")
    Path("m.toml").write_text(MODEL.format(term=term, more=more), encoding="utf-8")
    assert tariff("price", spells(), "--rules", "example", "--aggregate", "--out", "t.parquet").code == 0
    done = tariff("compare", "t.parquet", "--models", "preset:episodic,m.toml", "--out", "report")
    assert done.code == 4
    assert "model 'm': " + told in done.err
    assert not Path("report").exists()


def test_totals_that_are_too_coarse(tariff, spells):
    assert tariff("price", spells(), "--rules", "example", "--aggregate", "--out", "t.parquet").code == 0
    done = tariff("compare", "t.parquet", "--models", "preset:episodic", "--by", "gp_practice", "--out", "report")
    assert done.code == 2
    assert "price with --aggregate-by gp_practice" in done.err
    Path("plan.csv").write_text(PLAN.format("99A,ZZB,,100,,2017-18,,10,900000\n"), encoding="utf-8")
    done = tariff("compare", "t.parquet", "--models", "preset:block", "--plan", "plan.csv", "--out", "report")
    assert done.code == 4
    assert "the plan: has rows by treatment_function" in done.err


@pytest.mark.parametrize("command", [["verify"], ["explain", "--line", "S1"], ["backtest", "t.parquet"]])
def test_commands_that_look_at_lines_say_what_takes_totals(tariff, spells, command):
    assert tariff("price", spells(), "--rules", "example", "--aggregate", "--out", "t.parquet").code == 0
    done = tariff(command[0], "t.parquet", *command[1:])
    assert done.code == 3
    assert "t.parquet: are totals (`tariff price --aggregate`)" in done.err
    assert "only `tariff compare` takes totals" in done.err
    assert "column" not in done.err
