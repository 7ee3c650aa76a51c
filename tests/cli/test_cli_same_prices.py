"""The same activity comes to the same priced lines, however it is filed."""

from __future__ import annotations

import csv
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal


@pytest.fixture
def priced(tariff, everything):
    """Price files and return the lines."""

    def price(
        *files: Path | str, out: str = "priced.parquet", rules: str = "example", options: tuple[str, ...] = ()
    ) -> pl.DataFrame:
        done = tariff("price", *files, "--rules", rules, *options, "--out", out, "--overwrite")
        assert done.code == 0, done.err
        return pl.read_parquet(out if out.endswith(".parquet") else f"{out}/priced/*.parquet")

    return price


@pytest.fixture
def whole(priced, everything) -> pl.DataFrame:
    return priced(everything)


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def test_the_schema_is_the_contract(whole):
    from tariff.columns import PRICED_LINE, schema

    assert dict(whole.schema) == schema(PRICED_LINE)
    for column in PRICED_LINE:
        assert column.nullable or whole[column.name].null_count() == 0, column.name


def test_parquet_of_text_and_of_types(priced, everything, whole):
    text = pl.read_csv(everything, infer_schema=False)
    text.write_parquet("text.parquet")
    days = [name for name in text.columns if name.endswith(("_days", "_of_stay")) or name == "age"]
    typed = text.with_columns(pl.col("^.*_date$").str.to_date(), pl.col(days).cast(pl.Int16))
    coded = pl.col("provider", "commissioner", "hrg", "admission_method").cast(pl.Categorical)
    typed.with_columns(coded).write_parquet("typed.parquet", row_group_size=7)
    assert_frame_equal(priced("text.parquet"), whole)
    assert_frame_equal(priced("typed.parquet"), whole)


@pytest.mark.parametrize("written", ["windows", "uk dates", "tabs", "quoted"])
def test_ways_of_writing_the_same_csv(priced, everything, whole, written):
    rows = rows_of(everything)
    options: dict[str, object] = {"lineterminator": "\r\n" if written == "windows" else "\n"}
    if written == "tabs":
        options["delimiter"] = "\t"
    if written == "quoted":
        options["quoting"] = csv.QUOTE_ALL
    if written == "uk dates":
        for row in rows:
            for name in ("admission_date", "discharge_date"):
                row[name] = "/".join(reversed(row[name].split("-")))
    with Path("again.csv").open("w", encoding="cp1252" if written == "windows" else "utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, [name.upper() if written == "tabs" else name for name in rows[0]], **options)
        writer.writeheader()
        writer.writerows([dict(zip(writer.fieldnames, row.values(), strict=True)) for row in rows])
    assert_frame_equal(priced("again.csv"), whole)


def test_in_pieces(priced, everything, whole):
    heading, *lines = everything.read_text(encoding="utf-8").splitlines(keepends=True)
    cuts = [0, 1, 20, 21, 50, len(lines)]
    for number, (start, end) in enumerate(pairwise(cuts)):
        Path(f"piece_{number}.csv").write_text(heading + "".join(lines[start:end]), encoding="utf-8")
    assert_frame_equal(priced("piece_*.csv"), whole)
    assert_frame_equal(priced("piece_*.csv", out="run"), whole)
    assert len(list(Path("run/priced").iterdir())) == len(cuts) - 1


def test_shuffled(priced, everything, whole):
    shuffled = pl.read_csv(everything, infer_schema=False).with_row_index("place").sample(fraction=1, shuffle=True, seed=3)
    shuffled.drop("place").write_csv("shuffled.csv")
    again = priced("shuffled.csv").with_columns(shuffled["place"]).sort("place").drop("place")
    assert_frame_equal(again, whole)


def test_under_a_map_of_other_headings(priced, everything, whole):
    heading, rest = everything.read_text(encoding="utf-8").split("\n", 1)
    theirs = [f"Their {name}" for name in heading.split(",")]
    Path("theirs.csv").write_text(",".join(theirs) + "\n" + rest, encoding="utf-8")
    renamed = "\n".join(f'{name} = "Their {name}"' for name in heading.split(","))
    Path("map.toml").write_text(f"[admitted.rename]\n{renamed}\n", encoding="utf-8")
    assert_frame_equal(priced("theirs.csv", options=("--columns", "map.toml")), whole)


def test_as_episodes(priced, spells):
    stays = [{"hrg": "HN22E", "admission_date": f"2017-06-{day:02}"} for day in (1, 10, 20, 25)]
    of_spells = priced(spells(*stays))
    episodes = []
    for number, stay in enumerate(stays, start=1):
        middle = f"2017-06-{int(stay['admission_date'][-2:]) + 3:02}"
        ends = [(stay["admission_date"], middle), (middle, "2017-06-30")]
        for order, (start, end) in enumerate(ends, start=1):
            part = {"spell_id": f"S{number}", "episode_number": str(order), "episode_start_date": start, "episode_end_date": end}
            episodes.append({**stay, **part})
    of_episodes = priced(spells(*episodes, name="episodes.csv"))
    given = pl.col("basis") & ~(1 << 14)  # the stay of a spell of episodes is given by them
    assert_frame_equal(of_episodes.with_columns(given), of_spells)


def test_as_a_frame_in_python(everything, whole):
    import tariff

    priced = tariff.price(tariff.read_activity(everything), tariff.load_rules("example"))
    assert_frame_equal(priced.collect(), whole)
