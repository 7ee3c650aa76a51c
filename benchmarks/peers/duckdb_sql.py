"""DuckDB: one SQL statement over Parquet, exact BIGINT pence.

DuckDB works a function out once for each distinct value of a dictionary-coded column, so questions about codes are asked
of the text itself; what varies by HRG and provider is joined."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import polars as pl

from benchmarks.peers.tables import (
    DAYS_AWAY,
    ELECTIVE,
    EMERGENCY,
    KEYS,
    MOST_DAYS,
    OLDEST_AGE,
    OTHER_NON_ELECTIVE,
    PRIVATE,
    PRIVATE_COMMISSIONER,
    RESULT,
    TRUST_CODE_LENGTH,
    UNGROUPED,
    Tables,
)
from tariff.money import AMOUNT_LIMIT_PENCE, MILLION

TOLD_APART = """
        commissioner, provider, hrg, (month(discharge_date) + 8) % 12 + 1 as month"""
"""What totals need beside the amounts."""
COPYING = "(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE 250000)"


def _quoted(codes: tuple[str, ...]) -> str:
    return ", ".join(f"'{code}'" for code in codes)


def _terms_from_parquet(tables: Tables, source: str) -> str:
    """The terms of the price from canonical columns, prices and factor joined."""
    return f"""
    select
        spell_id, commissioner, provider, hrg, admission_date, discharge_date, age,
        replace(local_price, '.', '')::bigint as local_price, {", ".join(DAYS_AWAY)},
        spell_id is not null and provider is not null as identified,
        commissioner <> '{PRIVATE_COMMISSIONER}' and coalesce(administrative_category not in ({_quoted(PRIVATE)}), true)
            as funded,
        coalesce(ends_with(rtrim(commissioning_serial_number), '='), false) as outside,
        case
            when admission_method in ({_quoted(ELECTIVE)}) then 1
            when admission_method in ({_quoted(EMERGENCY)}) then 2
            when admission_method in ({_quoted(OTHER_NON_ELECTIVE)}) then 3
            else 0
        end as method,
        case when patient_classification in ('1', '2', '3', '4', '5') then patient_classification::utinyint else 0 end as class,
        coalesce(grouping_method in ({_quoted(tables.grouping_methods)}), true) as grouping_counts,
        coalesce(not starts_with(hrg, '{UNGROUPED}'), false) as grouped,
        {_highest(tables, lambda number: f"coalesce(list_contains(services, '{tables.top_ups[number].code}'), false)")} as share,
        coalesce(whole.factor, trust.factor) as factor,
        day_case, ordinary_elective, non_elective, elective_trim, non_elective_trim, per_day, short_stay_price
    from (
        select *, list_transform(string_split(specialised_services, ';'), lambda code: trim(code)) as services
        from {source}
    ) as line
    left join prices using (hrg)
    left join factors as whole using (provider)
    left join factors as trust on trust.provider = left(line.provider, {TRUST_CODE_LENGTH})
    """


def _terms_from_lines(tables: Tables, source: str) -> str:
    """The terms of the price from encoded lines (`benchmarks.lines`)."""
    return f"""
    select
        * exclude (fault, policy, patient_classification, "grouping"),
        fault = 0 as identified,
        policy & 1 = 0 as funded,
        policy >= 2 as outside,
        patient_classification as class,
        "grouping" <> 2 as grouping_counts,
        {_highest(tables, lambda number: f"top_ups & {1 << number} <> 0")} as share
    from {source}
    """


def _highest(tables: Tables, coded) -> str:
    order = sorted(range(len(tables.top_ups)), key=lambda number: -tables.top_ups[number].share)
    cases = []
    for number in order:
        one = tables.top_ups[number]
        every_age = (one.minimum_age, one.maximum_age) == (0, OLDEST_AGE)
        ages = "" if every_age else f" and age between {one.minimum_age} and {one.maximum_age}"
        cases.append(f"when {coded(number)}{ages} then {one.share}")
    return f"(case {' '.join(cases)} else 0 end)::bigint"


def _priced(tables: Tables, terms: str, keep: str = "spell_id") -> str:
    """The amounts of `RESULT`, and the columns `keep`, from the terms, step by step."""
    days_possible = " and ".join(f"coalesce({name} between 0 and {MOST_DAYS}, true)" for name in DAYS_AWAY)
    away = " + ".join(f"coalesce({name}, 0)::bigint" for name in DAYS_AWAY)
    local_in_range = f"case when abs(local_price) <= {AMOUNT_LIMIT_PENCE} then local_price end"
    return f"""
    with terms as ({terms}),
    stays as (
        select *,
            case when discharge_date >= admission_date then discharge_date - admission_date end as gross,
            {away} as taken_off,
            {days_possible} as days_possible
        from terms
    ),
    settings as (
        select *,
            greatest(gross - taken_off, 0) as adjusted,
            method = 1 and class = 2 and coalesce(gross, 0) = 0 as is_day_case,
            coalesce(
                gross <= {MOST_DAYS} and age between 0 and {OLDEST_AGE} and days_possible and method > 0 and class > 0
                and discharge_date between date '{tables.starts}' and date '{tables.ends}' and identified and funded,
                false
            ) as sound,
            outside or class in (3, 4) as by_policy
        from stays
    ),
    prices_of_setting as (
        select *,
            case when is_day_case then day_case when method = 1 then ordinary_elective else non_elective end as own,
            case when method <> 1 then non_elective_trim when not is_day_case then elective_trim end as trim_point
        from settings
    ),
    bases as (
        select *,
            case when sound and not by_policy and factor is not null then own end as base,
            case when sound and (by_policy or (own is null and grouped)) then {local_in_range} end as local
        from prices_of_setting
    ),
    components as (
        select *,
            case
                when method = 2 and adjusted <= {tables.maximum_stay} and age >= {tables.minimum_age} and grouping_counts
                    and short_stay_price is not null
                then short_stay_price - base
                else 0
            end as short_stay,
            coalesce(greatest(adjusted - trim_point, 0) * per_day, 0) as long_stay
        from bases
    ),
    sums as (select *, base + short_stay + long_stay as pre_mff from components),
    totals as (
        select *,
            (pre_mff * share + {tables.scale // 2}) // {tables.scale} as top_up,
            ((pre_mff * {tables.scale} + pre_mff * share) * factor + {tables.divisor // 2}) // {tables.divisor} as total
        from sums
    )
    select
        {keep},
        coalesce(base, local, 0)::bigint as base_pence,
        case when base is not null then short_stay else 0 end::bigint as short_stay_pence,
        case when base is not null then long_stay else 0 end::bigint as long_stay_pence,
        coalesce(top_up, 0)::bigint as top_up_pence,
        coalesce(total - pre_mff - top_up, 0)::bigint as mff_pence,
        coalesce(total, local, 0)::bigint as price_pence,
        case
            when base is not null or local is not null then null
            when local_price is not null then {local_in_range}
            else (coalesce(
                case when method > 0 and class > 0 then case when class in (3, 4) then day_case else own end end,
                ordinary_elective, day_case, non_elective
            ) * coalesce(factor, {MILLION}) + {MILLION // 2}) // {MILLION}
        end::bigint as indicative_pence
    from totals
    """


class DuckDbSql:
    """The peer: a connection with the tables in it."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.connection = duckdb.connect()
        self.connection.execute("set preserve_insertion_order = false")
        wide = {name: pl.Series(values, dtype=pl.Int64) for name, values in tables.prices.items()}
        self._keep("prices", pl.DataFrame({"hrg": tables.hrg, **wide}))
        self._keep("factors", pl.DataFrame({"provider": list(tables.factors), "factor": list(tables.factors.values())}))

    def _keep(self, name: str, frame: pl.DataFrame) -> None:
        self.connection.register("given", frame.to_arrow())
        self.connection.execute(f"create or replace table {name} as select * from given")
        self.connection.unregister("given")

    def price_file(self, source: Path, out: Path) -> None:
        """Parquet to Parquet."""
        query = _priced(self.tables, _terms_from_parquet(self.tables, f"read_parquet('{source}')"))
        self.connection.execute(f"copy ({query}) to '{out}' {COPYING}")

    def totals(self, source: Path, keys: Sequence[str] = KEYS) -> pl.DataFrame:
        """Parquet to totals."""
        terms = _terms_from_parquet(self.tables, f"read_parquet('{source}')")
        sums = ", ".join(f"coalesce(sum({name}), 0)::bigint as {name}" for name in RESULT[1:])
        query = (
            f"select {', '.join(keys)}, count(*) as spells, {sums} from ({_priced(self.tables, terms, TOLD_APART)}) group by all"
        )
        return self.connection.sql(query).pl()

    def encode(self, lines: pl.DataFrame) -> str:
        """Encoded lines in the shape that this peer likes best: a table of its own."""
        self._keep("lines", lines)
        return f"create or replace table priced as {_priced(self.tables, _terms_from_lines(self.tables, 'lines'))}"

    def price_lines(self, encoded: str) -> None:
        """The timed call: into a table of its own, which is cheaper than handing the rows over."""
        self.connection.execute(encoded)

    def result(self, outcome: None) -> pl.DataFrame:
        """What is compared."""
        return self.connection.sql(f"select {', '.join(RESULT)} from priced").pl()
