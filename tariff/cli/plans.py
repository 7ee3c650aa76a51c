"""The command that makes a plan, and that holds priced lines against one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

from tariff.cli.conversation import DONE, say
from tariff.errors import Fault, OutputError, UsageError

if TYPE_CHECKING:
    from tariff.report.plans import MadePlan

_MAKING: Final = "provider,pod"
_MONITORING: Final = "commissioner,provider"


def plan(
    priced: Annotated[list[Path], Parameter(negative="")],
    /,
    *,
    out: Path | None = None,
    by: str | None = None,
    uplift: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    population: tuple[Path, Path] | None = None,
    weights: Path | None = None,
    phase: Literal["calendar-days", "working-days", "usual"] | None = None,
    years_on: Annotated[int | None, Parameter(validator=Number(gte=0, lte=10))] = None,
    against: Path | None = None,
    through_month: Annotated[int | None, Parameter(validator=Number(gte=1, lte=12))] = None,
    suppress: Annotated[bool, Parameter(negative="--no-suppress")] = True,
    overwrite: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Make next year's plan from this year's priced lines; or, with --against, hold priced lines against a plan and forecast.

    Parameters
    ----------
    priced
        What `tariff price` wrote: files or run folders.
    out
        The plan, as CSV with money in pounds (it may hold small numbers); with --against the table as CSV.
    by
        What a plan row tells apart beside commissioner and year, separated by commas: provider, pod, treatment_function,
        currency (provider,pod unless given). With --against what a row of the table is: commissioner, provider,
        financial_year, pod, treatment_function, currency (commissioner,provider unless given).
    uplift
        The change of prices from the year of the lines to that of the plan, such as 2.15% or -1.5%.
    population
        Two files (commissioner, registered and, where they have them, gp_practice, age_band): registered people of the year
        of the lines and of the plan's. Activity grows as they do, by commissioner.
    weights
        What a head of an age band uses (age_band, weight), to weight the population.
    phase
        Share the plan out over the months: by calendar-days or working-days, or as is usual, elective care by working days
        and the rest by calendar days. With --against how rows of a whole year are phased; usual unless given.
    years_on
        How many years after the lines the plan is for: 1 unless given.
    against
        The plan (CSV or Parquet) that the priced lines are held against.
    through_month
        The last complete month, 1 = April to 12 = March; the last with activity unless given.
    suppress
        With --against: hide counts of 1 to 7 and their money. Switch off for internal use only.
    overwrite
        Replace an existing output.
    """
    if against is not None:
        making = {"--uplift": uplift, "--population": population, "--weights": weights, "--years-on": years_on}
        _refuse(making, "makes a plan, and --against holds lines against one: run them one after the other")
        return _hold_against(against, priced, (by, phase, through_month), out, suppress=suppress, overwrite=overwrite)
    _refuse({"--through-month": through_month, "--no-suppress": None if suppress else True}, "goes with --against PLAN only")
    if out is None:
        raise UsageError("Give --out PLAN.csv to make a plan, or --against PLAN to hold the priced lines against one.")
    if weights is not None and population is None:
        raise UsageError("--weights weight a population: give --population BEFORE AFTER too.")
    from tariff.payment import write_plan
    from tariff.whole_files import whole_file

    _check_output(out, priced, overwrite=overwrite)
    made = _made(priced, by, uplift, population, weights, phase, 1 if years_on is None else years_on)
    with whole_file(out) as partial:
        write_plan(made.plan, partial)
    print(made)
    for year in made.part_years:
        say(f"the lines hold only part of {year}: the plan is of as many months")
    say(f"written to {out}")
    return DONE


def _made(
    priced: list[Path],
    by: str | None,
    uplift: str | None,
    population: tuple[Path, Path] | None,
    weights: Path | None,
    phase: Literal["calendar-days", "working-days", "usual"] | None,
    years_on: int,
) -> MadePlan:
    from tariff.batch import damage_found
    from tariff.payment import population_growth
    from tariff.priced_lines import scan_lines
    from tariff.report.plans import make_plan

    growth = None if population is None else population_growth(*population, weights)
    change = _basis_points(uplift or "0%")
    with damage_found([([path], scan_lines(path)) for path in priced]):
        return make_plan(priced, by=_listed(by, _MAKING), uplift_bp=change, growth=growth, phase=phase, years_on=years_on)


def _hold_against(
    against: Path,
    priced: list[Path],
    told: tuple[str | None, Literal["calendar-days", "working-days", "usual"] | None, int | None],
    out: Path | None,
    *,
    suppress: bool,
    overwrite: bool,
) -> int:
    from tariff.batch import damage_found
    from tariff.priced_lines import scan_lines
    from tariff.report.plans import monitor
    from tariff.whole_files import whole_file

    by, phase, through_month = told
    if out is not None:
        _check_output(out, [*priced, against], overwrite=overwrite)
    with damage_found([([path], scan_lines(path)) for path in priced]):
        found = monitor(
            priced,
            against,
            by=_listed(by, _MONITORING),
            through_month=through_month,
            phase=phase or "usual",
            suppress=suppress,
        )
    print(found)
    if out is not None:
        with whole_file(out) as partial:
            found.write(partial)
        say(f"written to {out}")
    return DONE


def _listed(by: str | None, otherwise: str) -> list[str]:
    return [name.strip() for name in (otherwise if by is None else by).split(",") if name.strip()]


def _basis_points(change: str) -> int:
    from tariff.payment.figures import change_in_words

    try:
        return change_in_words(change)
    except ValueError as error:
        raise UsageError(f"--uplift: {error}. Write it as 2.15% or -1.5%.") from None


def _check_output(out: Path, read: Sequence[Path], *, overwrite: bool) -> None:
    """The output is a CSV, and takes the place of nothing that is read."""
    from tariff.whole_files import refuse_existing

    if out.suffix.lower() != ".csv":
        raise UsageError(f"{out} is written as CSV: call it {out.with_suffix('.csv')}.")
    taken = [path for path in read if path.exists() and out.exists() and path.samefile(out)]
    if taken:
        raise OutputError("The output cannot be written.", [Fault(str(out), "is read by this command", "choose another name")])
    refuse_existing(out, overwrite=overwrite)


def _refuse(given: Mapping[str, object], why: str) -> None:
    named = [option for option, value in given.items() if value is not None]
    if named:
        raise UsageError(f"{named[0]} {why}.")
