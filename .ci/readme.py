"""Write the generated tables of README.md from the contracts they describe; `--check` only says whether they are current."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path

from tariff.columns import ADMITTED, EMERGENCY, EVIDENCE, OUTPATIENT, PRICED_LINE, UNBUNDLED, Column
from tariff.payment.guide import TermGuide, preset_guides, term_guides
from tariff.reasons import PRICED, REASONS

README = Path(__file__).parent.parent / "README.md"


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    heads = list(header)
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def columns_of(kind: str, columns: tuple[Column, ...]) -> tuple[str, str, str]:
    """One row for a kind of activity: what it needs and what it may have."""
    needed = ", ".join(f"`{column.name}`" for column in columns if column.required)
    optional = ", ".join(f"`{column.name}`" for column in columns if not column.required)
    return kind, needed, optional


def keys_of(term: TermGuide) -> str:
    """The keys of a contract term, those it must have in bold, and what its bounds are measured against."""
    keys = ", ".join([*(f"**`{key}`**" for key in term.required), *(f"`{key}`" for key in term.optional)])
    return ". ".join([keys, *(f"`{key}`: {words}" for key, words in term.measured.items())])


def sections() -> dict[str, str]:
    """Each generated section by its marker."""
    kinds = (("admitted", ADMITTED), ("outpatient", OUTPATIENT), ("emergency", EMERGENCY), ("unbundled", UNBUNDLED))
    return {
        "required columns": table(("Kind", "Required", "Optional"), (columns_of(*kind) for kind in kinds)),
        "priced line": table(
            ("Column", "Type", "Meaning"),
            (
                (f"`{c.name}`", str(c.dtype).split("(")[0].lower(), c.meaning + (f" ({c.unit})" if c.unit else ""))
                for c in PRICED_LINE
            ),
        ),
        "contract terms": table(
            ("Term", "What it does", "By plan", "Its own keys"),
            ((f"`{t.name}`", t.about, "yes" if t.by_plan else "", keys_of(t)) for t in term_guides()),
        ),
        "presets": table(
            ("Preset", "What it is", "Its terms", "Needs"),
            ((f"`preset:{p.name}`", p.title, ", ".join(f"`{term}`" for term in p.terms), p.needs) for p in preset_guides()),
        ),
        "evidence columns": table(
            ("Column", "Required", "Meaning"),
            ((f"`{c.name}`", "yes" if c.required else "", c.meaning) for c in EVIDENCE),
        ),
        "reasons": table(
            ("Reason", "Outcome", "Sentence"),
            ((f"`{reason.code}`", reason.outcome, reason.sentence) for reason in REASONS if reason.code != PRICED),
        ),
    }


def written(text: str) -> str:
    """The README with every generated section as it should be."""
    for marker, body in sections().items():
        pattern = re.compile(rf"(<!-- {marker}: [^\n]*-->\n).*?(<!-- end -->)", re.DOTALL)
        text, found = pattern.subn(lambda match, body=body: f"{match[1]}{body}\n{match[2]}", text)
        if found != 1:
            raise SystemExit(f"README.md has {found} sections '{marker}'")
    return text


if __name__ == "__main__":
    current = README.read_text(encoding="utf-8")
    if "--check" in sys.argv:
        sys.exit(0 if written(current) == current else "README.md is not current: run python .ci/readme.py")
    README.write_text(written(current), encoding="utf-8")
