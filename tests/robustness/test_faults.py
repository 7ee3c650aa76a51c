"""What goes wrong around a run: no room, inputs cut short or blank, none or many of them, values beyond all bounds. Each ends
right or with the right message; nothing is lost and nothing is half there."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from tariff.cli import run
from tariff.columns import ADMITTED, names

SPELL = {
    "spell_id": "S1",
    "provider": "ZZB",
    "commissioner": "99A",
    "admission_date": "2017-06-20",
    "discharge_date": "2017-06-30",
    "admission_method": "11",
    "patient_classification": "1",
    "age": "60",
    "hrg": "HN22E",
}
PRICE = ("price", "--rules", "example")
OUTS = [("--out", "out.parquet"), ("--out", "out"), ("--aggregate", "--out", "out.parquet")]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TARIFF_TRACEBACK", raising=False)
    return tmp_path


def spells(count: int, **changes: object) -> pl.DataFrame:
    rows = pl.DataFrame([SPELL]).select(pl.all().repeat_by(count).explode())
    return rows.with_columns(spell_id="S" + pl.int_range(count).cast(pl.String), **{k: pl.lit(v) for k, v in changes.items()})


def card() -> dict[str, object]:
    """The run card of whatever was written."""
    path = Path("out/run_card.json") if Path("out").is_dir() else Path("out.run_card.json")
    found: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    return found


def counts() -> dict[str, int]:
    return card()["counts"]  # type: ignore[return-value]


def _mounts() -> bool:
    unshare = shutil.which("unshare")
    script = 'mount -t tmpfs -o size=64k none "$(mktemp -d)"'
    return (
        bool(unshare)
        and not subprocess.run([str(unshare), "-m", "sh", "-c", script], check=False, capture_output=True).returncode
    )


FULL = """
import json, subprocess, sys
from pathlib import Path
from tariff.cli import run
def mount(*what): subprocess.run(["mount", *what], check=True)
def price(*more): return run(["price", "spells.parquet", "--rules", "example", *more])
Path("small").mkdir()
mount("-t", "tmpfs", "-o", "size=4m", "none", "small")
codes = []
for out in (["--out", "small/a.parquet"], ["--out", "small/a"]):
    codes.append(price(*out))
    left = sorted(path.name for path in Path("small").iterdir())
    assert left == ([] if len(codes) == 1 else [".a.unfinished"]), left
assert codes == [6, 6], codes
assert len(list(Path("small/.a.unfinished/priced").iterdir())) >= 1
mount("-o", "remount,size=200m", "small")
assert price("--out", "small/a", "--resume") == 0
assert price("--out", "whole") == 0
for path in Path("whole").rglob("*.parquet"):
    assert path.read_bytes() == (Path("small/a") / path.relative_to("whole")).read_bytes(), path
assert sorted(path.name for path in Path("small").iterdir()) == ["a"]
"""


@pytest.mark.slow
@pytest.mark.skipif(not _mounts(), reason="no small file system can be mounted here")
def test_a_disk_that_is_really_full(folder):
    """4 MB hold one part of three: the run into a folder keeps it, and goes on when there is room."""
    lines = spells(700_000).with_columns(spell_id=pl.int_range(700_000).hash(seed=1).cast(pl.String))
    lines.write_parquet("spells.parquet", row_group_size=100_000)
    done = subprocess.run(["unshare", "-m", sys.executable, "-c", FULL], capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "make room or choose another folder" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("out", OUTS)
@pytest.mark.parametrize("name", ["spells.parquet", "spells.csv"])
def test_an_input_cut_short_anywhere_leaves_nothing(folder, capsys, name, out):
    whole = Path(name)
    spells(300).write_parquet(whole) if name.endswith("parquet") else spells(300).write_csv(whole)
    data = whole.read_bytes()
    for share in (0.0, 0.1, 0.37, 0.5, 0.93):
        place = int(len(data) * share)
        if share and name.endswith("csv"):  # cut within the last cell of a line, a text cannot be told from a whole one
            place = data.rfind(b",2017-06-30", 0, place) + 5
        whole.write_bytes(data[:place])
        assert run([*PRICE, name, *out]) == 3
        assert "Traceback" not in capsys.readouterr().err
        assert [path.name for path in folder.iterdir()] == [name]


@pytest.mark.parametrize("out", OUTS)
def test_a_row_group_of_nothing_but_nulls(out):
    nothing = spells(50).with_columns(pl.lit(None, pl.String).alias(name) for name in SPELL)
    pl.concat([spells(50), nothing, spells(50)]).write_parquet("spells.parquet", row_group_size=50)
    assert run([*PRICE, "spells.parquet", *out]) == 0
    assert counts() == {"in": 150, "priced": 100, "excluded": 0, "unpriced": 0, "rejected": 50}


@pytest.mark.parametrize("out", OUTS)
@pytest.mark.parametrize("name", ["spells.parquet", "spells.csv"])
@pytest.mark.parametrize("rows", [0, 1])
def test_no_line_and_one_line(out, name, rows):
    lines = spells(rows) if rows else pl.DataFrame(schema=dict.fromkeys(names(ADMITTED, required_only=True), pl.String()))
    lines.write_parquet(name) if name.endswith("parquet") else lines.write_csv(name)
    assert run([*PRICE, name, *out]) == 0
    assert counts()["in"] == counts()["priced"] == rows
    assert card()["price_pence"] == rows * 630_000


BEYOND: dict[str, tuple[dict[str, object], str]] = {
    "age 300": ({"age": "300"}, "age_out_of_range"),
    "age -1": ({"age": "-1"}, "age_out_of_range"),
    "an age of many digits": ({"age": "9" * 30}, "unreadable_number"),
    "a stay of 40,000 days": ({"admission_date": "1908-01-01"}, "priced"),
    "a stay of 300,000 days": ({"length_of_stay": "300000"}, "days_out_of_range"),
    "a day before any calendar": ({"admission_date": "0000-00-00"}, "unreadable_date"),
    "a price at the bound": ({"admission_method": "11", "patient_classification": "3", "local_price": "10000000000"}, "priced"),
    "a price beyond it": ({"patient_classification": "3", "local_price": "10000000000.01"}, "amount_out_of_range"),
    "a price no integer holds": ({"patient_classification": "3", "local_price": "9" * 25}, "unreadable_number"),
    "a price that would wrap": ({"patient_classification": "3", "local_price": "92233720368547758.08"}, "unreadable_number"),
}


@pytest.mark.parametrize("out", OUTS[:2])
@pytest.mark.parametrize("what", BEYOND)
def test_values_beyond_bounds_have_their_reason_in_engine_and_reference(what, out, capsys):
    changes, reason = BEYOND[what]
    pl.concat([spells(2), spells(1, **changes)], how="diagonal").write_csv("spells.csv")
    assert run([*PRICE, "spells.csv", *out]) == 0
    lines = pl.read_parquet("out.parquet" if out[-1] == "out.parquet" else "out/priced/*.parquet")
    assert lines["reason"].cast(pl.String).to_list() == ["priced", "priced", reason]
    assert lines["price_pence"].min() >= 0
    assert run(["verify", out[-1], "--every-line"]) == 0, capsys.readouterr().out


def _many(count: int, out: tuple[str, ...]) -> None:
    Path("many").mkdir()
    for number in range(count):
        item = pl.lit(None if number % 40 else "XC07Z", pl.String)
        frame = spells(1).with_columns(spell_id=pl.lit(f"S{number}"), unbundled=item)
        frame.write_parquet(f"many/{number:05}.parquet") if number % 2 else frame.write_csv(f"many/{number:05}.csv")
    assert run([*PRICE, "many/*", *out]) == 0
    items = len(range(0, count, 40))
    assert counts() == {"in": count + items, "priced": count + items, "excluded": 0, "unpriced": 0, "rejected": 0}
    assert card()["price_pence"] == count * 630_000 + items * 105_000
    assert card()["attached_items"]["items"] == items


@pytest.mark.parametrize("out", OUTS)
def test_many_tiny_files(out):
    _many(120, out)


@pytest.mark.slow
@pytest.mark.parametrize(("out", "count"), [(OUTS[0], 2_000), (OUTS[1], 10_000), (OUTS[2], 2_000)])
def test_very_many_tiny_files(out, count):
    _many(count, out)


@pytest.mark.parametrize("out", [("--out", "odd[1]*.parquet"), ("--out", "odd[1]*")])
def test_an_output_named_like_a_pattern(out):
    spells(5).write_csv("spells.csv")
    spells(3).write_parquet("odd1.parquet")
    assert run([*PRICE, "spells.csv", *out]) == 0
    assert run(["verify", out[-1], "--every-line"]) == 0
    assert run(["backtest", out[-1], out[-1]]) == 0


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_folder_named_like_a_pattern(ending):
    """As mail programs name a second copy, and teams their years: every file of a run and every table beside it."""
    folder = Path("teams [2017]")
    folder.mkdir()
    write = getattr(pl.DataFrame, f"write_{ending}")
    write(spells(40), folder / f"apc[1].{ending}")
    audit = pl.DataFrame({"provider": ["ZZB"], "line_id": ["S1"], "tariff": ["none"], "met": ["yes"]})
    write(audit, folder / f"audit[1].{ending}")
    asked = ["--pathways", "hip_and_knee", "--evidence", str(folder / f"audit[1].{ending}")]
    for out in (folder / "priced[1].parquet", folder / "run [1]"):
        assert run([*PRICE, str(folder / f"apc[1].{ending}"), *asked, "--out", str(out)]) == 0
        assert run(["verify", str(out), "--every-line"]) == 0
        assert run(["pathways", str(out), "--sensitivity", "--out", str(out.with_name(f"{out.name} tables"))]) == 0
        report = out.with_name(f"{out.name} report")
        assert run(["compare", str(out), "--models", "preset:episodic,preset:pathways", "--out", str(report)]) == 0
        assert run(["plan", str(out), "--out", str(out.with_name(f"{out.name} plan.csv"))]) == 0


@pytest.mark.parametrize("name", ["x" * 5_000, "nul\0.csv"])
def test_names_that_no_file_can_have(name, capsys):
    spells(1).write_csv("spells.csv")
    for command in ([*PRICE, name, "--out", "a"], [*PRICE, "spells.csv", "--out", name], ["verify", name], ["run", name]):
        code = run(command)
        told = capsys.readouterr().err
        assert code in {2, 3, 6}, (command[0], told)
        assert told.startswith("tariff: ")


def test_a_panic_of_a_library_is_not_heard(folder):
    """As a whole program, where descriptor 2 is its own: the message is ours alone."""
    spells(40).write_parquet("spells.parquet", compression="uncompressed")
    whole = bytearray(Path("spells.parquet").read_bytes())
    for place in range(40, 400, 180):
        spoiled = whole.copy()
        spoiled[place : place + 30] = b"\xff" * 30
        Path("spells.parquet").write_bytes(spoiled)
        command = [sys.executable, "-m", "tariff", *PRICE, "spells.parquet", "--out", "out.parquet", "--overwrite"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode in {0, 3}
        assert "panicked" not in done.stderr
        assert done.stderr
