"""The run card: what a run read, which rules it used, what came of every line, and which pounds rest on what. It is the
verification log of a run, written beside its output as JSON, and what reports and `tariff verify` start from."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl
from pydantic import ValidationError

from tariff._version import __version__
from tariff.assumptions import pounds_by_label
from tariff.card_shape import CardShape
from tariff.columns import COMPONENTS
from tariff.errors import ActivityError, DisagreementError, Fault
from tariff.reasons import BASIS_SENTENCES, OUTCOMES, PRICED, REASONS, Basis
from tariff.repeated_keys import repeated_keys
from tariff.rulepack.best_practice_book import tariffs_of

if TYPE_CHECKING:
    from tariff.rulepack import RulePack

_LIBRARIES: Final = ("polars", "numba", "numpy", "pydantic", "pyarrow")
CELL_KEYS: Final = ("provider", "pod", "financial_year", "month", "outcome", "reason", "pack")
CELL_SUMS: Final = ("units", *COMPONENTS, "price_pence", "indicative_pence")
_WORTH_A_WARNING: Final = (
    Basis.GROUPING_METHOD_UNKNOWN,
    Basis.LOCAL_PRICE_IGNORED,
    Basis.MARKET_FORCES_DEFAULT,
    Basis.TOP_UP_UNKNOWN,
    Basis.TOP_UP_NOT_ELIGIBLE,
    Basis.DATES_IGNORED,
)


def now() -> str:
    """The time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass(frozen=True, slots=True)
class Totals:
    """What came of the lines of a run. Money in pence."""

    lines: int
    by_outcome: Mapping[str, int]
    by_reason: Sequence[Mapping[str, Any]]
    components: Mapping[str, int]
    price_pence: int
    lines_priced: Mapping[str, int]
    """By label of the rule pack."""
    control: Sequence[Mapping[str, Any]]
    warnings: Sequence[Mapping[str, Any]]


@dataclass(slots=True)
class RunCard:
    """One run. `as_json` is what is written."""

    command: Sequence[str]
    inputs: Sequence[Mapping[str, Any]]
    packs: Sequence[RulePack]
    options: Mapping[str, Any]
    totals: Totals
    assumptions: Sequence[Mapping[str, Any]]
    started: str = field(default_factory=now)
    attached: Mapping[str, int] = field(default_factory=dict)
    coverage: Mapping[str, Any] | None = None
    pathways: Mapping[str, Any] | None = None
    evidence: Mapping[str, Any] | None = None
    sha256: str | None = None
    """Of the file of priced lines, where it is one; parts of a run folder stand in its manifest."""

    def as_json(self) -> dict[str, Any]:
        """The card as plain data, keys in a fixed order."""
        return {
            "card": 1,
            "tariff": __version__,
            "command": list(self.command),
            "started": self.started,
            "finished": now(),
            "versions": versions(),
            "inputs": [dict(facts) for facts in self.inputs],
            "packs": [
                {**describe_pack(pack), "lines_priced": self.totals.lines_priced.get(pack.label, 0)} for pack in self.packs
            ],
            "options": dict(self.options),
            "attached_items": dict(self.attached),
            "counts": {"in": self.totals.lines, **self.totals.by_outcome},
            "reasons": [dict(reason) for reason in self.totals.by_reason],
            **({} if self.coverage is None else {"coverage": dict(self.coverage)}),
            **({} if self.pathways is None else {"pathways": dict(self.pathways)}),
            **({} if self.evidence is None else {"evidence": dict(self.evidence)}),
            **({} if self.sha256 is None else {"sha256": self.sha256}),
            "components": dict(self.totals.components),
            "price_pence": self.totals.price_pence,
            "assumptions": [dict(line) for line in self.assumptions],
            "warnings": [dict(warning) for warning in self.totals.warnings],
            "control_totals": [dict(total) for total in self.totals.control],
        }

    def write(self, path: Path) -> None:
        """Write the card as JSON to `path`."""
        path.write_text(json.dumps(self.as_json(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")


def read_run_card(path: Path) -> dict[str, Any]:
    """The run card at `path`. ActivityError where it is missing, is not one, or is damaged."""
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        remedy = "keep the run card beside the priced lines it belongs to, or price them again"
        raise ActivityError("There is no run card.", [Fault(str(path), "not found", remedy)]) from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ActivityError("The run card cannot be read.", [Fault(str(path), type(error).__name__, "price again")]) from None
    if not isinstance(card, dict) or card.get("card") != 1:
        raise ActivityError("The run card cannot be read.", [Fault(str(path), "is not a run card", "price again")])
    try:
        CardShape.model_validate(card)
    except ValidationError as error:
        places = dict.fromkeys(".".join(map(str, wrong["loc"])) for wrong in error.errors(include_url=False))
        faults = [Fault(str(path), f"is damaged at {place}", "price again") for place in places]
        raise ActivityError("The run card cannot be read.", faults) from None
    return card


@cache
def versions() -> dict[str, str]:
    """Versions of Python and of the libraries that touch a price."""
    found = {"python": platform.python_version(), "platform": sys.platform}
    for library in _LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            found[library] = "unknown"
    return found


def describe_pack(pack: RulePack) -> dict[str, Any]:
    """A pack as the card tells it: identity, overlays in order of precedence, every rule with source and confidence."""
    return {
        "label": pack.label,
        "year": pack.year,
        "title": pack.title,
        "starts": pack.starts.isoformat(),
        "ends": pack.ends.isoformat(),
        "digest": pack.digest,
        "folder": str(Path(pack.folder).resolve()),
        "overlays": [
            {"name": o.name, "digest": o.digest, "path": str(Path(o.path).resolve()), "note": o.note} for o in pack.overlays
        ],
        "rules": [
            {
                "rule": name,
                "method": rule.method,
                "confidence": rule.confidence,
                "source": rule.source,
                "note": rule.note,
                "not_paid_in": list(getattr(rule, "without_trim_points", ())),
            }
            for name, rule in ((name, getattr(pack.rules, name)) for name in type(pack.rules).model_fields)
        ],
        "best_practice": list(_tariffs(pack)),
        "pathways": [{"name": its.name, "title": its.title} for its in (pack.pathways.pathway if pack.pathways else ())],
        "notes": list(pack.notes),
    }


def _tariffs(pack: RulePack) -> Iterator[dict[str, Any]]:
    """The best-practice tariffs that the pack pays: name, mechanism, criteria in words, and whether they lie outside the marginal
    rate."""
    outside = getattr(pack.rules.best_practice, "outside_marginal_rate", ())
    paid = pack.best_practice if pack.rules.best_practice.method != "none" else ()
    first = {row.tariff: row for row in reversed(paid)}
    for tariff in tariffs_of(pack) if paid else ():
        yield {
            "tariff": tariff,
            "name": first[tariff].name,
            "mechanism": first[tariff].mechanism,
            "outside_marginal_rate": tariff in outside,
            "criteria": {row.criterion: row.name for row in pack.best_practice_criteria if row.tariff == tariff},
        }


def totals_of(priced: pl.LazyFrame, scratch: Path) -> Totals:
    """Counts, money and warnings of priced lines (`columns.PRICED_LINE`), read in passes over few columns; memory does not grow
    with the lines, as what is too much is laid aside in the folder `scratch` for the while."""
    priced = priced.with_columns(pl.col("outcome", "reason", "pod").cast(pl.String))
    cells = priced.group_by(CELL_KEYS).agg(pl.len().alias("lines"), pl.col(CELL_SUMS).sum()).collect()
    return totals_of_cells(cells, [*flag_warnings(flag_sums(priced).collect()), *_repeats(priced, scratch)])


def totals_of_cells(cells: pl.DataFrame, warnings: Sequence[Mapping[str, Any]]) -> Totals:
    """Counts and money of cells: `lines` and `CELL_SUMS` by `CELL_KEYS`, or by these and more."""
    return Totals(
        lines=int(cells["lines"].sum()),
        by_outcome={outcome: int(cells.filter(pl.col("outcome") == outcome)["lines"].sum()) for outcome in OUTCOMES},
        by_reason=_by_reason(cells),
        components={name: int(cells[name].sum()) for name in COMPONENTS},
        price_pence=int(cells["price_pence"].sum()),
        lines_priced=_lines_priced(cells),
        control=_control_totals(cells),
        warnings=warnings,
    )


def _lines_priced(cells: pl.DataFrame) -> dict[str, int]:
    of_packs = cells.filter(pl.col("outcome") == PRICED).group_by("pack").agg(pl.col("lines").sum())
    return dict(of_packs.iter_rows())


def _by_reason(cells: pl.DataFrame) -> list[dict[str, Any]]:
    sums = {
        row["reason"]: row
        for row in cells.group_by("reason").agg(pl.col("lines", "price_pence", "indicative_pence").sum()).iter_rows(named=True)
    }
    return [
        {
            "reason": reason.code,
            "outcome": reason.outcome,
            "lines": int(sums[reason.code]["lines"]),
            "price_pence": int(sums[reason.code]["price_pence"]),
            "indicative_pence": int(sums[reason.code]["indicative_pence"]),
            "sentence": reason.sentence,
            "rule": reason.rule,
        }
        for reason in REASONS
        if reason.code in sums
    ]


def _control_totals(cells: pl.DataFrame) -> list[dict[str, Any]]:
    """Lines in, lines priced and pence by provider × point of delivery × month."""
    key = ["provider", "pod", "financial_year", "month"]
    return (
        cells.group_by(key)
        .agg(
            pl.col("lines").sum().alias("lines_in"),
            pl.col("lines").filter(pl.col("outcome") == PRICED).sum().alias("lines_priced"),
            pl.col("price_pence").sum(),
        )
        .sort(key, nulls_last=True)
        .to_dicts()
    )


def flag_sums(priced: pl.LazyFrame) -> pl.LazyFrame:
    """`flag_sums_of` priced lines."""
    return _flag_sums(priced, pl.lit(1))


def flag_sums_of(by_basis: pl.DataFrame) -> pl.DataFrame:
    """One row: lines and pence of each flag that is worth a warning, from `lines` and `price_pence` by `basis`."""
    return _flag_sums(by_basis.lazy(), pl.col("lines")).collect()


def _flag_sums(frame: pl.LazyFrame, lines: pl.Expr) -> pl.LazyFrame:
    flagged = {flag.name: (pl.col("basis") & int(flag)) != 0 for flag in _WORTH_A_WARNING}
    return frame.select(
        *((has.cast(pl.Int64) * lines).sum().alias(f"lines_{name}") for name, has in flagged.items()),
        *(pl.col("price_pence").filter(has).sum().alias(f"pence_{name}") for name, has in flagged.items()),
    )


def flag_warnings(sums: pl.DataFrame) -> list[dict[str, Any]]:
    """What a run card says of `flag_sums`."""
    return [
        {
            "warning": str(flag.name).lower(),
            "lines": int(sums[f"lines_{flag.name}"].item()),
            "price_pence": int(sums[f"pence_{flag.name}"].item()),
            "sentence": BASIS_SENTENCES[flag],
        }
        for flag in _WORTH_A_WARNING
        if sums[f"lines_{flag.name}"].item()
    ]


def _repeats(priced: pl.LazyFrame, scratch: Path) -> list[dict[str, Any]]:
    """Lines whose key (kind, provider, line_id) came before: priced like any other, counted and valued here."""
    lines, pence = repeated_keys(priced, scratch)
    if not lines:
        return []
    sentence = "The same identifier came more than once for a provider; the repeats were priced too."
    return [{"warning": "repeated_key", "lines": lines, "price_pence": pence, "sentence": sentence}]


def assumptions_of(priced: pl.LazyFrame, packs: Sequence[RulePack]) -> list[dict[str, Any]]:
    """Pence and lines by pack, component, label and source."""
    return [asdict(resting) for resting in pounds_by_label(priced, packs)]


def require_conservation(lines_in: int, totals: Totals) -> None:
    """Rows in = priced + excluded + unpriced + rejected, and the components add to the price. DisagreementError otherwise."""
    faults: list[Fault] = []
    if lines_in != sum(totals.by_outcome.values()):
        faults.append(Fault("rows", f"{lines_in:,} came in and {sum(totals.by_outcome.values()):,} went out"))
    if sum(totals.components.values()) != totals.price_pence:
        faults.append(Fault("money", f"components add to {sum(totals.components.values())}p, prices to {totals.price_pence}p"))
    if faults:
        raise DisagreementError("The run does not reconcile. This is a fault of the engine: please report it.", faults)
