"""From evidence to what every line stands at: met, not met or no evidence, tariff by tariff (RULES 3).

A tariff is met where all its criteria are said to be met, or its whole is; not met where one criterion is said not to be, or its
whole is; anything less is no evidence, and so is evidence that contradicts itself. Distinct answers are few, so each line
carries the number of a set of answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tariff.rulepack.best_practice_book import tariffs_of
from tariff.rulepack.best_practice_rows import CONTRADICTORY, PROVIDER_GATE
from tariff.rulepack.book import TRUST_CODE_LENGTH

if TYPE_CHECKING:
    from tariff.best_practice.evidence import Evidence
    from tariff.rulepack import RulePack

NO_EVIDENCE, MET, NOT_MET = range(3)
STATUS_WORDS: Final = ("no_evidence", "met", "not_met")
WHOLE: Final = ""
"""Criterion of an answer about the tariff as a whole."""
OPEN: Final = "?"
"""Ends a criterion without evidence where another one failed."""


class Answer(NamedTuple):
    """What evidence says of one tariff: its status, and the criteria that failed or that nothing is known of; the latter end in
    `OPEN` where the tariff is not met."""

    tariff: int
    status: int
    missing: tuple[str, ...]


Said = tuple[Answer, ...]
"""What evidence says of all tariffs that it speaks of."""
Gates = list[dict[str, Any]]
"""Rows of evidence of provider gates."""


def judged(facts: dict[str, bool], criteria: tuple[str, ...]) -> tuple[int, tuple[str, ...]]:
    """Status of a tariff with these `criteria` by what is said of them, and the criteria failed or unknown (as in `Answer`)."""
    failed = tuple(name for name in criteria if facts.get(name) is False)
    unknown = tuple(name for name in criteria if name not in facts)
    whole = facts.get(WHOLE)
    if contradicts(facts, criteria):
        return NO_EVIDENCE, (CONTRADICTORY, *failed)
    if whole is True or (criteria and not failed and not unknown):
        return MET, ()
    if failed or whole is False:
        return NOT_MET, (*failed, *(f"{name}{OPEN}" for name in unknown if whole is None))
    return NO_EVIDENCE, unknown


def contradicts(facts: dict[str, bool], criteria: tuple[str, ...]) -> bool:
    """Whether the tariff as a whole is said to be met though one of its `criteria` is not, or not met though all of them are."""
    whole, answers = facts.get(WHOLE), [facts.get(name) for name in criteria]
    if whole is None or not criteria:
        return False
    return False in answers if whole else all(answers)


class EvidenceOfPack:
    """What evidence says under one rule pack, for the lines of any block."""

    def __init__(self, pack: RulePack, evidence: Evidence) -> None:
        self._tariffs = tariffs_of(pack)
        self._number = {tariff: number for number, tariff in enumerate(self._tariffs)}
        self._criteria = criteria_of(pack)
        self._gates = frozenset(row.tariff for row in pack.best_practice if row.mechanism == PROVIDER_GATE)
        self._lock = Lock()
        self._said: dict[Said, int] = {(): 0}
        self._of_line: list[Said] = [()]
        self._of_gate: list[Said] = [()]
        self._lines = self._line_sets(evidence.lines)
        self._periods = self._gate_sets(evidence.gates)

    def sets(self, lines: pl.DataFrame) -> NDArray[np.int32]:
        """The set of answers for every line, given its `provider`, `line_id` and `date`."""
        keyed = lines.select(
            pl.col("provider").cast(pl.String).str.strip_chars().str.to_uppercase(),
            pl.col("line_id").cast(pl.String).str.strip_chars(),
            pl.col("date"),
        )
        of_line = keyed.join(self._lines, on=["provider", "line_id"], how="left", maintain_order="left")["said"]
        pairs = pl.DataFrame({"line": of_line.fill_null(0), "gate": self._gate_of(keyed)})
        distinct = pairs.unique()
        number = [self._numbered(line, gate) for line, gate in distinct.iter_rows()]
        answers = distinct.with_columns(number=pl.Series(number, dtype=pl.Int32))
        return pairs.join(answers, on=["line", "gate"], how="left", maintain_order="left")["number"].to_numpy()

    def status(self) -> NDArray[np.uint8]:
        """What each set of answers says of each tariff."""
        with self._lock:
            said = list(self._said)
        table = np.zeros((len(said), max(1, len(self._tariffs))), dtype=np.uint8)
        for number, answers in enumerate(said):
            for answer in answers:
                table[number, answer.tariff] = answer.status
        return table

    def missing(self, number: int) -> dict[int, tuple[str, ...]]:
        """By tariff number, the criteria that a set of answers says are failed or unknown."""
        with self._lock:
            said = list(self._said)[number]
        return {answer.tariff: answer.missing for answer in said}

    def _numbered(self, line: int, gate: int) -> int:
        said = tuple(sorted((*self._of_line[line], *self._of_gate[gate])))
        with self._lock:
            return self._said.setdefault(said, len(self._said))

    def _judged(self, tariff: str, facts: dict[str, bool]) -> Answer:
        criteria = self._criteria.get(tariff, ())
        status, missing = judged(facts, criteria)
        # without criteria the line itself shows a tariff to be met: an answer against that contradicts it
        denied = status == NOT_MET and not criteria and tariff not in self._gates
        return Answer(self._number[tariff], status, (CONTRADICTORY,) if denied else missing)

    def _known(self, frame: pl.DataFrame, tariffs: Iterable[str]) -> pl.DataFrame:
        """Evidence of these tariffs and of criteria that they have."""
        asked = [(tariff, name) for tariff in tariffs for name in (WHOLE, *self._criteria.get(tariff, ()))]
        known = pl.DataFrame(asked, schema={"tariff": pl.String(), "criterion": pl.String()}, orient="row")
        return frame.join(known, on=["tariff", "criterion"], how="semi", maintain_order="left")

    def _line_sets(self, lines: pl.DataFrame) -> pl.DataFrame:
        """One row a line: the number of its answers in `_of_line`."""
        key = ["provider", "line_id"]
        facts = self._known(lines, (tariff for tariff in self._tariffs if tariff not in self._gates))
        fact = pl.concat_str("tariff", "criterion", pl.col("met").cast(pl.Int8), separator=" ").alias("fact")
        of_lines = facts.select(*key, fact).group_by(key).agg(pl.col("fact").sort().str.join(";").alias("facts"))
        distinct = of_lines.select(pl.col("facts").unique())
        numbers = pl.Series([self._said_by(text) for text in distinct["facts"]], dtype=pl.Int32)
        return of_lines.join(distinct.with_columns(said=numbers), on="facts", how="left").select(*key, "said")

    def _said_by(self, facts: str) -> int:
        by_tariff: dict[str, dict[str, bool]] = {}
        for fact in facts.split(";"):
            tariff, criterion, met = fact.split(" ")
            by_tariff.setdefault(tariff, {})[criterion] = met == "1"
        self._of_line.append(tuple(self._judged(tariff, known) for tariff, known in by_tariff.items()))
        return len(self._of_line) - 1

    def _gate_sets(self, gates: pl.DataFrame) -> pl.DataFrame:
        """By provider, from each day on which something changes: the number of the gates' answers in `_of_gate`."""
        rows = self._known(gates, self._gates)
        found: list[tuple[str, object, int]] = []
        for (provider,), of_provider in rows.group_by(["provider"], maintain_order=True):
            for day, holding in _from_each_change(list(of_provider.iter_rows(named=True))):
                found.append((str(provider), day, self._gates_said(holding)))
        schema = {"provider": pl.String(), "date": pl.Date(), "gate": pl.Int32()}
        return pl.DataFrame(found, schema=schema, orient="row").sort("date", "provider")

    def _gates_said(self, rows: Gates) -> int:
        """What the gates that hold on one day say."""
        self._of_gate.append(tuple(self._judged(tariff, facts) for tariff, facts in _facts_of_gates(rows).items()))
        return len(self._of_gate) - 1

    def _gate_of(self, lines: pl.DataFrame) -> pl.Series:
        """The gates' answers for every line: those of the provider, else of its trust, on the day of the line."""
        if self._periods.height == 0:
            return pl.Series("gate", np.zeros(lines.height, dtype=np.int32))
        listed = self._periods["provider"].unique()
        whose = pl.when(pl.col("provider").is_in(listed.implode())).then("provider")
        asked = lines.select(
            whose.otherwise(pl.col("provider").str.head(TRUST_CODE_LENGTH)).alias("provider"), "date"
        ).with_row_index("row")
        found = (
            asked.drop_nulls("date")
            .sort("date")
            .join_asof(self._periods, on="date", by="provider", strategy="backward", check_sortedness=False)
        )
        return asked.join(found.select("row", "gate"), on="row", how="left", maintain_order="left")["gate"].fill_null(0)


def _from_each_change(gates: Gates) -> Iterator[tuple[date, Gates]]:
    """The days on which something changes among a provider's gates, and the gates that hold from there."""
    days = {row["period_start"] for row in gates} | {row["period_end"] + timedelta(days=1) for row in gates}
    for day in sorted(days):
        yield day, [row for row in gates if row["period_start"] <= day <= row["period_end"]]


def _facts_of_gates(gates: Gates) -> dict[str, dict[str, bool]]:
    """By tariff, what gates that hold together say of its criteria; one that is said to be both passed and not is no evidence."""
    by_tariff: dict[str, dict[str, set[bool]]] = {}
    for row in gates:
        by_tariff.setdefault(row["tariff"], {}).setdefault(row["criterion"], set()).add(row["met"])
    return {
        tariff: {criterion: next(iter(answers)) for criterion, answers in facts.items() if len(answers) == 1}
        for tariff, facts in by_tariff.items()
    }


def contradictory_lines(lines: pl.DataFrame, pack: RulePack) -> pl.DataFrame:
    """The rows of `lines` (evidence of single lines) whose answers for a tariff as a whole and for its criteria contradict each
    other."""
    key = ["provider", "line_id", "tariff"]
    gates = {row.tariff for row in pack.best_practice if row.mechanism == PROVIDER_GATE}
    asked = [
        (tariff, name, len(criteria))
        for tariff, criteria in criteria_of(pack).items()
        if tariff not in gates
        for name in criteria
    ]
    criteria = pl.DataFrame(asked, schema={"tariff": pl.String(), "criterion": pl.String(), "asked": pl.UInt32()}, orient="row")
    whole = lines.filter(pl.col("criterion") == WHOLE).select(*key, whole="met")
    answers = lines.join(criteria, on=["tariff", "criterion"]).join(whole, on=key)
    all_met = pl.col("met").sum().over(key) == pl.col("asked")
    against = answers.filter(pl.when("whole").then(~pl.col("met")).otherwise(all_met)).select(lines.columns)
    wholes = lines.filter(pl.col("criterion") == WHOLE).join(against, on=key, how="semi")
    return pl.concat([wholes, against])


def contradictory_gates(gates: pl.DataFrame, pack: RulePack) -> pl.DataFrame:
    """The same of evidence of provider gates: rows that contradict each other on days that their periods share."""
    criteria = criteria_of(pack)
    found: Gates = []
    of_gates = gates.filter(pl.col("tariff").is_in([row.tariff for row in pack.best_practice if row.mechanism == PROVIDER_GATE]))
    for _, of_gate in of_gates.group_by(["provider", "tariff"], maintain_order=True):
        rows = list(of_gate.iter_rows(named=True))
        needed = criteria.get(rows[0]["tariff"], ())
        for _, holding in _from_each_change(rows):
            facts = _facts_of_gates(holding).get(rows[0]["tariff"], {})
            if contradicts(facts, needed):
                against = {WHOLE, *(name for name in needed if facts.get(name) is not facts[WHOLE])}
                found += [row for row in holding if row["criterion"] in against]
    return pl.DataFrame(found, schema=gates.schema, orient="row").unique(maintain_order=True)


def criteria_of(pack: RulePack) -> dict[str, tuple[str, ...]]:
    """By tariff, the criteria that must be shown, in order of the table."""
    criteria: dict[str, tuple[str, ...]] = {}
    for row in pack.best_practice_criteria:
        criteria[row.tariff] = (*criteria.get(row.tariff, ()), row.criterion)
    return criteria
