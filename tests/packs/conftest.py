"""A pack to break: a copy of the example pack, edited as text, with its table digests brought up to date."""

from __future__ import annotations

import csv
import shutil
from io import StringIO
from pathlib import Path

import pytest

from tariff.errors import Fault
from tariff.rulepack import check_pack, find_pack
from tariff.rulepack.digests import table_digest


class PackOnTheBench:
    """A copy of a pack that a test edits."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def edit(self, file: str, old: str, new: str) -> PackOnTheBench:
        """Replace text that must stand in the file exactly once."""
        text = (self.folder / file).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
        return self.write(file, text.replace(old, new))

    def write(self, file: str, text: str) -> PackOnTheBench:
        (self.folder / file).write_text(text, encoding="utf-8", newline="\n")
        return self

    def append(self, file: str, line: str) -> PackOnTheBench:
        return self.write(file, (self.folder / file).read_text(encoding="utf-8") + line + "\n")

    def drop(self, file: str) -> PackOnTheBench:
        """Remove a table and its source line."""
        (self.folder / file).unlink()
        rows = [row for row in self._sources() if f"{row['table']}.csv" != file]
        return self._write_sources(rows)

    def drop_columns(self, file: str, *columns: str) -> PackOnTheBench:
        rows = list(csv.DictReader(StringIO((self.folder / file).read_text(encoding="utf-8"))))
        kept = [name for name in rows[0] if name not in columns]
        return self._write_rows(file, [{name: row[name] for name in kept} for row in rows])

    def faults(self) -> list[str]:
        """Every fault found, with the table digests brought up to date first."""
        self.seal()
        return [self._told(fault) for fault in check_pack(self.folder).faults]

    def warnings(self) -> list[str]:
        self.seal()
        check = check_pack(self.folder)
        assert not check.faults
        return [self._told(warning) for warning in check.warnings]

    def message(self, file: str, line_starts: str | None, what: str, remedy: str) -> str:
        """A fault as it is told; the line is the last of the file that starts so."""
        where = file
        if line_starts is not None:
            lines = (self.folder / file).read_text(encoding="utf-8").splitlines()
            where += f":{max(number for number, line in enumerate(lines, start=1) if line.startswith(line_starts))}"
        return f"{where}: {what}\n    {remedy}"

    def seal(self) -> None:
        rows = self._sources()
        for row in rows:
            table = self.folder / f"{row['table']}.csv"
            if table.is_file():
                row["sha256"] = table_digest(table)
        self._write_sources(rows)

    def _told(self, fault: Fault) -> str:
        return str(fault).replace(f"{self.folder}/", "").replace(str(self.folder), "pack")

    def _sources(self) -> list[dict[str, str]]:
        return list(csv.DictReader(StringIO((self.folder / "sources.csv").read_text(encoding="utf-8"))))

    def _write_sources(self, rows: list[dict[str, str]]) -> PackOnTheBench:
        return self._write_rows("sources.csv", rows)

    def _write_rows(self, file: str, rows: list[dict[str, str]]) -> PackOnTheBench:
        written = StringIO()
        writer = csv.DictWriter(written, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return self.write(file, written.getvalue())


@pytest.fixture
def bench(tmp_path: Path) -> PackOnTheBench:
    """A copy of the example pack, outside any released.csv."""
    folder = tmp_path / "bench"
    shutil.copytree(find_pack("example"), folder)
    return PackOnTheBench(folder)
