"""What can go wrong, each with the exit code a scheduler sees. Errors are part of the interface: they name what, where,
how many, and what to do, list every fault at once, and never carry a patient identifier."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong. `where` is a file, or file:line; `remedy` says what to do about it."""

    where: str
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        told = f"{self.where}: {self.what}" if self.where else self.what
        return f"{told}\n    {self.remedy}" if self.remedy else told


class TariffError(Exception):
    """A failure the user can act on: shown without a traceback. `faults` holds every fault found, not the first."""

    exit_code = 70

    def __init__(self, summary: str, faults: Iterable[Fault] = ()) -> None:
        self.summary = summary
        self.faults = tuple(faults)
        super().__init__("\n".join([summary, *(f"  {fault}" for fault in self.faults)]))


class UsageError(TariffError):
    """The command or call itself is wrong: an option, an argument, a combination of them."""

    exit_code = 2


class ActivityError(TariffError):
    """An activity file cannot be used as a whole (single rows that cannot be used become reasons, not errors)."""

    exit_code = 3


class RulesError(TariffError):
    """A rule pack, overlay, column map, plan or models file cannot be used."""

    exit_code = 4


class DisagreementError(TariffError):
    """Totals that must reconcile do not, or two implementations or two runs disagree."""

    exit_code = 5


class OutputError(TariffError):
    """The output cannot be written, exists already, or is in use."""

    exit_code = 6


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A question offering the nearest known word, or nothing where none is near. Case does not matter."""
    spelled = {name.lower(): name for name in known}
    near = get_close_matches(word.lower(), list(spelled), n=1, cutoff=0.7)
    return f"did you mean '{spelled[near[0]]}'?" if near else ""
