"""Which best-practice tariffs may cover a line: rows that name its HRG, currency or treatment function, and rows of the tariffs
that the line itself names (RULES 3, DESIGN section 4). What evidence says of them comes from `tariff.best_practice`."""

from __future__ import annotations

from collections.abc import Iterable
from threading import Lock
from typing import TYPE_CHECKING, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tariff.buffers import filled
from tariff.classify.codes import Facts, Question
from tariff.errors import Fault, RulesError
from tariff.facts import BEST_PRACTICE_CURRENCY, BEST_PRACTICE_FUNCTION, BEST_PRACTICE_NAMED
from tariff.rulepack.best_practice_book import tariffs_of
from tariff.rulepack.best_practice_rows import BEST_PRACTICE

if TYPE_CHECKING:
    from tariff.kernels.best_practice import Cases
    from tariff.rulepack import RulePack

COLUMN = "best_practice"
MOST_ROWS = 62
"""The kernels hold which rows of a case cover a line in one bit a row."""


class EvidenceOfLines(Protocol):
    """What a run's evidence says, as sets: what it says of every tariff of one pack. Set 0 says nothing."""

    def sets(self, lines: pl.DataFrame) -> NDArray[np.int32]:
        """The set of every line, given its `provider`, `line_id` and `date`."""

    def status(self) -> NDArray[np.uint8]:
        """What each set says of each tariff: 0 nothing, 1 met, 2 not met."""


class BestPracticeCodes:
    """How lines of one kind of activity map onto the best-practice rows of one rule pack."""

    def __init__(self, pack: RulePack, kind: str, currency: str) -> None:
        """`currency` names the column of the kind's HRG or currency."""
        paid = pack.rules.best_practice.method != "none"
        precedence = {tariff: number for number, tariff in enumerate(tariffs_of(pack))}
        rows = [(number, row) for number, row in enumerate(pack.best_practice, start=1) if paid and row.kind == kind]
        self._rows = sorted(rows, key=lambda numbered: (precedence[numbered[1].tariff], numbered[0]))
        self._known = frozenset(precedence)
        self.on = paid
        self._currencies = _positions(row.currency for _, row in rows)
        self._functions = _positions(row.treatment_function for _, row in rows)
        self._lock = Lock()
        self._named: dict[tuple[frozenset[str], bool], int] = {(frozenset(), False): 0}
        self._facts = Facts(
            (
                Question(currency, BEST_PRACTICE_CURRENCY, lambda code: self._currencies.get(code, 0), 0),
                Question("treatment_function", BEST_PRACTICE_FUNCTION, lambda code: self._functions.get(code, 0), 0),
                Question(COLUMN, BEST_PRACTICE_NAMED, self._name_set, 0, as_written=True),
            )
        )
        self._cases: dict[tuple[int, ...], int] = {(): 0}

    @property
    def columns(self) -> frozenset[str]:
        """The columns that are asked."""
        return self._facts.columns if self.on else frozenset()

    def _name_set(self, text: str) -> int:
        """The set of tariffs that a line names, of those that the pack has, and whether it names another."""
        codes = {code for part in text.split(";") if (code := part.strip().lower())}
        known = frozenset(codes & self._known)
        with self._lock:
            return self._named.setdefault((known, bool(codes - self._known)), len(self._named))

    def cases(self, block: pl.DataFrame, key: tuple[str, str], evidence: EvidenceOfLines | None) -> Cases:
        """The best-practice side of a block; `key` names its columns of identifier and date."""
        from tariff.kernels.best_practice import NO_CASES, Cases

        if not self.on:
            return NO_CASES
        facts = self._facts.of(block)
        some = np.flatnonzero(facts != 0)
        if some.size == 0:
            return NO_CASES
        place = filled(block.height, 0, np.int32)
        place[some] = np.arange(1, some.size + 1, dtype=np.int32)
        case, said = np.zeros(some.size + 1, np.int32), np.zeros(some.size + 1, np.int32)
        unknown = np.zeros(some.size + 1, np.uint8)
        case[1:], unknown[1:] = self._case_of_each(facts[some])
        covered = np.flatnonzero(case[1:])
        if evidence is not None and covered.size:
            identifier, day = key
            lines = block.select(pl.col("provider"), line_id=pl.col(identifier), date=pl.col(day))[some[covered]]
            said[covered + 1] = evidence.sets(lines)
        start, rows = self._lists()
        return Cases(place, case, said, unknown, start, rows, self._status(evidence))

    def _status(self, evidence: EvidenceOfLines | None) -> NDArray[np.uint8]:
        return np.zeros((1, max(1, len(self._known))), np.uint8) if evidence is None else evidence.status()

    def _case_of_each(self, facts: NDArray[np.uint64]) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
        """The case of every line that may have one, and whether it names a tariff that the pack has not."""
        with self._lock:
            named = list(self._named)
        distinct, inverse = np.unique(facts, return_inverse=True)
        cases, others = [], []
        for told in distinct.tolist():
            names, other = named[BEST_PRACTICE_NAMED.told(told)]
            cases.append(self._case(BEST_PRACTICE_CURRENCY.told(told), BEST_PRACTICE_FUNCTION.told(told), names))
            others.append(other)
        return np.array(cases, np.int32)[inverse], np.array(others, np.uint8)[inverse]

    def _case(self, currency: int, function: int, names: frozenset[str]) -> int:
        rows = tuple(
            number
            for number, row in self._rows
            if (row.currency is None or self._currencies[row.currency] == currency)
            and (row.treatment_function is None or self._functions[row.treatment_function] == function)
            and (row.currency is not None or row.treatment_function is not None or row.tariff in names)
        )
        if len(rows) > MOST_ROWS:
            told = f"{len(rows)} rows of best_practice.csv may cover one line; {MOST_ROWS} is the most"
            raise RulesError("The best-practice tariffs cannot be paid.", [Fault(BEST_PRACTICE.file, told, "join some of them")])
        with self._lock:
            return self._cases.setdefault(rows, len(self._cases))

    def _lists(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Where the rows of every case begin and end, and the rows."""
        with self._lock:
            lists = list(self._cases)
        start = np.cumsum([0, *(len(rows) for rows in lists)]).astype(np.int32)
        return start, np.array([row for rows in lists for row in rows], dtype=np.int32)


def _positions(codes: Iterable[str | None]) -> dict[str, int]:
    """Codes numbered from 1; blanks left out."""
    return {code: number for number, code in enumerate(dict.fromkeys(code for code in codes if code is not None), start=1)}
