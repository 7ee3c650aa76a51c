"""Column maps: how another system's headings and codes become canonical. One TOML file with a section a kind of activity.

    title = "Our warehouse's admitted extract"
    [admitted]
    date_formats = ["dd-mmm-yyyy"]
    blanks = ["NULL"]
    [admitted.rename]                       # canonical = "their heading", or several of which a file has one
    spell_id = "HospitalSpellNo"
    [admitted.constants]
    commissioner = "99A"
    [admitted.recode.admission_method]
    "EL" = "11"

A heading that is canonical already needs no line. A map may only name what the engine knows: a misspelt name is an error."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from tariff.activity.cells import DATE_FORMATS, DEFAULT_DATE_FORMATS, Reading, constant
from tariff.activity.kinds import KINDS, Kind
from tariff.errors import Fault, RulesError, did_you_mean

SHIPPED_FOLDER: Final = Path(__file__).parent / "maps"

_Words: TypeAlias = Annotated[tuple[str, ...], BeforeValidator(lambda given: tuple(given) if isinstance(given, list) else given)]
_Headings: TypeAlias = Annotated[
    tuple[str, ...],
    BeforeValidator(lambda given: (given,) if isinstance(given, str) else tuple(given) if isinstance(given, list) else given),
]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class KindMap(_Strict):
    """How one kind's files are read. Names on the left are canonical."""

    rename: dict[str, _Headings] = Field(default_factory=dict)
    """Canonical name to the file's heading, or to several of which a file has one."""
    constants: dict[str, str] = Field(default_factory=dict)
    """Columns that a file lacks and that hold one value throughout."""
    recode: dict[str, dict[str, str]] = Field(default_factory=dict)
    """Per column, values to replace; the others stay."""
    date_formats: _Words = DEFAULT_DATE_FORMATS
    blanks: _Words = ()
    """Texts that mean blank, such as NULL."""
    absent: _Words = ()
    """Required columns that such files lack: they are read as blank, so the rows can be shaped though not priced."""
    optional: _Words = ()
    """Renamed columns that a file may lack."""
    repeated: _Words = ()
    """Columns that hold the spell's own value on every episode: taken once, not summed or taken from the first."""
    list_at_end: str = ""
    """A column that holds a list and goes on in cells beyond the headings where its own is the last of them; any other row with
    more cells than headings is unreadable."""

    @property
    def reading(self) -> Reading:
        """How cells of these files are read."""
        return Reading(self.date_formats, self.blanks, self.recode)


class ColumnMap(_Strict):
    """A column map: what it is for, and one section for each kind of activity it knows."""

    version: Literal[1] = Field(default=1, alias="schema")
    title: str = ""
    note: str = ""
    """What the user should know when a file does not fit the map."""
    name: str = ""
    admitted: KindMap = KindMap()
    outpatient: KindMap = KindMap()
    emergency: KindMap = KindMap()
    unbundled: KindMap = KindMap()

    def of(self, kind: Kind) -> KindMap:
        """The section of one kind of activity."""
        section: KindMap = getattr(self, kind.name)
        return section


CANONICAL: Final = ColumnMap(title="canonical columns")
"""The map of files whose headings are canonical already."""


def shipped_maps() -> list[str]:
    """Names of the maps that come with the package."""
    return sorted(path.stem for path in SHIPPED_FOLDER.glob("*.toml"))


def load_map(given: ColumnMap | str | Path | None) -> ColumnMap:
    """A column map from a TOML file, from the name of a shipped map, or as it is; None is the canonical map.

    Raises RulesError naming every fault of the map."""
    if given is None:
        return CANONICAL
    if isinstance(given, ColumnMap):
        _refuse(given.name or "the column map", list(_faults(given, given.name or "the column map")))
        return given
    return _read(_map_path(given))


def _map_path(given: str | Path) -> Path:
    path = Path(given)
    if isinstance(given, str) and given in shipped_maps():
        return SHIPPED_FOLDER / f"{given}.toml"
    if not path.is_file():
        remedy = (
            did_you_mean(str(given), shipped_maps())
            or f"give a TOML file or one of the shipped maps: {', '.join(shipped_maps())}"
        )
        raise RulesError("The column map cannot be found.", [Fault(str(given), "there is no such file or shipped map", remedy)])
    return path


def _read(path: Path) -> ColumnMap:
    where = str(path)
    try:
        told: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RulesError("The column map cannot be read.", [Fault(where, f"is not TOML: {error}", "")]) from error
    try:
        loaded = ColumnMap.model_validate({"name": path.stem} | told)
    except ValidationError as error:
        _refuse(where, [Fault(where, *_in_words(fault)) for fault in error.errors()])
        raise
    _refuse(where, list(_faults(loaded, where)))
    return loaded


def _in_words(fault: Mapping[str, Any]) -> tuple[str, str]:
    place = [str(part) for part in fault["loc"]]
    name = ".".join(place)
    if fault["type"] == "extra_forbidden":
        known = [*ColumnMap.model_fields, "schema"] if len(place) == 1 else list(KindMap.model_fields)
        return f"'{name}' is not known in a column map", did_you_mean(place[-1], known) or f"known here: {', '.join(known)}"
    return f"'{name}' {fault['msg'][0].lower()}{fault['msg'][1:]}", ""


def _refuse(where: str, faults: list[Fault]) -> None:
    if faults:
        raise RulesError(f"The column map {where} cannot be used.", faults)


def _faults(given: ColumnMap, where: str) -> Iterator[Fault]:
    for kind in KINDS:
        section = given.of(kind)
        yield from _unknown_names(kind, section, where)
        yield from _unknown_formats(kind, section, where)
        yield from _contradictions(kind, section, where)
        yield from _unreadable_constants(kind, section, where)


def _unknown_names(kind: Kind, section: KindMap, where: str) -> Iterator[Fault]:
    known = [column.name for column in kind.known]
    for setting in ("rename", "constants", "recode", "absent", "optional", "repeated", "list_at_end"):
        given = getattr(section, setting)
        for name in [given] if isinstance(given, str) else given:
            if name and name not in known:
                remedy = did_you_mean(name, known) or "the canonical name goes on the left"
                yield Fault(where, f"[{kind.name}] {setting}: '{name}' is not a canonical column", remedy)


def _unknown_formats(kind: Kind, section: KindMap, where: str) -> Iterator[Fault]:
    for written in section.date_formats:
        if written not in DATE_FORMATS:
            remedy = f"one of {', '.join(DATE_FORMATS)}; a month before the day is never accepted, as it can be read both ways"
            yield Fault(where, f"[{kind.name}] date_formats: '{written}' is not an accepted format", remedy)
    if {"yyyymmdd", "ddmmyyyy"} <= set(section.date_formats):
        yield Fault(where, f"[{kind.name}] date_formats: yyyymmdd and ddmmyyyy cannot both hold", "keep the one the files use")
    if not section.date_formats:
        yield Fault(where, f"[{kind.name}] date_formats: none is given", "leave the line out for the usual formats")


def _contradictions(kind: Kind, section: KindMap, where: str) -> Iterator[Fault]:
    for name in section.constants:
        if name in section.rename:
            yield Fault(where, f"[{kind.name}] '{name}' is both renamed and a constant", "keep one of the two")
    headings: dict[str, str] = {}
    for name, theirs in section.rename.items():
        if not theirs:
            yield Fault(where, f"[{kind.name}] rename: '{name}' names no heading", "give the file's heading")
        for heading in theirs:
            other = headings.setdefault(heading.strip().casefold(), name)
            if other != name:
                yield Fault(
                    where,
                    f"[{kind.name}] rename: the heading '{heading}' is given to both '{other}' and '{name}'",
                    "keep one of the two",
                )


def _unreadable_constants(kind: Kind, section: KindMap, where: str) -> Iterator[Fault]:
    for column in kind.known:
        text = section.constants.get(column.name)
        if text is not None and constant(column, text, section.reading).null_count():
            yield Fault(where, f"[{kind.name}] constants: '{text}' cannot be read as {column.name}", "")
