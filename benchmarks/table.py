"""The README's table from a benchmark's JSON, so that no figure is typed: `python -m benchmarks.table FILE.json`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, NamedTuple


class Told(NamedTuple):
    """How a measurement is told: its title, who the others are compared with, and what a line of it is."""

    title: str
    first: str
    line: str


TOLD = {
    "test_kernel_alone": Told("Encoded spells in memory", "kernel", "spell"),
    "test_parquet_to_parquet": Told("Parquet to Parquet: identifier and seven money columns", "engine", "spell"),
    "test_spell_totals[many cells]": Told("Parquet to totals by commissioner, provider, HRG and month", "engine", "spell"),
    "test_spell_totals[few cells]": Told("Parquet to totals by commissioner, provider and month", "engine", "spell"),
    "test_attendance_totals": Told(
        "Outpatient attendances to totals by commissioner, provider and point of delivery", "engine", "attendance"
    ),
    "test_pathways[readmissions]": Told(
        "Emergency readmissions in memory: each with the discharge it is attributed to", "engine", "line"
    ),
    "test_pathways[bundle]": Told(
        "A bundle around joint replacements in memory: the place of every line, and every pathway", "engine", "line"
    ),
}


def table(report: dict[str, Any]) -> str:
    """Markdown: a table a measurement, then what it ran on."""
    measured = [one for one in report["benchmarks"] if one["name"] in TOLD]
    if not measured:
        raise SystemExit("the file holds none of the measurements that the table shows")
    return "\n\n".join([*map(_section, measured), _footing(report, measured[0]["extra_info"])])


def _section(benchmark: dict[str, Any]) -> str:
    info, (title, first, line) = benchmark["extra_info"], TOLD[benchmark["name"]]
    contenders = info["contenders"]
    with_memory = any(one["peak_mb"] for one in contenders.values())
    turns = len(contenders[first]["cpu_s"])
    lines = [f"**{title}** ({info['lines']:,} {line}s; fastest of {turns} turns each)", ""]
    head = ["", f"CPU, ns per {line}", f"CPU ÷ {first}", f"clock, ns per {line}", f"clock ÷ {first}"]
    lines.append(_row([*head, "peak memory, MB"] if with_memory else head))
    lines.append(_row(["---", *["---:"] * (len(head) - (0 if with_memory else 1))]))
    for name, one in contenders.items():
        scaled = f"{name} (scaled from {one['lines']:,})" if one["lines"] < info["lines"] else name
        cells = [scaled]
        for clock in ("cpu_s", "wall_s"):
            own, other = (min(contender[clock]) / contender["lines"] * 1e9 for contender in (one, contenders[first]))
            cells += [f"{own:,.0f}", f"{own / other:,.2f}" if own < 10 * other else f"{own / other:,.0f}"]
        lines.append(_row([*cells, "" if scaled != name else f"{one['peak_mb']:,}"] if with_memory else cells))
    return "\n".join(lines)


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _footing(report: dict[str, Any], info: dict[str, Any]) -> str:
    machine = report["machine_info"]
    cpu = machine.get("cpu", {})
    versions = ", ".join(f"{name} {version}" for name, version in info["versions"].items())
    processor = cpu.get("brand_raw") or machine.get("processor") or "unnamed processor"
    what = f"{processor}, {cpu.get('count', '?')} cores, {machine['system']}"
    date = report["datetime"][:10]
    return f"Measured {date} on {what}; Python {machine['python_version']}, {versions}. Command: `{info['command']}`."


if __name__ == "__main__":
    print(table(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
