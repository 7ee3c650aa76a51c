from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tariff.columns import PATHWAY, READMISSION, RESTATED, schema
from tariff.comparison import bridge_ledgers, compare_ledgers
from tariff.errors import ActivityError, RulesError
from tariff.payment import (
    Beside,
    check_plan,
    gather_best_practice,
    gather_cells,
    gather_inside,
    gather_readmissions,
    load_models,
    readmitted_lines,
    settle,
)
from tariff.payment.pathways import bundled_lines

MODELS = """
schema = 1
[[model]]
name = "episodic"
title = "Episodic"
[[model]]
name = "base"
title = "Without best practice"
per_line = "without_best_practice"
[[model]]
name = "bundled"
title = "Pathways"
per_line = "without_best_practice"
pathways = ["hip"]
[[model]]
name = "all"
title = "All pathways"
pathways = ["all"]
"""


def inside(pathway_id: str, pence: int) -> dict[str, Any]:
    return {"pathway_id": pathway_id, "pathway_pence": pence}


@pytest.fixture
def lines(priced_lines: Callable[..., pl.DataFrame]) -> pl.DataFrame:
    return priced_lines(
        {"base_pence": 5_000_00, "best_practice_pence": 500_00, "currency": "HN12F", **inside("hip:XP1:L0", 5_000_00)},
        {"base_pence": 700_00, "provider": "XP2", "pod": "NEL", **inside("hip:XP1:L0", 700_00)},
        {"base_pence": 900_00, "pod": "EL", **inside("cataract:XP1:L2", 900_00)},
        {"base_pence": 100_00, "pod": "NEL", "best_practice_pence": -20_00},
    )


def pathway(definition: str, price: int, flag: str | None = None) -> dict[str, Any]:
    anchor = {"hip": "hip:XP1:L0", "cataract": "cataract:XP1:L2"}[definition]
    return {
        "pathway_id": anchor,
        "definition": definition,
        "lead_provider": "XP1",
        "commissioner": "XC1",
        "flag": flag,
        "financial_year": "2024-25",
        "month": 1,
        "price_pence": price,
        "change_pence": price,
    }


@pytest.fixture
def pathways() -> pl.DataFrame:
    contract = schema(PATHWAY)
    rows = [pathway("hip", 5_400_00), pathway("cataract", 800_00)]
    return pl.DataFrame([{name: row.get(name) for name in contract} for row in rows], schema=contract)


def models(tmp_path: Path) -> Path:
    path = tmp_path / "models.toml"
    path.write_text(MODELS, encoding="utf-8")
    return path


def test_pathways_are_paid_in_place_of_the_lines_inside(lines: pl.DataFrame, pathways: pl.DataFrame, tmp_path: Path) -> None:
    inside = gather_inside(lines.lazy(), pathways)
    ledgers = settle(gather_cells(lines.lazy()), load_models(models(tmp_path)), beside=Beside(inside=inside, pathways=pathways))
    paid = dict(compare_ledgers(ledgers).select("model", "pence").iter_rows())
    assert paid == {
        "episodic": 6_700_00,
        "base": 6_220_00,
        "bundled": 6_220_00 - 5_200_00 + 5_400_00,
        "all": 6_700_00 - 6_600_00 + 6_200_00,
    }
    by_provider = compare_ledgers(ledgers, ["provider"]).filter(pl.col("model") == "bundled")
    assert by_provider["pence"].to_list() == [5_400_00 + 900_00 + 120_00, 0]
    causes = bridge_ledgers(ledgers).filter((pl.col("model") == "bundled") & (pl.col("kind") == "cause"))
    assert causes.select("cause", "pence").rows() == [
        ("best_practice", -480_00),
        ("bundled_lines", -5_200_00),
        ("pathway_price", 5_400_00),
    ]


def test_a_model_of_pathways_needs_pathways(lines: pl.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(RulesError, match="models 'bundled', 'all': it pays pathways, and the priced lines come without them"):
        settle(gather_cells(lines.lazy()), load_models(models(tmp_path)))


LOCAL = 'term = "local_price"\nsource = "s"\nconfidence = "local"\n'


@pytest.mark.parametrize(("said", "paid"), [('prices = "prices.csv"', 2_400_00), ('change = "-10%"', 5_490_00)])
def test_a_local_price_stands_in_place_of_the_price_that_the_model_pays(
    lines: pl.DataFrame, tmp_path: Path, said: str, paid: int
) -> None:
    """Without best practice it replaces, or changes, the price without it: 6,600 for the three lines, 500 of it best practice."""
    (tmp_path / "prices.csv").write_text("price\n800\n", encoding="utf-8")
    path = tmp_path / "m.toml"
    model = '[[model]]\nname = "m"\ntitle = "M"\nper_line = "without_best_practice"\n'
    path.write_text(f"schema = 1\n{model}[[model.terms]]\n{LOCAL}{said}\n", encoding="utf-8")
    three = lines.filter(pl.col("line_id") != "L3")
    (ledger,) = settle(gather_cells(three.lazy()), load_models(path))
    assert compare_ledgers([ledger])["pence"].to_list() == [paid]


def test_a_percentage_comes_to_the_same_whatever_is_told_apart(priced_lines: Callable[..., pl.DataFrame], tmp_path: Path) -> None:
    """3% off 0.50 five times is 7.5p: 8p off, however practices and treatment functions split it; each alone would be 2p."""
    told = [("100", "G1"), ("100", "G2"), ("300", "G1"), ("300", None), (None, "G2")]
    lines = priced_lines(*({"base_pence": 50, "treatment_function": name, "gp_practice": practice} for name, practice in told))
    (tmp_path / "m.toml").write_text(
        f'schema = 1\n[[model]]\nname = "m"\ntitle = "M"\n[[model.terms]]\n{LOCAL}change = "-3%"\n', encoding="utf-8"
    )
    for frame in (lines, lines.with_columns(treatment_function=pl.lit(None, pl.String))):
        for practice in (False, True):
            (ledger,) = settle(gather_cells(frame.lazy(), practice=practice), load_models(tmp_path / "m.toml"))
            assert ledger.terms["pence"].sum() == -8


def test_local_prices_and_pathways_in_one_model_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.toml"
    model = '[[model]]\nname = "m"\ntitle = "M"\npathways = ["hip"]\n'
    path.write_text(f'schema = 1\n{model}[[model.terms]]\n{LOCAL}change = "-1%"\n', encoding="utf-8")
    with pytest.raises(RulesError, match=r"m\.toml:2: model 'm': the term local_price prices lines that its pathways may pay"):
        load_models(path)


def test_pathways_of_other_lines_are_refused(lines: pl.DataFrame, pathways: pl.DataFrame) -> None:
    with pytest.raises(ActivityError, match="1 lines lie in pathways that are not among them"):
        gather_inside(lines.lazy(), pathways.filter(pl.col("definition") == "hip"))


def test_what_was_paid_for_a_pathway_that_is_flagged_now_is_taken_back(lines: pl.DataFrame, pathways: pl.DataFrame) -> None:
    flagged = pl.col("definition") == "hip"
    now = pathways.with_columns(
        flag=pl.when(flagged).then(pl.lit("not_priced")).otherwise("flag").cast(pathways.schema["flag"]),
        change_pence=pl.when(flagged).then(-5_000_00).otherwise("change_pence"),
    )
    told = bundled_lines(None, now, ["all"], best_practice=True)
    assert told["pence"].sum() == -5_000_00 + 800_00


def trauma(status: str, pence: int, **more: Any) -> dict[str, Any]:
    said = {"best_practice_tariff": "major_trauma_2;hip_fracture", "best_practice_status": status, "pack": "2016-17"}
    return {"base_pence": 4_000_00, "pod": "NEL", "best_practice_pence": pence, **said, **more}


def withheld(lines: pl.DataFrame, path: Path, said: str, packs: dict[str, tuple[str, ...]]) -> tuple[int, tuple[str, ...]]:
    """What the marginal rate of 30% above 6,000 keeps, and what is noted."""
    path.write_text(
        f'schema = 1\n[[model]]\nname = "m"\ntitle = "M"\n{said}\nsource = "s"\nconfidence = "local"\n', encoding="utf-8"
    )
    plan = pl.DataFrame({"commissioner": ["XC1"], "financial_year": ["2024-25"], "pod": ["NEL"], "pence": [6_000_00]})
    earned = gather_best_practice(lines.lazy(), packs)
    (ledger,) = settle(gather_cells(lines.lazy()), load_models(path), check_plan(plan), beside=Beside(best_practice=earned))
    told = dict(ledger.terms.group_by("line").agg(pl.col("pence").sum()).iter_rows())
    return told["emergency_marginal_rate"], ledger.notes


TERM = '[[model.terms]]\nterm = "marginal_rate"\nrate = "30%"\n'
TRAUMA = {"2016-17": ("major_trauma_2", "major_trauma_1")}


@pytest.mark.parametrize(
    ("said", "packs", "kept"),
    [
        # 8,000 at tariff, of which 1,500 best practice; 2,000 above the baseline, or less where some lies outside
        (TERM, TRAUMA, -70 * 10_00),  # the pack puts trauma outside: 1,000 of it was earned with trauma met
        (TERM, {"2016-17": ()}, -70 * 20_00),  # the pack puts nothing outside
        (TERM + "best_practice_outside = []\n", TRAUMA, -70 * 20_00),  # the model puts nothing outside
        (TERM + 'best_practice_outside = ["hip_fracture"]\n', TRAUMA, -70 * 5_00),  # met on both lines: 1,500
        ('per_line = "without_best_practice"\n' + TERM, TRAUMA, -70 * 5_00),  # not paid in the first place: no more to leave out
        # at half the tariff, 4,000 above 1,000 of which 500 was earned with trauma met; at an agreed price nothing was earned
        ("[[model.terms]]\n" + LOCAL + 'change = "-50%"\n' + TERM + 'against = "base.csv"\n', TRAUMA, -70 * 25_00),
        ("[[model.terms]]\n" + LOCAL + 'prices = "prices.csv"\n' + TERM + 'against = "base.csv"\n', TRAUMA, -70 * 35_00),
    ],
)
def test_what_best_practice_lies_outside_the_marginal_rate(
    priced_lines: Callable[..., pl.DataFrame],
    tmp_path: Path,
    said: str,
    packs: dict[str, tuple[str, ...]],
    kept: int,
) -> None:
    (tmp_path / "base.csv").write_text("commissioner,financial_year,pounds\nXC1,2024-25,1000\n", encoding="utf-8")
    (tmp_path / "prices.csv").write_text("price\n2250\n", encoding="utf-8")
    lines = priced_lines(trauma("met;met", 1_000_00), trauma("not_met;met", 500_00))
    found, notes = withheld(lines, tmp_path / "m.toml", said, packs)
    assert found == kept
    assert not any("is not known" in note for note in notes)


@pytest.mark.parametrize(
    ("part", "kept"),
    [
        (5_000_00, -70 * 30_00),  # 9,000 left of 14,000, 3,000 of it outside: of the bundled line nothing is taken off again
        (1_000_00, -70 * 60_00),  # 13,000 left with 4,000 outside: best practice stays with a line that is partly inside
        (4_500_00, -70 * 30_00),  # 9,500 left, of which 3,500 outside: of the bundled line no more than what is left of it
    ],
)
def test_best_practice_of_bundled_lines_is_left_out_once(
    priced_lines: Callable[..., pl.DataFrame], pathways: pl.DataFrame, tmp_path: Path, part: int, kept: int
) -> None:
    """The rate keeps 70% of what lies above 3,000; the pathways' own prices are elective and lie outside its scope."""
    met = {"base_pence": 5_000_00, "pod": "NEL", "best_practice_tariff": "hip", "best_practice_status": "met"}
    earned = {"best_practice_pence": 1_000_00, **met}
    lines = priced_lines(
        {**earned, **inside("hip:XP1:L0", part)}, {**earned, "base_pence": 9_000_00, "best_practice_pence": 3_000_00}
    )
    term = f'{ALL}{TERM}best_practice_outside = ["hip"]\nagainst = "base.csv"\nsource = "s"\nconfidence = "local"\n'
    (tmp_path / "base.csv").write_text("commissioner,financial_year,pounds\nXC1,2024-25,3000\n", encoding="utf-8")
    (tmp_path / "m.toml").write_text(f'schema = 1\n[[model]]\nname = "m"\ntitle = "M"\n{term}', encoding="utf-8")
    told = gather_best_practice(lines.lazy(), {}, pathways)
    beside = Beside(None, gather_inside(lines.lazy(), pathways), pathways, told)
    (ledger,) = settle(gather_cells(lines.lazy()), load_models(tmp_path / "m.toml"), beside=beside)
    assert ledger.terms.filter(pl.col("line") == "emergency_marginal_rate")["pence"].sum() == kept


@pytest.mark.parametrize(
    ("outside", "noted"), [('"as_packs"', True), ('["hip_fracture"]', True), ('["hip_fracture", "major_trauma_2"]', False)]
)
def test_what_two_tariffs_earned_together_is_left_out_together_and_noted(
    priced_lines: Callable[..., pl.DataFrame], tmp_path: Path, outside: str, noted: bool
) -> None:
    """A priced line holds what best practice earned in one sum."""
    lines = priced_lines(trauma("met;met", 1_000_00), trauma("not_met;not_met", 0))
    kept, notes = withheld(lines, tmp_path / "m.toml", f"{TERM}best_practice_outside = {outside}\n", TRAUMA)
    assert kept == -70 * 10_00
    assert any("is met and another besides" in note for note in notes) == noted


def test_best_practice_of_unknown_packs_counts_in_the_marginal_rate_and_is_noted(
    priced_lines: Callable[..., pl.DataFrame], tmp_path: Path
) -> None:
    lines = priced_lines(trauma("met;met", 1_000_00), trauma("no_evidence;no_evidence", 0))
    kept, notes = withheld(lines, tmp_path / "m.toml", TERM, {})
    assert kept == -70 * 20_00
    assert any("Which best practice lies outside the marginal rate is not known" in note for note in notes)


CASES = "commissioner,provider,financial_year,tariff,expected,actual,best_practice,unit\n"


@pytest.mark.parametrize(
    ("row", "change"),
    [
        ("hip_fracture,5,,6335,5000", -3 * 1_335_00),  # two lines met it
        ("major_trauma_2,0,,3000,0", 3_000_00),
        ("major_trauma_2,0,7,3000,0", 21_000_00),  # as given, whatever the lines say
        ("copd,4,,500,0", -2_000_00),  # none met it
    ],
)
def test_qualifying_cases_are_counted_from_the_lines_where_the_file_leaves_them_blank(
    priced_lines: Callable[..., pl.DataFrame], tmp_path: Path, row: str, change: int
) -> None:
    (tmp_path / "cases.csv").write_text(f"{CASES}XC1,XP1,2024-25,{row}\n", encoding="utf-8")
    path = tmp_path / "m.toml"
    term = 'term = "best_practice_adjustment"\nfile = "cases.csv"\nsource = "s"\nconfidence = "local"\n'
    path.write_text(f'schema = 1\n[[model]]\nname = "m"\ntitle = "M"\n[[model.terms]]\n{term}', encoding="utf-8")
    lines = priced_lines(trauma("met;met", 1_000_00), trauma("not_met;met", 500_00))
    cells = gather_cells(lines.lazy())
    (ledger,) = settle(cells, load_models(path), beside=Beside(best_practice=gather_best_practice(lines.lazy(), {})))
    assert ledger.terms["pence"].sum() == change
    if ",," in row:
        with pytest.raises(RulesError, match="leaves actual cases blank, and the priced lines came without best practice"):
            settle(cells, load_models(path))


def readmission(provider: str, *, elective: bool, price: int, share: int, excluded: str | None = None) -> dict[str, Any]:
    return {
        "provider": "XP2",
        "line_id": "L1",
        "commissioner": "XC1",
        "financial_year": "2024-25",
        "month": 1,
        "pod": "NEL",
        "initial_provider": provider,
        "initial_elective": elective,
        "reason_excluded": excluded,
        "share_bp": share,
        "price_pence": price,
        "pence": price * share // 10_000,
    }


def readmissions() -> pl.DataFrame:
    contract = schema(READMISSION)
    rows = [
        readmission("XP1", elective=True, price=700_00, share=10_000),
        readmission("XP1", elective=False, price=100_00, share=2_500),
        readmission("XP1", elective=False, price=999_00, share=0, excluded="cancer"),
    ]
    return pl.DataFrame([{name: row.get(name) for name in contract} for row in rows], schema=contract)


@pytest.mark.parametrize(("share", "unpaid"), [("", 725_00), ('other_share = "50%"', 750_00), ('elective_share = "0%"', 25_00)])
def test_readmissions_are_borne_by_the_provider_that_discharged(
    lines: pl.DataFrame, tmp_path: Path, share: str, unpaid: int
) -> None:
    """By the rule pack's own shares unless the term gives one."""
    path = tmp_path / "m.toml"
    term = f'term = "readmissions"\n{share}\nsource = "s"\nconfidence = "local"\n'
    path.write_text(f'schema = 1\n[[model]]\nname = "m"\ntitle = "M"\n[[model.terms]]\n{term}', encoding="utf-8")
    (ledger,) = settle(gather_cells(lines.lazy()), load_models(path), beside=Beside(gather_readmissions(readmissions())))
    assert set(ledger.terms.select("provider", "pod", "line").rows()) == {("XP1", "NEL", "readmission")}
    assert ledger.terms["pence"].sum() == -unpaid
    with pytest.raises(RulesError, match="model 'm': the priced lines come without their readmissions"):
        settle(gather_cells(lines.lazy()), load_models(path))


BACK = '[[model.terms]]\nterm = "readmissions"\nsource = "s"\nconfidence = "local"\n'
ALL = 'pathways = ["all"]\n'
BARE = 'per_line = "without_best_practice"\n'
HALF = "[[model.terms]]\n" + LOCAL + 'change = "-50%"\n'
AGREED = "[[model.terms]]\n" + LOCAL + 'prices = "prices.csv"\n'


@pytest.fixture
def readmitted(priced_lines: Callable[..., pl.DataFrame]) -> pl.DataFrame:
    """Readmissions at XP2, 700.00 each, of which XP1 bears all: by itself, inside a pathway, and partly inside another."""
    spell = {"provider": "XP2", "pod": "NEL", "base_pence": 700_00, "best_practice_pence": 100_00}
    return priced_lines(spell, {**spell, **inside("hip:XP1:L0", 700_00)}, {**spell, **inside("cataract:XP1:L2", 300_00)})


@pytest.mark.parametrize(
    ("said", "taken"),
    [
        (BACK, 3 * 700_00),
        (ALL + BACK, 700_00 + 0 + 400_00),
        ('pathways = ["hip"]\n' + BACK, 700_00 + 0 + 700_00),
        (BARE + BACK, 3 * 600_00),
        (BARE + ALL + BACK, 600_00 + 0 + 300_00),
        (HALF + BACK, 3 * 350_00),
        (BARE + HALF + BACK, 3 * 300_00),
        (AGREED + BACK, 3 * 800_00),  # who readmitted is paid by its own prices, whoever bears the loss
        (ALL + BACK.replace('"s"', '"s"\nelective_share = "50%"'), 350_00 + 0 + 200_00),
    ],
)
def test_no_more_is_taken_back_of_a_readmission_than_is_paid_for_it(
    readmitted: pl.DataFrame, pathways: pl.DataFrame, tmp_path: Path, said: str, taken: int
) -> None:
    (tmp_path / "prices.csv").write_text("provider,price\nXP2,800\nXP1,5\n", encoding="utf-8")
    path = tmp_path / "m.toml"
    path.write_text(f'schema = 1\n[[model]]\nname = "m"\ntitle = "M"\n{said}', encoding="utf-8")
    found = pl.concat([readmissions()[:1].with_columns(line_id=pl.lit(f"L{number}")) for number in range(3)])
    again = gather_readmissions(found, readmitted_lines(found, readmitted.lazy(), pathways, None))
    beside = Beside(again, gather_inside(readmitted.lazy(), pathways), pathways)
    ledgers = settle(gather_cells(readmitted.lazy()), load_models(["preset:episodic", path]), beside=beside)
    told = ledgers[1].terms.filter(pl.col("line") == "readmission")
    assert told["provider"].unique().to_list() == ["XP1"]
    assert told["pence"].sum() == -taken
    causes = dict(bridge_ledgers(ledgers).select("cause", "pence").iter_rows())
    assert causes["readmission"] == -(1_050_00 if "elective_share" in said else 2_100_00)  # alone; the rest is interaction


def test_a_readmission_that_a_later_run_puts_inside_a_pathway_is_not_taken_back(
    readmitted: pl.DataFrame, pathways: pl.DataFrame
) -> None:
    found = readmissions()[:1].with_columns(line_id=pl.lit("L0"))
    row = {"kind": "admitted", "provider": "XP2", "line_id": "L0", "definition": "hip", "pathway_pence": 700_00}
    restated = pl.DataFrame([{name: row.get(name) for name in schema(RESTATED)}], schema=schema(RESTATED))
    lines = readmitted_lines(found, readmitted.lazy(), pathways, restated)
    assert lines.select("definition", "bundled_pence").rows() == [("hip", 700_00)]


def test_readmissions_that_nobody_can_net_are_refused(readmitted: pl.DataFrame, pathways: pl.DataFrame, tmp_path: Path) -> None:
    found = readmissions()[:1]
    with pytest.raises(ActivityError, match="these are the readmissions of other lines"):
        gather_readmissions(found, readmitted_lines(found, readmitted.lazy().filter(pl.col("line_id") != "L1"), pathways, None))
    path = tmp_path / "m.toml"
    path.write_text(f'schema = 1\n[[model]]\nname = "m"\ntitle = "M"\n{BARE}{BACK}', encoding="utf-8")
    with pytest.raises(RulesError, match=r"m\.toml:7: model 'm': it does not pay readmissions by their whole price"):
        settle(gather_cells(readmitted.lazy()), load_models(path), beside=Beside(gather_readmissions(found)))


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        # XP1 bears all of a readmission at XP2 worth 4,000, 1,000 of it earned outside the rate: 6,000 − 4,000 − (1,500 − 1,000)
        (BACK, {"XP1": 15_00, "XP2": 30_00}),
        (BACK.replace('"s"', '"s"\nelective_share = "50%"'), {"XP1": 30_00, "XP2": 30_00}),
        (HALF + BACK, {"XP1": 7_50, "XP2": 15_00}),
        (ALL + BACK, {"XP1": 45_00}),  # the pathway pays for it: nothing to take back, and nothing earned by the line
    ],
)
def test_best_practice_that_a_readmission_takes_back_is_not_left_out_of_the_marginal_rate(
    priced_lines: Callable[..., pl.DataFrame], pathways: pl.DataFrame, tmp_path: Path, said: str, kept: dict[str, int]
) -> None:
    """The rate keeps 70% of all that is emergency care and not best practice of major trauma."""
    lines = priced_lines(
        trauma("met;met", 1_500_00, base_pence=6_000_00),
        trauma("met;met", 1_000_00, provider="XP2", **inside("hip:XP1:L0", 4_000_00)),
    )
    rate = TERM + 'against = "base.csv"\nsource = "s"\nconfidence = "local"\n'
    (tmp_path / "base.csv").write_text(
        "commissioner,provider,financial_year,pounds\nXC1,XP1,2024-25,0\nXC1,XP2,2024-25,0\n", encoding="utf-8"
    )
    (tmp_path / "m.toml").write_text(f'schema = 1\n[[model]]\nname = "m"\ntitle = "M"\n{said}{rate}', encoding="utf-8")
    found = readmissions()[:1].with_columns(line_id=pl.lit("L1"), price_pence=pl.lit(4_000_00, pl.Int64))
    again = gather_readmissions(found, readmitted_lines(found, lines.lazy(), pathways, None))
    told = gather_best_practice(lines.lazy(), TRAUMA, pathways)
    beside = Beside(again, gather_inside(lines.lazy(), pathways), pathways, told)
    (ledger,) = settle(gather_cells(lines.lazy()), load_models(tmp_path / "m.toml"), beside=beside)
    by_rate = ledger.terms.filter(pl.col("line") == "emergency_marginal_rate")
    assert dict(by_rate.group_by("provider").agg(-pl.col("pence").sum()).iter_rows()) == {who: 70 * p for who, p in kept.items()}


def test_readmissions_of_which_nobody_knows_the_best_practice_are_refused_before_a_marginal_rate(
    priced_lines: Callable[..., pl.DataFrame], tmp_path: Path
) -> None:
    lines = priced_lines(trauma("met;met", 1_500_00))
    (tmp_path / "listed.csv").write_text(
        "commissioner,provider,financial_year,pod,after,pounds\nXC1,XP1,2024-25,NEL,elective,70\n", encoding="utf-8"
    )
    (tmp_path / "base.csv").write_text("commissioner,financial_year,pounds\nXC1,2024-25,0\n", encoding="utf-8")
    rate = TERM + 'against = "base.csv"\nsource = "s"\nconfidence = "local"\n'
    listed = f'[[model]]\nname = "m"\ntitle = "M"\n{LISTED}elective_share = "50%"\n{rate}'
    (tmp_path / "m.toml").write_text(f"schema = 1\n{listed}", encoding="utf-8")
    earned = gather_best_practice(lines.lazy(), TRAUMA)
    with pytest.raises(RulesError, match=r"listed\.csv: lists readmissions, and does not say what of them is best practice"):
        settle(gather_cells(lines.lazy()), load_models(tmp_path / "m.toml"), beside=Beside(best_practice=earned))
    (tmp_path / "m.toml").write_text(f'schema = 1\n[[model]]\nname = "m"\ntitle = "M"\n{BACK}{rate}', encoding="utf-8")
    beside = Beside(gather_readmissions(readmissions()[:1]), best_practice=earned)
    with pytest.raises(RulesError, match=r"it does not pay readmissions by their whole price"):
        settle(gather_cells(lines.lazy()), load_models(tmp_path / "m.toml"), beside=beside)


LISTED = BACK + 'file = "listed.csv"\n'
CQUIN = '[[model.terms]]\nterm = "cquin"\nrate = "2%"\nsource = "s"\nconfidence = "local"\n'


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (ALL + LISTED, "m.toml:2: model 'm': the file of readmissions does not say what of them its pathways pay"),
        (BARE + LISTED, "m.toml:2: model 'm': the file of readmissions does not say what of them is best practice"),
        (CQUIN + BACK, "m.toml:2: model 'm': the term readmissions takes the price of lines back: put it before cquin"),
        (BACK + BACK, "m.toml:2: model 'm': two terms readmissions take the same lines back"),
        (HALF + LISTED, "listed.csv: lists readmissions that the model may pay at local prices"),
    ],
)
def test_readmissions_that_would_be_taken_back_twice_or_at_another_price_are_refused(
    readmitted: pl.DataFrame, tmp_path: Path, said: str, told: str
) -> None:
    (tmp_path / "listed.csv").write_text(
        "commissioner,provider,financial_year,after,pounds\nXC1,XP1,2024-25,elective,70\n", encoding="utf-8"
    )
    path = tmp_path / "m.toml"
    path.write_text(f'schema = 1\n[[model]]\nname = "m"\ntitle = "M"\n{said}', encoding="utf-8")
    with pytest.raises(RulesError) as refused:
        settle(gather_cells(readmitted.lazy()), load_models(path))
    assert told in str(refused.value)
