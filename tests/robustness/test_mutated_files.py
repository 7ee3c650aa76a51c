"""Files that were spoiled byte by byte: whatever is in them, a command ends with a message or a right result, in bounded time
and memory, leaves nothing half-written, and never shows a traceback, a panic or a patient."""

from __future__ import annotations

import faulthandler
import random
import shutil
import sys
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from tariff.cli import run
from tariff.rulepack import find_pack

if sys.platform != "win32":
    import resource

SECONDS = 180
"""No file of a few kilobytes may take longer, on however busy a machine, even where a kernel is compiled for it."""
MORE_MEGABYTES = 700
PATIENT = "P4711943"
RULES_OF_FOUR_ROWS = "HN22E,HN22D,LA08E,DZ19H"
MARKS = [
    b'"',
    b",",
    b"\n",
    b"\r",
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b";",
    b"\t",
    b"=",
    b"[",
    b"'",
    b"PAR1",
    b"-",
    b"e9",
]


class Spoiler:
    """Spoils bytes in a way that depends on nothing but its seed."""

    def __init__(self, seed: str) -> None:
        self.chance = random.Random(seed)

    def spoil(self, whole: bytes) -> bytes:
        data = bytearray(whole)
        for _ in range(self.chance.choice((1, 1, 1, 2, 3, 8))):
            self.chance.choice(self._ways)(self, data)
        return bytes(data)

    def _place(self, data: bytearray) -> int:
        return self.chance.randrange(len(data) + 1)

    def _slice(self, data: bytearray) -> slice:
        start = self._place(data)
        return slice(start, start + self.chance.choice((1, 2, 4, 16, 200)))

    def _flip_a_bit(self, data: bytearray) -> None:
        if data:
            data[self.chance.randrange(len(data))] ^= 1 << self.chance.randrange(8)

    def _put_a_mark(self, data: bytearray) -> None:
        data[self._slice(data)] = self.chance.choice(MARKS)

    def _slip_a_mark_in(self, data: bytearray) -> None:
        place = self._place(data)
        data[place:place] = self.chance.choice(MARKS) * self.chance.choice((1, 1, 2, 300))

    def _take_out(self, data: bytearray) -> None:
        del data[self._slice(data)]

    def _repeat(self, data: bytearray) -> None:
        repeated = bytes(data[self._slice(data)])
        place = self._place(data)
        data[place:place] = repeated * self.chance.choice((1, 2, 50))

    def _fill_with_noise(self, data: bytearray) -> None:
        where = self._slice(data)
        data[where] = self.chance.randbytes(len(data[where]))

    def _cut_short(self, data: bytearray) -> None:
        del data[self._place(data) :]

    def _put_a_number(self, data: bytearray) -> None:
        size = self.chance.choice((1, 2, 4, 8))
        place = self._place(data)
        data[place : place + size] = self.chance.choice((0, 1, 2 ** (8 * size - 1), 2 ** (8 * size) - 1)).to_bytes(size, "little")

    _ways: tuple[Callable[[Spoiler, bytearray], None], ...] = (
        _flip_a_bit,
        _flip_a_bit,
        _put_a_mark,
        _slip_a_mark_in,
        _take_out,
        _repeat,
        _fill_with_noise,
        _cut_short,
        _put_a_number,
    )


def _spells() -> pl.DataFrame:
    rows = [
        {
            "spell_id": f"S{number}",
            "patient_id": PATIENT,
            "provider": "ZZB",
            "commissioner": "99A",
            "admission_date": "2017-06-20",
            "discharge_date": f"2017-07-{number + 1:02}",
            "admission_method": ("11", "21")[number % 2],
            "patient_classification": "1",
            "age": str(number * 5),
            "hrg": ("HN22E", "DZ19H", "LA08E", "ZZ99Z")[number % 4],
            "local_price": "12.50",
            "unbundled": "XD01Z*2" if number == 3 else "",
        }
        for number in range(12)
    ]
    return pl.DataFrame(rows)


def _csv() -> bytes:
    return _spells().write_csv().encode()


def _quoted_csv() -> bytes:
    return _spells().write_csv(quote_style="always", separator=";", line_terminator="\r\n").encode("cp1252")


def _parquet(**options: object) -> bytes:
    whole = BytesIO()
    _spells().with_columns(pl.col("age").cast(pl.Int64), pl.col("discharge_date").str.to_date()).write_parquet(whole, **options)  # type: ignore[arg-type]
    return whole.getvalue()


def _arrow_parquet() -> bytes:
    import pyarrow.parquet as pq

    whole = BytesIO()
    pq.write_table(_spells().to_arrow(), whole, use_dictionary=True, write_page_checksum=True, row_group_size=5)
    return whole.getvalue()


MAP = """schema = 1

[admitted]
date_formats = ["yyyy-mm-dd"]
blanks = ["NULL"]

[admitted.rename]
spell_id = ["HospitalSpellNo", "spell_id"]

[admitted.recode.admission_method]
"EL" = "11"

[admitted.constants]
commissioner = "99A"
"""
RUN = """schema = 1

[price]
files = ["a.csv"]
out = "priced.parquet"
rules = "example"
max_unpriced = 12.5
existing = "overwrite"

[compare]
models = ["preset:episodic"]
out = "report"
by = ["commissioner", "pod"]
"""
OVERLAY = """schema = 1

[overlay]
name = "mine"
packs = ["example"]
note = "for a test"

[rules.short_stay]
method = "none"
source = "a test"
confidence = "assumed"
"""


@dataclass(frozen=True)
class Seed:
    """A whole file, where it stands, and the command that reads it. `out` is what the command may leave."""

    whole: Callable[[], bytes]
    name: str
    command: tuple[str, ...]
    out: tuple[str, ...]


def _priced_by(name: str, *more: str, whole: Callable[[], bytes]) -> Seed:
    command = ("price", name if not more else "a.csv", "--rules", "example", *more, "--out", "out.parquet")
    return Seed(whole, name, command, ("out.parquet", "out.run_card.json"))


def _workbook() -> bytes:
    """A small price workbook, as Annex A has it."""
    whole = BytesIO()
    book = xlsxwriter.Workbook(whole, {"in_memory": True})
    sheet = book.add_worksheet("1 APC & OPROC")
    heads = [
        "HRG code",
        "HRG name",
        "Outpatient procedure tariff (£)",
        "Combined day case / ordinary elective spell tariff (£)",
        "Ordinary elective long stay trim point (days)",
        "Non-elective spell tariff (£)",
        "Non-elective long stay trim point (days)",
        "Per day long stay payment (for days exceeding trim point) (£)",
        "Reduced short stay emergency tariff _applicable?",
        "% applied in calculation of reduced short stay emergency tariff",
        "Reduced short stay emergency tariff (£)",
    ]
    sheet.write_row(0, 0, ["Annex A"])
    sheet.write_row(2, 0, heads)
    for row, hrg in enumerate(RULES_OF_FOUR_ROWS.split(","), start=3):
        sheet.write_row(row, 0, [hrg, f"Hip, {row}", "-", 1234 + row, 12, 2345.5, 20, 250, "Yes", 0.7, 1641.85])
    book.close()
    return whole.getvalue()


def _spoil_inside(whole: bytes, spoiler: Spoiler) -> bytes:
    """A workbook is an archive: half the time the sheet within is spoiled, and the archive itself is sound."""
    if spoiler.chance.random() < 0.5:
        return spoiler.spoil(whole)
    made = BytesIO()
    with zipfile.ZipFile(BytesIO(whole)) as archive, zipfile.ZipFile(made, "w") as again:
        victim = spoiler.chance.choice(
            [one for one in archive.namelist() if one.endswith(("sheet1.xml", "workbook.xml", "Strings.xml"))]
        )
        for name in archive.namelist():
            content = archive.read(name)
            again.writestr(name, spoiler.spoil(content) if name == victim else content)
    return made.getvalue()


IMPORT = ("rules", "import", "book.xlsx", "--year", "2019-20", "--without", "day_case,ordinary_elective", "--out", "imported")
SEEDS = {
    "csv": _priced_by("spells.csv", whole=_csv),
    "quoted csv": _priced_by("quoted.csv", whole=_quoted_csv),
    "parquet": _priced_by("spells.parquet", whole=_parquet),
    "plain parquet": _priced_by("plain.parquet", whole=lambda: _parquet(compression="uncompressed")),
    "parquet with checksums": _priced_by("arrow.parquet", whole=_arrow_parquet),
    "column map": _priced_by("map.toml", "--columns", "map.toml", whole=MAP.encode),
    "overlay": _priced_by("mine/overlay.toml", "--overlay", "mine", whole=OVERLAY.encode),
    "pack": Seed((find_pack("example") / "pack.toml").read_bytes, "pack/pack.toml", ("rules", "check", "pack"), ()),
    "prices": Seed((find_pack("example") / "admitted.csv").read_bytes, "pack/admitted.csv", ("rules", "check", "pack"), ()),
    "run": Seed(RUN.encode, "run.toml", ("run", "run.toml"), ("priced.parquet", "priced.run_card.json", "report")),
    "workbook": Seed(_workbook, "book.xlsx", IMPORT, ("imported",)),
}
FEW = dict.fromkeys(SEEDS, 30) | {"run": 10, "pack": 10, "prices": 10, "workbook": 15}
MANY = dict.fromkeys(SEEDS, 1_100) | {"csv": 1_500, "parquet": 1_500, "run": 400, "workbook": 800}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TARIFF_TRACEBACK", raising=False)
    (tmp_path / "a.csv").write_bytes(_csv())
    shutil.copytree(find_pack("example"), tmp_path / "pack")
    faulthandler.dump_traceback_later(600, exit=True)
    yield tmp_path
    faulthandler.cancel_dump_traceback_later()


def _peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 if sys.platform != "win32" else 0.0


def _remove(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def _wrong(seed: Seed, code: int, told: str, left: set[Path], taken: float) -> list[str]:
    """What is wrong with how a command ended."""
    found = []
    if code not in {0, 1, 2, 3, 4, 6}:
        found.append(f"exit code {code}")
    found += [f"prints {word!r}" for word in ("Traceback", "panicked", PATIENT) if word in told]
    if taken > SECONDS:
        found.append(f"takes {taken:.0f} seconds")
    half = {path for path in left if path.name.startswith(".")}
    if half or (code not in {0, 1} and left and seed.name != "run.toml"):  # a job may fail after its lines are written
        found.append(f"exit code {code} leaves {sorted(path.name for path in left)}")
    if code in {2, 3, 4, 6} and "tariff:" not in told and seed.command[:2] != ("rules", "check"):
        found.append("says nothing")
    return found


def _hold(kind: str, numbers: Sequence[int], folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    seed = SEEDS[kind]
    whole, place = seed.whole(), folder / seed.name
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(whole)
    assert run(seed.command) == 0, capfd.readouterr().err
    for name in seed.out:
        _remove(folder / name)
    before, peak = set(folder.iterdir()), _peak_megabytes()
    failures = []
    for number in numbers:
        spoiler = Spoiler(f"{kind} {number}")
        spoiled = _spoil_inside(whole, spoiler) if kind == "workbook" else spoiler.spoil(whole)
        place.write_bytes(spoiled)
        capfd.readouterr()
        started = time.monotonic()
        code = run(seed.command)
        taken = time.monotonic() - started
        told = "".join(capfd.readouterr())
        left = set(folder.iterdir()) - before
        if found := _wrong(seed, code, told, left, taken):
            failures.append(f"{kind} {number}: {'; '.join(found)}\n{told[-1500:]}")
        for path in left:
            _remove(path)
    assert not failures, f"{len(failures)} of {len(numbers)}\n" + "\n\n".join(failures[:8])
    assert _peak_megabytes() - peak < MORE_MEGABYTES


@pytest.mark.parametrize("kind", SEEDS)
def test_a_few_spoiled_files(kind, folder, capfd):
    _hold(kind, range(FEW[kind]), folder, capfd)


FOUND = {
    "csv": [1_001_411],  # a patient in the first row, told among headings that are not read
    "parquet": [8, 1_000_156, 1_000_490, 1_000_834],  # damage met while items are counted, in statistics, and as a panic
    "plain parquet": [1_000_230, 1_000_342, 1_000_489, 1_000_603],  # a panic over the table of contents
    "parquet with checksums": [1_000_404, 1_000_552],
    "run": [1_000_034, 1_000_182, 1_000_190],  # names too long, and an output named like a pattern
}
"""What was found by chance and mended."""


@pytest.mark.parametrize("kind", FOUND)
def test_what_was_found_once(kind, folder, capfd):
    _hold(kind, FOUND[kind], folder, capfd)


@pytest.mark.slow
@pytest.mark.parametrize("kind", SEEDS)
def test_many_spoiled_files(kind, folder, capfd):
    _hold(kind, range(1_000_000, 1_000_000 + MANY[kind]), folder, capfd)
