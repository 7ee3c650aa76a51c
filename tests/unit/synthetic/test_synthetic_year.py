"""Whole years: the files, their bytes, the plan, what is refused."""

from __future__ import annotations

import hashlib
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from polars.testing import assert_frame_equal

from tariff.activity import attached_items, read_activity, without_given
from tariff.columns import ADMITTED, KINDS, PLAN, names, schema
from tariff.errors import OutputError, UsageError
from tariff.payment import read_plan
from tariff.pricing import price
from tariff.rulepack import RulePack, load_pack
from tariff.synthetic import admitted, make_year
from tariff.synthetic.frames import write_parquet
from tariff.synthetic.plans import WIDEST_MISS, make_plan
from tariff.synthetic.spells import BLOCK, admissions, admitted_model
from tariff.synthetic.year import FILES

FEW = 3_000


def _digests(folder: Path) -> dict[str, str]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, pack_2024: RulePack) -> Path:
    folder = tmp_path_factory.mktemp("synthetic") / "year"
    make_year(folder, spells=FEW, seed=3, pack=pack_2024)
    return folder


def test_same_seed_gives_the_same_bytes(made: Path, tmp_path: Path, pack_2024: RulePack) -> None:
    paths = make_year(tmp_path / "again", spells=FEW, seed=3, pack=pack_2024)
    assert [path.name for path in paths] == list(FILES)
    assert all(path.exists() for path in paths)
    assert _digests(tmp_path / "again") == _digests(made)
    assert {Path(name).parts[0] for name in _digests(made)} == set(FILES)


def test_a_file_is_the_same_whichever_kinds_are_made(made: Path, tmp_path: Path, pack_2024: RulePack) -> None:
    for kinds in (["emergency"], ["admitted", "unbundled"]):
        paths = make_year(tmp_path / kinds[0], spells=FEW, seed=3, pack=pack_2024, kinds=kinds)
        others = {"registers.parquet", "evidence.parquet", "population.csv", "plan.csv", "overlay"}
        assert {path.name for path in paths} == {*(f"{kind}.parquet" for kind in kinds), *others}
        some, all_of_them = _digests(tmp_path / kinds[0]), _digests(made)
        assert {name for name in some if some[name] != all_of_them[name]} == {"plan.csv"}


def test_another_seed_gives_another_year(made: Path, tmp_path: Path, pack_2024: RulePack) -> None:
    make_year(tmp_path / "other", spells=FEW, seed=4, pack=pack_2024)
    other, first = _digests(tmp_path / "other"), _digests(made)
    assert other["admitted.parquet"] != first["admitted.parquet"]
    assert other["plan.csv"] != first["plan.csv"]
    assert other["overlay/mff.csv"] == first["overlay/mff.csv"]


def test_the_frame_and_the_file_hold_the_same_spells(made: Path, pack_2024: RulePack) -> None:
    read = read_activity(made / "admitted.parquet", kind="admitted")
    frame = admitted(FEW, seed=3, pack=pack_2024)
    from_file = read.select(frame.columns).collect().cast({name: frame.schema[name] for name in frame.columns})
    assert_frame_equal(from_file, frame)


def test_columns_are_those_of_the_contract(year: pl.DataFrame) -> None:
    assert set(names(ADMITTED, required_only=True)) <= set(year.columns)
    assert year.columns == [name for name in names(ADMITTED) if name in year.columns]
    assert all(year.schema[name] == schema(ADMITTED)[name] for name in year.columns)


def test_codes_are_dictionary_coded_and_read_as_text(made: Path) -> None:
    metadata = pq.read_metadata(made / "admitted.parquet")
    coded = {
        metadata.row_group(0).column(place).path_in_schema
        for place in range(metadata.num_columns)
        if "RLE_DICTIONARY" in metadata.row_group(0).column(place).encodings
    }
    assert {"hrg", "provider", "commissioner", "admission_method", "local_price"} <= coded
    assert "spell_id" not in coded
    assert pl.read_parquet_schema(made / "admitted.parquet")["hrg"] == pl.String()


def test_blocks_are_row_groups_that_share_no_patient_and_no_spell(tmp_path: Path, pack_2024: RulePack) -> None:
    spells = BLOCK + 500
    blocks = [block.frame for block in admissions(admitted_model(pack_2024), spells, seed=1)]
    file = write_parquet(tmp_path / "two.parquet", blocks, pounds=["local_price"])
    metadata = pq.read_metadata(file)
    assert [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)] == [BLOCK, 500]
    first, second = blocks
    assert not set(first["patient_id"]) & set(second["patient_id"])
    assert pl.concat([first["spell_id"], second["spell_id"]]).n_unique() == spells


@pytest.mark.parametrize("label", ["2017-18", "2018-19"])
def test_older_years_fall_in_their_dates_and_know_their_hrgs(label: str) -> None:
    pack = load_pack(label)
    frame = admitted(2_000, seed=1, pack=pack)
    dates = frame["discharge_date"].drop_nulls()
    assert dates.is_between(pack.starts, pack.ends).all()
    known = frame["hrg"].is_in([row.hrg for row in pack.admitted])
    assert 0.975 < known.mean() < 0.995


def test_the_plan_misses_each_cell_by_a_little(made: Path, pack_2024: RulePack) -> None:
    pack = load_pack(pack_2024.folder, overlays=[made / "overlay"])
    keys = ["commissioner", "provider", "pod"]
    kinds = {kind: read_activity(made / f"{kind}.parquet", kind=kind) for kind in KINDS}
    attached, left_out, of_another_date = without_given(attached_items(kinds["admitted"]), kinds["unbundled"])
    lines = pl.concat([price(activity, pack).collect() for activity in (*kinds.values(), attached)])
    assert left_out > of_another_date == 0
    priced = lines.filter(pl.col("outcome") == "priced")
    actual = priced.group_by(keys).agg(pl.col("units").sum(), pl.col("price_pence").sum())
    plan = read_plan(made / "plan.csv")
    assert dict(plan.schema) == schema(PLAN)
    both = plan.join(actual.with_columns(pl.col("pod").cast(pl.String)), on=keys, how="full")
    assert both.null_count().select("commissioner", "commissioner_right").row(0) == (0, 0)
    missed = (both["pence"] - both["price_pence"]).abs()
    assert (missed <= both["price_pence"] * WIDEST_MISS / 1000 + 50).all()
    assert (both["pence"] % 100 == 0).all()
    assert missed.max() > 0
    assert (both["units"] >= 1).all()


def test_a_plan_does_not_depend_on_how_the_year_was_cut() -> None:
    cells = pl.DataFrame(
        {
            "commissioner": ["A", "A", "B"],
            "provider": "P",
            "pod": "DC",
            "financial_year": "2024-25",
            "units": [1, 2, 3],
            "pence": [100, 200, 300],
        }
    )
    assert_frame_equal(make_plan([cells], 1), make_plan([cells[2:], cells[:2]], 1))


def test_the_overlay_is_labelled_and_gives_all_but_one_provider_a_factor(made: Path, year: pl.DataFrame) -> None:
    pack = load_pack("2017-18", overlays=[made / "overlay"])
    assert pack.confidence_of("mff", "mff").confidence == "illustrative"
    factors = {factor.provider for factor in pack.provider_factors}
    without = {code for code in year["provider"].unique() if code not in factors and code[:3] not in factors}
    assert without == {"ZZX"}


def test_the_overlay_switches_the_rule_on_where_the_pack_has_none(tmp_path: Path) -> None:
    make_year(tmp_path / "year", spells=500, year="2017-18")
    pack = load_pack("2017-18", overlays=[tmp_path / "year" / "overlay"])
    assert pack.rules.market_forces_factor.method == "by_provider"
    assert pack.rules.market_forces_factor.confidence == "illustrative"


def test_specialised_services_are_those_of_the_pack(tmp_path: Path) -> None:
    pack = load_pack("example")
    with_top_ups = admitted(20_000, seed=1, pack=pack)
    coded = with_top_ups["specialised_services"].drop_nulls().str.split(";").explode()
    assert set(coded.unique()) <= {top_up.top_up for top_up in pack.top_ups}
    assert 0 < with_top_ups["specialised_services"].is_not_null().mean() < 0.05


def test_without_top_ups_no_services_are_coded(year: pl.DataFrame) -> None:
    assert year["specialised_services"].is_null().all()


@pytest.mark.parametrize(
    "arguments",
    [{"kinds": ["outpatients"]}, {"kinds": []}, {"year": "2023-24"}, {"year": "2017-2018"}, {"spells": 0}, {"seed": -1}],
)
def test_what_cannot_be_made_is_refused(arguments: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        make_year(tmp_path / "refused", **arguments)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_an_existing_folder_stays_unless_it_may_be_overwritten(made: Path, pack_2024: RulePack) -> None:
    before = _digests(made)
    with pytest.raises(OutputError):
        make_year(made, spells=100, pack=pack_2024)
    assert _digests(made) == before


def test_one_spell_is_a_year_too(pack_2024: RulePack) -> None:
    assert admitted(1, seed=5, pack=pack_2024).height == 1
