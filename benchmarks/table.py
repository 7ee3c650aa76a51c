"""The README's table from a benchmark's JSON, so that no figure is typed: `python -m benchmarks.table FILE.json`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

TITLES = {
    "test_kernel_alone": "Encoded spells in memory",
    "test_parquet_to_parquet": "Parquet to Parquet: identifier and seven money columns",
    "test_spell_totals": "Parquet to totals by commissioner, provider, HRG and month",
    "test_attendance_totals": "Outpatient attendances to totals by commissioner, provider and point of delivery",
    "test_pathways[readmissions]": "Emergency readmissions in memory: each with the discharge it is attributed to",
    "test_pathways[bundle]": "A bundle around joint replacements in memory: the place of every line, and every pathway",
}
FIRST = {"test_kernel_alone": "kernel", "test_parquet_to_parquet": "engine", "test_spell_totals": "engine"}
FIRST |= {"test_attendance_totals": "engine"}
FIRST |= dict.fromkeys(("test_pathways[readmissions]", "test_pathways[bundle]"), "engine")
LINE = {"test_kernel_alone": "spell", "test_parquet_to_parquet": "spell", "test_spell_totals": "spell"}
LINE |= {"test_attendance_totals": "attendance"}
LINE |= dict.fromkeys(("test_pathways[readmissions]", "test_pathways[bundle]"), "line")


def table(report: dict[str, Any]) -> str:
    """Markdown: a table a measurement, then what it ran on."""
    measured = [one for one in report["benchmarks"] if one["name"] in TITLES]
    if not measured:
        raise SystemExit("the file holds none of the measurements that the table shows")
    return "\n\n".join([*map(_section, measured), _footing(report, measured[0]["extra_info"])])


def _section(benchmark: dict[str, Any]) -> str:
    info, first, line = benchmark["extra_info"], FIRST[benchmark["name"]], LINE[benchmark["name"]]
    contenders = info["contenders"]
    with_memory = any(one["peak_mb"] for one in contenders.values())
    turns = len(contenders[first]["cpu_s"])
    lines = [f"**{TITLES[benchmark['name']]}** ({info['lines']:,} {line}s; fastest of {turns} turns each)", ""]
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
