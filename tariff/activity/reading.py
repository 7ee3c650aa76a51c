"""Files to canonical activity: rename by the column map, parse strictly, canonical types. Nothing is dropped and nothing is
inferred; a row with a cell that cannot be read carries its reason in `read_fault`, a file that cannot be used stops the run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

from tariff.activity.blocks import Filed, Lines, all_between, pieces_of
from tariff.activity.cells import UNREADABLE_DATE, Cell, cell, constant, type_refused
from tariff.activity.column_map import ColumnMap, KindMap, load_map
from tariff.activity.csv_file import SURPLUS, scan_list_at_end
from tariff.activity.files import ActivityFile, Source, damage_named, opened, paths_of
from tariff.activity.kinds import KINDS, Kind, kind_named, told_by_keys
from tariff.activity.rows import FaultOfValues, Shifted, in_memory, values_and_fault
from tariff.activity.spells import spells_from_episodes
from tariff.buffers import repeated
from tariff.columns import READ_FAULT, REASON, Column, names
from tariff.errors import ActivityError, Fault, did_you_mean

UNREADABLE_ROW: Final = "unreadable_row"
MISSING_IDENTIFIER: Final = "missing_identifier"
_TOTALS: Final = [
    written(words) + mark
    for words in ("total", "totals", "grand total", "grand totals", "sub total", "sub-total", "subtotal")
    for written in (str.lower, str.upper, str.title, str.capitalize)
    for mark in ("", ":")
]
"""What stands in place of an identifier in a row of totals."""
_TOTALS_BEGIN: Final = ("tota", "gran", "sub ", "sub-", "subt")
PRICING_ONLY: Final = frozenset(
    {
        "admission_method",
        "patient_classification",
        "administrative_category",
        "commissioning_serial_number",
        "grouping_method",
        "first_attendance",
        "attended",
        "main_specialty",
        "multi_professional",
        "consultant_led",
        "department_type",
        "attendance_category",
        "specialised_services",
        "best_practice",
    }
)
"""Codes that a price may depend on and that no priced line repeats."""
REPEATED: Final = frozenset(
    {"commissioner", "provider", "gp_practice", "treatment_function", "currency", "hrg", "referral_source"}
)
"""Codes that a priced line repeats, the HRG as its currency."""
IDENTIFIERS: Final = frozenset({"spell_id", "attendance_id", "line_id", "parent_line_id", "patient_id"})
_FIRST_PRINTED, _LAST_PRINTED = "!", "~"
"""A text that begins between these two is not blank."""
_SAMPLE_ROWS: Final = 1_000


@dataclass(frozen=True, slots=True)
class FittedFile:
    """A file under its column map: its kind, and the heading each canonical column is read from."""

    file: ActivityFile
    kind: Kind
    section: KindMap
    headings: Mapping[str, str]

    @property
    def has_list_at_end(self) -> bool:
        """Whether it is text whose last column holds a list that goes on in cells beyond the headings."""
        heading = self.headings.get(self.section.list_at_end)
        return self.file.is_text and heading is not None and heading == list(self.file.columns)[-1]

    @property
    def present(self) -> frozenset[str]:
        """Canonical columns the file has, or the map gives as a constant."""
        return frozenset(self.headings) | frozenset(self.section.constants)

    @property
    def contract(self) -> tuple[Column, ...]:
        """The canonical columns of the result: those present, and the required ones always."""
        return tuple(column for column in self.kind.contract(self.present) if column.required or column.name in self.present)

    @property
    def in_parts(self) -> bool:
        """Whether its rows are episodes."""
        return self.kind.in_parts(self.present)

    @property
    def ignored(self) -> tuple[str, ...]:
        """Headings of the file that nothing is read from."""
        used = {self.headings[column.name] for column in self.contract if column.name in self.headings}
        return tuple(heading for heading in self.file.columns if heading not in used)


@dataclass(frozen=True, slots=True)
class FileGroup:
    """Files of one kind that must be read at once."""

    kind: str
    fitted: tuple[FittedFile, ...]
    in_episodes: bool

    @property
    def paths(self) -> tuple[Path, ...]:
        """Where the files stand."""
        return tuple(one.file.path for one in self.fitted)


def read_activity(
    source: Source,
    kind: str | None = None,
    columns: ColumnMap | str | Path | None = None,
) -> pl.LazyFrame:
    """Canonical activity, lazily, from CSV or Parquet files of one kind.

    `source` is a path, several, or a pattern; `kind` is told by the key columns where it is not given; `columns` is a column
    map, a TOML file of one, or the name of a shipped map. The columns are those of the kind's contract (`columns.ADMITTED`,
    `OUTPATIENT`, `EMERGENCY` or `UNBUNDLED`) that the files have, the required ones always, in canonical types, and
    `read_fault`: null, or the reason code of a row with an unreadable cell or of a row of totals. `local_price` is pounds in
    files and pence in the result. Rows of episodes (told by `episode_number`) become spells, with `episodes` counting them and
    `repeated_episodes` those whose number came before.

    Raises ActivityError with every fault of every file that cannot be used as a whole, RulesError for the column map,
    UsageError for an unknown kind."""
    fitted = fit(source, kind, columns)
    refuse_unreadable(fitted)
    return canonical(fitted)


def activity_to_price(
    source: Source,
    kind: str | None = None,
    columns: ColumnMap | str | Path | None = None,
    as_filed: frozenset[str] = PRICING_ONLY,
    *,
    identifiers: bool = True,
) -> Lines:
    """Activity as `read_activity` gives it, but for codes of the columns `as_filed`, which may keep the case and blanks that they
    have in the file: whoever looks codes up, as pricing does, takes them so, and need not wait for them to be cleaned.

    Where no `identifiers` are wanted, they are left out of Parquet whose statistics prove that no row lacks one."""
    fitted = fit(source, kind, columns)
    refuse_unreadable(fitted)
    return lines_to_price(fitted, as_filed, identifiers=identifiers)


def lines_to_price(fitted: Sequence[FittedFile], as_filed: frozenset[str] = PRICING_ONLY, *, identifiers: bool = True) -> Lines:
    """The lines of `activity_to_price` from files of one kind that are fitted and checked already."""
    name = fitted[0].kind.name
    if any(one.in_parts or one.file.is_text or one.present != fitted[0].present for one in fitted):
        return Lines(canonical(fitted, as_filed=as_filed), kind=name)
    identified = not identifiers and all(_is_identified(one) for one in fitted)
    each = [_whole(one, _of_file(one, keep_coded=len(fitted) == 1, as_filed=as_filed, identified=identified)) for one in fitted]
    pieces = pieces_of([(filed, one.file.path) for (_, filed), one in zip(each, fitted, strict=True)])
    return Lines(_together([lines for lines, _ in each]), pieces, name, identified)


def _whole(fitted: FittedFile, rows: _Rows) -> tuple[pl.LazyFrame, Filed]:
    """All lines of a Parquet file, lazily; and the file as its blocks are made canonical."""
    lines = values_and_fault(fitted.file.frame, *rows)
    made = in_memory(rows.cells, fitted.headings, rows.of_values, rows.reasons)
    return lines, Filed(fitted.file.frame, made) if made else Filed(lines)


def _is_identified(fitted: FittedFile) -> bool:
    """Whether a Parquet file proves that its every row has an identifier and is none of totals."""
    heading = fitted.headings.get(fitted.kind.identifier)
    if heading is None or fitted.section.reading.blanks or fitted.section.reading.recode_of(fitted.kind.identifier):
        return False
    return all_between(fitted.file.path, heading, _FIRST_PRINTED, _LAST_PRINTED, _TOTALS)


def canonical(fitted: Sequence[FittedFile], holding: str = "", as_filed: frozenset[str] = frozenset()) -> pl.LazyFrame:
    """Canonical activity of fitted files of one kind, of which there is at least one: episodes as spells, after the others.

    With `holding`, a column that all of them have, only the rows that may hold something in it, which then costs little where
    few do; the episodes of a spell stay together."""
    keep_coded = len(fitted) == 1
    whole = [_canonical(one, holding, keep_coded=keep_coded, as_filed=as_filed) for one in fitted if not one.in_parts]
    parts = [_canonical(one, keep_coded=keep_coded) for one in fitted if one.in_parts]
    if parts:
        whole = [lines.with_columns(pl.col(READ_FAULT).cast(pl.String)) for lines in whole]
        whole.append(spells_from_episodes(_together(parts), fitted[0].section.repeated))
    return _together(whole)


def fit(source: Source, kind: str | None = None, columns: ColumnMap | str | Path | None = None) -> list[FittedFile]:
    """Open the files of `source` and fit them to the canonical columns, reading no rows. Errors as `read_activity`."""
    fitted = _fit_each([(kind, path) for path in paths_of(source)], columns)
    _refuse_mixed(fitted)
    return fitted


def grouped(files: Sequence[tuple[str | None, str | Path]], columns: ColumnMap | str | Path | None = None) -> list[FileGroup]:
    """Files, each with its kind or None where its key columns tell it, opened and fitted, in the groups that must be
    read at once.

    Files of episodes are one group, at the place of the first of them, as the episodes of a spell may lie in several; every
    other file is a group by itself, so that it can be read on its own. Errors as `fit`: every fault of every file, but for cells,
    which are not read."""
    paths_of([path for _, path in files])
    each = [(kind, path) for kind, given in files for path in paths_of(given)]
    groups: dict[tuple[str, int], list[FittedFile]] = {}
    for place, one in enumerate(_fit_each(each, columns), start=1):
        groups.setdefault((one.kind.name, 0 if one.in_parts else place), []).append(one)
    return [FileGroup(kind, tuple(together), in_episodes=not place) for (kind, place), together in groups.items()]


def _fit_each(files: Sequence[tuple[str | None, Path]], columns: ColumnMap | str | Path | None) -> list[FittedFile]:
    column_map = load_map(columns)
    faults: list[Fault] = []
    fitted: list[FittedFile] = []
    for kind, path in files:
        asked = kind_named(kind) if kind is not None else None
        try:
            fitted.append(_fitted(opened(path), asked, column_map))
        except ActivityError as error:
            faults.extend(error.faults)
    if faults:
        raise ActivityError(f"{_some_files(faults, len(files))} cannot be used.", faults)
    return fitted


def _some_files(faults: Sequence[Fault], files: int) -> str:
    count = len({fault.where for fault in faults})
    return "An activity file" if count == 1 else f"{count:,} of {files:,} activity files"


def _fitted(file: ActivityFile, asked: Kind | None, column_map: ColumnMap) -> FittedFile:
    kind = asked or _told(file, column_map)
    if isinstance(kind, Fault):
        raise ActivityError("The kind of activity cannot be told.", [kind])
    section = column_map.of(kind)
    headings, faults = _headings_of(file, kind, section)
    fitted = FittedFile(file, kind, section, headings)
    faults.extend(_missing(fitted, column_map))
    faults.extend(_refused_types(fitted))
    if faults:
        raise ActivityError("An activity file does not fit the canonical columns.", faults)
    return fitted


def _told(file: ActivityFile, column_map: ColumnMap) -> Kind | Fault:
    held = {kind.name: frozenset(_headings_of(file, kind, column_map.of(kind))[0]) for kind in KINDS}
    constant_in = {kind.name: frozenset(column_map.of(kind).constants) for kind in KINDS}
    return told_by_keys(str(file.path), held, constant_in, file.columns)


def _headings_of(file: ActivityFile, kind: Kind, section: KindMap) -> tuple[dict[str, str], list[Fault]]:
    """The heading of each canonical column the file has: as the map says, else the canonical name itself."""
    folded = {heading.strip().casefold(): heading for heading in file.columns}
    claimed = {theirs.strip().casefold() for named in section.rename.values() for theirs in named}
    headings: dict[str, str] = {}
    faults: list[Fault] = []
    for name in names(kind.known):
        if name in section.constants:
            continue
        mapped = [folded[key] for theirs in section.rename.get(name, ()) if (key := theirs.strip().casefold()) in folded]
        if len(mapped) > 1:
            both = " and ".join(f"'{heading}'" for heading in mapped)
            faults.append(Fault(str(file.path), f"has both {both}, which the map reads as {name}", "keep one of them"))
        if mapped:
            headings[name] = mapped[0]
        elif name in folded and name not in claimed:
            headings[name] = folded[name]
    return headings, faults


def _missing(fitted: FittedFile, column_map: ColumnMap) -> Iterator[Fault]:
    """Required columns the file lacks, and mapped headings it lacks: all of them, each with the nearest heading."""
    where, section = str(fitted.file.path), fitted.section
    unused = [heading.strip().lower() for heading in fitted.ignored]
    for column in fitted.kind.contract(fitted.present):
        name = column.name
        mapped = section.rename.get(name, ())
        if name in fitted.present or name in section.absent or not (column.required or (mapped and name not in section.optional)):
            continue
        wanted = f"'{name}'" + (f", which the map reads from {' or '.join(repr(one) for one in mapped)}" if mapped else "")
        nearest = next((question for one in (*mapped, name) if (question := did_you_mean(one, unused))), "")
        yield Fault(where, f"lacks the column {wanted}", nearest or column_map.note or f"{name}: {column.meaning}")
    yield from _missing_length(fitted)


def _missing_length(fitted: FittedFile) -> Iterator[Fault]:
    """Episodes are netted one by one, so each needs a length of its own."""
    counted = {"length_of_stay", "adjusted_length_of_stay"} & fitted.present
    dated = {"episode_start_date", "episode_end_date"} <= fitted.present
    if fitted.in_parts and not counted and not dated:
        what = "holds episodes but neither 'length_of_stay' nor both of 'episode_start_date' and 'episode_end_date'"
        yield Fault(str(fitted.file.path), what, "give the length of each episode, or its two dates")


def _refused_types(fitted: FittedFile) -> Iterator[Fault]:
    for column in fitted.contract:
        heading = fitted.headings.get(column.name)
        if heading is not None and (why := type_refused(column, fitted.file.columns[heading])):
            yield Fault(str(fitted.file.path), f"the column '{heading}', read as {column.name}, {why}", "")


def _refuse_mixed(fitted: Sequence[FittedFile]) -> None:
    kinds = {one.kind.name for one in fitted}
    if len(kinds) > 1:
        faults = [Fault(str(one.file.path), f"holds {one.kind.name} activity", "") for one in fitted]
        raise ActivityError("The files hold different kinds of activity: read each kind by itself.", faults)


def _cells(fitted: FittedFile, *, keep_coded: bool = True, as_filed: frozenset[str] = frozenset()) -> dict[str, Cell]:
    return {
        column.name: _cell(fitted, column, keep_coded=keep_coded, as_filed=column.name in as_filed) for column in fitted.contract
    }


def _cell(fitted: FittedFile, column: Column, *, keep_coded: bool, as_filed: bool) -> Cell:
    reading = fitted.section.reading
    if column.name in fitted.section.constants:
        return Cell(pl.lit(constant(column, fitted.section.constants[column.name], reading).item(), column.dtype))
    heading = fitted.headings.get(column.name)
    if heading is None:
        return Cell(pl.lit(None, column.dtype))
    dtype = fitted.file.columns[heading]
    if isinstance(dtype, pl.Enum) and not keep_coded:
        return replace(cell(column, pl.col(heading).cast(pl.String), pl.String(), reading), read=None)
    return cell(column, pl.col(heading), dtype, reading, as_filed=as_filed)


class _Rows(NamedTuple):
    """What the rows of a file are made of, as `values_and_fault` takes it."""

    cells: Mapping[str, Cell]
    before: Sequence[Shifted]
    of_values: Sequence[FaultOfValues]
    reasons: pl.DataType | None


def _of_file(fitted: FittedFile, *, keep_coded: bool, as_filed: frozenset[str] = frozenset(), identified: bool = False) -> _Rows:
    shifted: list[Shifted] = []
    if fitted.file.is_text and not fitted.has_list_at_end:
        # A cell beyond the last heading means that the cells of the row may have shifted: none of them can be trusted.
        shifted = [Shifted(UNREADABLE_ROW, pl.col(SURPLUS).is_not_null())]
    # A row of totals below the data is no activity, though it may have a figure in every cell that a price needs.
    totals = [] if identified else [FaultOfValues(MISSING_IDENTIFIER, fitted.kind.identifier, _in_totals)]
    cells = _cells(fitted, keep_coded=keep_coded, as_filed=as_filed)
    if identified:
        del cells[fitted.kind.identifier]
    return _Rows(cells, shifted, totals, REASON if as_filed else None)


def _canonical(
    fitted: FittedFile, holding: str = "", *, keep_coded: bool, as_filed: frozenset[str] = frozenset()
) -> pl.LazyFrame:
    frame = scan_list_at_end(fitted.file.path) if fitted.has_list_at_end else fitted.file.frame
    if holding in fitted.headings:
        frame = frame.filter(pl.col(fitted.headings[holding]).is_not_null())
    return values_and_fault(frame, *_of_file(fitted, keep_coded=keep_coded, as_filed=as_filed))


def _in_totals(identifiers: pl.Series) -> pl.Series:
    """Which rows are ones of totals. Nearly no block holds one, and a look at how its identifiers begin shows it."""
    from tariff.texts.scanning import none_begins

    if identifiers.dtype == pl.String and none_begins(identifiers, _TOTALS_BEGIN):
        return repeated(value=False, count=len(identifiers), dtype=pl.Boolean)
    return identifiers.is_in(_TOTALS)


def _together(frames: Sequence[pl.LazyFrame]) -> pl.LazyFrame:
    return frames[0] if len(frames) == 1 else pl.concat(frames, how="diagonal")


def refuse_unreadable(fitted: Sequence[FittedFile]) -> None:
    """ActivityError naming every required column of every file that holds no readable cell; some rows are read for it."""
    faults = [fault for one in fitted for fault in _unreadable_throughout(one)]
    if faults:
        raise ActivityError(f"{_some_files(faults, len(fitted))} cannot be used.", faults)


def _unreadable_throughout(fitted: FittedFile) -> Iterator[Fault]:
    """Required columns without one readable cell: a wrong format, not bad rows. The file is read whole only where its first
    rows hold no readable cell."""
    cells = _cells(fitted)
    suspects = [column.name for column in fitted.contract if column.required and cells[column.name].filed is not None]
    suspects = [name for name, (readable, _) in _counts(fitted, _SAMPLE_ROWS, suspects, cells).items() if not readable]
    suspects = [name for name, (readable, given) in _counts(fitted, None, suspects, cells).items() if given and not readable]
    for name in suspects:
        heading = fitted.headings.get(name, name)
        wanted = "a date" if cells[name].reason == UNREADABLE_DATE else "a whole number"
        accepted = f"accepted: {', '.join(fitted.section.date_formats)}; a map may give others" if wanted == "a date" else ""
        yield Fault(str(fitted.file.path), f"the column '{heading}' holds no cell that can be read as {wanted}", accepted)


def _counts(
    fitted: FittedFile, rows: int | None, suspects: Sequence[str], cells: Mapping[str, Cell]
) -> dict[str, tuple[int, int]]:
    """For each of `suspects`, in the first `rows` rows or in all: how many cells are readable, and how many are not blank."""
    if not suspects:
        return {}
    frame = fitted.file.frame if rows is None else fitted.file.frame.head(rows)
    readable = [cells[name].value.count().alias(name) for name in suspects]
    given = [said.sum().alias(f"{name} given") for name in suspects if (said := cells[name].given) is not None]
    with damage_named([fitted.file.path]):
        counts = frame.select(*readable, *given).collect().row(0, named=True)
    return {name: (counts[name], counts[f"{name} given"]) for name in suspects}
