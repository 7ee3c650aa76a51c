"""Damaged and unusual files: each is read rightly or refused with the reason; none is silently changed."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from tariff.activity import csv_file, damage_named, read_activity, survey
from tariff.columns import READ_FAULT
from tariff.errors import ActivityError

Write = Callable[..., Path]
Spells = Callable[..., str]


def one_row(path: Path) -> dict[str, object]:
    frame = read_activity(path).collect()
    assert frame.height == 1
    return frame.row(0, named=True)


def refusal(path: Path, match: str) -> str:
    with pytest.raises(ActivityError, match=match) as error:
        read_activity(path)
    assert str(path) in error.value.faults[0].where
    return str(error.value)


def test_a_byte_order_mark_is_not_part_of_the_first_heading(write: Write, spells: Spells) -> None:
    assert one_row(write(spells(), encoding="utf-8-sig"))["spell_id"] == "S1"
    quoted = spells().replace("spell_id", '"spell_id"')
    assert one_row(write(quoted, encoding="utf-8-sig"))["spell_id"] == "S1"


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-8", "utf-8-sig"])
def test_encodings_are_detected_and_read_exactly(write: Write, spells: Spells, encoding: str) -> None:
    path = write(spells("S1é,RXX,99A,2017-04-01,2017-04-08,11,1,70,HN22E,£1", more="local_price"), encoding=encoding)
    row = one_row(path)
    assert (row["spell_id"], row["local_price"]) == ("S1é", 100)
    assert survey(path).encoding == encoding.removesuffix("-sig")


def test_a_long_cp1252_file_is_found_out_past_its_first_chunk(
    write: Write, spells: Spells, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_file, "_CHUNK_BYTES", 64)
    rows = [f"S{n},RXX,99A,2017-04-01,2017-04-08,11,1,70,HN22E" for n in range(50)]
    path = write(spells(*rows, rows[0].replace("S0", "Zoë")), encoding="cp1252")
    assert read_activity(path).collect()["spell_id"].to_list()[-1] == "Zoë"


def test_a_character_split_between_chunks_is_still_utf_8(write: Write, spells: Spells, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_file, "_CHUNK_BYTES", 7)
    path = write(spells("S€€€€€€,RXX,99A,2017-04-01,2017-04-08,11,1,70,HN22E"))
    assert survey(path).encoding == "utf-8"
    assert one_row(path)["spell_id"] == "S€€€€€€"


def test_bytes_that_no_encoding_explains(write: Write, spells: Spells) -> None:
    refusal(write(spells().replace("S1", "S\x81").encode("latin-1")), "neither UTF-8 nor cp1252")


def test_nul_bytes(write: Write, spells: Spells) -> None:
    refusal(write(spells().replace("S1", "S\0")), "NUL bytes")


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separators_are_told_by_the_headings(write: Write, spells: Spells, separator: str) -> None:
    path = write(spells().replace(",", separator))
    assert one_row(path)["hrg"] == "HN22E"
    assert survey(path).separator == separator


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("first", ["sep={}\n", "sep={}\r\n", '"sep={}"\r\n', "\ufeffSEP={}\n"])
def test_a_line_that_names_the_separator_is_no_line_of_headings(write: Write, spells: Spells, first: str, separator: str) -> None:
    """As Excel on Windows is told which one a file has."""
    path = write(first.format(separator) + spells().replace(",", separator))
    assert one_row(path)["hrg"] == "HN22E"
    assert survey(path).separator == separator


def test_a_separator_that_is_named_and_not_known(write: Write, spells: Spells) -> None:
    refusal(write("sep=#\n" + spells()), "names a separator in its first line that is not known: '#'")


def test_a_quoted_cell_may_hold_separators_quotes_and_line_breaks(write: Write, spells: Spells) -> None:
    path = write(spells('S1,RXX,99A,2017-04-01,2017-04-08,11,1,70,HN22E,"one, ""two""\nthree"', more="theirs,spare"))
    assert one_row(path)[READ_FAULT] is None
    quoted = '"S\n1","RXX","99A","2017-04-01","2017-04-08","11","1","70","HN22E"'
    assert one_row(write(spells(quoted), "all.csv"))["spell_id"] == "S\n1"


def test_quoted_line_breaks_anywhere_in_a_long_file(write: Write, spells: Spells, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(1)
    monkeypatch.setattr(csv_file, "_CHUNK_BYTES", 997)
    notes = ["".join(chance.choice(["a", "\n", '""', ",", "\r\n"]) for _ in range(chance.randrange(12))) for _ in range(3_000)]
    rows = [f'S{n},RXX,99A,2017-04-01,2017-04-08,11,1,70,HN22E,"{note}"' for n, note in enumerate(notes)]
    frame = read_activity(write(spells(*rows, more="site"))).collect()
    assert frame["spell_id"].to_list() == [f"S{n}" for n in range(3_000)]
    assert frame["site"].to_list() == [note.replace('""', '"').strip().upper() or None for note in notes]


@pytest.mark.parametrize("line_end", ["\r\n", "\r"])
def test_line_ends_of_other_systems(write: Write, spells: Spells, line_end: str) -> None:
    assert one_row(write(spells().replace("\n", line_end)))["hrg"] == "HN22E"
    quoted = spells('S1,RXX,99A,2017-04-01,2017-04-08,11,1,70,"HN22E"').replace("\n", line_end)
    assert one_row(write(quoted, "quoted.csv"))["hrg"] == "HN22E"


@pytest.mark.parametrize("inside", ["\n", "\r", "\r\n"])
def test_a_line_break_inside_a_cell_ends_no_line(write: Write, spells: Spells, inside: str) -> None:
    rows = [f'S{n},RXX,99A,2017-04-01,2017-04-08,11,1,70,HN22E,"one|two"' for n in range(3)]
    for number, line_end in enumerate(["\n", "\r\n", "\r"]):
        text = spells(*rows, more="site").replace("\n", line_end).replace("|", inside)
        assert read_activity(write(text, f"{number}.csv")).collect()["spell_id"].to_list() == ["S0", "S1", "S2"]


def test_line_ends_of_two_kinds(write: Write, spells: Spells) -> None:
    refusal(write(spells().replace("\n", "\r", 1)), "has line ends of two kinds")


def test_duplicated_headings_are_all_named(write: Write, spells: Spells) -> None:
    text = refusal(write(spells(more="HRG,Age,spare, ,")), "'hrg' more than once")
    assert "'age' more than once" in text
    assert "spare" not in text


def test_blank_headings_are_passed_over(write: Write, spells: Spells) -> None:
    path = write(spells("S1,RXX,99A,2017-04-01,2017-04-08,11,1,70,HN22E,,x", more=","))
    assert one_row(path)[READ_FAULT] is None
    assert survey(path).ignored == ("column 10", "column 11")


@pytest.mark.parametrize("empty", ["\n\n", ",,,,,,,,\n", ",,,,,,,,\r\n\r\n"])
def test_lines_that_hold_nothing_are_not_rows(write: Write, spells: Spells, empty: str) -> None:
    path = write(spells() + empty)
    assert one_row(path)["spell_id"] == "S1"
    assert survey(path).rows == 1


def test_a_totals_row_stays_a_row(write: Write, spells: Spells) -> None:
    frame = read_activity(write(spells() + "Total,,,,,,,70,\n")).collect()
    assert frame.height == 2
    assert frame.row(1)[:4] == ("TOTAL".title(), None, None, None)


def test_codes_that_a_spreadsheet_damaged_are_read_as_they_stand(write: Write, spells: Spells) -> None:
    row = one_row(write(spells("1E+05,RXX,99A,2017-04-01,2017-04-08,2,1,70,1E05,7", more="treatment_function")))
    assert (row["spell_id"], row["admission_method"], row["hrg"], row["treatment_function"]) == ("1E+05", "2", "1E05", "7")


def test_a_stray_quotation_mark_is_found_before_it_swallows_rows(write: Write, spells: Spells) -> None:
    rows = [f"S{n},RXX,99A,2017-04-01,2017-04-08,11,1,70,HN22E,x" for n in range(4)]
    inside = [*rows[:2], rows[2] + ' 6" scar', rows[3] + ' 5" scar']
    assert "apc.csv:4" in refusal(write(spells(*inside, more="site")), "quotation mark stands inside a cell")
    unclosed = [*rows[:2], rows[2].replace(",x", ',"x'), rows[3]]
    refusal(write(spells(*unclosed, more="site"), "unclosed.csv"), "never closed")
    after = [rows[0].replace(",x", ',"x" y'), *rows[1:]]
    refusal(write(spells(*after, more="site"), "after.csv"), "quotation mark stands inside a cell")
    refusal(write('"spell_id,provider\nS1,RXX\n', "headings.csv"), "quotation mark")


@pytest.mark.parametrize("empty", ["", "\n", "  \n \n", "\ufeff"])
def test_an_empty_file(write: Write, empty: str) -> None:
    refusal(write(empty), "is empty")
    refusal(write("", "apc.parquet"), "is empty")


def test_a_blank_first_line(write: Write, spells: Spells) -> None:
    refusal(write("\n" + spells()), "blank first line")


def test_text_cut_short(write: Write, spells: Spells) -> None:
    text = spells() + "S2,RXX,99A,2017-04-01,20"
    refusal(write(text), "after 5 of 9 cells: it looks cut short")
    assert read_activity(write(spells().rstrip("\n"), "whole.csv")).collect().height == 1


def test_a_required_column_that_is_unreadable_throughout(write: Write, spells: Spells) -> None:
    american = [f"S{n},RXX,99A,04/{day}/2017,,11,1,70,HN22E" for n, day in enumerate(range(13, 31))]
    text = refusal(write(spells(*american)), "'admission_date' holds no cell that can be read as a date")
    assert "dd/mm/yyyy" in text
    with_one_good = [*american, "S99,RXX,99A,01/04/2017,,11,1,70,HN22E"]
    faults = read_activity(write(spells(*with_one_good), "one.csv")).collect()[READ_FAULT]
    assert faults.to_list() == ["unreadable_date"] * 18 + [None]


def test_a_required_column_is_not_judged_by_its_first_rows(write: Write, spells: Spells) -> None:
    rows = [f"S{n},RXX,99A,2017-04-01,,11,1,old,HN22E" for n in range(1_500)]
    refusal(write(spells(*rows)), "'age' holds no cell that can be read as a whole number")
    frame = read_activity(write(spells(*rows, rows[0].replace("old", "70")), "one.csv")).collect()
    assert frame[READ_FAULT].null_count() == 1


def test_a_column_blank_at_first_and_unreadable_after_is_unreadable_throughout(write: Write, spells: Spells) -> None:
    blank = "S1,RXX,99A,2017-04-01,,11,1,70,HN22E"
    rows = [*[blank] * 1_500, blank.replace(",,", ",soon,")]
    refusal(write(spells(*rows)), "'discharge_date' holds no cell that can be read as a date")


def test_a_blank_column_is_not_an_unreadable_one(write: Write, spells: Spells) -> None:
    assert one_row(write(spells("S1,RXX,99A,,,11,1,,HN22E")))["age"] is None


def parquet(write: Write, spells: Spells, tmp_path: Path) -> Path:
    path = tmp_path / "apc.parquet"
    read_activity(write(spells(*[f"S{n},RXX,99A,2017-04-01,2017-04-08,11,1,70,HN22E" for n in range(2_000)]))).collect().drop(
        READ_FAULT
    ).write_parquet(path)
    return path


def test_parquet_cut_short_or_not_parquet_at_all(write: Write, spells: Spells, tmp_path: Path) -> None:
    whole = parquet(write, spells, tmp_path).read_bytes()
    refusal(write(whole[: len(whole) // 2], "half.parquet"), "cut short")
    refusal(write(b"PAR1", "stub.parquet"), "cut short")
    refusal(write(spells(), "text.parquet"), "not a Parquet file, though its name says so")
    refusal(write(whole[:4] + whole[len(whole) // 2 :][:200] + whole[-4:], "holed.parquet"), "cannot be read")


def test_parquet_damaged_inside_is_named_when_its_rows_are_read(write: Write, spells: Spells, tmp_path: Path) -> None:
    path = parquet(write, spells, tmp_path)
    content = bytearray(path.read_bytes())
    content[4:400] = bytes(396)
    path.write_bytes(content)
    with pytest.raises(ActivityError, match=r"apc\.parquet"), damage_named([path]):
        read_activity(path).collect()


@pytest.mark.parametrize(
    ("start", "what"), [(b"PK\x03\x04", "workbook or a zip"), (b"\xd0\xcf\x11\xe0", "old Excel"), (b"\x1f\x8b\x08\x00", "gzip")]
)
def test_other_kinds_of_file_are_named(write: Write, start: bytes, what: str) -> None:
    refusal(write(start + b"rest of it", "apc.xlsx"), what)


def test_no_cell_of_a_patient_is_quoted_in_an_error(write: Write, spells: Spells) -> None:
    secret = "9434765919"
    for name, text in {
        "quote.csv": spells(f'S1,RXX,99A,2017-04-01,2017-04-08,11,1,70,HN22E,{secret}"', more="patient_id"),
        "throughout.csv": spells(f"S1,RXX,99A,{secret},,11,1,70,HN22E"),
        "cut.csv": spells() + f"S1,{secret}",
        "nul.csv": spells() + f"S1,{secret}\0",
    }.items():
        assert secret not in refusal(write(text, name), "cannot be used")


def test_a_transcoded_copy_is_private_to_the_user(write: Write, spells: Spells) -> None:
    read_activity(write(spells("Zoë,RXX,99A,2017-04-01,,11,1,70,HN22E"), encoding="cp1252"))
    folder = csv_file._scratch_folder()
    assert folder.stat().st_mode & 0o077 == 0
    assert not list(folder.glob("*.part"))


def test_reading_is_lazy(write: Write, spells: Spells, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(spells(*[f"S{n},RXX,99A,2017-04-01,2017-04-08,11,1,70,HN22E" for n in range(5_000)]))
    seen: list[int] = []
    collect = pl.LazyFrame.collect

    def counting(frame: pl.LazyFrame, *rest: object, **named: object) -> pl.DataFrame:
        got = collect(frame, *rest, **named)
        seen.append(got.height)
        return got

    monkeypatch.setattr(pl.LazyFrame, "collect", counting)
    read_activity(path)
    assert sum(seen) <= 1
