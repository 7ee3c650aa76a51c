"""One bad pack per mistake: each is told by file and line, what was found, and what to do. Nothing else is told beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tariff.errors import RulesError
from tariff.rulepack import load_pack

if TYPE_CHECKING:
    from conftest import PackOnTheBench

    Mistake = Callable[[PackOnTheBench], object]
    Case = tuple[Mistake, str, str | None, str, str]
    """What is done to the pack; then the file, the start of the line (None: no line), what is told, and what to do."""

HN22E = "HN22E,Very Major Knee Procedures for Non-Trauma with CC Score 0-1,,6000,,,10,6000,30,200,no,,\n"
DZ11S = '"Lobar, Atypical or Viral Pneumonia, without Interventions, with CC Score 10-13",,4000,,,40,4000,40,200,yes,25%,1000\n'
HEADER = "hrg,name,outpatient_procedure,combined,"


def row(old: str, new: str) -> Mistake:
    """HN22E of the example pack with a part of its row replaced."""
    return lambda bench: bench.edit("admitted.csv", HN22E, HN22E.replace(old, new, 1))


DECLARATIONS: dict[str, Case] = {
    "a misspelt method": (
        lambda bench: bench.edit("pack.toml", 'method = "price_table"', 'method = "price_tabel"'),
        "pack.toml",
        'method = "price_tabel"',
        "[rules.short_stay] method 'price_tabel' is not known",
        "did you mean 'price_table'? known: none, price_table",
    ),
    "a misspelt method of a rule with one shape": (
        lambda bench: bench.edit("pack.toml", 'method = "penny_once"', 'method = "peny_once"'),
        "pack.toml",
        'method = "peny_once"',
        "[rules.rounding] method 'peny_once' is not known",
        "did you mean 'penny_once'? known: penny_once, whole_pounds",
    ),
    "no method": (
        lambda bench: bench.edit("pack.toml", 'method = "highest_eligible"\n', ""),
        "pack.toml",
        "[rules.top_up]",
        "[rules.top_up] 'method' is missing",
        "known: none, highest_eligible",
    ),
    "a misspelt key": (
        lambda bench: bench.edit("pack.toml", "minimum_age = 19", "minimal_age = 19\nminimum_age = 19"),
        "pack.toml",
        "minimal_age = 19",
        "[rules.short_stay] 'minimal_age' is not known here",
        "did you mean 'minimum_age'? known: source, confidence, note, method, minimum_age, maximum_stay_days, grouping_methods",
    ),
    "a value left out": (
        lambda bench: bench.edit("pack.toml", "minimum_age = 19\n", ""),
        "pack.toml",
        "[rules.short_stay]",
        "[rules.short_stay] 'minimum_age' is missing",
        "add 'minimum_age'; rules/README.md says what it may be",
    ),
    "a rule left out": (
        lambda bench: bench.edit(
            "pack.toml",
            '[rules.rounding]\nmethod = "penny_once"\nsource = "Invented for illustration, after RULES 1.8"\n'
            'confidence = "illustrative"\n',
            "",
        ),
        "pack.toml",
        "schema = 1",
        "[rules] 'rounding' is missing",
        "add 'rounding'; rules/README.md says what it may be",
    ),
    "a rule without a source": (
        lambda bench: bench.edit("pack.toml", 'source = "Invented for illustration, after RULES 1.5"\n', ""),
        "pack.toml",
        "[rules.long_stay]",
        "[rules.long_stay] 'source' is missing",
        "say where the rule and its values come from",
    ),
    "an unknown confidence": (
        lambda bench: bench.edit(
            "pack.toml",
            'after RULES 1.8"\nconfidence = "illustrative"',
            'after RULES 1.8"\nconfidence = "ilustrative"',
        ),
        "pack.toml",
        'confidence = "ilustrative"',
        "[rules.rounding] confidence 'ilustrative' is not known",
        "did you mean 'illustrative'? known: published, practice, local, proxy, assumed, illustrative",
    ),
    "a number written as text": (
        lambda bench: bench.edit("pack.toml", "minimum_age = 19", 'minimum_age = "19"'),
        "pack.toml",
        'minimum_age = "19"',
        "[rules.short_stay] 'minimum_age': Input should be a valid integer (found '19')",
        "mend the value; rules/README.md says what it may be",
    ),
    "dates the wrong way round": (
        lambda bench: bench.edit("pack.toml", "ends = 2018-03-31", "ends = 2017-03-31"),
        "pack.toml",
        "[pack]",
        "'pack': the pack ends (2017-03-31) before it starts (2017-04-01)",
        "mend the value; rules/README.md says what it may be",
    ),
    "a date written as text": (
        lambda bench: bench.edit("pack.toml", "ends = 2018-03-31", 'ends = "31/03/2018"'),
        "pack.toml",
        'ends = "31/03/2018"',
        "[pack] 'ends': Input should be a valid date (found '31/03/2018')",
        "mend the value; rules/README.md says what it may be",
    ),
    "a default factor without a label": (
        lambda bench: bench.edit("pack.toml", 'method = "by_provider"', 'method = "by_provider"\ndefault = "1.0613"'),
        "pack.toml",
        "[rules.market_forces_factor]",
        "[rules] 'market_forces_factor': a default factor needs default_source and default_confidence",
        "mend the value; rules/README.md says what it may be",
    ),
    "a default factor with nine decimals": (
        lambda bench: bench.edit("pack.toml", 'method = "by_provider"', 'method = "by_provider"\ndefault = "1.061299920"'),
        "pack.toml",
        'default = "1.061299920"',
        "[rules.market_forces_factor] 'default': '1.061299920' has more than 6 decimal places (found '1.061299920')",
        "mend the value; rules/README.md says what it may be",
    ),
    "an exclusion that is no HRG": (
        lambda bench: bench.edit("pack.toml", '"MB08B"', '"MB8B"'),
        "pack.toml",
        'hrgs = ["MB8B"]',
        "[rules.exclusions] 'hrgs': 'MB8B' has not the form of an HRG (two letters, two digits, one letter) (found ['MB8B'])",
        "mend the value; rules/README.md says what it may be",
    ),
    "a grouping method that there is not": (
        lambda bench: bench.edit("pack.toml", '["D"]', '["Diagnosis"]'),
        "pack.toml",
        'grouping_methods = ["Diagnosis"]',
        "[rules.short_stay] 'grouping_methods': 'Diagnosis' is not a grouping method (P, D, B, M, G or O) (found ['Diagnosis'])",
        "mend the value; rules/README.md says what it may be",
    ),
    "a layout of the future": (
        lambda bench: bench.edit("pack.toml", "schema = 1", "schema = 2"),
        "pack.toml",
        "schema = 2",
        "schema '2' is not known",
        "known: 1",
    ),
    "no TOML": (
        lambda bench: bench.edit("pack.toml", "schema = 1", "schema = "),
        "pack.toml",
        "schema = ",
        "not TOML: Invalid value (at line 1, column 10)",
        "mend the line",
    ),
}

TABLES: dict[str, Case] = {
    "both combined and split prices": (
        row(",6000,,,10,", ",6000,5000,,10,"),
        "admitted.csv",
        "HN22E,",
        "column combined of HN22E: stands beside a day_case or ordinary_elective price",
        "a combined price covers both: leave either it or the separate prices blank",
    ),
    "a printed 0": (
        row(",10,6000,", ",10,0,"),
        "admitted.csv",
        "HN22E,",
        "column non_elective of HN22E: '0' is a printed 0, which is not a price",
        "write pounds as printed, such as 8,207 or 119.50; leave the cell blank where there is no national price",
    ),
    "a price that is no number": (
        row(",10,6000,", ",10,6OOO,"),
        "admitted.csv",
        "HN22E,",
        "column non_elective of HN22E: '6OOO' is not a number",
        "write pounds as printed, such as 8,207 or 119.50; leave the cell blank where there is no national price",
    ),
    "a price in fractions of a penny": (
        row(",10,6000,", ",10,6000.005,"),
        "admitted.csv",
        "HN22E,",
        "column non_elective of HN22E: '6000.005' has more than 2 decimal places",
        "write pounds as printed, such as 8,207 or 119.50; leave the cell blank where there is no national price",
    ),
    "a negative price": (
        row(",10,6000,", ",10,-6000,"),
        "admitted.csv",
        "HN22E,",
        "column non_elective of HN22E: '-6000' is not between £0.01 and £10,000,000,000.00",
        "write pounds as printed, such as 8,207 or 119.50; leave the cell blank where there is no national price",
    ),
    "an HRG of the wrong form": (
        row("HN22E", "HN22"),
        "admitted.csv",
        "HN22,",
        "column hrg of HN22: 'HN22' has not the form of an HRG",
        "an HRG is two letters, two digits, one letter, such as HN22E",
    ),
    "an HRG that stands twice": (
        lambda bench: bench.append("admitted.csv", HN22E.strip()),
        "admitted.csv",
        "HN22E,",
        "column hrg of HN22E: stands on line 22 already",
        "keep one of the two rows",
    ),
    "no elective trim point beside a per-day payment": (
        row(",,,10,6000", ",,,,6000"),
        "admitted.csv",
        "HN22E,",
        "column elective_trim of HN22E: is blank though the row has an elective price and a per-day payment",
        "give the trim point in days, or leave per_day_long_stay blank",
    ),
    "no non-elective trim point beside a per-day payment": (
        row(",6000,30,", ",6000,,"),
        "admitted.csv",
        "HN22E,",
        "column non_elective_trim of HN22E: is blank though the row has a non-elective price and a per-day payment",
        "give the trim point in days, or leave per_day_long_stay blank",
    ),
    "a trim point that is no whole number": (
        row(",6000,30,", ",6000,30.5,"),
        "admitted.csv",
        "HN22E,",
        "column non_elective_trim of HN22E: '30.5' is not a whole number of days",
        "write the trim point in whole days, or leave it blank",
    ),
    "a trim point beyond any stay": (
        row(",6000,30,", ",6000,30000,"),
        "admitted.csv",
        "HN22E,",
        "column non_elective_trim of HN22E: '30000' is more than 10,000 days",
        "write the trim point in whole days, or leave it blank",
    ),
    "a short-stay price above the non-elective price": (
        lambda bench: bench.edit("admitted.csv", DZ11S, DZ11S.replace("25%,1000", "25%,4500")),
        "admitted.csv",
        "DZ11S,",
        "column short_stay_price of DZ11S: £4,500.00 is above the non-elective price £4,000.00",
        "the short-stay price is a reduction: check both against the workbook",
    ),
    "a short-stay price where none applies": (
        row(",no,,", ",no,,1500"),
        "admitted.csv",
        "HN22E,",
        "column short_stay_price of HN22E: is given though short_stay_applies is not yes",
        "write yes, or leave the price blank",
    ),
    "a short-stay reduction without a size": (
        row(",no,,", ",yes,,"),
        "admitted.csv",
        "HN22E,",
        "column short_stay_applies of HN22E: is yes but neither percentage nor price is given",
        "give one of them, or write no",
    ),
    "a short-stay flag that is neither yes nor no": (
        row(",no,,", ",perhaps,,"),
        "admitted.csv",
        "HN22E,",
        "column short_stay_applies of HN22E: 'perhaps' is neither yes nor no",
        "write yes or no",
    ),
    "a percentage without its sign": (
        lambda bench: bench.edit("admitted.csv", DZ11S, DZ11S.replace("25%", "25")),
        "admitted.csv",
        "DZ11S,",
        "column short_stay_percent of DZ11S: '25' is not above 0% and up to 100%",
        "write a percentage such as 25% or a share such as 0.25",
    ),
    "a misspelt column": (
        lambda bench: bench.edit("admitted.csv", HEADER, "hrg,name,outpatient_procedure,combind,"),
        "admitted.csv",
        "hrg,name,outpatient_procedure,combind,day_cas",
        "column 'combind' is not known",
        (
            "did you mean 'combined'? known: hrg, name, outpatient_procedure, combined, day_case, ordinary_elective, "
            "elective_trim, non_elective, non_elective_trim, per_day_long_stay, short_stay_applies, short_stay_percent, "
            "short_stay_price, source, confidence"
        ),
    ),
    "a column twice": (
        lambda bench: bench.edit("mff.csv", "provider,name,mff", "provider,mff,mff"),
        "mff.csv",
        "provider,mff,mff",
        "column 'mff' stands twice",
        "keep one of them",
    ),
    "a missing column": (
        lambda bench: bench.drop_columns("mff.csv", "mff"),
        "mff.csv",
        "provider,name",
        "column 'mff' is missing",
        "every row needs it",
    ),
    "a comma without quotes": (
        row(" for Non-Trauma", ", for Non-Trauma"),
        "admitted.csv",
        "HN22E,",
        "14 cells where the header has 13",
        "a cell that holds a comma needs double quotes around it",
    ),
    "an unclosed quote": (
        lambda bench: bench.append("admitted.csv", 'AA99Z,"an unclosed name,,,,,,,,,,,'),
        "admitted.csv",
        'AA99Z,"an unclosed name,,,,,,,,,,,',
        "not CSV: unexpected end of data",
        "check the quotes on this line",
    ),
    "a table without rows": (
        lambda bench: bench.write("mff.csv", "provider,name,mff\n"),
        "mff.csv",
        None,
        "the table has no rows",
        "fill it or take the file out",
    ),
    "an empty table": (
        lambda bench: bench.write("mff.csv", ""),
        "mff.csv",
        None,
        "the table is empty",
        "give it a header line, or take the file out",
    ),
    "a factor out of bounds": (
        lambda bench: bench.edit("mff.csv", "1.050000", "105.0000"),
        "mff.csv",
        "ZZB,Invented City Hospitals,105.0000",
        "column mff of ZZB: '105.0000' lies outside 0.8 to 1.6, the bounds of a market forces factor",
        "write a factor such as 1.037386",
    ),
    "a provider without a factor": (
        lambda bench: bench.edit("mff.csv", "1.050000", ""),
        "mff.csv",
        "ZZB,Invented City Hospitals,",
        "column mff of ZZB: is blank",
        "write a factor such as 1.037386",
    ),
    "a provider code in small letters": (
        lambda bench: bench.edit("mff.csv", "ZZB,", "zzb,"),
        "mff.csv",
        "zzb,Invented City Hospitals,1.050000",
        "column provider of zzb: 'zzb' has not the form of a provider code",
        "write the organisation code in capitals, such as RXX or RXX01",
    ),
    "a provider twice": (
        lambda bench: bench.append("mff.csv", "ZZB,again,1.060000"),
        "mff.csv",
        "ZZB,again,1.060000",
        "column provider of ZZB: stands on line 3 already",
        "keep one of the two rows",
    ),
    "a top-up of nothing": (
        lambda bench: bench.edit("top_ups.csv", "20%", "0%"),
        "top_ups.csv",
        "ORTHOPAEDIC,Specialised orthopaedic services,",
        "column percent of ORTHOPAEDIC: '0%' is not above 0% and up to 100%",
        "write a percentage such as 25% or a share such as 0.25",
    ),
    "ages the wrong way round": (
        lambda bench: bench.edit("top_ups.csv", ",0,18", ",18,0"),
        "top_ups.csv",
        "CHILDREN,Specialised children's services,50%,",
        "column minimum_age of CHILDREN: 18 is above maximum_age 0",
        "swap them",
    ),
    "a top-up code that holds a separator": (
        lambda bench: bench.edit("top_ups.csv", "SPINAL,", "SPINAL;HIP,").edit(
            "top_up_providers.csv", "SPINAL,ZZB\nSPINAL,ZZC\n", ""
        ),
        "top_ups.csv",
        "SPINAL;HIP,Specialised spinal surgery,30%,,",
        "column top_up of SPINAL;HIP: 'SPINAL;HIP' holds a space, a comma or a semicolon",
        "write the code as activity carries it",
    ),
    "two top-ups that differ only by case": (
        lambda bench: bench.append("top_ups.csv", "Spinal,Spines,10%,,"),
        "top_ups.csv",
        "Spinal,Spines,10%,,",
        "column top_up of Spinal: differs from 'SPINAL' only by case",
        "write both the same way, or take one out",
    ),
    "a provider of a top-up that there is not": (
        lambda bench: bench.append("top_up_providers.csv", "SPINE,ZZA"),
        "top_up_providers.csv",
        "SPINE,ZZA",
        "column top_up of SPINE ZZA: top_ups.csv has no top-up 'SPINE'",
        "did you mean 'SPINAL'? add it to top_ups.csv, or take the line out",
    ),
    "a misspelt table": (
        lambda bench: bench.write("top_up.csv", "top_up\n"),
        "top_up.csv",
        None,
        "this file is no part of a rule pack",
        (
            "did you mean 'top_ups.csv'? known: pack.toml, overlay.toml, pathways.toml, sources.csv, examples.csv, admitted.csv, "
            "outpatient.csv, emergency.csv, unbundled.csv, mff.csv, top_ups.csv, top_up_providers.csv, "
            "best_practice.csv, best_practice_criteria.csv"
        ),
    ),
}

MISSING: dict[str, Case] = {
    "factors by provider without the table": (
        lambda bench: bench.drop("mff.csv"),
        "pack.toml",
        'method = "by_provider"',
        "[rules.market_forces_factor] method 'by_provider' needs mff.csv, which the pack has not",
        'add it, or set method = "none" and say why in its source',
    ),
    "top-ups without the table": (
        lambda bench: bench.drop("top_ups.csv").drop("top_up_providers.csv"),
        "pack.toml",
        'method = "highest_eligible"',
        "[rules.top_up] method 'highest_eligible' needs top_ups.csv, which the pack has not",
        'add it, or set method = "none" and say why in its source',
    ),
    "short stays without their columns": (
        lambda bench: bench.drop_columns("admitted.csv", "short_stay_applies", "short_stay_percent", "short_stay_price"),
        "pack.toml",
        'method = "price_table"',
        (
            "[rules.short_stay] method 'price_table' needs admitted.csv with short_stay_applies, and short_stay_percent or "
            "short_stay_price, which the pack has not"
        ),
        'add it, or set method = "none" and say why in its source',
    ),
    "long stays without their columns": (
        lambda bench: bench.drop_columns("admitted.csv", "elective_trim", "non_elective_trim", "per_day_long_stay"),
        "pack.toml",
        'method = "per_day_beyond_trim"',
        (
            "[rules.long_stay] method 'per_day_beyond_trim' needs admitted.csv with trim points and per_day_long_stay, "
            "which the pack has not"
        ),
        'add it, or set method = "none" and say why in its source',
    ),
    "no prices": (
        lambda bench: bench.drop("admitted.csv").drop("outpatient.csv").drop("emergency.csv").drop("unbundled.csv"),
        "pack",
        None,
        "there is none of admitted.csv, outpatient.csv, emergency.csv, unbundled.csv",
        "a pack needs at least one table of prices",
    ),
}

SOURCES: dict[str, Case] = {
    "a table without a source": (
        lambda bench: bench.edit("sources.csv", "mff,,illustrative", "top_ups,percent,illustrative"),
        "mff.csv",
        "ZZA,Invented District Hospital,1.000000",
        "no source and confidence for column mff (4 rows)",
        "add a line for table 'mff' to sources.csv, or fill source and confidence on the rows",
    ),
    "a column without a source": (
        lambda bench: bench.edit("sources.csv", "top_ups,,", "top_ups,percent;minimum_age,"),
        "top_ups.csv",
        "CHILDREN,Specialised children's services,50%,",
        "no source and confidence for column maximum_age (5 rows)",
        "add a line for table 'top_ups' to sources.csv, or fill source and confidence on the rows",
    ),
    "a source for a column that there is not": (
        lambda bench: bench.edit("sources.csv", "top_ups,,", "top_ups,percents,").append(
            "sources.csv", "top_ups,,illustrative,This project,Invented,,MIT,2026-01-01,,"
        ),
        "sources.csv",
        "top_ups,percents,illustrative,This project,In",
        "column columns: top_ups.csv has no column 'percents'",
        "did you mean 'percent'? its columns: top_up, name, percent, minimum_age, maximum_age",
    ),
    "a source for a table that there is not": (
        lambda bench: bench.append("sources.csv", "mfff,,illustrative,This project,Invented,,MIT,2026-01-01,,"),
        "sources.csv",
        "mfff,,illustrative,This project,Invented,,MIT",
        "column table of mfff: 'mfff' is not a table of a rule pack; did you mean 'mff'?",
        "known: admitted, outpatient, emergency, unbundled, mff, top_ups, top_up_providers, best_practice, "
        "best_practice_criteria",
    ),
    "an unknown confidence of a table": (
        lambda bench: bench.edit("sources.csv", "mff,,illustrative", "mff,,guessed"),
        "sources.csv",
        "mff,,guessed,This project,Invented round figu",
        "column confidence of mff: 'guessed' is not known",
        "known: published, practice, local, proxy, assumed, illustrative",
    ),
    "a source without a licence": (
        lambda bench: bench.append("sources.csv", "mff,mff,illustrative,This project,Invented,,,2026-01-01,,"),
        "sources.csv",
        "mff,mff,illustrative,This project,Invented,,,",
        "column licence of mff mff: is blank",
        "name the licence",
    ),
    "a confidence of a row that there is not": (
        lambda bench: bench.write("mff.csv", "provider,name,mff,source,confidence\nZZA,A,1.0,A letter,localish\n"),
        "mff.csv",
        "ZZA,A,1.0,A letter,localish",
        "column confidence of ZZA: 'localish' is not known",
        "did you mean 'local'? known: published, practice, local, proxy, assumed, illustrative",
    ),
    "a confidence of a row without its source": (
        lambda bench: bench.write("mff.csv", "provider,name,mff,source,confidence\nZZA,A,1.0,,local\n"),
        "mff.csv",
        "ZZA,A,1.0,,local",
        "column source of ZZA: a row's own label is source and confidence",
        "give both or neither",
    ),
}

EXAMPLES: dict[str, Case] = {
    "a worked line that does not add up": (
        lambda bench: bench.edit(
            "examples.csv", "6000.00,0.00,1000.00,0.00,0.00,7000.00", "6000.00,0.00,1000.00,0.00,0.00,7001.00"
        ),
        "examples.csv",
        "non-elective beyond its own trim point,admitt",
        "column price: the components add to £7,000.00, not £7,001.00",
        "mend the expectation",
    ),
    "a worked line with a reason that there is not": (
        lambda bench: bench.edit(
            "examples.csv", "unpriced,ungrouped,UZ (RULES 1.1)\nno HRG", "unpriced,ungruoped,UZ (RULES 1.1)\nno HRG"
        ),
        "examples.csv",
        "data invalid for grouping,admitted,data inval",
        "column reason: 'ungruoped' is not known",
        "did you mean 'ungrouped'?",
    ),
    "a worked line with an unknown column": (
        lambda bench: bench.edit("examples.csv", "example,kind,spell_id,provider", "example,kind,spell_id,providr"),
        "examples.csv",
        "example,kind,spell_id,providr,commissioner,ad",
        "column 'providr' is not known",
        "did you mean 'provider'? use canonical names",
    ),
}


FAULTS = DECLARATIONS | TABLES | MISSING | SOURCES | EXAMPLES


@pytest.mark.parametrize("name", FAULTS)
def test_mistake_is_told(bench: PackOnTheBench, name: str) -> None:
    mistake, *expected = FAULTS[name]
    mistake(bench)
    assert bench.faults() == [bench.message(*expected)]


def test_the_untouched_copy_has_no_faults(bench: PackOnTheBench) -> None:
    assert bench.faults() == []


def test_every_fault_is_told_at_once(bench: PackOnTheBench) -> None:
    row(",10,6000,", ",10,0,")(bench)
    bench.edit("mff.csv", "1.050000", "2.5").edit("pack.toml", 'method = "penny_once"', 'method = "penny"')
    with pytest.raises(RulesError) as raised:
        load_pack(bench.folder)
    told = str(raised.value)
    assert raised.value.exit_code == 4
    assert told.startswith(f"rule pack {bench.folder} cannot be used: 5 faults")
    for fragment in ("'0' is a printed 0", "'2.5' lies outside", "method 'penny' is not known", "admitted.csv", "mff.csv"):
        assert fragment in told


def test_faults_of_rows_and_of_rules_are_told_together(bench: PackOnTheBench) -> None:
    row(",10,6000,", ",10,0,")(bench)
    bench.drop("mff.csv")
    told = bench.faults()
    assert len(told) == 2
    assert "'0' is a printed 0" in told[0]
    assert "[rules.market_forces_factor] method 'by_provider' needs mff.csv" in told[1]


@pytest.mark.parametrize("odd", ["ZZX,A hospital, with a comma,1.0", "ZZX,A hospital"])
def test_a_row_of_too_many_or_too_few_cells_hides_no_fault_of_another(bench: PackOnTheBench, odd: str) -> None:
    bench.edit("mff.csv", "1.050000", "2.5").append("mff.csv", odd).append("mff.csv", "ZZB,again,1.0")
    told = bench.faults()
    assert [fault.split(": ")[0] for fault in told] == ["mff.csv:6", "mff.csv:3", "mff.csv:7"]
    assert "cells where the header has 3" in told[0]
    assert "'2.5' lies outside 0.8 to 1.6" in told[1]
    assert "stands on line 3 already" in told[2]


def test_a_table_with_faults_is_not_told_as_missing_too(bench: PackOnTheBench) -> None:
    bench.edit("mff.csv", "provider,name,mff", "provider,name,factor")
    assert [fault.split(":")[0] for fault in bench.faults()] == ["mff.csv", "mff.csv"]


def test_a_table_that_is_not_utf_8_is_told(bench: PackOnTheBench) -> None:
    bench.seal()
    (bench.folder / "mff.csv").write_bytes("provider,name,mff\nZZA,Hôpital,1.0\n".encode("cp1252"))
    assert "mff.csv: byte 23 is not UTF-8\n    save the table as CSV UTF-8" in bench.faults()


def test_a_table_changed_after_its_source_was_recorded_is_told(bench: PackOnTheBench) -> None:
    bench.edit("mff.csv", "1.050000", "1.060000")
    with pytest.raises(
        RulesError, match=r"sources\.csv:6: column sha256: '\w{12}\.\.\.' is not the digest of mff\.csv\n.*write \w{64}"
    ):
        load_pack(bench.folder)


def test_line_ends_of_a_checkout_do_not_change_digests(bench: PackOnTheBench) -> None:
    before = load_pack(bench.folder).digest
    for path in bench.folder.iterdir():
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    after = load_pack(bench.folder)
    assert after.digest == before
    assert len(after.admitted) == 64


def test_a_byte_order_mark_and_blank_lines_are_passed_over(bench: PackOnTheBench) -> None:
    text = (bench.folder / "mff.csv").read_text(encoding="utf-8")
    (bench.folder / "mff.csv").write_text("\n" + text.replace("\n", "\n\n") + ",,\n", encoding="utf-8-sig")
    assert bench.faults() == []
    assert [str(factor.origin) for factor in load_pack(bench.folder).provider_factors][:2] == [
        "bench/mff.csv:4",
        "bench/mff.csv:6",
    ]


WARNINGS: dict[str, Case] = {
    "a short-stay price far from its percentage": (
        lambda bench: bench.edit("admitted.csv", DZ11S, DZ11S.replace("25%,1000", "25%,1002")),
        "admitted.csv",
        "DZ11S,",
        "column short_stay_price of DZ11S: £1,002.00 is more than £1 from non_elective x short_stay_percent, £1,000.00",
        "the printed price is used",
    ),
    "a trim point lower than any published": (
        row(",,,10,6000", ",,,4,6000"),
        "admitted.csv",
        "HN22E,",
        "column elective_trim of HN22E: 4 days is below 5, the lowest ever published",
        "check it against the workbook",
    ),
    "a trim point without a per-day payment": (
        row(",30,200,", ",30,,"),
        "pack",
        None,
        "trim points without a per_day_long_stay: 1, the first HN22E (bench/admitted.csv:22)",
        "days beyond the trim point are not paid for these",
    ),
    "a reduction of nothing": (
        row(",10,6000,30,200,no,", ",10,,30,200,yes,25%"),
        "admitted.csv",
        "HN22E,",
        "column short_stay_applies of HN22E: is yes but the row has no non-elective price",
        "the reduction will never act",
    ),
    "a table that no rule uses": (
        lambda bench: bench.edit("pack.toml", 'method = "by_provider"', 'method = "none"'),
        "mff.csv",
        None,
        "is not used: [rules.market_forces_factor] is none",
        "change the rule, or take the table out",
    ),
}


@pytest.mark.parametrize("name", WARNINGS)
def test_what_is_worth_a_look_only_warns(bench: PackOnTheBench, name: str) -> None:
    mistake, *expected = WARNINGS[name]
    mistake(bench)
    assert bench.warnings() == [bench.message(*expected)]


def test_a_short_stay_price_within_a_pound_is_no_matter(bench: PackOnTheBench) -> None:
    bench.edit("admitted.csv", DZ11S, DZ11S.replace("25%,1000", "25%,1001"))
    assert bench.warnings() == []


def test_a_pack_may_declare_that_it_lacks_the_trim_points_of_a_setting(bench: PackOnTheBench) -> None:
    row(",6000,30,", ",6000,,")(bench)
    bench.edit(
        "pack.toml",
        'method = "per_day_beyond_trim"',
        'method = "per_day_beyond_trim"\nwithout_trim_points = ["non_elective"]',
    )
    assert bench.faults() == []
    bench.edit("pack.toml", '["non_elective"]', '["ordinary_elective"]')
    assert ["column non_elective_trim of HN22E: is blank" in fault for fault in bench.faults()] == [True]


def test_rows_may_carry_their_own_label(bench: PackOnTheBench) -> None:
    bench.write("mff.csv", "provider,name,mff,source,confidence\nZZA,A,1.0,A letter of 1 May,local\nZZB,B,1.05,,\n")
    assert bench.faults() == []
    pack = load_pack(bench.folder)
    own, default = pack.provider_factors
    assert pack.confidence_of("mff", "mff", own) == ("local", "A letter of 1 May")
    assert pack.confidence_of("mff", "mff", default).confidence == "illustrative"
