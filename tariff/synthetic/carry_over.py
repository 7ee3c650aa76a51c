"""Where `national_mix.csv`, `national_care.csv` and `hrgs.csv` come from: carried over, figure for figure, from two published
tables.

    python -m tariff.synthetic.carry_over NATIONAL_COST_COLLECTION.csv NATIONAL_TARIFF.csv

The first is NHS England's National Cost Collection 2024/25 (`department, currency, description, activity, unit_cost`), of
which volumes and names are taken and costs are not: those of admitted care, and those of the departments that the other
kinds of activity are drawn from; rows without figures are skipped. The second is Annex A of the National Tariff 2017/18, of
which the trim points are taken. Both are under the Open Government Licence v3.0; `sources.csv` beside the tables says so
with their digests."""

from __future__ import annotations

import csv
import hashlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from tariff.synthetic.care_mix import DEPARTMENTS as OTHER_DEPARTMENTS
from tariff.synthetic.mix import HERE, SETTINGS

DEPARTMENTS: Final = dict(
    zip(
        (
            "Daycase",
            "Elective Inpatients",
            "Non-Elective Inpatient - Long Stay",
            "Non-Elective Inpatient - Short Stay",
            "Regular Day or Night Admissions",
        ),
        SETTINGS,
        strict=True,
    )
)
"""The departments of the cost collection that are admitted care, and what they are called here."""

RETRIEVED: Final = "2026-11-22"
"""When the figures were taken over."""

_SOURCES: Final = (
    {
        "table": "national_mix",
        "columns": "",
        "confidence": "published",
        "publisher": "NHS England",
        "document": "National Cost Collection 2024/25",
        "licence": "Open Government Licence v3.0",
        "retrieved": RETRIEVED,
        "note": "England's activity by department and currency, in units as costed (finished consultant episodes, not "
        "spells); used as weights only; rows without figures are skipped",
    },
    {
        "table": "national_care",
        "columns": "",
        "confidence": "published",
        "publisher": "NHS England",
        "document": "National Cost Collection 2024/25",
        "licence": "Open Government Licence v3.0",
        "retrieved": RETRIEVED,
        "note": "England's activity outside admitted care by department and currency, in units as costed (attendances, bed days, "
        "sessions, contacts, items); used as weights only; rows without figures are skipped",
    },
    {
        "table": "hrgs",
        "columns": "hrg;name",
        "confidence": "published",
        "publisher": "NHS England",
        "document": "National Cost Collection 2024/25",
        "licence": "Open Government Licence v3.0",
        "retrieved": RETRIEVED,
        "note": "currencies of the mix and their names",
    },
    {
        "table": "hrgs",
        "columns": "elective_trim;non_elective_trim",
        "confidence": "proxy",
        "publisher": "NHS Improvement and NHS England",
        "document": "National Tariff 2017/18, Annex A",
        "licence": "Open Government Licence v3.0",
        "retrieved": RETRIEVED,
        "note": "trim points of 2017/18, used only as the shape of invented lengths of stay; blank where 2017/18 lacks the HRG",
    },
)


def carry_over(cost_collection: Path, national_tariff: Path, out: Path = HERE) -> list[Path]:
    """Write `national_mix.csv`, `national_care.csv`, `hrgs.csv` and `sources.csv` into `out` from the two published tables."""
    collected = [row for row in _rows(cost_collection) if row["activity"]]
    counted = [row for row in collected if row["department"] in DEPARTMENTS]
    mix = sorted((SETTINGS.index(DEPARTMENTS[row["department"]]), row["currency"], row["activity"]) for row in counted)
    names = {row["currency"]: row["description"] for row in reversed(counted)}
    trims = {row["hrg"]: (row["elective_trim_2017_18"], row["non_elective_trim_2017_18"]) for row in _rows(national_tariff)}
    tables = {
        "national_mix": _table(
            out / "national_mix.csv", ("setting", "hrg", "activity"), ((SETTINGS[s], h, n) for s, h, n in mix)
        ),
        "national_care": _table(
            out / "national_care.csv", ("department", "currency", "name", "activity"), sorted(_other_care(collected))
        ),
        "hrgs": _table(
            out / "hrgs.csv",
            ("hrg", "name", "elective_trim", "non_elective_trim"),
            ((hrg, names[hrg], *trims.get(hrg, ("", ""))) for hrg in sorted(names)),
        ),
    }
    return [*tables.values(), _sources(out / "sources.csv", tables)]


def _other_care(collected: Iterable[dict[str, str]]) -> Iterator[tuple[str, str, str, str]]:
    for row in collected:
        if row["department"] in OTHER_DEPARTMENTS:
            name = " ".join(row["description"].split())
            yield OTHER_DEPARTMENTS[row["department"]], row["currency"], name, row["activity"]


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _table(path: Path, header: Iterable[str], rows: Iterable[Iterable[str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
    return path


def _sources(path: Path, tables: dict[str, Path]) -> Path:
    header = ("table", "columns", "confidence", "publisher", "document", "sheet", "licence", "retrieved", "sha256", "note")
    digests = {table: hashlib.sha256(file.read_bytes()).hexdigest() for table, file in tables.items()}
    rows = ({**source, "sha256": digests[source["table"]]} for source in _SOURCES)
    return _table(path, header, ([row.get(column, "") for column in header] for row in rows))


if __name__ == "__main__":
    carry_over(Path(sys.argv[1]), Path(sys.argv[2]))
