"""DuckDB: totals of outpatient attendances by one SQL statement over Parquet, exact BIGINT pence."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import duckdb
import polars as pl

from benchmarks.peers.attendance_tables import (
    FIRST_ATTENDANCES,
    FIRST_CODES,
    KEYS,
    NO,
    NOT_CONSULTANT,
    OLDEST_AGE,
    PODS,
    PRIVATE,
    PRIVATE_COMMISSIONER,
    REMOTE_CODES,
    SEEN,
    SUMS,
    TRUST_CODE_LENGTH,
    UNGROUPED,
    YES,
    AttendanceTables,
)
from tariff.money import AMOUNT_LIMIT_PENCE, MILLION


def _in(column: str, codes: Iterable[str]) -> str:
    """Whether a code is in a list, a blank is not. DuckDB works this out once for each distinct code."""
    listed = ", ".join(f"'{code}'" for code in codes)
    return f"coalesce({column} in ({listed}), false)" if listed else "false"


def totals_query(tables: AttendanceTables, source: str) -> str:
    """`SUMS` by `KEYS` from canonical columns, step by step; the point of delivery as its number."""
    first, follow_up = ("null" if price is None else price for price in (tables.default_first, tables.default_follow_up))
    return f"""
    with terms as (
        select
            line.commissioner, line.provider, line.treatment_function,
            attendance_id is not null and line.provider is not null and commissioner is not null
                and attendance_date between date '{tables.starts}' and date '{tables.ends}'
                and coalesce(age between 0 and {OLDEST_AGE}, true)
                and {_in("first_attendance", FIRST_ATTENDANCES)} and {_in("attended", SEEN)}
                and commissioner <> '{PRIVATE_COMMISSIONER}' and not {_in("administrative_category", PRIVATE)} as sound,
            {_in("first_attendance", FIRST_ATTENDANCES)} as classified,
            coalesce(ends_with(rtrim(commissioning_serial_number), '='), false)
                or {_in("hrg", tables.excluded_hrgs)} or {_in("line.treatment_function", tables.excluded_functions)} as by_policy,
            coalesce(starts_with(hrg, '{UNGROUPED}'), false) as ungrouped,
            hrg is not null and hrgs.code is null and not starts_with(hrg, '{UNGROUPED}') as unknown,
            hrgs.price as procedure_price,
            coalesce(hrgs.procedure, hrg is not null and not starts_with(hrg, '{UNGROUPED}')) as procedure,
            coalesce(hrgs.first, {_in("first_attendance", FIRST_CODES)})::utinyint as first,
            coalesce(hrgs.remote, {_in("first_attendance", REMOTE_CODES)}) as remote,
            coalesce(hrgs.multi, {_in("multi_professional", YES)})::utinyint as multi,
            case
                when {_in("consultant_led", YES)} then true
                when {_in("consultant_led", NO)} then false
                else not {_in("main_specialty", NOT_CONSULTANT)}
            end as led,
            replace(local_price, '.', '')::bigint as local_price,
            coalesce(whole.factor, trust.factor) as factor
        from {source} as line
        left join hrgs on hrgs.code = hrg
        left join factors as whole on whole.provider = line.provider
        left join factors as trust on trust.provider = left(line.provider, {TRUST_CODE_LENGTH})
    ),
    forms as (select *, case when remote then 4 + first else 2 * first + multi end as form from terms),
    prices_of_form as (
        select
            commissioner, provider, sound, by_policy, ungrouped, unknown, procedure_price, led, local_price, factor,
            case
                when not classified then {len(PODS) - 1}
                when procedure then 10 + first
                when remote then 8 + first
                else 2 * forms.form + led::utinyint
            end as pod,
            case
                when prices.price is not null then prices.price
                when {_in("forms.treatment_function", tables.functions)} or remote then null
                when first = 1 then {first}
                else {follow_up}
            end as attendance_price,
            coalesce(takes_factor, true) as takes_factor
        from forms
        left join prices on prices.treatment_function = forms.treatment_function and prices.form = forms.form
    ),
    paid as (
        select
            commissioner, provider, pod,
            case
                when not coalesce(sound, false) then null
                when by_policy or unknown or (not ungrouped and procedure_price is null and (not led or attendance_price is null))
                then case when abs(local_price) <= {AMOUNT_LIMIT_PENCE} then local_price end
                when ungrouped then null
                when procedure_price is not null then (procedure_price * factor + {MILLION // 2}) // {MILLION}
                when takes_factor then (attendance_price * factor + {MILLION // 2}) // {MILLION}
                else attendance_price
            end as price
        from prices_of_form
    )
    select commissioner, provider, pod,
        count(*) as attendances, count(price) as priced, coalesce(sum(price), 0)::bigint as price_pence
    from paid
    group by all
    """


class DuckDbAttendances:
    """The peer: a connection with the tables in it."""

    def __init__(self, tables: AttendanceTables) -> None:
        self.tables = tables
        self.connection = duckdb.connect()
        self.connection.execute("set preserve_insertion_order = false")
        self._keep("hrgs", pl.DataFrame([vars(one) for one in tables.hrgs], infer_schema_length=None))
        self._keep("prices", pl.DataFrame([vars(one) for one in tables.prices], infer_schema_length=None))
        self._keep("factors", pl.DataFrame({"provider": list(tables.factors), "factor": list(tables.factors.values())}))

    def _keep(self, name: str, frame: pl.DataFrame) -> None:
        self.connection.register("given", frame.to_arrow())
        self.connection.execute(f"create or replace table {name} as select * from given")
        self.connection.unregister("given")

    def totals(self, source: Path) -> pl.DataFrame:
        """Parquet to totals."""
        found = self.connection.sql(totals_query(self.tables, f"read_parquet('{source}')")).pl()
        pods = pl.Series(PODS)
        return found.with_columns(pod=pods.gather(found["pod"])).select(*KEYS, *SUMS)
